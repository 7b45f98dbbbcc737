"""Random formulas over two keys, and the slow way to ask whether one holds."""

from __future__ import annotations

import random
from collections.abc import Mapping

from ses_audit.policy.domains import Values
from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    atoms_of,
    conjunction,
    disjunction,
    negate,
)
from ses_audit.policy.operators import OPERATORS, Family, holds
from ses_audit.policy.typed_values import is_of
from ses_audit.policy.types import Clause

VERSION = "2012-10-17"
POOLS: dict[Family, list[str]] = {
    Family.STRING: ["a", "b", "A", "ab", "a*", "*b", "?", "*", "", "a?b", "abc", "*a*", "b*"],
    Family.NUMERIC: ["1", "2", "5", "1.5", "2000", "junk"],
    Family.DATE: ["2000", "946684800", "2000-01-01T00:00:00Z", "1970-01-01T00:00:05Z"],
    Family.IP_ADDRESS: ["10.0.0.0/8", "10.1.0.0/16", "10.0.0.1", "0.0.0.0/0", "::/0", "1.1.1.1"],
    Family.ARN: ["arn:aws:iam::*:user/a*", "arn:aws:iam::1:user/ab", "*:*:*:*:*:*", "*"],
    Family.BOOLEAN: ["true", "false"],
    Family.BINARY: ["QQ==", "QR==", "YQ=="],
    Family.NULL: ["true", "false"],
}
VALUES = [
    *dict.fromkeys(
        [
            *(value for pool in POOLS.values() for value in pool),
            *("10.1.0.1", "10.2.0.1", "11.0.0.1", "::1", "a:b", "TRUE", "abab", "axb", "xb", "xa"),
            *("arn:aws:iam::2:user/ab", "arn:aws:iam::1:user/b", "arn:aws:iam::1:role/ab"),
            *("0", "1.2", "3", "10", "+1", "+2", "1.0", "5.0", "2000.0", "+2000", "1999", "2001"),
            *("x", "1e1", " 1", " 10.0.0.1", "1970-01-01T00:00:02Z", "1970-01-01T00:00:01Z"),
        ]
    )
]
_OPERATORS = [operator for operator in OPERATORS.values() if operator.name != "Resource"]


def _clause(source: random.Random, families: list[Family]) -> Clause:
    operator = source.choice([each for each in _OPERATORS if each.family in families])
    values = source.sample(POOLS[operator.family], source.choice((0, 1, 1, 1, 2, 2, 2)))
    plain = operator.family is Family.NULL or source.random() < 0.6
    return Clause(
        operator.name,
        source.choice(("k1", "k2")),
        tuple(values),
        None if plain else source.choice(("ForAnyValue", "ForAllValues")),
        operator.family is not Family.NULL and source.random() < 0.2,
    )


def _formula(source: random.Random, depth: int, families: list[Family]) -> Formula:
    if depth == 0 or source.random() < 0.25:
        return Formula.of(Atom(_clause(source, families), VERSION))
    parts = [_formula(source, depth - 1, families) for _ in range(source.randint(2, 3))]
    joined = source.choice((conjunction, disjunction))(*parts)
    return negate(joined) if source.random() < 0.3 else joined


def random_formula(source: random.Random, families: int) -> Formula:
    """A formula of a few clauses of so many families of operators."""
    return _formula(source, source.randint(1, 2), source.sample([*POOLS], families))


_TYPES = {
    Family.NUMERIC: Values.NUMBER,
    Family.DATE: Values.INSTANT,
    Family.IP_ADDRESS: Values.ADDRESS,
    Family.BOOLEAN: Values.BOOLEAN,
    Family.ARN: Values.ARN,
}


def values_of(formula: Formula, key: str) -> list[str]:
    """Values to try for a key: of its type, where all operators on it are for one type."""
    families = {
        OPERATORS[atom.clause.operator].family
        for atom in atoms_of(formula)
        if atom.clause.key == key
    } - {Family.NULL}
    kind = _TYPES.get(families.pop(), Values.TEXT) if len(families) == 1 else Values.TEXT
    return [value for value in VALUES if is_of(value, kind)]


def random_context(
    source: random.Random, formula: Formula, multivalued: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """Values for the keys of a random formula; a set only where a set operator asks for one."""
    asked_as_set = {atom.clause.key for atom in atoms_of(formula) if atom.clause.set_operator}
    context: dict[str, tuple[str, ...]] = {}
    for key in ("k1", "k2"):
        if source.random() < 0.15:
            continue
        many = key in multivalued or (key in asked_as_set and source.random() < 0.4)
        values = values_of(formula, key)
        count = min(len(values), source.randint(1, 3) if many else 1)
        context[key] = tuple(source.sample(values, count))
    return context


def holds_in(
    formula: Formula, context: Mapping[str, tuple[str, ...]], multivalued: frozenset[str]
) -> bool:
    """Whether a formula holds in one context, asked clause by clause."""
    if formula is TRUE or formula is FALSE:
        return formula is TRUE
    if formula.atom is not None:
        return holds(formula.atom.clause, context, multivalued, formula.atom.version)
    held = [holds_in(part, context, multivalued) for part in formula.parts]
    if formula.kind == "not":
        return not held[0]
    return all(held) if formula.kind == "and" else any(held)
