"""The real account dumps by the commands: import, verdicts, who-can, explain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shared_data import REAL, needs_real_data

pytestmark = needs_real_data

Command = Any
DUMPS = REAL / "account-authorization-details"
SMALL = "012345678901"
FIRST = f"arn:aws:ses:eu-west-1:{SMALL}:identity/example.org"
SECOND = f"arn:aws:ses:us-east-1:{SMALL}:identity/news@example.org"
# By a policy of his own, and by the group admin.
SENDERS = {
    f"arn:aws:iam::{SMALL}:root",
    f"arn:aws:iam::{SMALL}:user/obama",
    f"arn:aws:iam::{SMALL}:user/userwithlotsofpermissions",
}


def imported(command: Command, snapshot: Path, name: str, *options: str) -> None:
    ended = command("import", DUMPS / name, snapshot, *options)
    assert ended.code == 0, ended.err


def verdicts(command: Command, snapshot: Path) -> dict[str, str]:
    options = ("--action", "ses:SendRawEmail", "--format", "json", "--account", SMALL)
    rows = json.loads(command("verdicts", snapshot, *options).out)
    assert {row["identity_arn"] for row in rows} == {FIRST, SECOND}
    assert {row["smtp"] for row in rows if row["principal_type"] == "user"} == {None}
    found: dict[str, str] = {}
    for row in rows:
        assert found.setdefault(row["principal_arn"], row["verdict"]) == row["verdict"]
    return found


@pytest.mark.parametrize("name", [path.name for path in sorted(DUMPS.glob("*.json"))])
def test_identities_named_by_hand(command: Command, tmp_path: Path, name: str) -> None:
    named = ("--identity", FIRST, "--identity", SECOND)
    imported(command, tmp_path / "stated", name, "--no-organization", *named)
    stated = verdicts(command, tmp_path / "stated")
    assert {arn for arn, verdict in stated.items() if verdict == "ALLOWED"} == SENDERS
    assert set(stated.values()) == {"ALLOWED", "DENIED"}
    imported(command, tmp_path / "open", name, *named)
    left_open = verdicts(command, tmp_path / "open")
    assert {arn for arn, verdict in left_open.items() if verdict == "UNKNOWN"} == SENDERS
    assert set(left_open.values()) == {"UNKNOWN", "DENIED"}


def test_why_an_allow_is_unknown(command: Command, tmp_path: Path) -> None:
    name = sorted(DUMPS.glob("*.json"))[-1].name
    imported(command, tmp_path / "open", name, "--identity", FIRST)
    cell = ("--principal", f"arn:aws:iam::{SMALL}:user/obama", "--identity", FIRST)
    ended = command("explain", *cell, "--snapshot", tmp_path / "open", "--format", "json")
    told = json.loads(ended.out)
    (found,) = told if isinstance(told, list) else [told]
    assert found["verdict"] == "UNKNOWN"
    open_items = [item for item in found["checklist"] if item["status"] == "cannot_tell"]
    assert [item["id"] for item in open_items] == ["service_control_policy"]
    assert "DescribeOrganization=NOT_ATTEMPTED" in open_items[0]["missing"][0]


def test_who_might_in_a_pipeline(command: Command, tmp_path: Path) -> None:
    name = sorted(DUMPS.glob("*.json"))[-1].name
    imported(command, tmp_path / "open", name, "--identity", FIRST)
    expected = [part for arn in sorted(SENDERS)[:-1] for part in ("--expect", arn)]
    ended = command("who-can", tmp_path / "open", "example.org", *expected)
    assert ended.code == 4
    assert f"might: evidence is missing: {sorted(SENDERS)[-1]}" in ended.err
