"""All levels of service control policies as one layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ses_audit.audit.classes import (
    PLAIN,
    Chained,
    Numbers,
    Part,
    Vector,
    is_twin,
    parts_in,
    structure_of,
    vector_of,
)
from ses_audit.policy.formula import TRUE, Formula
from ses_audit.policy.types import Denial

__all__ = ["Chains"]

_Linked = tuple[int, tuple[int, ...]]
"""A structure, and the old slot of each of its slots."""


class Chains:
    """Puts levels together; what was put together once is known.

    Parameters
    ----------
    numbers
        Of parts and structures.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._known: dict[object, _Linked] = {}

    def vector(self, levels: Sequence[Vector], kinds: Sequence[Sequence[str]]) -> Vector:
        """The vector of all levels; those that change nothing are left out.

        Parameters
        ----------
        levels
            The vector of each level, the root's first.
        kinds
            The ids of the checks of each action, the recipients last.
        """
        structures: list[int] = []
        every: list[tuple[Denial, ...]] = []
        known: dict[object, int] = {}
        for action, checks in enumerate(kinds):
            fixed = len(checks) - checks.count("recipients")
            # Equal slots are one object. Of several actions levels say the same.
            said = (fixed, *[(v.structures[action], id(v.slots[action])) for v in levels])
            same = known.setdefault(said, action)
            if same != action:
                structures.append(structures[same])
                every.append(every[same])
                continue
            kept = [(n, v) for n, v in enumerate(levels) if v.structures[action] != PLAIN]
            if not kept:
                structures.append(PLAIN)
                every.append(())
                continue
            slots = [
                Denial(s.layer, s.kind, s.policy, s.sid, s.statement_index, str(level))
                for level, vector in kept
                for s in vector.slots[action]
            ]
            found, used = self._together(action, [vector for _, vector in kept], fixed)
            named = tuple([slots[old] for old in used])
            attached: dict[tuple[str | None, str | None], int] = {}
            places = tuple(
                [attached.setdefault((s.policy, s.target), len(attached)) for s in named]
            )
            structures.append(self._numbers.of(("attached", found, places)) if found else PLAIN)
            every.append(named)
        return vector_of(structures, every, self._numbers)

    def _together(self, action: int, levels: Sequence[Vector], fixed: int) -> _Linked:
        """The structure of several levels."""
        rows = tuple([v.structures[action] for v in levels])
        sizes = tuple([len(v.slots[action]) for v in levels])
        key = (rows, sizes, fixed)
        known = self._known.get(key)
        if known is None:
            first = [sum(sizes[:place]) for place in range(len(sizes))]
            used: dict[int, int] = {}
            found = self._linked(rows, first, fixed, used, twin=False)
            if any(is_twin(self._numbers, row) for row in rows):
                other = self._linked(rows, first, fixed, used, twin=True)
                found = found if found == other else self._numbers.of(("twin", found, other))
            known = self._known[key] = (found, tuple(used))
        return known

    def _linked(
        self,
        structures: Sequence[int],
        first: Sequence[int],
        fixed: int,
        used: dict[int, int],
        *,
        twin: bool,
    ) -> int:
        """One structure of several; `used` gives their slots new numbers."""
        numbers = self._numbers
        rows = [parts_in(numbers, structure, twin=twin) for structure in structures]
        most = max((len(row) - fixed for row in rows if row), default=0)
        parts: list[int] = []
        recipients: list[int] = []
        for place in range(fixed + most):
            said: list[Part] = []
            for row, base in zip(rows, first, strict=True):
                if not row:
                    continue
                alike = place >= fixed and len(row) == fixed + 1
                part = numbers.thing(row[fixed if alike else place])
                if isinstance(part, Part):
                    said.append(_moved(part, base, used))
            number = numbers.of(Chained(tuple(_joined(said)))) if said else PLAIN
            (parts if place < fixed else recipients).append(number)
        return structure_of(parts, recipients, numbers)


def _moved(part: Part, base: int, used: dict[int, int]) -> Part:
    def slot(old: int) -> int:
        return used.setdefault(base + old, len(used))

    denies = tuple((slot(old), formula) for old, formula in part.denies)
    return part._replace(denies=denies, lack=slot(part.lack) if part.lack >= 0 else -1)


def _joined(levels: Sequence[Part]) -> Iterator[Part]:
    """Neighbours that allow everything, and what they deny always, say no more than one would."""
    held: list[tuple[int, Formula]] = []
    for part in levels:
        if part.allow is TRUE and all(formula is TRUE for _, formula in part.denies):
            held += part.denies
            continue
        if held:
            yield Part(TRUE, tuple(held), -1, ())
            held = []
        yield part
    if held:
        yield Part(TRUE, tuple(held), -1, ())
