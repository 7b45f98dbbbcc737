"""A relaxed formula has no variables and holds wherever the formula does."""

from __future__ import annotations

import itertools
import random

import pytest
from policy_formulas import holds_in

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
from ses_audit.policy.relax import relaxed
from ses_audit.policy.types import Clause
from ses_audit.policy.variables import variables_in

VERSION = "2012-10-17"
OPERATORS = [
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "ArnLike",
    "ArnNotLike",
]
PATTERNS = ["${v}", "a${v}", "a${*}${v}*", "${v, 'b'}", "$${v}?", "a", "b*"]
VALUES = ["a", "b", "ab", "a*b", "$a", "", "arn:aws:iam::1:user/a"]


def _atom(source: random.Random) -> Formula:
    clause = Clause(
        source.choice(OPERATORS),
        "k",
        tuple(source.sample(PATTERNS, source.randint(1, 2))),
        source.choice((None, None, "ForAnyValue", "ForAllValues")),
        source.random() < 0.2,
    )
    return Formula.of(Atom(clause, VERSION))


@pytest.mark.parametrize("seed", range(120))
def test_weaker_and_without_variables(seed: int) -> None:
    source = random.Random(seed)
    one, two, three = (_atom(source) for _ in range(3))
    formula = disjunction(conjunction(one, negate(two)), negate(disjunction(two, three)))
    weaker = relaxed(formula)
    for atom in atoms_of(weaker):
        assert not any(variables_in(value, atom.version) for value in atom.clause.values)
    candidates: list[tuple[str, ...] | None] = [None, *((value,) for value in VALUES), ("a", "b")]
    for k, v in itertools.product(candidates, [None, "a", "b", "*", ""]):
        context = {} if k is None else {"k": k}
        if v is not None:
            context["v"] = (v,)
        if holds_in(formula, context, frozenset()):
            assert holds_in(weaker, context, frozenset()), (formula, weaker, context)


def test_constants() -> None:
    assert relaxed(TRUE) is TRUE
    assert relaxed(FALSE) is FALSE


def test_an_older_document_is_not_relaxed() -> None:
    old = Formula.of(Atom(Clause("StringEquals", "k", ("${v}",)), "2008-10-17"))
    assert relaxed(old) is old
    assert relaxed(negate(old)) is negate(old)


def _atom_of(operator: str, *values: str, **rest: object) -> Formula:
    return Formula.of(Atom(Clause(operator, "k", values, **rest), VERSION))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("operator", "written", "like"),
    [
        # In StringEquals wildcards are characters, and stay so.
        ("StringEquals", "a*${v}", "a${*}*"),
        ("StringEquals", "a?${v}b", "a${?}*b"),
        ("StringEquals", "$a${v}", "${$}a*"),
        ("StringEquals", "${*}${v}", "${*}*"),
        ("StringLike", "a*${v}?", "a**?"),
        ("StringLike", "a${*}${v}${?}", "a${*}*${?}"),
        ("StringLike", "$a*${v}", "${$}a**"),
        ("StringLike", "${v, 'b'}${w}", "**"),
    ],
)
def test_a_variable_is_any_text_and_the_rest_stays(operator: str, written: str, like: str) -> None:
    assert relaxed(_atom_of(operator, written)) is _atom_of("StringLike", like)
    rest: dict[str, object] = {"set_operator": "ForAnyValue", "if_exists": True}
    assert relaxed(_atom_of(operator, "x", written, **rest)) is _atom_of(
        "StringLike", "x", like, **rest
    )


def test_what_has_no_variables_stays_under_and_or_and_not() -> None:
    one, two = _atom_of("StringEquals", "a"), _atom_of("StringLike", "b*")
    for formula in (one, negate(two), conjunction(one, two), disjunction(one, negate(two))):
        assert relaxed(formula) is formula


@pytest.mark.parametrize("operator", ["StringEqualsIgnoreCase", "ArnLike", "ArnEquals"])
def test_of_other_operators_nothing_is_certain(operator: str) -> None:
    assert relaxed(_atom_of(operator, "a${v}", "b")) is TRUE
    assert relaxed(negate(_atom_of(operator, "a${v}", "b"))) is negate(_atom_of(operator, "b"))
