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
