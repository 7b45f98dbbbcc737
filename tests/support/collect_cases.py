"""The example organization on a replay server, read by `ses-audit collect` as a person runs it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ses_audit
from ses_audit.cli import main
from ses_audit.replay.example import example_records
from ses_audit.replay.faults import Conditions, read_fault
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import Server, environment, serve
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.ledger import CoverageRow
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import open_snapshot

SUPPORT = Path(__file__).parent
FILE = Path(__file__).parents[1] / "collect/cases/faults.json"
TABLE: Mapping[str, Any] = json.loads(FILE.read_text("utf-8"))
ARGUMENTS: list[str] = TABLE["arguments"]
CALLER = "111111111111"
KEY = ["principal_arn", "identity_arn", "action"]


@dataclass(frozen=True)
class Run:
    """How a command ended, and what the server was asked."""

    code: int
    lines: list[str]
    calls: Counter[str]


@dataclass(frozen=True)
class Seen:
    """What a snapshot shows."""

    rows: list[CoverageRow]
    verdicts: pd.DataFrame
    assumptions: list[str]
    tables: dict[str, bytes]

    @property
    def cells(self) -> dict[str, str]:
        """Each cell and its state."""
        return {str(row.cell): row.state.value for row in self.rows if not row.argument}

    def verdict(self, named: str) -> str:
        """One of the named cells: its verdict, and what it names."""
        principal, identity, _ = TABLE["named"][named]
        key = (principal, identity, "ses:SendRawEmail")
        if key not in self.verdicts.index:
            return "absent"
        row = self.verdicts.loc[key]
        return f"{row['verdict']} {row['missing_evidence']} {row['denied_by']}".strip()


def seen(snapshot: Path) -> Seen:
    """Look at a finished snapshot, and decide it."""
    opened = open_snapshot(snapshot)
    frame = ses_audit.open(snapshot).verdicts(unrelated=True).astype(str)
    assumptions = opened.manifest["assumptions"]
    assert isinstance(assumptions, list)
    return Seen(
        read_coverage(opened.table("coverage")),
        frame.set_index(KEY).sort_index(),
        assumptions,
        tables(snapshot),
    )


def tables(snapshot: Path) -> dict[str, bytes]:
    """The bytes of each table."""
    return {name: (snapshot / f"tables/{name}.parquet").read_bytes() for name in TABLES}


def command(
    server: Server,
    snapshot: Path,
    *options: str,
    before: str = "",
    more: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """`ses-audit collect` as a process; `before` is run in it first, `more` are its variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # A job in the background of a shell would ignore Ctrl-C.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import ses_audit.collect.run as run; from aws_fixtures import unhurried\n"
        f"run.Pace = unhurried\n{before}\n"
        "from ses_audit.cli import main; main()"
    )
    path = os.pathsep.join([str(SUPPORT), *filter(None, [kept.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-c", code, "collect", str(snapshot), *ARGUMENTS, *options],
        env={**kept, "PYTHONPATH": path, **environment(server.url, CALLER), **(more or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(server: Server, process: subprocess.Popen[str], calls: int) -> None:
    """Until the server has been asked so often."""
    while sum(server.calls.values()) < calls:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def children(process: subprocess.Popen[str]) -> list[int]:
    """The worker processes of a run."""
    tasks = Path(f"/proc/{process.pid}/task")
    found: set[int] = set()
    for task in tasks.iterdir():
        with contextlib.suppress(OSError):
            found |= {int(word) for word in (task / "children").read_text().split()}
    return sorted(found)


def conditions(case: Mapping[str, Any]) -> Conditions:
    """The conditions of a case, as a file of them is read."""
    faults = [read_fault(entry) for entry in case.get("faults", ())]
    return Conditions(page_sizes=case.get("page_sizes", {}), faults=faults)


def point_at(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which boto3 asks the server and nothing else."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment(server.url, CALLER).items():
        monkeypatch.setenv(name, value)


def collector(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Run]:
    """Runs `ses-audit collect` in this process against a server with given conditions."""
    recording = Recording(example_records(), CALLER)

    def run(snapshot: Path, weather: Conditions, options: Sequence[str] = ()) -> Run:
        with serve(recording, conditions=weather) as server:
            point_at(server, monkeypatch)
            arguments = ["ses-audit", "collect", str(snapshot), *ARGUMENTS, *options]
            monkeypatch.setattr(sys, "argv", arguments)
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        code = ended.value.code
        lines = capsys.readouterr().err.splitlines()
        return Run(code if isinstance(code, int) else 0, lines, Counter(server.calls))

    return run


def differences(
    before: Mapping[str, str], now: Mapping[str, str], expected: Mapping[str, str | None]
) -> list[str]:
    """Where cells do not differ from those of an undisturbed run as is expected.

    Of the patterns that match a cell the longest counts; `+ PATTERN` is of new cells only.
    """
    wrong: list[str] = []
    used: set[str] = set()
    for cell in sorted({*before, *now}):
        found = [
            pattern
            for pattern in expected
            if fnmatchcase(cell, pattern.removeprefix("+ "))
            and not (pattern.startswith("+ ") and cell in before)
        ]
        pattern = max(found, key=lambda p: len(p.removeprefix("+ ")), default=None)
        if pattern is None:
            state, wanted = now.get(cell), before.get(cell)
        else:
            state, wanted = now.get(cell), expected[pattern]
            used.add(pattern)
        if state != wanted:
            wrong.append(f"{cell}: {state}, not {wanted}")
    return wrong + [f"{pattern}: no such cell" for pattern in expected if pattern not in used]
