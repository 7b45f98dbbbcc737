"""`ses-audit verdicts`: the long table in every format."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as parquet
import pytest
from hostile_world import FORMULA, IDENTITY, PATH, make_hostile

import ses_audit
from ses_audit.audit.frames import COLUMNS
from ses_audit.cli import output

Command = Any
DEPLOY = "arn:aws:iam::222222222222:role/deploy"
OPEN = "arn:aws:ses:us-east-1:666666666666:identity/open.example"
ONE = ("--principal", DEPLOY, "--identity", OPEN, "--action", "ses:SendRawEmail")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hostile(tmp_path_factory.mktemp("hostile") / "snapshot")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def counted(err: str) -> tuple[int, int]:
    match = re.search(r"([\d,]+) of ([\d,]+) cells", err)
    assert match
    shown, total = (int(number.replace(",", "")) for number in match.groups())
    return shown, total


def test_a_table_for_people(command: Command, example_snapshot: Path) -> None:
    ended = command("verdicts", example_snapshot, *ONE)
    assert ended.code == 0
    header, row = ended.out.splitlines()
    assert header.split()[:3] == ["principal", "arn", "identity"]
    assert row.split()[:4] == [DEPLOY, OPEN, "ses:SendRawEmail", "ALLOWED"]
    assert counted(ended.err)[0] == 1


def test_a_table_says_what_evidence_an_unknown_row_lacks(
    command: Command, example_snapshot: Path
) -> None:
    """In 888888888888 the identities of one region could not be listed."""
    unknown = ("--account", "888888888888", "--verdict", "UNKNOWN")
    ended = command("verdicts", example_snapshot, *unknown)
    header, *rows = ended.out.splitlines()
    assert header.rstrip().endswith("missing evidence")
    assert rows
    lacks = "888888888888/ca-central-1/sesv2.ListEmailIdentities=DENIED"
    assert all(row.rstrip().endswith(lacks) for row in rows)


@pytest.mark.parametrize(
    "cells, shown",
    [
        ("", ""),
        ("a/global/x=DENIED", "a/global/x=DENIED"),
        ("a=DENIED;b=DENIED", "a=DENIED;b=DENIED"),
        ("a=DENIED;b=DENIED;c=DENIED;d=DENIED", "a=DENIED;b=DENIED and 2 more"),
    ],
)
def test_a_table_names_the_first_cells_of_missing_evidence(
    capsys: pytest.CaptureFixture[str], cells: str, shown: str
) -> None:
    frame = pd.DataFrame({"verdict": ["UNKNOWN"], "missing_evidence": [cells]})
    output.write_frame(frame, "table", None, ["verdict", "missing_evidence"], "1 of 1 cells")
    row = capsys.readouterr().out.splitlines()[1]
    assert row.removeprefix("UNKNOWN").strip() == shown


def test_csv_holds_every_column_and_row(command: Command, example_snapshot: Path) -> None:
    ended = command("verdicts", example_snapshot, "--format", "csv")
    rows = rows_of(ended.out)
    assert tuple(rows[0]) == COLUMNS
    assert counted(ended.err) == (len(rows), len(rows))
    assert len(rows) == ses_audit.open(example_snapshot).summary().cells
    services = [row for row in rows if row["principal_type"] == "service"]
    assert {row["principal_account"] for row in services} == {""}
    assert {row["smtp"] for row in services} == {"False"}


def test_json_holds_every_column(command: Command, example_snapshot: Path) -> None:
    ended = command("verdicts", example_snapshot, *ONE, "--format", "json")
    (row,) = json.loads(ended.out)
    assert tuple(row) == COLUMNS
    assert (row["verdict"], row["smtp"], row["principal_account"]) == (
        "ALLOWED",
        False,
        "222222222222",
    )


def test_parquet_goes_to_a_file(command: Command, example_snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.parquet"
    ended = command("verdicts", example_snapshot, "--format", "parquet", "--out", out)
    assert (ended.code, ended.out) == (0, "")
    table = parquet.read_table(out)
    assert tuple(table.column_names) == COLUMNS
    assert table.num_rows == counted(ended.err)[0]
    assert list(tmp_path.iterdir()) == [out]


def test_parquet_is_not_for_a_terminal(command: Command, example_snapshot: Path) -> None:
    ended = command("verdicts", example_snapshot, "--format", "parquet")
    assert (ended.code, ended.out) == (2, "")
    assert "--out FILE" in ended.said


@pytest.mark.parametrize("kind", ["table", "csv", "json"])
def test_other_formats_go_to_a_file_too(
    command: Command, example_snapshot: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    ended = command("verdicts", example_snapshot, *ONE, "--format", kind, "--out", out)
    assert (ended.code, ended.out) == (0, "")
    assert DEPLOY in out.read_text()


def test_a_file_that_cannot_be_written(
    command: Command, example_snapshot: Path, tmp_path: Path
) -> None:
    out = tmp_path / "no" / "folder.csv"
    ended = command("verdicts", example_snapshot, *ONE, "--format", "csv", "--out", out)
    assert ended.code == 1
    assert "choose another --out" in ended.said


@pytest.mark.parametrize(
    "options, column, values",
    [
        (("--account", "888888888888"), "principal_account", {"888888888888"}),
        (("--region", "ca-central-1"), "region", {"ca-central-1"}),
        (("--action", "sendbulkemail"), "action", {"ses:SendBulkEmail"}),
        (("--verdict", "unknown,conditional"), "verdict", {"UNKNOWN", "CONDITIONAL"}),
        (("--identity", "shop.example"), "identity_name", {"shop.example"}),
        (("--principal", "user/alice"), "principal_arn", {"arn:aws:iam::222222222222:user/alice"}),
    ],
)
def test_filters(
    command: Command,
    example_snapshot: Path,
    options: tuple[str, str],
    column: str,
    values: set[str],
) -> None:
    ended = command("verdicts", example_snapshot, *options, "--format", "csv")
    rows = rows_of(ended.out)
    assert {row[column] for row in rows} == values
    shown, total = counted(ended.err)
    assert shown == len(rows) < total


def test_all_adds_rows_without_a_grant(command: Command, example_snapshot: Path) -> None:
    usual = counted(command("verdicts", example_snapshot, "--format", "csv").err)
    every = counted(command("verdicts", example_snapshot, "--all", "--format", "csv").err)
    assert usual[0] == usual[1] < every[0] == every[1]


def test_a_long_table_says_how_much_it_shows(command: Command, example_snapshot: Path) -> None:
    ended = command("verdicts", example_snapshot)
    assert len(ended.out.splitlines()) == 201
    assert "200 shown, the rest with --format csv" in ended.err


@pytest.mark.parametrize(
    "options, said",
    [
        (("--verdict", "perhaps"), "no such verdict: PERHAPS"),
        (("--action", "ses:Nothing"), "no such action: ses:Nothing"),
    ],
)
def test_what_does_not_exist(
    command: Command, example_snapshot: Path, options: tuple[str, str], said: str
) -> None:
    ended = command("verdicts", example_snapshot, *options)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.said


def test_no_snapshot(command: Command, tmp_path: Path) -> None:
    ended = command("verdicts", tmp_path / "nothing")
    assert ended.code != 0
    assert "nothing" in ended.said


def test_no_formula_reaches_a_spreadsheet(command: Command, hostile: Path) -> None:
    ended = command("verdicts", hostile, "--format", "csv", "--all")
    rows = rows_of(ended.out)
    assert f"'{FORMULA}" in {row["principal_arn"] for row in rows}
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))]


def test_no_control_character_reaches_a_terminal(
    command: Command, hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = command("verdicts", hostile, "--identity", IDENTITY)
    monkeypatch.setattr(output.sys.stdout.__class__, "isatty", lambda self: True)
    shown = command("verdicts", hostile, "--identity", IDENTITY, "--format", "csv")
    for text in (table.out, shown.out):
        assert "shop\\u{202e}\\u{1b}]8;;" in text
        assert not {"\u001b", "\u202e", "\u0007"} & set(text)


def test_json_and_files_keep_the_text_as_it_is(
    command: Command, hostile: Path, tmp_path: Path
) -> None:
    told = command("verdicts", hostile, "--identity", IDENTITY, "--format", "json").out
    assert {row["identity_name"] for row in json.loads(told)} == {IDENTITY}
    assert "\u001b" not in told
    out = tmp_path / "v.csv"
    command("verdicts", hostile, "--principal", "deploy", "--format", "csv", "--out", out)
    assert f"arn:aws:iam::222222222222:role{PATH}deploy" in {
        row["principal_arn"] for row in rows_of(out.read_text())
    }
