"""Verdicts counted by rows and columns."""

from __future__ import annotations

import pandas as pd
import pytest

from ses_audit.audit.matrix import KINDS, OUTSIDE, count
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
FRAME = pd.DataFrame(ROWS, columns=COLUMNS.split())


def counted(rows: str, columns: str) -> dict[tuple[str, str], tuple[int, ...]]:
    matrix = count(FRAME, rows, columns, 10)
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
    frame = count(FRAME, "principal", "identity", 6).frame.set_index(["row", "column"])
    assert frame.loc[("u1", "i2"), "detail"] == "service_control_policy · p"
    assert frame.loc[("u2", "i1"), "detail"] == "identity_policy"
    assert frame.loc[("u2", "i2"), "detail"] == "if x"
    assert frame.loc[("u2", "i3"), "detail"] == "cell=DENIED"
    assert frame.loc[("u1", "i1"), "detail"] == ""
    rolled = count(FRAME, "account", "account", 6).frame.set_index(["row", "column"])
    assert rolled.loc[("1", "1"), "detail"] == ""


def test_html_is_escaped_and_says_n_of_m() -> None:
    hostile = FRAME.assign(principal_arn="<script>x</script>")
    markup = count(hostile, "principal", "identity", 10)._repr_html_()
    assert "<script>" not in markup
    assert "6 of 10 cells" in markup


@pytest.mark.parametrize("rows, columns", [("group", "identity"), ("principal", "ou")])
def test_what_cannot_be_counted_by(rows: str, columns: str) -> None:
    with pytest.raises(UserError, match="no matrix by"):
        count(FRAME, rows, columns, 6)
