"""`ses-audit status`, and every snapshot that cannot be opened: one line, and its exit code."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ses_audit.snapshot.schema import SCHEMA_VERSION

Command = Callable[..., Any]


@pytest.fixture
def copied(example_snapshot: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(example_snapshot, tmp_path / "copied"))


def test_coverage_by_account_region_and_operation(command: Command, example_snapshot: Path) -> None:
    ended = command("status", example_snapshot)
    assert ended.code == 0
    titles = [line.split()[0] for line in ended.out.splitlines() if " planned " in line]
    assert titles == ["account", "region", "operation"]
    assert "121212121212" in ended.out
    assert "sesv2.GetEmailIdentity" in ended.out
    denied = "888888888888/ca-central-1/sesv2.ListEmailIdentities=DENIED"
    assert denied in ended.out
    # The layer that the message names stands beside it.
    (line,) = [line for line in ended.out.splitlines() if line.startswith(denied)]
    assert "no session policy allows" in line


def test_the_same_in_json(command: Command, example_snapshot: Path) -> None:
    ended = command("status", example_snapshot, "--format", "json")
    assert ended.code == 0
    report = json.loads(ended.out)
    cells = [cell for cell in report["cells"] if not cell["argument"]]
    assert report["planned"] == len(cells)
    assert report["complete"] is False
    assert sum(report["by_state"].values()) == report["planned"]
    for by in ("account", "region", "operation"):
        assert sum(entry["planned"] for entry in report["by"][by].values()) == report["planned"]
        assert sum(entry["read"] for entry in report["by"][by].values()) == report["read"]
    assert "888888888888/ca-central-1/sesv2.GetAccount=DENIED" in report["gaps"]


def test_the_same_in_csv(command: Command, example_snapshot: Path) -> None:
    ended = command("status", example_snapshot, "--format", "csv")
    assert ended.code == 0
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    states = {row["state"] for row in rows}
    assert {"OK", "EMPTY", "DENIED", "ASSUME_FAILED", "REGION_DISABLED", "NOT_AUDITED"} <= states


def test_incomplete_is_4_where_completeness_is_required(
    command: Command, example_snapshot: Path
) -> None:
    assert command("status", example_snapshot).code == 0
    ended = command("status", example_snapshot, "--require-complete")
    assert ended.code == 4
    assert " cells read: " in ended.out


def break_manifest(text: str) -> Callable[[Path], object]:
    return lambda path: (path / "manifest.json").write_text(text)


def change_manifest(**changes: object) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        file = path / "manifest.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return change


def cut(name: str) -> Callable[[Path], object]:
    def shorten(path: Path) -> None:
        content = (path / name).read_bytes()
        (path / name).write_bytes(content[: len(content) // 2])

    return shorten


OTHER_VERSION = (
    "{0} is a snapshot of schema version 99, made by ses-audit 9.0; this one reads version "
    f"{SCHEMA_VERSION}: make it again"
)
AGAIN = "make the tables again with the command that made the snapshot"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (shutil.rmtree, "no snapshot at {0}: make one with `ses-audit collect {0}` or `import`"),
        (lambda path: (path / "manifest.json").unlink(),
         "{0} is not a ses-audit snapshot: it has no manifest.json"),
        (break_manifest('{"tool": "another"}'),
         "{0} is not a ses-audit snapshot: its manifest.json is another tool's"),
        (break_manifest("[" * 100_000),
         "{0}/manifest.json is truncated or corrupt: make the snapshot again"),
        (cut("manifest.json"),
         "{0}/manifest.json is truncated or corrupt: make the snapshot again"),
        (change_manifest(schema_version=99, tool_version="9.0"), OTHER_VERSION),
        (change_manifest(finished=False),
         "{0} is unfinished: run the command that makes it once more"),
        (cut("tables/coverage.parquet"),
         "{0}/tables/coverage.parquet is truncated or was changed: " + AGAIN),
        (lambda path: (path / "tables/coverage.parquet").unlink(),
         "{0}/tables/coverage.parquet is gone: " + AGAIN),
    ],
)  # fmt: skip
def test_a_snapshot_that_cannot_be_opened(
    command: Command, copied: Path, damage: Callable[[Path], object], says: str
) -> None:
    damage(copied)
    ended = command("status", copied)
    assert ended.code == 1
    assert ended.out == ""
    assert ended.said == f"ses-audit: {says.format(copied)}"


def test_a_file_is_no_snapshot(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ended = command("status", tmp_path / "file")
    assert ended.code == 1
    assert ended.said == (
        f"ses-audit: {tmp_path / 'file'} is a file, not a snapshot: name the snapshot's folder"
    )


def test_a_torn_tail_of_the_evidence_changes_no_answer(command: Command, copied: Path) -> None:
    whole = command("status", copied, "--format", "json").out
    cut("evidence/222222222222.jsonl.zst")(copied)
    ended = command("status", copied, "--format", "json")
    assert (ended.code, ended.out) == (0, whole)
