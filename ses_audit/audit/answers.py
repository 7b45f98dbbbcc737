"""What the answers to all questions of the checklist share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from ses_audit.audit.cell import Cell, checklist_data
from ses_audit.audit.evidence import Statements
from ses_audit.audit.explanation import Evidence, Status
from ses_audit.audit.rulings import CheckRuling
from ses_audit.policy.conditions import Conditions
from ses_audit.policy.solve import OpenResult
from ses_audit.policy.types import Verdict

__all__ = ["Answer", "Answers", "numbers"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question."""

    status: Status
    text: str
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


@cache
def numbers() -> dict[str, int]:
    """The number of each item, from 1."""
    return {entry["id"]: n for n, entry in enumerate(checklist_data()["items"], start=1)}


class Answers:
    """The answers of one cell."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.statements = Statements(cell)
        (self.check,) = cell.of("sender")

    @cached_property
    def unread(self) -> Answer | None:
        """The answer to all that the principal's own policies decide, where they are not known."""
        sender = self.cell.sender
        if sender.missing:
            text = "Its policies were not all read."
            return Answer("cannot_tell", text, missing=sender.missing)
        if not sender.in_organization and self.check.identity_side:
            text = "Its own account decides this, and is not in the snapshot."
            return Answer("cannot_tell", text, missing=(f"account {sender.account}",))
        return None

    def only_from(self, check: CheckRuling) -> bool:
        """Whether its own policies turn on the From address alone."""
        return check.identity.open_keys == {"ses:fromaddress"}

    @staticmethod
    def see(item: str) -> str:
        """The number under which an item stands."""
        return str(numbers()[item])

    def near_or(self, item: str, cleared: str) -> Answer:
        """The nearest Allow's answer, what was not read, or that nothing stands in the way."""
        return self.near_cause(item) or self.unread or Answer("cleared", cleared)

    def near_cause(self, item: str) -> Answer | None:
        """The nearest Allow's answer, where it belongs to this item."""
        near = self.cell.near
        if near is None or near[0] != item or item not in self.cell.denied:
            return None
        notes = " ".join(dict.fromkeys(miss.note for miss in near[1]))
        return Answer("cause", notes, tuple(self.statements.miss(miss) for miss in near[1]))

    def partly(self, found: OpenResult | None) -> tuple[str, tuple[str, ...]] | None:
        """The conditions that remain, and which values of the request would tell."""
        if found is None or found.verdict is not Verdict.CONDITIONAL:
            return None
        keys = dict.fromkeys(_keys(found.conditions))
        return str(found.conditions), tuple(keys)


def _keys(conditions: Conditions | None) -> Iterator[str]:
    """What of a request its conditions ask for."""
    if conditions is None:
        return
    if conditions.clause is not None:
        key = conditions.clause.key
        yield "the template's name" if key.startswith("(") else f"the request's {key}"
    for part in conditions.parts:
        yield from _keys(part)
