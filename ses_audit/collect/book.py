"""What the run writes down: evidence, ledger, and what an earlier run had already."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import EvidenceWriter, Record
from ses_audit.snapshot.ledger import CoverageRow, Ledger, argument_of
from ses_audit.snapshot.plan import Cell
from ses_audit.snapshot.readings import Answers

__all__ = ["Book", "Evidence", "Reading"]


class Evidence(Protocol):
    """The evidence of a snapshot, by account."""

    def evidence(self, account: str) -> EvidenceWriter:
        """The file to which an account's records are appended."""
        ...

    def records(self, account: str) -> Iterator[Record]:
        """The records that are there."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """How one item of a cell was read: its pages, also those before a failure."""

    pages: tuple[dict[str, object], ...]
    state: State
    code: str = ""
    message: str = ""
    records: tuple[Record, ...] = ()
    """Of a second look, which is written down only where it is whole."""

    def items(self, name: str) -> list[dict[str, object]]:
        """The entries of a list of objects, over all pages."""
        found: list[dict[str, object]] = []
        for page in self.pages:
            value = page.get(name)
            found += value if isinstance(value, list) else []
        return found


class Book:
    """Evidence and ledger of a run; safe from several threads.

    Parameters
    ----------
    evidence
        Of the open snapshot; what an earlier run left in it counts.
    since
        ISO 8601, UTC: what was read before is asked again.
    """

    def __init__(self, evidence: Evidence, since: str = "") -> None:
        self.ledger = Ledger()
        self._evidence = evidence
        self._since = since
        self._lock = threading.RLock()
        self._files: dict[str, EvidenceWriter] = {}
        self._earlier: dict[str, dict[tuple[Cell, str], Reading]] = {}
        self._planned: dict[str, set[Cell]] = {}
        self._counted: set[str] = set()

    def _note(self, cell: Cell) -> None:
        self._planned.setdefault(cell.account, set()).add(cell)

    def open(self, account: str) -> None:
        """Begin with an account; one that was ended is added to, and not counted again."""
        with self._lock:
            if account in self._files:
                return
            # Opened first: it cuts a torn tail off.
            file = self._evidence.evidence(account)
            self._earlier[account] = self._read(account)
            self._files[account] = file

    def _read(self, account: str) -> dict[tuple[Cell, str], Reading]:
        """What an earlier run read whole: nothing of it is asked again."""
        records = list(self._evidence.records(account))
        if account not in self._counted:
            self._counted.add(account)
            for record in records:
                self._note(_cell(record))
                self.ledger.observe(record)
        pages: dict[tuple[Cell, str], list[dict[str, object]]] = {}
        gone: dict[tuple[Cell, str], dict[str, str]] = {}
        newest: dict[tuple[Cell, str], str] = {}
        for record in records:
            key = (_cell(record), argument_of(record))
            newest[key] = max(newest.get(key, ""), record.time)
            if record.status is State.EMPTY and record.response is None:
                gone[_cell(record), argument_of(record)] = record.error or {}
        answers = Answers(records)
        for service, operation in {(record.service, record.operation) for record in records}:
            for record, response in answers.of(service, operation):
                key = (_cell(record), argument_of(record))
                pages.setdefault(key, []).append(dict(response))
        found: dict[tuple[Cell, str], Reading] = {}
        for key in {*pages, *gone}:
            state = self.ledger.state(*key)
            if state in (State.OK, State.EMPTY) and newest[key] >= self._since:
                error = {} if key in pages else gone[key]
                found[key] = Reading(
                    tuple(pages.get(key, ())),
                    state,
                    error.get("code", ""),
                    error.get("message", ""),
                )
        return found

    def observe(self, account: str) -> None:
        """Count what an earlier run read of an account that this one does not read."""
        with self._lock:
            for record in self._evidence.records(account):
                self._note(_cell(record))
                self.ledger.observe(record)

    def rows(self, account: str) -> list[CoverageRow]:
        """How the cells of an account ended."""
        with self._lock:
            return self.ledger.rows_of(self._planned.get(account, ()))

    def settle(self, account: str, rows: Iterable[CoverageRow]) -> None:
        """Take another process's word on how the cells of an account ended."""
        with self._lock:
            self.ledger.drop(self._planned.pop(account, ()))
            self.ledger.settle(rows)

    def forget(self, account: str) -> None:
        """Drop an account that another process keeps the rows of."""
        with self._lock:
            self.ledger.drop(self._planned.pop(account, ()))

    def earlier(self, cell: Cell, argument: str) -> Reading | None:
        """What an earlier run read of an item; None when it is to be asked."""
        return self._earlier.get(cell.account, {}).get((cell, argument))

    def write(self, record: Record) -> None:
        """Put a record into its account's evidence and into the ledger."""
        self._files[record.account].write(record)
        with self._lock:
            self._note(_cell(record))
            self.ledger.observe(record)

    def plan(self, cells: Iterable[Cell]) -> None:
        """Add cells to the plan."""
        with self._lock:
            for cell in cells:
                self._note(cell)
                self.ledger.plan([cell])

    def drop(self, cells: Iterable[Cell]) -> None:
        """Take cells out of the plan."""
        with self._lock:
            for cell in cells:
                self._planned.get(cell.account, set()).discard(cell)
                self.ledger.drop([cell])

    def mark(self, cells: Iterable[Cell], state: State, detail: str = "") -> None:
        """Say how cells ended of which no call tells."""
        with self._lock:
            for cell in cells:
                self._note(cell)
                self.ledger.mark(cell, state, detail)

    def annotate(self, cell: Cell, text: str) -> None:
        """Add what follows from it to the detail of a cell that was asked."""
        with self._lock:
            self.ledger.annotate(cell, text)

    def state(self, cell: Cell, argument: str | None = None) -> State:
        """How a cell, or an item of it, ended so far."""
        with self._lock:
            return self.ledger.state(cell, argument)

    def missing(self, account: str) -> list[Cell]:
        """The planned cells of an account that are not evidence so far, but for those left out."""
        with self._lock:
            cells = self._planned.get(account, set())
            return sorted(cell for cell in cells if self.ledger.state(cell).is_missing)

    def planned(self, account: str) -> int:
        """How many cells of an account are planned."""
        with self._lock:
            return len(self._planned.get(account, ()))

    def close(self, account: str) -> None:
        """End with an account."""
        with self._lock:
            self._earlier.pop(account, None)
            file = self._files.pop(account, None)
        if file is not None:
            file.close()

    def close_all(self) -> None:
        """End with every account."""
        for account in list(self._files):
            self.close(account)


def _cell(record: Record) -> Cell:
    return Cell(record.account, record.region, record.service, record.operation)
