"""What remains of a formula, as a person reads it: an and/or tree of clauses.

Branches that the rest implies are left out, and nothing is said twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    conjunction,
    disjunction,
    negate,
)
from ses_audit.policy.operators import OPERATORS
from ses_audit.policy.types import Clause
from ses_audit.policy.variables import VERSION_WITH_VARIABLES

__all__ = ["Conditions", "pushed", "remaining"]

_MOST_PARTS = 100
"""Beyond this many parts of one node, those that parts on other keys imply are not looked for."""
_MOST_NAMED = 8
"""More parts on one key are not looked at for one clause that says the same."""
_MOST_ROUNDS = 4
"""How often the simplified is simplified again: a part that went may leave another implied."""

KindsWith = Callable[[Formula], tuple[str, int] | None]

_OPPOSITE = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}
_OPPOSITE |= {negative: positive for positive, negative in _OPPOSITE.items()}

_WORDS = {
    "StringEquals": "is",
    "StringNotEquals": "is not",
    "StringEqualsIgnoreCase": "is (any case)",
    "StringNotEqualsIgnoreCase": "is not (any case)",
    "StringLike": "like",
    "StringNotLike": "not like",
    "NumericEquals": "=",
    "NumericNotEquals": "≠",
    "NumericLessThan": "<",
    "NumericLessThanEquals": "≤",
    "NumericGreaterThan": ">",
    "NumericGreaterThanEquals": "≥",
    "DateEquals": "at",
    "DateNotEquals": "not at",
    "DateLessThan": "before",
    "DateLessThanEquals": "at or before",
    "DateGreaterThan": "after",
    "DateGreaterThanEquals": "at or after",
    "Bool": "is",
    "BinaryEquals": "is",
    "IpAddress": "in",
    "NotIpAddress": "not in",
    "Resource": "like",
    "ArnEquals": "like",
    "ArnLike": "like",
    "ArnNotEquals": "not like",
    "ArnNotLike": "not like",
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """A tree: `all` or `any` of parts, `not` of one part, or a `clause`."""

    kind: str
    parts: tuple[Conditions, ...] = ()
    clause: Clause | None = None

    def to_json(self) -> dict[str, object]:
        """`{"all": […]}`, `{"any": […]}`, `{"not": …}`, or `{"operator", "key", "values"}`.

        The values are as a document of Version 2012-10-17 writes them.
        """
        if self.clause is not None:
            return {
                "operator": self.clause.text,
                "key": self.clause.key,
                "values": list(self.clause.values),
            }
        if self.kind == "not":
            return {"not": self.parts[0].to_json()}
        return {self.kind: [part.to_json() for part in self.parts]}

    def __str__(self) -> str:
        if self.clause is not None:
            return _sentence(self.clause)
        if self.kind == "not":
            return f"not ({self.parts[0]})"
        word = " and " if self.kind == "all" else " or "
        return word.join(
            f"({part})" if part.kind in ("all", "any") else str(part) for part in self.parts
        )


def _sentence(clause: Clause) -> str:
    if clause.operator == "Null":
        wants_absent = any(value.strip().lower() == "true" for value in clause.values)
        return f"{clause.key} {'absent' if wants_absent else 'present'}"
    values = " or ".join(clause.values)
    if len(clause.values) > 1 and "Not" in clause.operator:
        values = " nor ".join(clause.values)
    word = _WORDS[clause.operator]
    subject = clause.key
    if clause.set_operator == "ForAllValues":
        subject = f"each of {clause.key}"
    elif clause.set_operator == "ForAnyValue":
        subject = f"some of {clause.key}"
    text = f"{subject} {word} {values}"
    return f"{text} (or absent)" if clause.if_exists else text


def remaining(
    formula: Formula,
    impossible: Callable[[Formula], bool],
    has_opposite: Callable[[Clause], bool],
    kinds_with: KindsWith = lambda formula: None,
    named: Callable[[Formula], Formula | None] = lambda formula: None,
) -> Conditions:
    """Simplify a formula and show it.

    Parameters
    ----------
    formula
        Neither always true nor always false.
    impossible
        Whether a formula can't hold, whatever the open keys are.
    has_opposite
        Whether a clause fails exactly where the opposite operator (`StringNotEquals` of
        `StringEquals`) holds.
    kinds_with
        For a formula on one key alone, the key and a bit for each kind of its values with which
        the formula holds.
    named
        One clause that says the same as a formula on one key, where there is one.
    """
    found = pushed(formula, False)
    for _ in range(_MOST_ROUNDS):
        simpler = _simplified(found, TRUE, impossible, kinds_with)
        if simpler is found:
            break
        found = simpler
    return _shown(_named(found, named), has_opposite)


def pushed(formula: Formula, negated: bool) -> Formula:
    """Push negations down to the clauses.

    Examples
    --------
    >>> pushed(TRUE, True)
    false
    """
    if formula.kind == "not":
        return pushed(formula.parts[0], not negated)
    if formula.kind in ("and", "or"):
        join = conjunction if (formula.kind == "and") is not negated else disjunction
        return join(*(pushed(part, negated) for part in formula.parts))
    return negate(formula) if negated else formula


def _simplified(
    formula: Formula,
    given: Formula,
    impossible: Callable[[Formula], bool],
    kinds_with: KindsWith,
) -> Formula:
    """Drop what holds anyway, given what is already said."""
    if formula.kind not in ("and", "or"):
        if impossible(conjunction(given, negate(formula))):
            return TRUE
        return FALSE if impossible(conjunction(given, formula)) else formula
    conjunctive = formula.kind == "and"
    join = conjunction if conjunctive else disjunction
    parts = _needed(formula.parts, conjunctive, kinds_with)
    if len(parts) > _MOST_PARTS:
        return join(*parts)
    position = 0
    while position < len(parts):
        rest = join(*(p for i, p in enumerate(parts) if i != position))
        # In an `or` a part counts only where the rest does not hold.
        known = conjunction(given, rest if conjunctive else negate(rest))
        part = _simplified(parts[position], known, impossible, kinds_with)
        if part is (TRUE if conjunctive else FALSE):
            del parts[position]
        elif part is (FALSE if conjunctive else TRUE):
            return part
        else:
            parts[position] = part
            position += 1
    return join(*parts)


def _needed(parts: Sequence[Formula], conjunctive: bool, kinds_with: KindsWith) -> list[Formula]:
    """The parts without those that others on the same key imply, in one pass over their kinds."""
    by_key: dict[str, list[tuple[int, int]]] = {}
    for place, part in enumerate(parts):
        found = kinds_with(part)
        if found is not None:
            by_key.setdefault(found[0], []).append((place, found[1]))
    dropped: set[int] = set()
    for masks in by_key.values():
        # What says least goes first: of `and` what most kinds meet, of `or` what few do.
        masks.sort(key=lambda pair: pair[1].bit_count(), reverse=conjunctive)
        # What the parts from each place on say together; of `and` what they leave out.
        together = [0]
        for _, mask in reversed(masks):
            together.append(together[-1] | (~mask if conjunctive else mask))
        said = 0
        for (place, mask), rest in zip(masks, reversed(together[:-1]), strict=True):
            own = ~mask if conjunctive else mask
            if own & ~(said | rest):
                said |= own
            else:
                dropped.add(place)
    return [part for place, part in enumerate(parts) if place not in dropped]


def _named(formula: Formula, named: Callable[[Formula], Formula | None]) -> Formula:
    """Say in one clause what several say of one key together: that it is absent, most often."""
    if formula.atom is not None or not formula.parts:
        return formula
    if formula.kind == "not":
        atom = formula.parts[0].atom
        terse = atom is not None and not atom.clause.if_exists and "*" not in atom.clause.values
        return formula if terse else named(formula) or formula
    join = conjunction if formula.kind == "and" else disjunction
    by_key: dict[frozenset[str], list[Formula]] = {}
    for part in formula.parts:
        keys = frozenset(key for atom in part.atoms for key in (atom.key, *atom.needs))
        by_key.setdefault(keys, []).append(_named(part, named))
    found: list[Formula] = []
    for parts in by_key.values():
        whole = join(*parts)
        found.append((named(whole) if 1 < len(parts) <= _MOST_NAMED else None) or whole)
    return join(*found)


def _shown(formula: Formula, has_opposite: Callable[[Clause], bool]) -> Conditions:
    if formula.atom is not None:
        return Conditions("clause", clause=_written(formula.atom))
    if formula.kind == "not":
        inner = formula.parts[0]
        opposite = None if inner.atom is None else _opposite(_written(inner.atom), has_opposite)
        if opposite is not None:
            return Conditions("clause", clause=opposite)
        return Conditions("not", (_shown(inner, has_opposite),))
    kind = "any" if formula.kind in ("or", "false") else "all"
    return Conditions(kind, tuple(_shown(part, has_opposite) for part in formula.parts))


def _written(atom: Atom) -> Clause:
    """The clause as a document with variables says it: in an older one `${` is literal text."""
    if (
        atom.version == VERSION_WITH_VARIABLES
        or not OPERATORS[atom.clause.operator].family.has_variables
    ):
        return atom.clause
    values = tuple(value.replace("${", "${$}{") for value in atom.clause.values)
    return replace(atom.clause, values=values)


def _opposite(clause: Clause, has_opposite: Callable[[Clause], bool]) -> Clause | None:
    """The clause that holds exactly when this one does not, where there is one."""
    if clause.operator == "Null":
        values = {value.strip().lower() for value in clause.values} & {"true", "false"}
        if len(values) != 1:
            return None
        return replace(clause, values=("false" if values == {"true"} else "true",))
    if clause.if_exists or clause.set_operator is not None or not has_opposite(clause):
        return None
    opposite = _OPPOSITE.get(clause.operator)
    return None if opposite is None else replace(clause, operator=opposite)
