"""Verdicts counted by rows and columns."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ses_audit.audit.documents import Documents
from ses_audit.audit.gaps import Gaps
from ses_audit.audit.matrix import KINDS, OUTSIDE, count
from ses_audit.audit.organization import Organization
from ses_audit.audit.queries import Queries
from ses_audit.audit.verdict_tables import SCHEMAS
from ses_audit.errors import UserError

ROWS = [
    # principal, its account, identity, its account, region, verdict, without, denied_by, policies,
    # conditions, missing
    ("u1", "1", "i1", "1", "eu-west-1", "ALLOWED", "ALLOWED", "", "", "", ""),
    ("u1", "1", "i2", "1", "us-east-1", "DENIED", "ALLOWED", "service_control_policy", "p", "", ""),
    ("u2", "1", "i1", "1", "eu-west-1", "DENIED", "DENIED", "identity_policy", "", "", ""),
    ("u2", "1", "i2", "1", "us-east-1", "CONDITIONAL", "CONDITIONAL", "", "", "if x", ""),
    ("u2", "1", "i3", "2", "us-east-1", "UNKNOWN", "UNKNOWN", "", "", "", "cell=DENIED"),
    ("svc", None, "i3", "2", "us-east-1", "DENIED", "UNKNOWN", "x", "", "", ""),
]
COLUMNS = (
    "principal_arn principal_account identity_arn identity_account region verdict "
    "verdict_without_scp denied_by denied_policies conditions missing_evidence"
)
FIELDS = COLUMNS.split()


def queries(u1: str = "u1") -> Queries:
    """The rows as verdict tables: each sender and each identity a class of its own."""
    rows = [dict(zip(FIELDS, (u1 if v == "u1" else v for v in row), strict=True)) for row in ROWS]
    senders = list(dict.fromkeys((r["principal_arn"], r["principal_account"]) for r in rows))
    identities = list(
        dict.fromkeys((r["identity_arn"], r["identity_account"], r["region"]) for r in rows)
    )
    made: dict[str, list[dict[str, object]]] = {
        "senders": [
            {"principal_arn": arn, "principal_account": account, "sender_class": n}
            for n, (arn, account) in enumerate(senders)
        ],
        "identities": [
            {"identity_arn": arn, "identity_account": owner, "region": r, "identity_class": n}
            for n, (arn, owner, r) in enumerate(identities)
        ],
        "actions": [{"action": "ses:SendEmail"}],
        "rulings": [{**row, "ungranted": False} for row in rows],
        "denials": [],
        "cells": [
            {
                "sender_class": senders.index((r["principal_arn"], r["principal_account"])),
                "identity_class": identities.index(
                    (r["identity_arn"], r["identity_account"], r["region"])
                ),
                "action": 0,
                "ruling": n,
            }
            for n, r in enumerate(rows)
        ],
    }
    tables = {
        name: pa.Table.from_pylist(
            [{key: row.get(key) for key in SCHEMAS[name].names} for row in found],
            schema=SCHEMAS[name],
        )
        for name, found in made.items()
    }
    return Queries(
        tables, Organization([], [], [], [], Documents({}, ()), Gaps([], ""), None, False)
    )


def counted(rows: str, columns: str) -> dict[tuple[str, str], tuple[int, ...]]:
    matrix = count(queries(), rows, columns, total=10)
    assert (matrix.cells, matrix.total) == (6, 10)
    return {
        (row["row"], row["column"]): tuple(row[kind] for kind in KINDS)
        for row in matrix.frame.to_dict("records")
    }


def test_each_cell_has_one_of_five_kinds() -> None:
    assert counted("principal", "identity") == {
        ("u1", "i1"): (1, 0, 0, 0, 0),
        ("u1", "i2"): (0, 0, 1, 0, 0),
        ("u2", "i1"): (0, 0, 0, 1, 0),
        ("u2", "i2"): (0, 1, 0, 0, 0),
        ("u2", "i3"): (0, 0, 0, 0, 1),
        ("svc", "i3"): (0, 0, 0, 1, 0),
    }


def test_rolled_up_nothing_is_lost() -> None:
    assert counted("account", "region") == {
        ("1", "eu-west-1"): (1, 0, 0, 1, 0),
        ("1", "us-east-1"): (0, 1, 1, 0, 1),
        (OUTSIDE, "us-east-1"): (0, 0, 0, 1, 0),
    }


def test_the_reason_of_a_cell_of_one_kind() -> None:
    frame = count(queries(), "principal", "identity", total=6).frame.set_index(["row", "column"])
    assert frame.loc[("u1", "i2"), "detail"] == "service_control_policy · p"
    assert frame.loc[("u2", "i1"), "detail"] == "identity_policy"
    assert frame.loc[("u2", "i2"), "detail"] == "if x"
    assert frame.loc[("u2", "i3"), "detail"] == "cell=DENIED"
    assert frame.loc[("u1", "i1"), "detail"] == ""
    rolled = count(queries(), "account", "account", total=6).frame.set_index(["row", "column"])
    assert rolled.loc[("1", "1"), "detail"] == ""


def test_html_is_escaped_and_says_n_of_m() -> None:
    hostile = queries("<script>x</script>")
    markup = count(hostile, "principal", "identity", total=10)._repr_html_()
    assert "<script>" not in markup
    assert "6 of 10 cells" in markup


@pytest.mark.parametrize("rows, columns", [("group", "identity"), ("principal", "ou")])
def test_what_cannot_be_counted_by(rows: str, columns: str) -> None:
    with pytest.raises(UserError, match="no matrix by"):
        count(queries(), rows, columns, total=6)


def test_past_the_limit_it_says_how_to_narrow() -> None:
    with pytest.raises(UserError, match=r"up to 6 cells .*narrow it by account="):
        count(queries(), "principal", "identity", total=6, most=5)
    # Rolled up there are as many as accounts and regions.
    assert count(queries(), "account", "region", total=6, most=5).cells == 6
