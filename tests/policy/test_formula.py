"""Formulas: one object for what is built alike, constants folded at once."""

from __future__ import annotations

import itertools

from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    atoms_of,
    conjunction,
    disjunction,
    keys_of,
    negate,
)
from ses_audit.policy.types import Clause


def atom(key: str, *values: str) -> Formula:
    return Formula.of(Atom(Clause("StringEquals", key, values), "2012-10-17"))


A, B, C = atom("a", "x"), atom("b", "x"), atom("c", "x")


def test_alike_is_the_same_object() -> None:
    assert atom("a", "x") is A
    assert conjunction(A, B) is conjunction(B, A)
    assert disjunction(A, B, A) is disjunction(B, A)
    assert negate(conjunction(A, B)) is negate(conjunction(B, A))


def test_constants() -> None:
    assert conjunction() is TRUE
    assert disjunction() is FALSE
    assert conjunction(A, TRUE) is A
    assert conjunction(A, FALSE) is FALSE
    assert disjunction(A, TRUE) is TRUE
    assert disjunction(A, FALSE) is A
    assert negate(TRUE) is FALSE
    assert negate(FALSE) is TRUE
    assert negate(negate(A)) is A


def test_a_part_and_its_negation() -> None:
    assert conjunction(A, B, negate(A)) is FALSE
    assert disjunction(A, B, negate(A)) is TRUE


def test_flat() -> None:
    assert conjunction(A, conjunction(B, C)) is conjunction(A, B, C)
    assert disjunction(A, disjunction(B, C)) is disjunction(A, B, C)
    assert conjunction(A, disjunction(B, C)).kind == "and"


def test_order_is_by_what_is_said() -> None:
    for parts in itertools.permutations((A, B, C)):
        assert conjunction(*parts).parts == (A, B, C)
    long = atom("a", *(f"v{i}" for i in range(500)))
    longer = atom("a", *(f"v{i}" for i in range(501)))
    assert len(long.order) < 1_000
    assert long.order != longer.order
    # Of any text, as hostile as it is.
    assert len(atom("a", "\ud800" * 500).order) < 1_000


def test_atoms_and_keys() -> None:
    variable = atom("D", "${e}-${F, 'x'}")
    formula = conjunction(A, disjunction(B, negate(A), variable))
    found = [each.clause.key for each in atoms_of(formula)]
    assert sorted(found) == ["D", "a", "b"]
    assert keys_of(formula) == {"a", "b", "d", "e", "f"}


def test_repr() -> None:
    assert repr(TRUE) == "true"
    assert repr(negate(A)) == "not(StringEquals a ['x'])"
    assert repr(conjunction(A, B)) == "and(StringEquals a ['x'], StringEquals b ['x'])"
