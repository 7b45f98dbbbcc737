"""What is counted from the long table."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from ses_audit.audit.frames import kinds, long_table, scp_denies
from ses_audit.audit.verdict_tables import SCHEMAS

SCP, OWN = "service_control_policy", "identity_policy"


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


def denied(
    verdict: str, without: str, *denials: tuple[str, str, str | None, bool, str | None]
) -> pd.DataFrame:
    """The rows of `scp_denies` for one cell: (layer, policy, target, certain, verdict without)."""
    frame = pd.DataFrame(
        [(verdict, without, 0)], columns=["verdict", "verdict_without_scp", "_ruling"]
    )
    rows = [
        {
            "ruling": 0, "certain": certain, "layer": layer, "kind": "explicit", "policy": policy,
            "sid": None, "statement_index": 0, "target": target, "verdict_without": then,
        }
        for layer, policy, target, certain, then in denials
    ]  # fmt: skip
    return scp_denies(frame, pa.Table.from_pylist(rows))


def test_a_sole_blocker() -> None:
    found = denied("DENIED", "ALLOWED", (SCP, "p1", "ou-1", True, "ALLOWED"))
    assert found[["policy", "sole_blocker", "verdict_without_this", "blockers"]].to_dict(
        "records"
    ) == [{"policy": "p1", "sole_blocker": True, "verdict_without_this": "ALLOWED", "blockers": 1}]


def test_one_of_several() -> None:
    found = denied(
        "DENIED",
        "ALLOWED",
        (SCP, "p1", "ou-1", True, "DENIED"),
        (SCP, "p2", "ou-2", True, "DENIED"),
    )
    assert list(found["sole_blocker"]) == [False, False]
    assert list(found["blockers"]) == [2, 2]


def test_beside_another_layer() -> None:
    found = denied(
        "DENIED", "DENIED", (SCP, "p1", "ou-1", True, "DENIED"), (OWN, "p2", None, True, None)
    )
    assert list(found["policy"]) == ["p1"]
    assert list(found["sole_blocker"]) == [False]


def test_an_scp_that_denies_in_some_contexts() -> None:
    found = denied("CONDITIONAL", "ALLOWED", (SCP, "p1", "ou-1", False, "ALLOWED"))
    assert list(found["verdict_without_this"]) == ["ALLOWED"]
    assert list(found["sole_blocker"]) == [False]


def test_one_that_changes_nothing_is_left_out() -> None:
    assert denied("CONDITIONAL", "CONDITIONAL", (SCP, "p1", "ou-1", False, "CONDITIONAL")).empty
    assert denied("ALLOWED", "ALLOWED", (OWN, "p1", None, False, None)).empty


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
