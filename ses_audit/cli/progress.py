"""How a run is shown on stderr: a bar on a terminal, else plain lines."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from ses_audit.collect.progress import Progress

__all__ = ["Lines", "shown_progress"]

_EVERY = 10.0


def shown_progress(stream: TextIO) -> Progress:
    """What suits the stream."""
    return _Bar(stream) if stream.isatty() else Lines(stream)


class Lines:
    """A line an account while there are few, and at most one each ten seconds beyond that."""

    def __init__(self, stream: TextIO, few: int = 20) -> None:
        self._stream = stream
        self._few = few
        self._lock = threading.Lock()
        self._total = self._done = self._refused = self._calls = 0
        self._told = time.monotonic()

    def note(self, text: str) -> None:
        """Print it."""
        from ses_audit.escape import terminal

        with self._lock:
            self._print(terminal(text))

    def _print(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def begin(self, accounts: int) -> None:
        """How many accounts there are."""
        with self._lock:
            self._total = accounts
            self._print(f"reading {accounts:,} account{'' if accounts == 1 else 's'}")

    def called(self) -> None:
        """Count."""
        with self._lock:
            self._calls += 1
            if time.monotonic() - self._told >= _EVERY:
                self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        refused = f", {self._refused:,} refused the audit role" if self._refused else ""
        read = self._done - self._refused
        self._print(f"{read:,} of {self._total:,} accounts read{refused}, {self._calls:,} calls")

    def account(self, account: str, cells: int, missing: int, *, refused: bool) -> None:
        """An account is done."""
        with self._lock:
            self._done += 1
            self._refused += refused
            if self._total <= self._few:
                gaps = f", {missing:,} not read" if missing else ""
                self._print(f"{self._done:,} of {self._total:,}: {account}: {cells:,} cells{gaps}")

    def end(self) -> None:
        """The last count."""
        with self._lock:
            if self._total:
                self._tell()


class _Bar:
    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        console = Console(file=stream, markup=False, highlight=False, emoji=False)
        self._bars: Bars = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("accounts, {task.fields[calls]:,} calls", markup=False),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bars.add_task("reading", total=None, calls=0)
        self._lock = threading.Lock()
        self._calls = 0

    def note(self, text: str) -> None:
        from ses_audit.escape import terminal

        self._bars.console.print(terminal(text), soft_wrap=True)

    def begin(self, accounts: int) -> None:
        self._bars.update(self._task, total=accounts)
        self._bars.start()

    def called(self) -> None:
        with self._lock:
            self._calls += 1
            self._bars.update(self._task, calls=self._calls)

    def account(self, account: str, cells: int, missing: int, *, refused: bool) -> None:
        self._bars.advance(self._task)
        if refused:
            self.note(f"{account}: refused the audit role")
        elif missing:
            self.note(f"{account}: {missing:,} of {cells:,} cells not read")

    def end(self) -> None:
        self._bars.stop()
