"""What is missing only ever turns a verdict into UNKNOWN, and the row names the missing cell.

The rule: a missing allow-side input can turn DENIED into UNKNOWN, a missing deny-side input ALLOWED
or CONDITIONAL; nothing else changes, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import ses_audit
from ses_audit.collect.progress import Silent
from ses_audit.replay.example import example_records
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions, Fault
from ses_audit.replay.recording import Recording

WEB, MAIL, MANAGEMENT = "222222222222", "666666666666", "111111111111"
OPTIONS = {"accounts": (MANAGEMENT, WEB, MAIL), "regions": ("eu-west-1", "us-east-1")}
KEY = ["principal_arn", "identity_arn", "action"]


def verdicts(path: Path, *faults: Fault) -> pd.DataFrame:
    recording = Recording(example_records(), MANAGEMENT)
    collect_recording(path, Silent(), recording, Conditions(faults=faults), **OPTIONS)
    frame = ses_audit.open(path).verdicts(unrelated=True).astype(str)
    return frame.set_index(KEY).sort_index()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return verdicts(tmp_path_factory.mktemp("whole") / "snapshot")


def denied(operation: str, account: str, region: str = "", argument: str = "") -> Fault:
    return Fault("error", account=account, region=region, operation=operation, argument=argument)


Rows = Callable[[pd.DataFrame], "pd.Series[bool]"]


def of_identity(account: str, region: str, name: str) -> Rows:
    arn = f"arn:aws:ses:{region}:{account}:identity/{name}"
    return lambda frame: pd.Series(
        frame.index.get_level_values("identity_arn") == arn, index=frame.index
    )


def everywhere(frame: pd.DataFrame) -> pd.Series[bool]:
    return pd.Series(True, index=frame.index)


def changes(whole: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The rows that are there still, and have another verdict."""
    both = whole.index.intersection(found.index)
    later = found.loc[both]
    return later[later["verdict"] != whole.loc[both, "verdict"]]


@pytest.mark.parametrize(
    ("fault", "cell", "where"),
    [
        (denied("GetEmailIdentity", WEB, "eu-west-1", "example.com"),
         f"{WEB}/eu-west-1/sesv2.GetEmailIdentity", of_identity(WEB, "eu-west-1", "example.com")),
        (denied("DescribePolicy", MANAGEMENT), f"{MANAGEMENT}/global/organizations.DescribePolicy",
         everywhere),
        (denied("ListRoots", MANAGEMENT), f"{MANAGEMENT}/global/organizations.ListRoots",
         everywhere),
    ],
    ids=lambda value: value.operation if isinstance(value, Fault) else "",
)  # fmt: skip
def test_a_missing_cell_makes_unknown_and_nothing_else(
    whole: pd.DataFrame, tmp_path: Path, fault: Fault, cell: str, where: Rows
) -> None:
    found = verdicts(tmp_path / "snapshot", fault)
    changed = changes(whole, found)
    assert len(changed) > 0
    assert set(changed["verdict"]) == {"UNKNOWN"}
    assert changed["missing_evidence"].str.contains(cell, regex=False).all()
    assert where(changed).all()
    # A policy that was not read could name anyone: a row for `*` may come, none goes.
    assert whole.index.difference(found.index).empty
    come = found.loc[found.index.difference(whole.index)]
    assert set(come["verdict"]) <= {"UNKNOWN"}
    assert set(come.index.get_level_values("principal_arn")) <= {"*"}


def test_a_missing_account_makes_its_own_principals_unknown(
    whole: pd.DataFrame, tmp_path: Path
) -> None:
    """Nobody of it is known by name, so one row stands for whoever is there."""
    found = verdicts(tmp_path / "s", denied("GetAccountAuthorizationDetails", WEB))
    gone = whole.index.difference(found.index).to_frame()["principal_arn"]
    assert gone.str.startswith(f"arn:aws:iam::{WEB}:").all()
    come = found.loc[found.index.difference(whole.index)]
    assert set(come.index.get_level_values("principal_arn")) == {f"arn:aws:iam::{WEB}:*"}
    assert set(come["verdict"]) <= {"UNKNOWN", "DENIED"}
    assert "UNKNOWN" in set(come["verdict"])
    # One that a sending policy of another account names is there still, and not known to allow.
    changed = changes(whole, found)
    assert set(changed.index.get_level_values("principal_arn")) == {
        f"arn:aws:iam::{WEB}:role/delegate"
    }
    assert set(changed["verdict"]) == {"UNKNOWN"}


def test_a_region_that_is_refused_hides_its_identities_only(
    whole: pd.DataFrame, tmp_path: Path
) -> None:
    fault = denied("ListEmailIdentities", MAIL, "us-east-1")
    found = verdicts(tmp_path / "s", fault)
    head = f"arn:aws:ses:us-east-1:{MAIL}:identity/"
    gone = whole.index.difference(found.index).to_frame()["identity_arn"]
    assert len(gone) > 0
    assert gone.str.startswith(head).all()
    come = found.loc[found.index.difference(whole.index)]
    assert set(come.index.get_level_values("identity_arn")) == {head + "*"}
    assert set(come["verdict"]) <= {"UNKNOWN", "DENIED"}
    assert changes(whole, found).empty
