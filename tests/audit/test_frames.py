"""What is counted from the long table."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from ses_audit.audit import frames
from ses_audit.audit.frames import kinds, long_table, narrowed
from ses_audit.audit.verdict_tables import SCHEMAS
from ses_audit.errors import UserError


def test_the_five_kinds() -> None:
    frame = pd.DataFrame(
        [
            ("ALLOWED", "ALLOWED", "allowed"),
            ("CONDITIONAL", "ALLOWED", "conditional"),
            ("DENIED", "ALLOWED", "scp_alone"),
            ("DENIED", "CONDITIONAL", "scp_alone"),
            ("DENIED", "UNKNOWN", "denied"),
            ("DENIED", "DENIED", "denied"),
            ("UNKNOWN", "ALLOWED", "unknown"),
        ],
        columns=["verdict", "verdict_without_scp", "kind"],
    )
    assert list(kinds(frame)) == list(frame["kind"])


def test_filters_of_an_organization_without_identities() -> None:
    """A snapshot that was read whole can hold nobody and nothing."""
    tables = {name: schema.empty_table() for name, schema in SCHEMAS.items()}
    tables["actions"] = pa.table([["ses:SendEmail"]], schema=SCHEMAS["actions"])
    found = long_table(
        tables,
        principal="alice",
        account="111111111111",
        identity="example.com",
        region="eu-west-1",
        action="SendEmail",
        verdict="ALLOWED",
    )
    assert len(found) == 0
    assert {"principal_arn", "verdict", "smtp"} <= set(found.columns)


def test_a_table_past_the_limit_says_how_to_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 2)
    table = pa.table({"account_id": ["1", "1", "2"], "type": ["user", "role", "user"]})
    assert narrowed(table, "principals", {"account_id": "1, 3", "type": None}).num_rows == 2
    with pytest.raises(UserError, match=r"^3 principals are .* at most 2 .* account_id"):
        narrowed(table, "principals", {"account_id": None, "type": None})
