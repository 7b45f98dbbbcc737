"""Reads accounts in one process: the work of each, its evidence, and how it ended."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from ses_audit.collect.account import AccountReader
from ses_audit.collect.aws import Aws
from ses_audit.collect.book import Book, Evidence
from ses_audit.collect.call import Call
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.pace import Pace
from ses_audit.collect.progress import Progress
from ses_audit.collect.work import Steps, Work
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record

__all__ = ["OPEN", "Accounts"]

OPEN = 64
"""The most accounts that one process has begun and not ended: each holds an open file."""


class Accounts:
    """The accounts that one process reads.

    Parameters
    ----------
    options, aws, progress, pace
        Of the run.
    evidence
        Where records go, and what an earlier run left there.
    ses_regions
        The regions that SES is in.
    feed
        As for `Work`: it may `start` an account where `may_start` says so.
    ended
        Told of an account that is done.
    threads
        How many calls at a time.
    """

    def __init__(
        self,
        options: CollectOptions,
        aws: Aws,
        evidence: Evidence,
        progress: Progress,
        pace: Pace,
        ses_regions: tuple[str, ...],
        feed: Callable[[bool], bool],
        ended: Callable[[str], None],
        threads: int,
    ) -> None:
        self.options = options
        self.aws = aws
        self.book = Book(evidence, options.read_since)
        self.progress = progress
        self.work = Work(aws.ask, self._settle, aws.renew, pace, threads, feed)
        self._ses_regions = ses_regions
        self._ended = ended
        self._left: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._readers: dict[str, AccountReader] = {}
        self._beginning: set[str] = set()
        self._threads = threads

    def add(self, account: str, steps: Steps, size: int) -> None:
        """More work of an account."""
        with self._lock:
            self._left[account] += 1
        self.work.add(steps, size, lambda: self._done(account))

    def may_start(self, idle: bool) -> bool:
        """Whether to begin with another account; one whose regions are known is work for many.

        What one process begins no other can take: so no more than keeps its threads busy.

        Parameters
        ----------
        idle
            Whether a thread has nothing to do; else there soon might be one.
        """
        with self._lock:
            begun = sum(left > 0 for left in self._left.values())
            most = max(1, self._threads // 3) if idle else 1
            return begun < OPEN and len(self._beginning) < most

    def start(self, account: str) -> None:
        """Read an account; its evidence is opened when its work begins, not before."""
        reader = AccountReader(
            self,
            account,
            assume_role=account != self.aws.caller.account,
            ses_regions=self._ses_regions,
        )
        with self._lock:
            self._readers[account] = reader
            self._beginning.add(account)
        self.add(account, self._begin(account, reader), 1)

    def _begin(self, account: str, reader: AccountReader) -> Steps:
        self.book.open(account)
        reader.plan()
        yield from reader.begin()
        with self._lock:
            self._beginning.discard(account)
        yield from reader.principals()

    def _done(self, account: str) -> None:
        with self._lock:
            self._left[account] -= 1
            if self._left[account]:
                return
            reader = self._readers.pop(account, None)
        if reader is not None:
            reader.ended()
        self.book.close(account)
        self.aws.leave(account)
        if reader is not None:
            self._ended(account)

    def _settle(self, call: Call, record: Record) -> Record:
        if call.cell.operation == "AssumeRole" and record.status is not State.OK:
            record = replace(record, status=State.ASSUME_FAILED)
        self.progress.called()
        if call.kept:
            self.book.write(record)
        return record
