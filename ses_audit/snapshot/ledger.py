"""The ledger: every planned cell, and the one typed state in which it ended."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.plan import ARGUMENTS, Cell
from ses_audit.snapshot.shapes import wrong_shape

__all__ = ["CoverageRow", "Ledger", "Totals", "argument_of", "continues", "totals"]

# What a cell ends in when its items ended differently: the first of these that any item has.
_WORST = (
    State.ASSUME_FAILED,
    State.DENIED,
    State.EXPIRED,
    State.THROTTLED,
    State.TIMEOUT,
    State.SERVER_ERROR,
    State.MALFORMED,
    State.TRUNCATED,
    State.NOT_ATTEMPTED,
    State.NOT_AUDITED,
    State.EXCLUDED,
    State.OK,
    State.REGION_DISABLED,
    State.NO_ENDPOINT,
    State.EMPTY,
)
_RANK = {state: rank for rank, state in enumerate(_WORST)}

# Resource control policies do not reach SES, so a list of them that could not be read hides
# nothing that a verdict needs: it is a row, and leaves the cell to the SCPs.
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
_ASIDE = frozenset({("ListPolicies", "RESOURCE_CONTROL_POLICY")})

_UNFINISHED = "stopped before the last page"


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One row of the coverage table: a cell (`argument` is ""), or an item of one that failed,
    or was gone when it was asked for (`EMPTY`)."""

    account_id: str
    region: str
    service: str
    operation: str
    argument: str
    state: State
    detail: str = ""
    layer: str = ""
    policy_arn: str = ""
    calls: int = 0
    read_at: str = ""

    @property
    def cell(self) -> Cell:
        """The cell that the row belongs to."""
        return Cell(self.account_id, self.region, self.service, self.operation)

    @property
    def text(self) -> str:
        """The row as it stands in `missing_evidence`."""
        return f"{self.cell}" + (f"[{self.argument}]" if self.argument else "") + f"={self.state}"


@dataclass(frozen=True, slots=True)
class Totals:
    """How much of the plan was read."""

    planned: int
    read: int
    by_state: dict[str, int]

    @property
    def complete(self) -> bool:
        """Whether every planned cell is evidence, but for accounts that are not to be audited."""
        aside = self.by_state.get("NOT_AUDITED", 0) + self.by_state.get("EXCLUDED", 0)
        return self.read + aside == self.planned


def argument_of(record: Record) -> str:
    """The item that a call asked about; "" for an operation that is called once a cell."""
    name = ARGUMENTS.get(record.operation)
    return "" if name is None else str(record.request.get(name, ""))


def continues(response: dict[str, object]) -> str | None:
    """The token of the next page, or None on the last one.

    Examples
    --------
    >>> continues({"NextToken": "page-2"}), continues({"IsTruncated": False, "Marker": "x"})
    ('page-2', None)
    """
    for name in ("NextToken", "NextMarker"):
        token = response.get(name)
        if token:
            return str(token)
    if response.get("IsTruncated"):
        return str(response.get("Marker") or "")
    return None


class Ledger:
    """Planned cells and how each ended; the last word on an item counts.

    A planned cell of which nothing was heard is `NOT_ATTEMPTED`. A cell with items (one call for
    each identity, policy or parent) ends in the worst state of them, and each item that is no
    evidence, or gone, has a row of its own.

    Examples
    --------
    >>> from ses_audit.snapshot.plan import Cell
    >>> ledger = Ledger()
    >>> cell = Cell("222222222222", "eu-west-1", "sesv2", "GetAccount")
    >>> ledger.plan([cell])
    >>> ledger.totals().read
    0
    >>> ledger.mark(cell, State.OK)
    >>> ledger.totals().complete
    True
    """

    def __init__(self) -> None:
        self._cells: dict[Cell, dict[str, CoverageRow]] = {}
        self._settled: dict[str, bytes] = {}
        """Account → its packed rows: many accounts are held in little memory."""

    def plan(self, cells: Iterable[Cell]) -> None:
        """Add cells to the plan; one that is there keeps its state."""
        for cell in cells:
            self._cells.setdefault(cell, {})

    def drop(self, cells: Iterable[Cell]) -> None:
        """Take cells out of the plan, such as `*` once the regions are known."""
        for cell in cells:
            self._cells.pop(cell, None)

    def mark(
        self,
        cell: Cell,
        state: State,
        detail: str = "",
        *,
        argument: str = "",
        layer: str = "",
        policy_arn: str = "",
        calls: int = 0,
        read_at: str = "",
    ) -> None:
        """Say how a cell, or one item of it, ended; an unplanned cell is planned by it.

        Parameters
        ----------
        cell
            The cell.
        state
            How it ended.
        detail
            The error; made one line.
        argument
            The item; "" for the whole cell.
        layer, policy_arn
            Of the denial, where the message names them.
        calls
            Calls made, added to those before.
        read_at
            ISO 8601, UTC.
        """
        items = self._cells.setdefault(cell, {})
        before = items.get(argument)
        items[argument] = CoverageRow(
            *cell,
            argument=argument,
            state=state,
            detail=" ".join(detail.split()),
            layer=layer,
            policy_arn=policy_arn,
            calls=calls + (before.calls if before else 0),
            read_at=read_at,
        )

    def annotate(self, cell: Cell, text: str) -> None:
        """Add what follows from it to the detail of a cell that has no items."""
        row = self._cells[cell][""]
        detail = "; ".join(filter(None, (row.detail, text)))
        self._cells[cell][""] = replace(row, detail=detail)

    def observe(self, record: Record) -> None:
        """Mark what one call says about its cell: the rule for live runs and for resuming.

        An answer that names a next page leaves its item unfinished (`NOT_ATTEMPTED`) until that
        page is observed as well. Records are observed in the order in which they were written.
        """
        error = record.error or {}
        state, detail = record.status, error.get("message") or error.get("code") or ""
        if state.is_evidence and record.response is not None:
            wrong = wrong_shape(record.operation, record.response)
            if wrong is not None:
                state, detail = State.MALFORMED, wrong
            elif continues(record.response) is not None:
                state, detail = State.NOT_ATTEMPTED, _UNFINISHED
        argument = argument_of(record)
        cell = Cell(record.account, record.region, record.service, record.operation)
        before = self._cells.get(cell, {}).get(argument)
        if (
            state is State.EMPTY
            and before is not None
            and (before.state is State.OK or before.detail == _UNFINISHED)
        ):
            # The last page may hold nothing where an earlier one did.
            state = State.OK
        self.mark(
            cell,
            state,
            detail,
            argument=argument,
            layer=error.get("layer", ""),
            policy_arn=error.get("policy_arn", ""),
            calls=record.attempts,
            read_at=record.time,
        )

    def state(self, cell: Cell, argument: str | None = None) -> State:
        """How a cell ended, or one item of it; `NOT_ATTEMPTED` when nothing was heard."""
        items = self._cells.get(cell, {})
        if argument is not None:
            row = items.get(argument)
            return State.NOT_ATTEMPTED if row is None else row.state
        return self._whole(cell).state

    def cells(self) -> list[Cell]:
        """The plan, sorted."""
        return sorted(self._cells)

    def _whole(self, cell: Cell) -> CoverageRow:
        items = self._cells.get(cell, {})
        counted = [row for row in items.values() if (cell.operation, row.argument) not in _ASIDE]
        if not counted:
            return CoverageRow(*cell, argument="", state=State.NOT_ATTEMPTED)
        worst = min(counted, key=lambda row: (_RANK[row.state], row.argument))
        failed = sum(not row.state.is_evidence for row in counted)
        detail = worst.detail
        if failed > 1 or (failed and len(counted) > 1):
            detail = f"{failed} of {len(counted)} failed; the first: {detail or worst.argument}"
        return replace(
            worst,
            argument="",
            detail="" if worst.state is State.OK else detail,
            calls=sum(row.calls for row in items.values()),
            read_at=max(row.read_at for row in counted),
        )

    def __iter__(self) -> Iterator[CoverageRow]:
        """The coverage table: each cell, then its items that are no evidence, or gone; sorted.

        What is held at a time are the rows of one account.
        """
        live: dict[str, list[Cell]] = {}
        for cell in self._cells:
            live.setdefault(cell.account, []).append(cell)
        for account in sorted({*live, *self._settled}):
            rows = self.rows_of(live.get(account, ()))
            if account in self._settled:
                rows = sorted([*rows, *_unpacked(account, self._settled[account])], key=_place)
            yield from rows

    def rows(self) -> list[CoverageRow]:
        """The coverage table at once."""
        return list(self)

    def rows_of(self, cells: Iterable[Cell]) -> list[CoverageRow]:
        """The rows of some cells, sorted."""
        rows: list[CoverageRow] = []
        for cell in sorted(cells):
            rows.append(self._whole(cell))
            rows += sorted(
                (
                    row
                    for row in self._cells.get(cell, {}).values()
                    # What was listed and is gone when it is asked for is noted too.
                    if row.argument and (not row.state.is_evidence or row.detail)
                ),
                key=lambda row: row.argument,
            )
        return rows

    def settle(self, rows: Iterable[CoverageRow]) -> None:
        """Add the rows of cells that another ledger kept; they are not in this one's plan."""
        own: dict[str, list[CoverageRow]] = {}
        for row in rows:
            own.setdefault(row.account_id, []).append(row)
        for account, added in own.items():
            before = _unpacked(account, self._settled.get(account, _packed(())))
            self._settled[account] = _packed([*before, *added])

    def spoil(self, account: str, detail: str) -> None:
        """Say that an account's evidence cannot be read: every cell of it is `MALFORMED`."""
        cells = {cell for cell in self._cells if cell.account == account}
        if account in self._settled:
            cells |= {row.cell for row in _unpacked(account, self._settled.pop(account))}
        for cell in cells:
            # Its items are in the same file: none of them is known.
            calls = sum(row.calls for row in self._cells.pop(cell, {}).values())
            self.mark(cell, State.MALFORMED, detail, calls=calls)

    def totals(self) -> Totals:
        """How much of the plan was read."""
        return totals(self)


# All of a row but its account.
_VALUES = attrgetter(*CoverageRow.__slots__[1:])


def _place(row: CoverageRow) -> tuple[Cell, str]:
    return row.cell, row.argument


def _packed(rows: Iterable[CoverageRow]) -> bytes:
    """The rows of one account."""
    values = [_VALUES(row) for row in rows]
    return zlib.compress(json.dumps(values).encode(), 1)


def _unpacked(account: str, packed: bytes) -> list[CoverageRow]:
    rows: list[list[Any]] = json.loads(zlib.decompress(packed))
    for row in rows:
        row[4] = State(row[4])
    return [CoverageRow(account, *row) for row in rows]


def totals(rows: Iterable[CoverageRow]) -> Totals:
    """Count the cells of a coverage table; items are not cells."""
    counts = Counter(row.state for row in rows if not row.argument)
    return Totals(
        planned=counts.total(),
        read=sum(count for state, count in counts.items() if state.is_evidence),
        by_state={state.value: count for state, count in sorted(counts.items())},
    )
