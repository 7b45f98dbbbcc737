"""Worker processes: equal tables whatever their number; what they cannot go on from is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ses_audit.collect.progress import Silent
from ses_audit.errors import UserError
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.uniform import account_id, uniform_records
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import Snapshot

REGIONS = ("eu-west-1", "us-east-1")


class Notes(Silent):
    """Keeps the lines for a person, and who is done."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def account(self, account: str, cells: int, missing: int, *, refused: bool) -> None:
        self.done.append(account)


def read(path: Path, progress: Silent | None = None, **options: Any) -> Snapshot:
    recording = Recording(uniform_records(12, REGIONS, identities=3), account_id(0))
    return collect_recording(
        path, progress or Silent(), recording, Conditions(), regions=REGIONS, **options
    )


def tables(made: Snapshot) -> dict[str, bytes]:
    return {name: (made.path / f"tables/{name}.parquet").read_bytes() for name in TABLES}


def test_tables_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    notes = Notes()
    alone = read(tmp_path / "alone", processes=0)
    shared = read(tmp_path / "shared", notes, processes=3)
    assert tables(alone) == tables(shared)
    assert sorted(notes.done) == [account_id(number) for number in range(12)]
    assert notes.notes == []
    calls = [sum(r["calls"] for r in made.times().to_pylist()) for made in (alone, shared)]
    assert calls[0] == calls[1]


def test_a_worker_that_cannot_write_ends_the_run(tmp_path: Path) -> None:
    made = read(tmp_path / "s", processes=0)
    file = made.path / f"evidence/{account_id(5)}.jsonl.zst"
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=f"{account_id(5)}.jsonl.zst") as error:
        read(tmp_path / "s", processes=2)
    assert "\n" not in str(error.value)


def test_workers_that_cannot_start_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ses_audit.collect.pool.sys.executable", "/bin/false")
    with pytest.raises(UserError, match="worker processes die before they read anything"):
        read(tmp_path / "s", processes=2)


def test_accounts_whose_workers_die_again_and_again_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies at its first account, each time: the cells are there, not attempted."""
    script = tmp_path / "worker"
    script.write_text(
        "#!/bin/sh\nread settings\necho '{\"want\": true}'\nread account\nkill -9 $$\n"
    )
    script.chmod(0o700)
    monkeypatch.setattr("ses_audit.collect.pool.sys.executable", str(script))
    notes = Notes()
    made = read(tmp_path / "s", notes, processes=2)
    rows = read_coverage(made.table("coverage"))
    states = {row.account_id: row for row in rows if row.operation == "ListRegions"}
    assert states[account_id(0)].state == "OK"
    for number in range(1, 12):
        row = states[account_id(number)]
        assert (row.state, row.detail) == ("NOT_ATTEMPTED", "the processes that read it died")
    assert notes.notes[0] == ("a worker process died over 1 account: another goes on")
    assert not made.manifest["coverage"]["complete"]  # type: ignore[index]
    # With workers that live, the same command reads what is missing.
    monkeypatch.undo()
    assert tables(read(tmp_path / "s", processes=2)) == tables(read(tmp_path / "t", processes=0))
