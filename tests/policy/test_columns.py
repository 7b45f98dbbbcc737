"""A formula divided by the kinds of one key says of each kind what putting its answers in says."""

from __future__ import annotations

import random

import pytest
from policy_formulas import holds_in, random_formula

from ses_audit.policy.columns import Columns, divided
from ses_audit.policy.domains import ANY_VALUE
from ses_audit.policy.formula import FALSE, TRUE, Atom, Formula, conjunction, disjunction, negate
from ses_audit.policy.kinds import Kind, kinds_of_key
from ses_audit.policy.types import Clause

VERSION = "2012-10-17"


def _atom(key: str, *values: str) -> Formula:
    return Formula.of(Atom(Clause("StringEquals", key, values), VERSION))


@pytest.mark.parametrize("seed", range(80))
def test_what_remains_for_every_kind(seed: int) -> None:
    source = random.Random(seed)
    formula = random_formula(source, 2)
    own = tuple(atom for atom in formula.atoms if atom.key == "k1")
    if not own:
        return
    kinds, _ = kinds_of_key("k1", own, {}, frozenset(), ANY_VALUE)
    columns = Columns.of(own, kinds)
    for number, kind in enumerate(kinds):
        for atom, answer in zip(own, kind.answers, strict=True):
            assert bool(columns.bits[atom] >> number & 1) is answer
    remains = dict(divided(formula, columns))
    assert 0 in remains or not kinds
    for number, kind in enumerate(kinds):
        if not kind.real:
            continue
        chosen = {} if kind.values is None else {"k1": kind.values}
        for k2 in (None, "a", "5", "10.0.0.1", "true"):
            context = chosen if k2 is None else {**chosen, "k2": (k2,)}
            held = holds_in(formula, context, frozenset())
            # One of those that are tried says the same of every value of the other key.
            assert any(holds_in(rest, context, frozenset()) is held for rest in remains.values()), (
                seed,
                kind,
                number,
            )
    for number, rest in remains.items():
        if kinds[number].real:
            values = kinds[number].values
            chosen = {} if values is None else {"k1": values}
            for k2 in ("a", "5", "10.0.0.1"):
                context = {**chosen, "k2": (k2,)}
                assert holds_in(rest, context, frozenset()) is holds_in(
                    formula, context, frozenset()
                )


def _columns(count: int) -> tuple[list[Formula], Columns]:
    """As many kinds, each of them told by a clause of its own."""
    parts = [_atom("k", f"v{number}") for number in range(count)]
    kinds = [
        Kind((f"v{number}",), tuple(place == number for place in range(count)))
        for number in range(count)
    ]
    return parts, Columns.of([part.atoms[0] for part in parts], kinds)


def test_kinds_that_make_no_difference_are_one() -> None:
    parts, columns = _columns(50)
    other = _atom("j", "b")
    denied = conjunction(other, negate(disjunction(*parts[1:])))
    assert dict(divided(denied, columns)) == {0: other, 1: FALSE}
    assert dict(divided(disjunction(*parts[:3]), columns)) == {0: TRUE, 3: FALSE}
    mixed = disjunction(conjunction(parts[0], other), conjunction(parts[1], negate(other)))
    assert dict(divided(mixed, columns)) == {0: other, 1: negate(other), 2: FALSE}


def test_a_mask_for_what_turns_on_one_key_alone() -> None:
    parts, columns = _columns(3)
    assert columns.mask(disjunction(parts[0], parts[2])) == 0b101
    assert columns.mask(negate(conjunction(parts[0], parts[2]))) == 0b111
    assert columns.mask(TRUE) == 0b111
    assert columns.mask(FALSE) == 0
    assert columns.mask(disjunction(parts[0], _atom("j", "b"))) is None


def test_no_kind_at_all() -> None:
    part = _atom("k", "v")
    columns = Columns.of(part.atoms, [])
    assert columns.bits == {part.atoms[0]: 0}
    assert list(divided(part, columns)) == []
