"""Counts by class are those of the long table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import ses_audit
from ses_audit.audit.frames import kinds
from ses_audit.audit.rollups import Rollups
from ses_audit.errors import UserError
from ses_audit.snapshot.store import open_snapshot


@pytest.fixture(scope="module")
def path(example_snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("rollups") / "snapshot"
    shutil.copytree(example_snapshot, copy)
    _ = ses_audit.open(copy).verdict_tables
    return copy


@pytest.fixture(scope="module")
def frame(path: Path) -> pd.DataFrame:
    found = ses_audit.open(path).verdicts()
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
    path: Path, frame: pd.DataFrame, rows: str, columns: str, row: str, column: str
) -> None:
    found = Rollups(open_snapshot(path)).counts(rows, columns)
    expected = frame.groupby([row, column, "kind"], observed=True).size()
    assert expected.sum() > 5_000
    got = found.melt(id_vars=["row", "column"], var_name="kind", value_name="n")
    got = got[(got["n"] > 0) & got["row"].notna() & got["column"].notna()]
    assert got.set_index(["row", "column", "kind"])["n"].to_dict() == expected.to_dict()


def test_by_ou_nothing_is_lost(path: Path, frame: pd.DataFrame) -> None:
    found = Rollups(open_snapshot(path)).counts("ou", "", action="ses:SendRawEmail")
    chosen = frame[frame["action"] == "ses:SendRawEmail"]["kind"].value_counts()
    for kind in ("allowed", "conditional", "unknown", "scp_alone", "denied"):
        assert found[kind].sum() == chosen.get(kind, 0)
    assert "(outside the organization)" in set(found["row"])


def test_by_policy_each_denying_policy(path: Path, frame: pd.DataFrame) -> None:
    found = Rollups(open_snapshot(path)).counts("policy", "").set_index("row")
    denied = frame[frame["denied_policies"].astype(str).str.contains("p-denysesx")]
    name = next(row for row in found.index if isinstance(row, str) and "p-denysesx" in row)
    assert found.loc[name, ["scp_alone", "denied"]].sum() == len(denied) > 0


def test_past_the_limit_it_says_how_to_narrow(path: Path) -> None:
    with pytest.raises(UserError, match="narrow them by account= or action="):
        Rollups(open_snapshot(path)).counts("account", "region", most=3)


def test_other_rows_are_refused(path: Path, tmp_path: Path, example_snapshot: Path) -> None:
    with pytest.raises(UserError, match="no roll-up by 'planet'"):
        Rollups(open_snapshot(path)).counts("planet")
    bare = tmp_path / "bare"
    shutil.copytree(example_snapshot, bare, ignore=shutil.ignore_patterns("verdicts"))
    with pytest.raises(UserError, match="ses-audit decide"):
        Rollups(open_snapshot(bare))
