"""Runs of the collector that are disturbed at a chosen commit point, one after another.

`python disturbed.py FOLDER kill|stop|full|worker` forks a run for each point, then one that goes
on, and prints a line of JSON for each: how the first ended, how the second, and whether the tables
are the same. The first line is of the undisturbed run.

A commit point is a call that changes what is on the disk. There the process is killed (`kill`),
gets Ctrl-C (`stop`), or finds the disk full (`full`); or a worker process is killed (`worker`).
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.handlers
import botocore.loaders
import botocore.session
from aws_fixtures import unhurried
from fake_aws import FakeAws

from ses_audit.collect import pool, worker
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.progress import Silent
from ses_audit.collect.run import collect
from ses_audit.errors import UserError
from ses_audit.snapshot.build import ready_tables
from ses_audit.snapshot.schema import TABLES

REGIONS = ("af-south-1", "eu-west-1", "us-east-1")
STOPPED = 130
Forked = tuple[int, Any, Any]
"""A process, its input, its output."""
Act = Callable[[], Any]
# What happens at the point: given what the call does, and half of that.
Disturb = Callable[[Act, Act], Any]


class Points:
    """Counts commit points, and disturbs one."""

    def __init__(self, at: int, disturb: Disturb) -> None:
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

    def _pass(self, act: Act, half: Act = lambda: None) -> Any:
        self.count += 1
        if self.count == self._at:
            return self._disturb(act, half)
        return act()


def kill(act: Act, half: Act) -> Any:
    """The process ends at once."""
    half()
    os.kill(os.getpid(), signal.SIGKILL)


def stop(act: Act, half: Act) -> Any:
    """A person presses Ctrl-C; the call is done all the same."""
    done = act()
    os.kill(os.getpid(), signal.SIGINT)
    return done


def full(act: Act, half: Act) -> Any:
    """The disk takes half, and no more."""
    half()
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Notes(Silent):
    """Keeps the lines for a person."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def ask_fake() -> FakeAws:
    """Every client that is made from here on asks AWS in the process."""
    fake = FakeAws()
    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-send", fake)]
    botocore.handlers.BUILTIN_HANDLERS = handlers
    return fake


def run(snapshot: Path, log: Path, at: int, how: str) -> int:
    """One run; its exit code. What it asked is in `log`, whatever happens to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    progress, said = Notes(), ""
    if how == "worker":
        workers: list[Forked] = []
        for number in range(2):
            fork_worker(log, 0 if number else at, workers)
        pool.subprocess = SimpleNamespace(  # type: ignore[attr-defined]
            Popen=hand_out(workers), PIPE=None
        )
    fake = ask_fake()
    options = CollectOptions(
        snapshot=snapshot,
        ses_regions=lambda partition: REGIONS,
        check_document=lambda text: None,
        regions=("eu-west-1",),
        workers=1,
        processes=1 if how == "worker" else 0,
    )

    def note() -> None:
        asked = [f"{a.account}/{a.region}/{a.operation}/{a.item}" for a in fake.asked]
        found = {"asked": asked, "points": points.count, "said": said, "notes": progress.notes}
        log.write_text(json.dumps(found))

    def killed(act: Act, half: Act) -> Any:
        note()
        return kill(act, half)

    disturb = {"kill": killed, "stop": stop, "full": full, "worker": kill}[how]
    points = Points(0 if how == "worker" else at, disturb)
    points.watch()
    try:
        collect(options, progress, unhurried())
    except UserError as error:
        said = str(error)
        return error.exit_code
    except KeyboardInterrupt:
        return STOPPED
    finally:
        note()
    return 0


def fork_worker(log: Path, at: int, others: list[Forked]) -> None:
    """Add a worker process that waits for its first line; forked while there is one thread."""
    there, here = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.close(there[1])
        os.close(here[0])
        for _, stdin, stdout in others:
            # Else their input would not end while this one lives.
            stdin.close()
            stdout.close()
        code = 1
        try:
            source, target = os.fdopen(there[0]), os.fdopen(here[1], "w")
            line = source.readline()
            if line:
                ask_fake()
                points = Points(at, kill)
                points.watch()
                worker._Worker(_Again(line, source), target).run()  # type: ignore[arg-type]
                log.with_suffix(".worker").write_text(str(points.count))
            target.flush()
            code = 0
        finally:
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
            os._exit(code)
    os.close(there[0])
    os.close(here[1])
    others.append((child, os.fdopen(there[1], "w", buffering=1), os.fdopen(here[0])))


class _Again:
    """A stream of which one line was read."""

    def __init__(self, line: str, rest: Any) -> None:
        self._line: str | None = line
        self._rest = rest

    def readline(self) -> str:
        line, self._line = self._line, None
        return line if line is not None else str(self._rest.readline())

    def __iter__(self) -> Iterator[str]:
        return iter(self._rest)


@dataclass(eq=False)
class Process:
    """What the pool uses of a `subprocess.Popen`."""

    pid: int
    stdin: Any
    stdout: Any


def hand_out(workers: list[Forked]) -> Any:
    """In the place of `subprocess.Popen`: the next of the workers that were forked."""

    @contextmanager
    def popen(*_: object, **__: object) -> Iterator[Any]:
        child, stdin, stdout = workers.pop(0)
        try:
            yield Process(child, stdin, stdout)
        finally:
            with suppress(OSError):
                stdin.close()
            os.waitpid(child, 0)

    return popen


def warm() -> None:
    """Load botocore's models, pandas and pyarrow once, for every run that is forked."""
    ready_tables()
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
    code = 99
    try:
        code = run(snapshot, log, at, how)
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


def main(folder: Path, how: str) -> None:
    """Every point in its turn."""
    warm()
    log = folder / "log.json"
    assert forked(folder / "whole", log, 0, how) == 0
    undisturbed = json.loads(log.read_text())
    if how == "worker":
        undisturbed["points"] = int(log.with_suffix(".worker").read_text())
    expected = digests(folder / "whole")
    print(json.dumps(undisturbed), flush=True)  # noqa: T201
    for at in range(1, undisturbed["points"] + 1):
        snapshot = folder / f"at-{at}"
        first = forked(snapshot, log, at, how)
        before = json.loads(log.read_text())
        # A run that lost a worker only ends by itself.
        second = forked(snapshot, log, 0, how) if first else 0
        after = json.loads(log.read_text())
        same = second == 0 and digests(snapshot) == expected
        left = sorted(path.name for path in snapshot.rglob("*.tmp"))
        report = {
            "at": at, "first": first, "said": before["said"], "notes": before["notes"],
            "second": second, "same": same, "temporary": left,
            "asked": [before["asked"], after["asked"]], "error": after["said"],
        }  # fmt: skip
        print(json.dumps(report), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
