"""Verdict tables kept beside the snapshot: read again only when whole and of the same key."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import ses_audit
from ses_audit.audit import stored
from ses_audit.audit.execute import Sink
from ses_audit.audit.stored import stored_verdicts
from ses_audit.audit.verdict_tables import SCHEMAS
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.store import Snapshot, open_snapshot


@pytest.fixture
def snapshot(example_snapshot: Path, tmp_path: Path) -> Snapshot:
    copy = tmp_path / "snapshot"
    shutil.copytree(example_snapshot, copy)
    shutil.rmtree(copy / "verdicts", ignore_errors=True)
    return open_snapshot(copy)


class Decisions:
    """Counts how often tables are made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, sink: Sink) -> None:
        self.made += 1
        sink.write("actions", pa.table({"action": ["ses:SendEmail"]}, SCHEMAS["actions"]))


def test_decided_once_and_read_after(snapshot: Snapshot) -> None:
    decide = Decisions()
    first = stored_verdicts(snapshot, decide)
    second = stored_verdicts(snapshot, decide)
    assert decide.made == 1
    assert first == second


def _change_tool(folder: Path) -> None:
    key = json.loads((folder / "key.json").read_text())
    (folder / "key.json").write_text(json.dumps({**key, "tool_version": "0"}))


def _change_rules(folder: Path) -> None:
    key = json.loads((folder / "key.json").read_text())
    (folder / "key.json").write_text(json.dumps({**key, "verdict_version": -1}))


def _cut_short(folder: Path) -> None:
    cells = folder / "cells.parquet"
    cells.write_bytes(cells.read_bytes()[:-1])


def _lose(folder: Path) -> None:
    (folder / "senders.parquet").unlink()


def _link(folder: Path) -> None:
    senders = folder / "senders.parquet"
    senders.rename(folder.parent / "elsewhere.parquet")
    senders.symlink_to(folder.parent / "elsewhere.parquet")


def _no_json(folder: Path) -> None:
    (folder / "key.json").write_text("{")


def _a_list(folder: Path) -> None:
    (folder / "key.json").write_text("[]")


def _other_columns(folder: Path) -> None:
    import hashlib

    table = pa.table({"action": [1]})
    parquet.write_table(table, folder / "actions.parquet")
    key = json.loads((folder / "key.json").read_text())
    content = (folder / "actions.parquet").read_bytes()
    key["files"]["actions.parquet"] = hashlib.sha256(content).hexdigest()
    (folder / "key.json").write_text(json.dumps(key))


@pytest.mark.parametrize(
    "damage",
    [_change_tool, _change_rules, _cut_short, _lose, _link, _no_json, _a_list, _other_columns],
)
def test_decided_again_when_not_whole(snapshot: Snapshot, damage: Callable[[Path], None]) -> None:
    decide = Decisions()
    stored_verdicts(snapshot, decide)
    damage(snapshot.path / "verdicts")
    stored_verdicts(snapshot, decide)
    stored_verdicts(snapshot, decide)
    assert decide.made == 2


def test_a_snapshot_that_cannot_be_written_is_decided_each_time(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise SnapshotError("cannot make: read-only")

    monkeypatch.setattr(stored, "make_folder", refuse)
    decide = Decisions()
    stored_verdicts(snapshot, decide)
    stored_verdicts(snapshot, decide)
    assert decide.made == 2


def test_a_full_disk_is_one_line_and_leaves_what_was_there(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_verdicts(snapshot, Decisions())
    folder = snapshot.path / "verdicts"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    _change_rules(folder)
    before["key.json"] = (folder / "key.json").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SnapshotError, match="verdicts: No space left on device; make room"):
        stored_verdicts(snapshot, Decisions())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_read_is_what_was_decided(snapshot: Snapshot) -> None:
    decided = ses_audit.open(snapshot.path).verdicts(unrelated=True)
    read = ses_audit.open(snapshot.path).verdicts(unrelated=True)
    assert decided.equals(read)
