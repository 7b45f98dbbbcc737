"""Worker processes: Python reads about 300 answers a second in one process, whatever its threads.

Each account is read by one worker alone, so no file and no rate has two masters. A worker that dies
is replaced, and goes on from the evidence it left.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ses_audit.collect.progress import Progress
from ses_audit.errors import UserError
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.ledger import CoverageRow

__all__ = ["Pool"]

_DEATHS = 3
"""A worker's accounts are given up when so many died over them."""

Ended = Callable[[str, list[CoverageRow], int, int], None]


class Pool:
    """Reads accounts in worker processes.

    Parameters
    ----------
    size
        How many workers.
    settings
        The first line for a worker, without credentials.
    credentials
        The caller's, as they are now.
    lock
        The descriptor of the snapshot's lock: it stays taken while a worker lives.
    progress
        Told how it goes.
    ended
        Told of an account's coverage rows, planned and missing cells.
    lost
        Told of an account whose workers died.
    """

    def __init__(
        self,
        size: int,
        settings: Mapping[str, object],
        credentials: Callable[[], dict[str, str]],
        lock: int,
        progress: Progress,
        ended: Ended,
        lost: Callable[[str], None],
    ) -> None:
        self._size = size
        self._settings = settings
        self._credentials = credentials
        self._lock_descriptor = lock
        self._progress = progress
        self._ended = ended
        self._lost = lost
        self._left: deque[str] = deque()
        self._deaths: dict[str, int] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False
        self._error: BaseException | None = None

    def start(self, accounts: Iterable[str]) -> None:
        """Begin with accounts, in their order."""
        self._left.extend(accounts)
        for number in range(self._size):
            thread = threading.Thread(target=self._keep, name=f"pool-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self) -> None:
        """Wait until every account is done.

        Raises
        ------
        UserError
            What a worker could not go on from, such as a full disk.
        """
        for thread in self._threads:
            thread.join()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Begin nothing more: calls under way end, and their answers are kept."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            with contextlib.suppress(OSError):
                if process.stdin is not None:
                    process.stdin.close()
        for thread in self._threads:
            thread.join()

    def _keep(self) -> None:
        """Run a worker, and another where it died, while there are accounts."""
        try:
            idle = 0
            while not self._stopped and self._left:
                held: set[str] = set()
                whole = self._run(held)
                if whole or self._stopped:
                    return
                idle = 0 if held else idle + 1
                if idle == _DEATHS:
                    raise UserError(
                        "worker processes die before they read anything; --processes 0 reads "
                        "everything in one process"
                    )
                if held:
                    self._again(held)
        except BaseException as error:  # noqa: BLE001  (raised again by join)
            self._error = self._error or error
            self._stopped = True

    def _again(self, held: set[str]) -> None:
        """Give back the accounts of a worker that died."""
        for account in sorted(held):
            with self._lock:
                self._deaths[account] = self._deaths.get(account, 0) + 1
                given_up = self._deaths[account] >= _DEATHS
                if not given_up:
                    self._left.append(account)
            if given_up:
                self._lost(account)
        plural = "" if len(held) == 1 else "s"
        self._progress.note(
            f"a worker process died over {len(held):,} account{plural}: another goes on"
        )

    def _run(self, held: set[str]) -> bool:
        """Serve one worker until it ends; whether it ended by itself."""
        with subprocess.Popen(
            [sys.executable, "-m", "ses_audit.collect.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            bufsize=1,
            pass_fds=[self._lock_descriptor],
            # Ctrl-C is the parent's to handle.
            start_new_session=True,
        ) as process:
            with self._lock:
                self._running.add(process)
            try:
                return self._serve(process, held)
            finally:
                with self._lock:
                    self._running.discard(process)
                # What a worker that died did not read cannot be flushed.
                with contextlib.suppress(OSError):
                    if process.stdin is not None:
                        process.stdin.close()

    def _serve(self, process: subprocess.Popen[str], held: set[str]) -> bool:
        assert process.stdout is not None
        whole = False
        self._send(process, {**self._settings, "credentials": self._credentials()})
        for line in process.stdout:
            try:
                message: dict[str, Any] = json.loads(line)
            except ValueError:
                # Torn by the death of the worker.
                break
            if "want" in message:
                with self._lock:
                    account = None if self._stopped or not self._left else self._left.popleft()
                if account is not None:
                    held.add(account)
                    self._send(process, {"account": account})
                else:
                    self._send(process, {"nothing": True})
            elif "credentials" in message:
                self._send(process, {"credentials": self._credentials()})
            elif "done" in message:
                rows = [
                    CoverageRow(**{**row, "state": State(row["state"])}) for row in message["rows"]
                ]
                held.discard(message["done"])
                self._ended(message["done"], rows, message["planned"], message["missing"])
            elif "calls" in message:
                for _ in range(message["calls"]):
                    self._progress.called()
            elif "note" in message:
                self._progress.note(message["note"])
            elif "failed" in message:
                raise UserError(message["failed"], message["exit_code"])
            else:
                whole = True
        return whole

    @staticmethod
    def _send(process: subprocess.Popen[str], message: Mapping[str, object]) -> None:
        # A worker that died is noticed where its answers are read.
        with contextlib.suppress(OSError, ValueError):
            assert process.stdin is not None
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
