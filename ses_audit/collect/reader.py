"""What the readers of an organization and of an account share: reading one item of a cell."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from ses_audit.collect.aws import Aws
from ses_audit.collect.book import Book, Reading
from ses_audit.collect.call import Call
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.progress import Progress
from ses_audit.collect.reference import operation
from ses_audit.collect.work import Steps
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.ledger import continues
from ses_audit.snapshot.plan import ARGUMENTS, Cell

__all__ = ["Organization", "Run", "account_states", "read", "unread"]


class Run(Protocol):
    """What a reader may use of the run that it belongs to."""

    options: CollectOptions
    aws: Aws
    book: Book
    progress: Progress

    def add(self, account: str, steps: Steps, size: int) -> None:
        """More work of an account."""
        ...


class Organization(Protocol):
    """What the reader of the organization tells of it."""

    def found(self, states: dict[str, str] | None) -> None:
        """The accounts with their states, as soon as they are known; None where they are not."""
        ...

    def joined(self, account: str, state: str) -> None:
        """An account is there that was not when the run began."""
        ...

    def assume(self, sentence: str) -> None:
        """A sentence that every report shows."""
        ...


def read(
    run: Run, cell: Cell, signer: str, argument: str = "", *, kept: bool = True
) -> Generator[Call, Record, Reading]:
    """Read one item of a cell, all its pages, unless an earlier run has.

    Parameters
    ----------
    run
        The run.
    cell
        The cell.
    signer
        The account whose credentials sign.
    argument
        The item; "" for an operation that is called once a cell.
    kept
        False for a second look: it is asked though it is there, and its records are given back.
    """
    before = run.book.earlier(cell, argument) if kept else None
    if before is not None:
        return before
    known = operation(cell.service, cell.operation)
    request: dict[str, object] = dict(known.request)
    if argument:
        request[ARGUMENTS[cell.operation]] = argument
    pages: list[dict[str, object]] = []
    records: list[Record] = []
    tokens: frozenset[str] = frozenset()
    while True:
        record = yield Call(cell, request, signer, tokens, kept)
        if not kept:
            records.append(record)
        counts = record.status in (State.OK, State.EMPTY)
        if record.response is not None and (counts or record.status is State.TRUNCATED):
            pages.append(record.response)
        token = continues(record.response) if counts and record.response else None
        if token is None:
            error = record.error or {}
            return Reading(
                tuple(pages),
                record.status,
                error.get("code", ""),
                error.get("message", ""),
                tuple(records),
            )
        tokens |= {token}
        request = {**request, known.token: token}


def unread(run: Run, cells: list[Cell], source: Cell, reading: Reading) -> None:
    """Say of cells that their items come from a list which was not read, or is empty."""
    if reading.state.is_evidence:
        run.book.mark(cells, State.EMPTY)
    else:
        run.book.mark(
            cells, State.NOT_ATTEMPTED, f"{source.operation} ended as {reading.state.value}"
        )


def account_states(listing: Reading) -> dict[str, str]:
    """Account → state of a list of accounts; `Status` is the retired name of `State`.

    Examples
    --------
    >>> from ses_audit.snapshot.coverage import State
    >>> page = {"Accounts": [{"Id": "222222222222", "State": "SUSPENDED"}]}
    >>> account_states(Reading((page,), State.OK))
    {'222222222222': 'SUSPENDED'}
    """
    return {
        str(item["Id"]): str(item.get("State") or item.get("Status") or "ACTIVE")
        for item in listing.items("Accounts")
    }
