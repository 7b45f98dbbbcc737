"""`ses-audit who-can`: who can send from one identity, for people and for a pipeline."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hostile_world import FORMULA, make_hostile

Command = Any
SHARED = "shared.example"
RAW = ("--action", "ses:SendRawEmail")
# Its account's root, that account's senders, and the delegate with both sides.
ROOT = "arn:aws:iam::666666666666:root"
SENDERS = (
    ROOT,
    "arn:aws:iam::666666666666:role/OrganizationAccountAccessRole",
    "arn:aws:iam::666666666666:role/blocked",
    "arn:aws:iam::666666666666:role/relay",
    "arn:aws:iam::222222222222:role/delegate",
)


def expecting(*principals: str) -> list[str]:
    return [part for arn in principals for part in ("--expect", arn)]


def test_a_table_of_those_that_can(command: Command, example_snapshot: Path) -> None:
    ended = command("who-can", example_snapshot, SHARED, *RAW)
    assert ended.code == 0
    lines = ended.out.splitlines()[1:]
    assert {line.split()[0] for line in lines} == set(SENDERS)
    match = re.search(r"(\d+) of (\d+) principals", ended.err)
    assert match
    assert int(match[1]) == 5 < int(match[2])


def test_csv_json_and_parquet(command: Command, example_snapshot: Path, tmp_path: Path) -> None:
    rows = csv.DictReader(
        io.StringIO(command("who-can", example_snapshot, SHARED, *RAW, "--format", "csv").out)
    )
    assert {row["principal_arn"] for row in rows} == set(SENDERS)
    told = json.loads(command("who-can", example_snapshot, SHARED, *RAW, "--format", "json").out)
    assert {row["verdict"] for row in told} == {"ALLOWED"}
    out = tmp_path / "who.parquet"
    ended = command("who-can", example_snapshot, SHARED, "--format", "parquet", "--out", out)
    assert (ended.code, out.exists()) == (0, True)


def test_an_identity_by_its_arn(command: Command, example_snapshot: Path) -> None:
    arn = "arn:aws:ses:us-west-2:222222222222:identity/example.com"
    ended = command("who-can", example_snapshot, arn, *RAW)
    # The region lock leaves nobody of that account.
    assert ended.out.splitlines()[1:] == []
    assert "0 of " in ended.err


def test_an_identity_that_is_not_there(command: Command, example_snapshot: Path) -> None:
    ended = command("who-can", example_snapshot, "nobody.example")
    assert ended.code == 2
    assert "no identity nobody.example" in ended.said


def test_everyone_is_expected(command: Command, example_snapshot: Path) -> None:
    ended = command("who-can", example_snapshot, SHARED, *RAW, *expecting(*SENDERS))
    assert ended.code == 0
    assert "not expected" not in ended.err


def test_a_part_of_an_arn_may_be_a_wildcard(command: Command, example_snapshot: Path) -> None:
    expected = expecting("arn:aws:iam::666666666666:*", "arn:aws:iam::*:role/delegate")
    assert command("who-can", example_snapshot, SHARED, *RAW, *expected).code == 0


def test_one_who_can_and_is_not_expected(command: Command, example_snapshot: Path) -> None:
    ended = command("who-can", example_snapshot, SHARED, *RAW, *expecting(*SENDERS[:-1]))
    assert ended.code == 14
    assert f"not expected, and can send: {SENDERS[-1]}" in ended.err


def test_one_who_might_and_is_not_expected(command: Command, example_snapshot: Path) -> None:
    arn = "arn:aws:ses:us-east-1:666666666666:identity/org.example"
    found = json.loads(command("who-can", example_snapshot, arn, *RAW, "--format", "json").out)
    can = {row["principal_arn"] for row in found if row["verdict"] != "UNKNOWN"}
    ended = command("who-can", example_snapshot, arn, *RAW, *expecting(*can))
    assert ended.code == 4
    assert "might: evidence is missing: arn:aws:iam::121212121212:*" in ended.err


def test_anyone_is_expected_by_itself_only(command: Command, example_snapshot: Path) -> None:
    ended = command("who-can", example_snapshot, "open.example", *RAW, *expecting("arn:*"))
    assert ended.code == 14
    assert "and can send: *" in ended.err
    ended = command("who-can", example_snapshot, SHARED, *RAW, *expecting("*"))
    assert ended.code == 14
    every = expecting("*", "arn:*")
    assert command("who-can", example_snapshot, "open.example", *RAW, *every).code == 0


def test_many_unexpected_are_counted(command: Command, example_snapshot: Path) -> None:
    arn = "arn:aws:ses:us-east-1:666666666666:identity/open.example"
    ended = command("who-can", example_snapshot, arn, *RAW, *expecting("*"))
    assert ended.code == 14
    assert re.search(r", and \d+ more", ended.err)


@pytest.mark.parametrize("kind", ["table", "csv"])
def test_hostile_names(command: Command, tmp_path: Path, kind: str) -> None:
    snapshot = make_hostile(tmp_path / "snapshot")
    options = (*RAW, "--format", kind, *expecting(ROOT))
    ended = command("who-can", snapshot, "cognito.example", *options)
    assert ended.code == 14
    assert (f"'{FORMULA}" in ended.out) is (kind == "csv")
    assert FORMULA in ended.err
