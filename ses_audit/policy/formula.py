"""Boolean formulas over condition clauses: hash-consed, with constants folded at once.

Two formulas that are built alike are one object, so that identity is equality and a decision on
one can be kept under it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import ClassVar, Literal
from weakref import WeakValueDictionary

from ses_audit.policy.operators import OPERATORS
from ses_audit.policy.types import Clause
from ses_audit.policy.variables import variables_in

__all__ = [
    "FALSE",
    "TRUE",
    "Atom",
    "Formula",
    "atoms_of",
    "conjunction",
    "disjunction",
    "keys_of",
    "negate",
    "replaced",
]


_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Atom:
    """What a formula is made of: a clause as a document of one Version reads it.

    A `Resource` pattern whose variable is open is an atom too: `StringLike` on `RESOURCE_KEY`.
    """

    clause: Clause
    version: str
    key: str = field(init=False, repr=False, compare=False)
    """The clause's key in lower case."""
    needs: frozenset[str] = field(init=False, repr=False, compare=False)
    """The keys that its variables refer to."""
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Asked for far more often than made.
        clause = self.clause
        object.__setattr__(self, "_hash", hash((clause, self.version)))
        object.__setattr__(self, "key", clause.key.lower())
        needs = [v.key for text in clause.values for v in variables_in(text, self.version)]
        if needs and not OPERATORS[clause.operator].family.has_variables:
            needs = []
        object.__setattr__(self, "needs", frozenset(needs) if needs else _NOTHING)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Atom], tuple[Clause, str]]:
        # Texts hash otherwise in another process.
        return Atom, (self.clause, self.version)


class Formula:
    """A node: `atom`, `and`, `or`, `not`, `true` or `false`. Made by the functions below only."""

    __slots__ = ("__weakref__", "atom", "atoms", "kind", "order", "parts")
    _known: ClassVar[WeakValueDictionary[object, Formula]] = WeakValueDictionary()

    kind: Literal["atom", "and", "or", "not", "true", "false"]
    parts: tuple[Formula, ...]
    atom: Atom | None
    atoms: tuple[Atom, ...]
    """Each atom in it once, in order."""
    order: str
    """Where it stands among others: by what it says, not by when it was made."""

    @classmethod
    def _make(
        cls,
        kind: Literal["atom", "and", "or", "not", "true", "false"],
        parts: tuple[Formula, ...] = (),
        atom: Atom | None = None,
    ) -> Formula:
        key = (kind, parts, atom)
        found = cls._known.get(key)
        if found is None:
            found = cls()
            found.kind, found.parts, found.atom = kind, parts, atom
            found.order = _order(kind, parts, atom)
            within = chain.from_iterable(part.atoms for part in parts)
            found.atoms = (atom,) if atom is not None else tuple(dict.fromkeys(within))
            cls._known[key] = found
        return found

    @classmethod
    def of(cls, atom: Atom) -> Formula:
        """The formula of one atom."""
        return cls._make("atom", atom=atom)

    def __repr__(self) -> str:
        if self.atom is not None:
            clause = self.atom.clause
            return f"{clause.text} {clause.key} {list(clause.values)}"
        if not self.parts:
            return self.kind
        return f"{self.kind}({', '.join(map(repr, self.parts))})"


_LONGEST_ORDER = 400


def _order(kind: str, parts: tuple[Formula, ...], atom: Atom | None) -> str:
    if atom is not None:
        clause = atom.clause
        text = repr((clause.key.lower(), clause.text, clause.key, clause.values, atom.version))
    else:
        text = f"{kind}({' '.join(part.order for part in parts)})"
    if len(text) <= _LONGEST_ORDER:
        return text
    return f"{text[:_LONGEST_ORDER]}#{sha256(text.encode(errors='surrogatepass')).hexdigest()}"


TRUE = Formula._make("true")
FALSE = Formula._make("false")


def negate(formula: Formula) -> Formula:
    """Not.

    Examples
    --------
    >>> negate(TRUE) is FALSE, negate(FALSE) is TRUE
    (True, True)
    """
    if formula is TRUE:
        return FALSE
    if formula is FALSE:
        return TRUE
    if formula.kind == "not":
        return formula.parts[0]
    return Formula._make("not", (formula,))


def conjunction(*formulas: Formula) -> Formula:
    """And: flat, without duplicates, FALSE where a part and its negation meet.

    Examples
    --------
    >>> conjunction(TRUE, FALSE) is FALSE, conjunction() is TRUE
    (True, True)
    """
    return _join("and", formulas, TRUE, FALSE)


def disjunction(*formulas: Formula) -> Formula:
    """Or: flat, without duplicates, TRUE where a part and its negation meet.

    Examples
    --------
    >>> disjunction(TRUE, FALSE) is TRUE, disjunction() is FALSE
    (True, True)
    """
    return _join("or", formulas, FALSE, TRUE)


def _join(
    kind: Literal["and", "or"], formulas: tuple[Formula, ...], neutral: Formula, zero: Formula
) -> Formula:
    found: dict[Formula, None] = {}
    for formula in formulas:
        if formula is zero:
            return zero
        if formula is neutral:
            continue
        for part in formula.parts if formula.kind == kind else (formula,):
            found[part] = None
    for part in found:
        if part.kind == "not" and part.parts[0] in found:
            return zero
    if not found:
        return neutral
    if len(found) == 1:
        return next(iter(found))
    # Sorted, so that the order in which a policy lists things changes nothing.
    return Formula._make(kind, tuple(sorted(found, key=lambda part: part.order)))


def atoms_of(formula: Formula) -> Iterator[Atom]:
    """Each atom of a formula once, in order.

    Examples
    --------
    >>> two = [Atom(Clause("Bool", key, ("true",)), "2012-10-17") for key in ("a", "b")]
    >>> [atom.clause.key for atom in atoms_of(conjunction(*map(Formula.of, two)))]
    ['a', 'b']
    """
    return iter(formula.atoms)


def keys_of(formula: Formula) -> frozenset[str]:
    """The condition keys, lower case, on which a formula turns; variables' keys included.

    Examples
    --------
    >>> clause = Clause("StringLike", "ses:FromAddress", ("${aws:username}@*",))
    >>> sorted(keys_of(Formula.of(Atom(clause, "2012-10-17"))))
    ['aws:username', 'ses:fromaddress']
    """
    found: set[str] = set()
    for atom in atoms_of(formula):
        found.add(atom.key)
        found |= atom.needs
    return frozenset(found)


def replaced(formula: Formula, by: Mapping[Atom, Formula]) -> Formula:
    """The formula with others in the place of some of its atoms.

    Examples
    --------
    >>> one, two = (Atom(Clause("Bool", key, ("true",)), "2012-10-17") for key in "ab")
    >>> replaced(conjunction(Formula.of(one), Formula.of(two)), {one: TRUE})
    Bool b ['true']
    """
    if not by:
        return formula
    done: dict[Formula, Formula] = {}

    def walk(node: Formula) -> Formula:
        if by.keys().isdisjoint(node.atoms):
            return node
        if node in done:
            return done[node]
        if node.atom is not None:
            result = by[node.atom]
        elif node.kind == "not":
            result = negate(walk(node.parts[0]))
        else:
            join = conjunction if node.kind == "and" else disjunction
            result = join(*map(walk, node.parts))
        done[node] = result
        return result

    return walk(formula)
