"""Counts by class are those of the long table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import ses_audit
from ses_audit.audit import Audit
from ses_audit.audit.frames import kinds
from ses_audit.audit.queries import OUTSIDE, RANKS
from ses_audit.audit.rollups import counts
from ses_audit.errors import UserError


@pytest.fixture(scope="module")
def audit(example_snapshot: Path) -> Audit:
    return ses_audit.open(example_snapshot)


@pytest.fixture(scope="module")
def frame(audit: Audit) -> pd.DataFrame:
    found = audit.verdicts()
    return found.assign(kind=kinds(found))


@pytest.mark.parametrize(
    ("rows", "columns", "row", "column"),
    [
        ("account", "region", "principal_account", "region"),
        ("region", "action", "region", "action"),
        ("action", "account", "action", "principal_account"),
    ],
)
def test_counts_are_those_of_the_long_table(
    audit: Audit, frame: pd.DataFrame, rows: str, columns: str, row: str, column: str
) -> None:
    found = audit.counts(rows, columns)
    expected = frame.groupby([row, column, "kind"], observed=True).size()
    assert expected.sum() > 5_000
    got = found.melt(id_vars=["row", "column"], var_name="kind", value_name="n")
    got = got[(got["n"] > 0) & got["row"].notna() & got["column"].notna()]
    assert got.set_index(["row", "column", "kind"])["n"].to_dict() == expected.to_dict()


def test_by_ou_nothing_is_lost(audit: Audit, frame: pd.DataFrame) -> None:
    found = audit.counts("ou", "", action="ses:SendRawEmail")
    chosen = frame[frame["action"] == "ses:SendRawEmail"]["kind"].value_counts()
    for kind in ("allowed", "conditional", "unknown", "scp_alone", "denied"):
        assert found[kind].sum() == chosen.get(kind, 0)
    assert OUTSIDE in set(found["row"])


def test_by_policy_each_denying_policy(audit: Audit, frame: pd.DataFrame) -> None:
    found = audit.counts("policy", "").set_index("row")
    denied = frame[frame["denied_policies"].astype(str).str.contains("p-denysesx")]
    name = next(row for row in found.index if isinstance(row, str) and "p-denysesx" in row)
    assert found.loc[name, ["scp_alone", "denied"]].sum() == len(denied) > 0


def test_past_the_limit_it_says_how_to_narrow(audit: Audit) -> None:
    with pytest.raises(UserError, match="narrow them by account= or action="):
        counts(audit.queries, "account", "region", most=3)


def test_accounts_are_those_of_the_principal(audit: Audit, frame: pd.DataFrame) -> None:
    chosen = frame[frame["principal_account"].isin(["222222222222", "333333333333"])]
    found = audit.counts("account", "", account="222222222222,333333333333")
    assert set(found["row"]) == {"222222222222", "333333333333"}
    assert found[list(RANKS)].to_numpy().sum() == len(chosen)


def test_other_rows_are_refused(audit: Audit) -> None:
    with pytest.raises(UserError, match="no roll-up by 'planet'"):
        audit.counts("planet")
