"""Stopped at any point, the same command goes on: no torn file, nothing twice, equal tables."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
# What is asked on every run: who the caller is, the role, and the second look.
ALWAYS = ("GetCallerIdentity", "AssumeRole", "ListAccounts", "ListAccountsForParent")


def disturbed(folder: Path, how: str) -> list[dict[str, Any]]:
    """The undisturbed run, and one report for each point."""
    given = {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = [str(SUPPORT), *filter(None, [kept.get("PYTHONPATH")])]
    given["PYTHONPATH"] = os.pathsep.join(path)
    ended = subprocess.run(
        [sys.executable, str(SUPPORT / "disturbed.py"), str(folder), how],
        env={**kept, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize(("how", "code"), [("kill", -signal.SIGKILL), ("stop", 130), ("full", 1)])
def test_stopped_at_each_commit_point(tmp_path: Path, how: str, code: int) -> None:
    """Killed, by Ctrl-C, by a full disk: nothing torn, nothing twice, equal tables."""
    whole, *reports = disturbed(tmp_path, how)
    assert len(reports) == whole["points"] > 50
    for report in reports:
        # Ctrl-C at the last sync comes when all is done.
        assert report["first"] == code or (how, report["at"]) == ("stop", whole["points"]), report
        if how == "full":
            # One line that says which file, and why.
            assert "No space left on device" in report["said"]
            assert "\n" not in report["said"]
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


def test_a_worker_killed_at_each_commit_point(tmp_path: Path) -> None:
    """Another goes on in its place, and the run ends as if nothing had happened."""
    whole, *reports = disturbed(tmp_path, "worker")
    assert len(reports) == whole["points"] > 10
    for report in reports:
        assert (report["first"], report["same"], report["temporary"]) == (0, True, []), report
        (note,) = report["notes"]
        assert note.startswith("a worker process died over ")
