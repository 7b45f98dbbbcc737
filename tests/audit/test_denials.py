"""Which cells an SCP stops, and what else does."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from ses_audit.audit import denials
from ses_audit.audit.denials import scp_denials, scp_denies
from ses_audit.audit.verdict_tables import SCHEMAS
from ses_audit.errors import UserError

SCP, OWN = "service_control_policy", "identity_policy"


def tables(
    verdict: str, without: str, *found: tuple[str, str, str | None, bool, str | None]
) -> dict[str, pa.Table]:
    """One cell with its denials: (layer, policy, target, certain, verdict without)."""
    rows = [
        {
            "ruling": 0, "certain": certain, "layer": layer, "kind": "explicit", "policy": policy,
            "sid": None, "statement_index": 0, "target": target, "verdict_without": then,
        }
        for layer, policy, target, certain, then in found
    ]  # fmt: skip
    made: dict[str, list[dict[str, object]]] = {
        "senders": [{"principal_arn": "a", "principal_account": "1", "sender_class": 0}],
        "identities": [{"identity_arn": "i", "identity_account": "1", "identity_class": 0}],
        "actions": [{"action": "ses:SendEmail"}],
        "rulings": [{"verdict": verdict, "verdict_without_scp": without, "ungranted": False}],
        "denials": rows,
        "cells": [{"sender_class": 0, "identity_class": 0, "action": 0, "ruling": 0}],
    }
    return {n: pa.Table.from_pylist(rows, schema=SCHEMAS[n]) for n, rows in made.items()}


def denied(
    verdict: str, without: str, *found: tuple[str, str, str | None, bool, str | None]
) -> pd.DataFrame:
    return scp_denies(tables(verdict, without, *found))


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


def test_one_policy_alone() -> None:
    several = tables(
        "DENIED",
        "ALLOWED",
        (SCP, "p1", "ou-1", True, "DENIED"),
        (SCP, "p2", "ou-2", True, "DENIED"),
    )
    found = scp_denies(several, ("p2",))
    # What else denies the cell is counted all the same.
    assert found[["policy", "blockers"]].to_dict("records") == [{"policy": "p2", "blockers": 2}]
    assert scp_denies(several, account="2").empty
    assert scp_denials(several, ("p3",)).num_rows == 0


def test_past_the_limit_it_says_how_to_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denials, "MOST_ROWS", 1)
    with pytest.raises(UserError, match=r"2 denials are asked for.* or count them by scp_stops"):
        denied(
            "DENIED",
            "ALLOWED",
            (SCP, "p1", "ou-1", True, "DENIED"),
            (SCP, "p2", "ou-2", True, "DENIED"),
        )
