"""Stopped at any point, the same command goes on: no torn file, nothing twice, equal tables."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ses_audit.replay.example import example_records
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import Server, environment, serve
from ses_audit.snapshot.schema import TABLES

SUPPORT = Path(__file__).parents[1] / "support"
# What is asked on every run: who the caller is, the role, and the second look.
ALWAYS = ("GetCallerIdentity", "AssumeRole", "ListAccounts", "ListAccountsForParent")


def disturbed(folder: Path, how: str, step: int) -> list[dict[str, Any]]:
    """The undisturbed run, and one report for each point."""
    given = {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "PYTHONPATH": str(SUPPORT),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        [sys.executable, str(SUPPORT / "disturbed.py"), str(folder), how, str(step)],
        env={**kept, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_killed_at_each_commit_point(tmp_path: Path) -> None:
    whole, *reports = disturbed(tmp_path, "kill", 1)
    assert len(reports) == whole["points"] > 50
    for report in reports:
        assert report["first"] == -signal.SIGKILL
        assert (report["second"], report["same"]) == (0, True), report
        assert report["temporary"] == []
        first, second = (
            Counter(call for call in asked if call.split("/")[2] not in ALWAYS)
            for asked in report["asked"]
        )
        twice = {call for call in first if second[call]}
        # Only the answer that was on its way to the disk is asked for again.
        assert len(twice) <= 1, (report["at"], twice)
        asked = {call for call in whole["asked"] if call.split("/")[2] not in ALWAYS}
        assert set(first) | set(second) == asked


def test_the_disk_full_at_commit_points(tmp_path: Path) -> None:
    _, *reports = disturbed(tmp_path, "full", 4)
    for report in reports:
        # One line that says which file, and why.
        assert report["first"] == 1, report
        assert "No space left on device" in report["said"]
        assert "\n" not in report["said"]
        assert (report["second"], report["same"]) == (0, True), report


@pytest.fixture
def slow() -> Iterator[Server]:
    """The example on a server that takes its time."""
    recording = Recording(example_records())
    with serve(recording, conditions=Conditions(latency=0.02)) as server:
        yield server


# A job in the background of a shell would ignore Ctrl-C.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from ses_audit.cli import main; main()"
)


def begin(server: Server, snapshot: Path, *arguments: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # At the documented rates the example takes its identities at one a second.
    regions = [word for region in ("eu-west-1", "eu-north-1") for word in ("--region", region)]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "collect", str(snapshot), *regions, *arguments],
        env={**kept, **environment(server.url, server.recording.caller_account)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(server: Server, snapshot: Path, *arguments: str) -> str:
    """The same command until it is done: a worker of the first may hold the lock a moment more."""
    for _ in range(300):
        process = begin(server, snapshot, *arguments)
        _, err = process.communicate(timeout=120)
        if "another run" not in err:
            assert process.returncode == 0, err
            return err
        time.sleep(0.05)
    raise AssertionError(err)


def tables(snapshot: Path) -> dict[str, bytes]:
    return {name: (snapshot / f"tables/{name}.parquet").read_bytes() for name in TABLES}


def wait_for(server: Server, process: subprocess.Popen[str], calls: int) -> None:
    while sum(server.calls.values()) < calls:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "snapshot"
    with serve(Recording(example_records())) as server:
        finish(server, folder)
    return tables(folder)


def children(process: subprocess.Popen[str]) -> list[int]:
    """The worker processes of a run."""
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found: set[int] = set()
    for task in text.parents[1].iterdir():
        with contextlib.suppress(OSError):
            found |= {int(word) for word in (task / "children").read_text().split()}
    return sorted(found)


def test_ctrl_c_keeps_what_was_read(slow: Server, tmp_path: Path, whole: dict[str, bytes]) -> None:
    process = begin(slow, tmp_path / "s", "--processes", "2")
    wait_for(slow, process, 60)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == (
        "ses-audit: stopped; what was read is kept, the same command goes on"
    )
    slow.calls.clear()
    finish(slow, tmp_path / "s", "--processes", "2")
    assert slow.calls["organizations.DescribeOrganization"] == 0
    assert tables(tmp_path / "s") == whole


def test_a_run_that_is_killed_with_its_workers_at_work(
    slow: Server, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    process = begin(slow, tmp_path / "s", "--processes", "2")
    wait_for(slow, process, 60)
    process.kill()
    process.communicate(timeout=60)
    finish(slow, tmp_path / "s", "--processes", "2")
    assert tables(tmp_path / "s") == whole


def test_a_worker_that_dies_is_replaced(
    slow: Server, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    process = begin(slow, tmp_path / "s", "--processes", "2")
    wait_for(slow, process, 80)
    os.kill(children(process)[0], signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "a worker process died over" in err
    assert tables(tmp_path / "s") == whole


def test_two_runs_on_one_snapshot(slow: Server, tmp_path: Path) -> None:
    first = begin(slow, tmp_path / "s")
    wait_for(slow, first, 20)
    second = begin(slow, tmp_path / "s")
    _, err = second.communicate(timeout=120)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=120)
    assert second.returncode == 1
    assert err == (
        f"ses-audit: another run (process {first.pid}) writes to {tmp_path / 's'}: wait for it, or "
        "name another folder\n"
    )
