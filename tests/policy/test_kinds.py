"""The kinds of values of one key: every answer that some value gives, and no other."""

from __future__ import annotations

import itertools
import random

import pytest
from policy_formulas import POOLS, VALUES, VERSION

from ses_audit.policy.domains import ANY_VALUE, Domain, Values
from ses_audit.policy.formula import Atom
from ses_audit.policy.kinds import Kind, is_in, kinds_of_key
from ses_audit.policy.operators import OPERATORS, Family, holds
from ses_audit.policy.types import Clause


def _kinds(
    *clauses: Clause, multivalued: bool = False, domain: Domain = ANY_VALUE, apart: bool = False
) -> tuple[tuple[Kind, ...], bool]:
    flags = frozenset({"k"}) if multivalued else frozenset()
    atoms = [Atom(clause, VERSION) for clause in clauses]
    return kinds_of_key("k", atoms, {}, flags, domain, apart=apart)


def _answers(clauses: list[Clause], values: tuple[str, ...] | None, flags: frozenset[str]) -> tuple:
    context = {} if values is None else {"k": values}
    return tuple(holds(clause, context, flags, VERSION) for clause in clauses)


@pytest.mark.parametrize("families", [1, 2, 3])
@pytest.mark.parametrize("part", range(40))
def test_kinds_are_what_the_operators_answer(families: int, part: int) -> None:
    for seed in range(part * 4, part * 4 + 4):
        source = random.Random(f"{families}-{seed}")
        chosen = source.sample([*POOLS], families)
        clauses = []
        for _ in range(source.randint(1, 4)):
            operator = source.choice([o for o in OPERATORS.values() if o.family in chosen])
            values = tuple(source.sample(POOLS[operator.family], source.randint(1, 2)))
            sets = source.choice((None, None, "ForAnyValue", "ForAllValues"))
            null = operator.family is Family.NULL
            clauses.append(
                Clause(
                    operator.name,
                    "k",
                    values,
                    None if null else sets,
                    not null and source.random() < 0.2,
                )
            )
        multivalued = source.random() < 0.4
        flags = frozenset({"k"}) if multivalued else frozenset()
        # That a key carries a set is known of the request, or of the key.
        of_key = multivalued and source.random() < 0.5
        domain = Domain(multivalued=True) if of_key else ANY_VALUE
        kinds, complete = _kinds(*clauses, multivalued=multivalued and not of_key, domain=domain)
        for kind in kinds:
            if kind.real:
                assert kind.answers == _answers(clauses, kind.values, flags), (seed, kind)
        if not complete:
            continue
        known = {kind.answers for kind in kinds}
        as_set = multivalued or any(clause.set_operator for clause in clauses)
        candidates: list[tuple[str, ...] | None] = [None]
        candidates += [(value,) for value in VALUES]
        if as_set:
            candidates += source.sample(list(itertools.combinations(VALUES, 2)), 60)
        if multivalued:
            candidates.append(())
        for candidate in candidates:
            assert _answers(clauses, candidate, flags) in known, (seed, clauses, candidate)


def test_a_domain_bounds_the_values() -> None:
    like = Clause("StringLike", "k", ("*@example.com",))
    domain = Domain(always=True, patterns=("*@example.org",))
    ((kind,), complete) = _kinds(like, domain=domain)
    assert (kind.answers, complete) == ((False,), True)
    assert kind.values is not None
    assert kind.values[0].endswith("@example.org")


def test_values_that_policies_name_apart() -> None:
    equals = Clause("StringEquals", "k", ("a", "b"))
    together, _ = _kinds(equals)
    apart, _ = _kinds(equals, apart=True)
    assert [kind.values for kind in together] == [None, ("a",)]
    assert [kind.values for kind in apart if kind.alone] == [None, ("a",), ("b",)]
    # Without a set operator a set matches nothing, as absence does.
    assert [kind.values for kind in _kinds(equals, multivalued=True)[0]] == [None]


def test_a_set_without_a_value_is_apart_from_one_that_is_absent() -> None:
    """It is null as well, but without a set operator no set matches, not even a negated one."""
    null, other = Clause("Null", "k", ("true",)), Clause("StringNotEquals", "k", ("a",))
    for domain, known in ((ANY_VALUE, True), (Domain(multivalued=True), False)):
        kinds, complete = _kinds(null, other, multivalued=known, domain=domain)
        assert complete
        assert [(kind.values, kind.answers) for kind in kinds if kind.alone] == [
            (None, (True, True)),
            ((), (True, False)),
        ]
    # What other keys are compared with is named, even where the clauses see no difference.
    apart, _ = _kinds(null, multivalued=True, apart=True)
    assert [kind.values for kind in apart if kind.alone] == [None, ()]


def test_a_text_and_a_type_that_have_no_value_together() -> None:
    kinds, complete = _kinds(
        Clause("StringLike", "k", ("10.1.*",)),
        Clause("IpAddress", "k", ("10.2.0.0/16",)),
    )
    assert complete
    assert all(kind.real for kind in kinds)
    assert (True, True) not in {kind.answers for kind in kinds}


def test_a_text_and_a_type_that_no_value_was_found_for() -> None:
    """A date has more spellings than are looked through: what stands for it is not there."""
    kinds, complete = _kinds(
        Clause("StringLike", "k", ("*+01:00",)),
        Clause("DateGreaterThan", "k", ("2026-01-01T00:00:00Z",)),
    )
    assert complete
    assert [kind.real for kind in kinds if kind.answers == (True, True)] == [False]
    assert kinds[-1].values is None


def test_a_typed_domain_and_a_pattern() -> None:
    kinds, _ = _kinds(
        Clause("StringLike", "k", ("203.0.113.*",)), domain=Domain(Values.ADDRESS, always=True)
    )
    for kind in kinds:
        if kind.real:
            assert kind.values is not None
            assert is_in(kind.values[0], Domain(Values.ADDRESS))
    assert {kind.answers for kind in kinds if kind.real} == {(True,), (False,)}


def test_two_clauses_on_sets() -> None:
    kinds, complete = _kinds(
        Clause("StringEquals", "k", ("a",), "ForAnyValue"),
        Clause("StringEquals", "k", ("a",), "ForAllValues"),
        multivalued=True,
        domain=Domain(always=True, multivalued=True),
    )
    assert complete
    assert {kind.answers for kind in kinds} == {
        (True, True),
        (True, False),
        (False, False),
        (False, True),  # the empty text
    }


def test_too_many_sets_say_so() -> None:
    clauses = [Clause("StringEquals", "k", (f"v{i}",), "ForAnyValue") for i in range(14)]
    kinds, complete = _kinds(*clauses, multivalued=True)
    assert not complete
    assert kinds


@pytest.mark.parametrize(
    ("value", "domain", "expected"),
    [
        ("a", ANY_VALUE, True),
        ("a", Domain(excluded=("a",)), False),
        ("a", Domain(Values.NUMBER), False),
        ("5", Domain(Values.NUMBER), True),
        ("ab", Domain(patterns=("b*", "a*")), True),
        ("cb", Domain(patterns=("b*", "a*")), False),
    ],
)
def test_is_in(value: str, domain: Domain, expected: bool) -> None:
    assert is_in(value, domain) is expected
