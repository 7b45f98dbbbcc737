"""A formula over the kinds of one key: each clause is a column of bits, one for each kind.

Most kinds of a key make no difference to a formula: of five hundred ranges that are denied alike,
one will do. So the formula's parts that turn on this key alone are answered for all kinds at once,
and only kinds that they tell apart are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    conjunction,
    disjunction,
    negate,
)
from ses_audit.policy.kinds import Kind

__all__ = ["Columns", "divided"]

_ZERO_ONE = bytes.maketrans(b"\0\1", b"01")


@dataclass(frozen=True, slots=True)
class Columns:
    """What each clause on a key answers to each kind: the lowest bit is the first kind's."""

    every: int
    """A bit for each kind."""
    bits: Mapping[Atom, int]

    @classmethod
    def of(cls, atoms: Sequence[Atom], kinds: Sequence[Kind]) -> Columns:
        """The columns of kinds, whose answers are the atoms' in order.

        Examples
        --------
        >>> from ses_audit.policy.types import Clause
        >>> atom = Atom(Clause("Bool", "k", ("true",)), "2012-10-17")
        >>> columns = Columns.of([atom], [Kind(None, (False,)), Kind(("true",), (True,))])
        >>> columns.bits[atom], columns.every
        (2, 3)
        """
        if not kinds:
            return cls(0, dict.fromkeys(atoms, 0))
        rows = zip(*(kind.answers for kind in reversed(kinds)), strict=True)
        columns = (int(bytes(row).translate(_ZERO_ONE), 2) for row in rows)
        return cls((1 << len(kinds)) - 1, dict(zip(atoms, columns, strict=True)))

    def mask(self, formula: Formula) -> int | None:
        """The kinds with which a formula holds; None where it turns on other keys too."""
        plan = _Plans(self).of(formula)
        return plan if isinstance(plan, int) else None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What remains of a formula once the kind of this key is known."""

    kind: Literal["same", "not", "and", "or"]
    formula: Formula = TRUE
    """Where it is the same whatever the kind is."""
    mask: int | None = None
    """The kinds with which the parts hold that turn on this key alone."""
    parts: tuple[_Plan, ...] = ()


class _Plans:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._done: dict[Formula, int | _Plan] = {}
        self.masks: dict[int, None] = {}
        """What the kinds have to be told apart by."""

    def of(self, formula: Formula) -> int | _Plan:
        found = self._done.get(formula)
        if found is None:
            found = self._done[formula] = self._made(formula)
        return found

    def _made(self, formula: Formula) -> int | _Plan:
        every, bits = self._columns.every, self._columns.bits
        if formula is TRUE or formula is FALSE:
            return every if formula is TRUE else 0
        if formula.atom is not None:
            found = bits.get(formula.atom)
            return _Plan("same", formula) if found is None else found
        if bits.keys().isdisjoint(formula.atoms):
            return _Plan("same", formula)
        if formula.kind == "not":
            inner = self.of(formula.parts[0])
            return every & ~inner if isinstance(inner, int) else _Plan("not", parts=(inner,))
        mask, parts = every if formula.kind == "and" else 0, []
        for part in formula.parts:
            plan = self.of(part)
            if not isinstance(plan, int):
                parts.append(plan)
            elif formula.kind == "and":
                mask &= plan
            else:
                mask |= plan
        if not parts:
            return mask
        self.masks[mask] = None
        kind: Literal["and", "or"] = "and" if formula.kind == "and" else "or"
        return _Plan(kind, mask=mask, parts=tuple(parts))


def divided(formula: Formula, columns: Columns) -> Iterator[tuple[int, Formula]]:
    """What can remain of a formula when a key is decided, each with the first kind that leaves it.

    Parameters
    ----------
    formula
        Turns on the key, and maybe on others.
    columns
        The key's kinds.
    """
    plans = _Plans(columns)
    whole = plans.of(formula)
    if isinstance(whole, int):
        plans.masks[whole] = None
    groups = [columns.every] if columns.every else []
    for mask in plans.masks:
        groups = [part for each in groups for part in (each & mask, each & ~mask) if part]
    for bit in sorted(group & -group for group in groups):
        yield bit.bit_length() - 1, _remaining(whole, bit)


def _remaining(plan: int | _Plan, bit: int) -> Formula:
    if isinstance(plan, int):
        return TRUE if plan & bit else FALSE
    if plan.kind == "same":
        return plan.formula
    if plan.kind == "not":
        return negate(_remaining(plan.parts[0], bit))
    held = bool((plan.mask or 0) & bit)
    if plan.kind == "and":
        return conjunction(*(_remaining(part, bit) for part in plan.parts)) if held else FALSE
    return TRUE if held else disjunction(*(_remaining(part, bit) for part in plan.parts))
