"""Each fault that a run must survive, by name: its cells, its line and its verdicts.

The table is cases/faults.json. Each case goes over HTTP through the command, the collector, the
tables and the decider; then the same command without the fault must end as if it never was.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from collect_cases import (
    CALLER,
    TABLE,
    Run,
    Seen,
    children,
    collector,
    command,
    conditions,
    differences,
    seen,
    tables,
    wait_for,
)

from ses_audit.replay.example import example_records
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import serve
from ses_audit.snapshot.store import SnapshotError, open_snapshot

Collect = Callable[..., Run]
CASES: dict[str, Any] = {case["name"]: case for case in TABLE["cases"]}
# What is asked on every run: who the caller is, the roles, and the second look.
ALWAYS = {
    "sts.GetCallerIdentity", "sts.AssumeRole", "organizations.ListAccounts",
    "organizations.ListAccountsForParent",
}  # fmt: skip


@pytest.fixture
def collect(
    fast: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Collect:
    return collector(monkeypatch, capsys)


@pytest.fixture(scope="module")
def kept() -> dict[str, Seen]:
    """What is the same for every case."""
    return {}


@pytest.fixture
def undisturbed(collect: Collect, kept: dict[str, Seen], tmp_path: Path) -> Seen:
    if "whole" not in kept:
        assert collect(tmp_path / "undisturbed", Conditions()).code == 0
        kept["whole"] = seen(tmp_path / "undisturbed")
    return kept["whole"]


def test_an_undisturbed_run(undisturbed: Seen) -> None:
    """The named cells are those of the example's hand-written truth."""
    assert undisturbed.assumptions == []
    assert set(undisturbed.cells.values()) == {
        "OK", "EMPTY", "REGION_DISABLED", "EXCLUDED", "NOT_AUDITED",
    }  # fmt: skip
    for name, (_, _, verdict) in TABLE["named"].items():
        assert undisturbed.verdict(name).split()[0] == verdict, name


@pytest.mark.parametrize("name", CASES)
def test_a_fault(collect: Collect, undisturbed: Seen, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    ended = collect(tmp_path / "s", conditions(case), case.get("options", ()))
    assert ended.code == case.get("exit", 0), ended.lines
    for line in case.get("lines", ()):
        assert line in ended.lines, (line, ended.lines)
    for operation, count in case.get("calls", {}).items():
        assert ended.calls[operation] == count
    if ended.code:
        assert not (tmp_path / "s").exists()
        return
    if tables(tmp_path / "s") == undisturbed.tables:
        # Equal tables are decided alike.
        assert not case.get("cells") and not case.get("verdicts")
        return
    found = seen(tmp_path / "s")
    assert differences(undisturbed.cells, found.cells, case.get("cells", {})) == []
    for cell, state in case.get("states", {}).items():
        assert undisturbed.cells[cell] == found.cells[cell] == state
    for wanted in case.get("rows", ()):
        assert wanted in [
            {name: {**_plain(row), "cell": str(row.cell)}[name] for name in wanted}
            for row in found.rows
        ]
    for cell, (_, _, before) in TABLE["named"].items():
        expected = case.get("verdicts", {}).get(cell, before)
        verdict = found.verdict(cell)
        head, _, names = expected.partition(" ")
        assert verdict.split()[0] == head, (cell, verdict)
        assert names in verdict, (cell, verdict)
    monotone(undisturbed, found, moved=name.startswith("accounts that"))
    assert [path.name for path in (tmp_path / "s").rglob("*.tmp")] == []
    if case.get("again", True):
        goes_on(collect, undisturbed, found, tmp_path / "s")


STOPS: dict[str, Any] = {case["name"]: case for case in TABLE["stops"]}
# The 40th write meets a full disk.
FULL = """
import errno, itertools, os
write, count = os.write, itertools.count(1)
def watched(file, data):
    if len(data) > 100 and next(count) >= 40:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return write(file, data)
os.write = watched
"""


@pytest.mark.parametrize("name", STOPS)
def test_a_machine_that_stops(
    collect: Collect, undisturbed: Seen, tmp_path: Path, name: str
) -> None:
    case, snapshot = STOPS[name], tmp_path / "s"
    how = case["how"]
    with serve(Recording(example_records(), CALLER), conditions=Conditions(latency=0.02)) as server:
        # Few at a time, so that it is not done before it is stopped.
        options = ["--workers", "2", "--processes", "0" if how == "ENOSPC" else "2"]
        process = command(server, snapshot, *options, before=FULL if how == "ENOSPC" else "")
        if how != "ENOSPC":
            wait_for(server, process, 60)
        if how == "worker":
            os.kill(children(process)[0], signal.SIGKILL)
        elif how == "lock":
            process.send_signal(signal.SIGSTOP)
            second = command(server, snapshot)
            _, err = second.communicate(timeout=120)
            process.kill()
            process.communicate(timeout=120)
            process = second
        elif how != "ENOSPC":
            process.send_signal(signal.Signals[how])
        if how != "lock":
            _, err = process.communicate(timeout=120)
    assert process.returncode == case["exit"], err
    lines = err.splitlines()
    for line in case.get("lines", ()):
        assert [said for said in lines if fnmatchcase(said, line.replace("[", "[[]"))], lines
    if process.returncode:
        with pytest.raises(SnapshotError, match="is unfinished: run the command that makes it"):
            open_snapshot(snapshot)
        again = collect(snapshot, Conditions())
        # The workers of one that was killed hold the lock until their last call has ended.
        for _ in range(100):
            if "another run" not in "".join(again.lines):
                break
            time.sleep(0.05)
            again = collect(snapshot, Conditions())
        assert again.code == 0, again.lines
    found = seen(snapshot)
    assert found.cells == undisturbed.cells
    assert {name: found.verdict(name) for name in TABLE["named"]} == {
        name: undisturbed.verdict(name) for name in TABLE["named"]
    }
    assert found.tables == undisturbed.tables


def _plain(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).__slots__}


def monotone(before: Seen, now: Seen, *, moved: bool) -> None:
    """What could not be read never turns one answer into another."""
    both = before.verdicts.index.intersection(now.verdicts.index)
    first, second = before.verdicts.loc[both, "verdict"], now.verdicts.loc[both, "verdict"]
    changed = second[first != second]
    assert set(changed) <= ({"UNKNOWN", "DENIED"} if moved else {"UNKNOWN"})
    come = now.verdicts.loc[now.verdicts.index.difference(before.verdicts.index)]
    assert set(come["verdict"]) <= {"UNKNOWN", "DENIED"}


def goes_on(collect: Collect, undisturbed: Seen, found: Seen, snapshot: Path) -> None:
    """The same command, without the fault: only what is missing is asked, and nothing is left."""
    again = collect(snapshot, Conditions())
    assert again.code == 0, again.lines
    missing = {f"{r.service}.{r.operation}" for r in found.rows if r.state.is_missing}
    assert set(again.calls) <= missing | ALWAYS
    assert tables(snapshot) == undisturbed.tables


def test_every_fault_of_the_list_is_here() -> None:
    """Each sentence of the list, whether it is about answers or about the machine."""
    assert {case["fault"] for case in (*CASES.values(), *STOPS.values())} == {
        "AssumeRole denied", "One region denied", "An SCP denies the auditor",
        "Organizations APIs denied", "Throttle storm", "Token expires mid-page",
        "Opt-in region off", "Repeated NextToken", "IsTruncated without Marker",
        "Empty page with a token", "Identity deleted between list and get",
        "Account joins, closes or moves mid-run", "Proxy answers HTML with 200", "Zero accounts",
        "kill -9", "Ctrl-C", "disk full", "dead worker", "Two runs on one snapshot",
    }  # fmt: skip


def test_the_file_is_what_it_says() -> None:
    assert len(CASES) == len(TABLE["cases"])
    known = {
        "name", "fault", "why", "faults", "page_sizes", "options", "exit", "lines", "calls",
        "cells", "states", "rows", "verdicts", "again",
    }  # fmt: skip
    for case in CASES.values():
        assert set(case) <= known, case["name"]
        assert set(case.get("verdicts", {})) <= set(TABLE["named"]), case["name"]
    assert json.dumps(TABLE, allow_nan=False)
