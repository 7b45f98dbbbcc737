"""Runs of the collector that are killed, or find the disk full, at a chosen commit point.

`python disturbed.py FOLDER kill|full STEP` forks a run for each point (each STEPth), then one that
goes on, and prints a line of JSON for each: how the first ended, how the second, and whether the
tables are the same.
A commit point is a call that changes what is on the disk.
"""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.handlers
import botocore.loaders
import botocore.session
import pyarrow.parquet  # noqa: F401  (loaded once, for every run that is forked)
from aws_fixtures import unhurried
from fake_aws import FakeAws

from ses_audit.collect.options import CollectOptions
from ses_audit.collect.progress import Silent
from ses_audit.collect.run import collect
from ses_audit.errors import UserError
from ses_audit.snapshot.schema import TABLES

REGIONS = ("af-south-1", "eu-west-1", "us-east-1")


class Points:
    """Counts commit points, and disturbs one."""

    def __init__(self, at: int, disturb: Callable[[Callable[[], Any]], Any]) -> None:
        self.count = 0
        self._at = at
        self._disturb = disturb

    def watch(self) -> None:
        """Put itself before each call that changes the disk."""
        write, replace = os.write, Path.replace

        def watched_write(file: int, data: bytes) -> int:
            # Half of it reaches the disk.
            half = bytes(data)[: len(data) // 2]
            return self._pass(lambda: write(file, data), lambda: write(file, half))

        os.write = watched_write  # type: ignore[assignment]
        # A killed process leaves what it wrote to the kernel: the disk need not be waited for.
        os.fsync = lambda file: self._pass(lambda: None)  # type: ignore[assignment]
        Path.replace = (  # type: ignore[assignment, method-assign]
            lambda path, target: self._pass(lambda: replace(path, target))
        )

    def _pass(self, act: Callable[[], Any], half: Callable[[], Any] = lambda: None) -> Any:
        self.count += 1
        if self.count == self._at:
            return self._disturb(half)
        return act()


def run(snapshot: Path, log: Path, points: Points) -> int:
    """One run; its exit code. What it asked is in `log`, whatever happens to it."""
    fake = FakeAws()
    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-send", fake)]
    botocore.handlers.BUILTIN_HANDLERS = handlers
    options = CollectOptions(
        snapshot=snapshot,
        ses_regions=lambda partition: REGIONS,
        check_document=lambda text: None,
        regions=("eu-west-1",),
        workers=1,
        processes=0,
    )

    def note() -> None:
        asked = [f"{a.account}/{a.region}/{a.operation}/{a.item}" for a in fake.asked]
        log.write_text(json.dumps({"asked": asked, "points": points.count, "said": said}))

    said = ""
    points.note = note  # type: ignore[attr-defined]
    points.watch()
    try:
        collect(options, Silent(), unhurried())
    except UserError as error:
        said = str(error)
        return error.exit_code
    finally:
        note()
    return 0


def warm() -> None:
    """Load botocore's models once, for every run that is forked."""
    loader = botocore.loaders.create_loader()
    botocore.session.create_loader = lambda *_: loader
    session = botocore.session.Session()
    for service in ("organizations", "sts", "iam", "account", "sesv2"):
        session.create_client(service, "us-east-1")
    gc.freeze()


def forked(snapshot: Path, log: Path, at: int, how: str) -> int:
    """Run in a process of its own; its exit code, negative where a signal ended it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def disturb(half: Callable[[], Any]) -> Any:
        half()
        if how == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        points.note()  # type: ignore[attr-defined]
        os.kill(os.getpid(), signal.SIGKILL)

    points = Points(at, disturb)
    code = 99
    try:
        code = run(snapshot, log, points)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)
    return code


def digests(snapshot: Path) -> dict[str, str]:
    """The digest of each table."""
    return {
        name: hashlib.sha256((snapshot / f"tables/{name}.parquet").read_bytes()).hexdigest()
        for name in TABLES
    }


def main(folder: Path, how: str, step: int) -> None:
    """Every point in its turn."""
    warm()
    log = folder / "log.json"
    assert forked(folder / "whole", log, 0, how) == 0
    undisturbed = json.loads(log.read_text())
    expected = digests(folder / "whole")
    print(json.dumps(undisturbed), flush=True)  # noqa: T201
    for at in range(1, undisturbed["points"] + 1, step):
        snapshot = folder / f"at-{at}"
        first = forked(snapshot, log, at, how)
        before = json.loads(log.read_text())
        second = forked(snapshot, log, 0, how)
        after = json.loads(log.read_text())
        same = second == 0 and digests(snapshot) == expected
        left = sorted(path.name for path in snapshot.rglob("*.tmp"))
        report = {
            "at": at, "first": first, "said": before["said"], "second": second, "same": same,
            "temporary": left, "asked": [before["asked"], after["asked"]], "error": after["said"],
        }  # fmt: skip
        print(json.dumps(report), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
