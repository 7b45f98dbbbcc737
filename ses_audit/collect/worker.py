"""A process that reads accounts, one line of JSON at a time: what the pool gives it to do.

Lines in: the settings, then `{"account"}`, `{"nothing"}`, `{"credentials"}`.
Lines out: `{"want"}`, `{"credentials"}`, `{"calls"}`, `{"done", "rows"}`, `{"failed"}`, `{"end"}`.
Its input ends when the parent does; then it begins nothing more, and ends as well.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TextIO

from ses_audit.collect.aws import Aws, Caller
from ses_audit.collect.credentials import borrowed
from ses_audit.collect.on_executor import SharedEvidence, made_accounts, options_of
from ses_audit.collect.pace import Pace
from ses_audit.errors import TOOL_FAILURE, UserError

__all__ = ["main"]

_EVERY = 0.5
# How long borrowed credentials are used before they are asked for anew.
_LEND = timedelta(minutes=5)


class _Worker:
    """One worker; also the progress that its accounts are told to."""

    def __init__(self, source: TextIO, target: TextIO) -> None:
        self._source = source
        self._target = target
        self._lock = threading.Lock()
        self._calls = 0
        self._told = time.monotonic()
        self._wanted = False
        self._nothing = False
        self._lent: queue.Queue[dict[str, str]] = queue.Queue()
        self._lending = threading.Lock()
        settings = json.loads(source.readline())
        options = options_of(settings)
        own = borrowed(self._lease(settings["credentials"]), self._borrow)
        self._accounts = made_accounts(
            settings,
            Aws(options, Caller(**settings["caller"]), own),
            Pace(settings["rates"]),
            SharedEvidence(options.snapshot),
            self,
            self._feed,
            self._ended,
        )

    def run(self) -> None:
        """Read what is given until there is nothing more."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        try:
            self._accounts.work.run()
        finally:
            self._accounts.book.close_all()
            self._tell(calls=self._calls)
        self._tell(end=True)

    def _tell(self, **message: object) -> None:
        line = json.dumps(message) + "\n"
        with self._lock:
            self._target.write(line)
            self._target.flush()

    def _listen(self) -> None:
        for line in self._source:
            message = json.loads(line)
            if "account" in message:
                self._wanted = False
                self._accounts.start(message["account"])
            elif "nothing" in message:
                self._nothing = True
                self._accounts.work.wake()
            else:
                self._lent.put(message["credentials"])
        self._accounts.work.stop()

    def _feed(self, idle: bool) -> bool:
        if self._nothing:
            return False
        if not self._wanted and self._accounts.may_start(idle):
            self._wanted = True
            self._tell(want=True)
        return True

    def _borrow(self) -> dict[str, str]:
        with self._lending:
            self._tell(credentials=True)
            return self._lease(self._lent.get())

    @staticmethod
    def _lease(given: dict[str, str]) -> dict[str, str]:
        return {**given, "expiry_time": (datetime.now(UTC) + _LEND).isoformat()}

    def _ended(self, account: str) -> None:
        book = self._accounts.book
        rows = [{**asdict(row), "state": row.state.value} for row in book.rows(account)]
        planned, missing = book.planned(account), len(book.missing(account))
        book.forget(account)
        self._tell(done=account, rows=rows, planned=planned, missing=missing)

    def note(self, text: str) -> None:
        """A line for a person."""
        self._tell(note=text)

    def begin(self, accounts: int) -> None:
        """The parent knows."""

    def called(self) -> None:
        """Count; told now and then."""
        with self._lock:
            self._calls += 1
            if time.monotonic() - self._told < _EVERY:
                return
            self._told, calls, self._calls = time.monotonic(), self._calls, 0
        self._tell(calls=calls)

    def account(self, account: str, cells: int, missing: int, *, refused: bool) -> None:
        """The parent tells."""

    def end(self) -> None:
        """The parent knows."""


def main() -> int:
    """Run a worker on standard input and output."""
    # What is printed by mistake must not come between the lines.
    target = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        _Worker(sys.stdin, target).run()
    except UserError as error:
        target.write(json.dumps({"failed": str(error), "exit_code": error.exit_code}) + "\n")
        target.flush()
        return TOOL_FAILURE
    except BrokenPipeError:
        # The parent is gone: what was read is kept.
        return TOOL_FAILURE
    return 0


if __name__ == "__main__":
    sys.exit(main())
