"""Accounts read on the workers of any executor, each account a task.

The Organizations calls and the caller's own account stay in the process that gives the tasks out.
Workers see the snapshot at the same path, and are given the caller's credentials as they are when
an account is given out: a cluster must be one that may have them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ses_audit.collect.accounts import Accounts
from ses_audit.collect.aws import Aws, Caller
from ses_audit.collect.book import Evidence
from ses_audit.collect.credentials import borrowed
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.pace import Pace
from ses_audit.collect.pool import Ended
from ses_audit.collect.progress import Progress
from ses_audit.snapshot.evidence import (
    EvidenceWriter,
    Record,
    evidence_path,
    must_see,
    snapshot_records,
)
from ses_audit.snapshot.fan_out import FanOut, MakeExecutor
from ses_audit.snapshot.ledger import CoverageRow

__all__ = [
    "Errand",
    "OnExecutor",
    "Read",
    "SharedEvidence",
    "made_accounts",
    "options_of",
    "read_account",
]

# Nobody lends anew: a task is done before its keys expire, or its calls end as EXPIRED.
_LEASE = timedelta(days=1)
_connecting = threading.Lock()


class SharedEvidence:
    """The evidence of a snapshot whose lock another process holds."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def evidence(self, account: str) -> EvidenceWriter:
        """The file to which an account's records are appended.

        A worker that was given up may still write to it: then it ends first.
        """
        return EvidenceWriter(evidence_path(self._path, account), alone=True)

    def records(self, account: str) -> Iterator[Record]:
        """The records of an account that are there."""
        path = evidence_path(self._path, account)
        return snapshot_records(self._path, account) if path.exists() else iter(())


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker is told beside the account; its text, as in a cluster's log, tells nothing."""

    settings: str = field(repr=False)
    """JSON; the external id is in it."""
    keys: tuple[tuple[str, str], ...] = field(repr=False)
    """The caller's credentials."""


class Read(NamedTuple):
    """How the reading of one account ended."""

    account: str
    rows: tuple[CoverageRow, ...] | None
    """None where its workers died."""
    planned: int = 0
    missing: int = 0
    calls: int = 0
    notes: tuple[str, ...] = ()


def options_of(settings: Mapping[str, Any]) -> CollectOptions:
    """What a worker is asked to do, from what it is told."""
    return CollectOptions(
        ses_regions=lambda partition: (),
        check_document=lambda text: None,
        **{**settings["options"], "snapshot": Path(settings["options"]["snapshot"])},
    )


def made_accounts(
    settings: Mapping[str, Any],
    aws: Aws,
    pace: Pace,
    evidence: Evidence,
    progress: Progress,
    feed: Callable[[bool], bool],
    ended: Callable[[str], None],
) -> Accounts:
    """The accounts that a worker reads, from what it is told."""
    return Accounts(
        options_of(settings),
        aws,
        evidence,
        progress,
        pace,
        tuple(settings["ses_regions"]),
        feed,
        ended,
        settings["threads"],
    )


@lru_cache(maxsize=2)
def _made(errand: Errand) -> tuple[Aws, Pace]:
    told = json.loads(errand.settings)

    def lease() -> dict[str, str]:
        return {**dict(errand.keys), "expiry_time": (datetime.now(UTC) + _LEASE).isoformat()}

    aws = Aws(
        options_of(told), Caller(**told["caller"]), borrowed(lease(), lease), told["sts_region"]
    )
    return aws, Pace(told["rates"])


def _connected(errand: Errand) -> tuple[Aws, Pace]:
    """The clients and the pace of a process: the same for all accounts that it reads."""
    with _connecting:
        return _made(errand)


class _Task:
    """One account being read; also the progress that it is told to."""

    def __init__(self, errand: Errand, account: str) -> None:
        told = json.loads(errand.settings)
        must_see(Path(told["options"]["snapshot"]))
        aws, pace = _connected(errand)
        self._account = account
        self._begun = False
        self._lock = threading.Lock()
        self._calls = 0
        self._notes: list[str] = []
        self._accounts = made_accounts(
            told,
            aws,
            pace,
            SharedEvidence(Path(told["options"]["snapshot"])),
            self,
            self._feed,
            self._ended,
        )
        self._read: Read | None = None

    def run(self) -> Read:
        try:
            self._accounts.work.run()
        finally:
            self._accounts.book.close_all()
        assert self._read is not None
        return self._read._replace(calls=self._calls, notes=tuple(self._notes))

    def _feed(self, idle: bool) -> bool:
        if not self._begun:
            self._begun = True
            self._accounts.start(self._account)
        return False

    def _ended(self, account: str) -> None:
        book = self._accounts.book
        missing = len(book.missing(account))
        self._read = Read(account, tuple(book.rows(account)), book.planned(account), missing)
        book.forget(account)

    def note(self, text: str) -> None:
        """A line for a person."""
        self._notes.append(text)

    def begin(self, accounts: int) -> None:
        """The parent knows."""

    def called(self) -> None:
        """Count."""
        with self._lock:
            self._calls += 1

    def account(self, account: str, cells: int, missing: int, *, refused: bool) -> None:
        """The parent tells."""

    def end(self) -> None:
        """The parent knows."""


def read_account(errand: Errand, account: str) -> Read:
    """Read one account: the task of a worker.

    Parameters
    ----------
    errand
        The settings, and the caller's credentials.
    account
        Which account.
    """
    return _Task(errand, account).run()


def _lost(errand: Errand, account: str) -> Read:
    return Read(account, None)


class OnExecutor:
    """Reads accounts on an executor; used as `Pool` is.

    Parameters
    ----------
    make_executor, workers
        Makes the executor, and how many accounts it reads at a time.
    settings
        For the workers, without credentials.
    credentials
        The caller's, as they are now.
    progress
        Told how it goes.
    ended
        Told of an account's coverage rows, planned and missing cells.
    lost
        Told of an account whose workers died.
    """

    def __init__(
        self,
        make_executor: MakeExecutor,
        workers: int,
        settings: Mapping[str, object],
        credentials: Callable[[], dict[str, str]],
        progress: Progress,
        ended: Ended,
        lost: Callable[[str], None],
    ) -> None:
        self._hands = FanOut(make_executor, workers)
        self._settings = json.dumps(settings)
        self._credentials = credentials
        self._progress = progress
        self._ended = ended
        self._lost = lost
        self._accounts: tuple[str, ...] = ()
        self._stop: Future[None] = Future()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._keep, name="executor", daemon=True)

    def start(self, accounts: Iterable[str]) -> None:
        """Begin with accounts, in their order."""
        self._accounts = tuple(accounts)
        self._thread.start()

    def join(self) -> None:
        """Wait until every account is done.

        Raises
        ------
        UserError
            What a worker could not go on from, such as a full disk.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Begin nothing more; what workers read is kept, whether they end or are ended."""
        if not self._stop.done():
            self._stop.set_result(None)
        self._thread.join()

    def _calls(self) -> Iterator[tuple[Errand, str]]:
        for account in self._accounts:
            keys = tuple(sorted(self._credentials().items()))
            yield Errand(self._settings, keys), account

    def _keep(self) -> None:
        try:
            with self._hands as hands:
                for read in hands.as_done(read_account, self._calls(), _lost, self._stop):
                    for _ in range(read.calls):
                        self._progress.called()
                    for text in read.notes:
                        self._progress.note(text)
                    if read.rows is None:
                        self._lost(read.account)
                    else:
                        self._ended(read.account, list(read.rows), read.planned, read.missing)
        except BaseException as error:  # noqa: BLE001  (raised again by join)
            self._error = error
