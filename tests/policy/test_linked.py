"""Open keys that are compared with each other."""

from __future__ import annotations

import random

import pytest
from policy_formulas import holds_in
from policy_links import MODES, linked_contexts, linked_formula

from ses_audit.policy.domains import Domain, Domains, Values
from ses_audit.policy.formula import Atom, Formula, conjunction, disjunction, negate
from ses_audit.policy.kinds import Kind
from ses_audit.policy.linked import Link, linked_kinds
from ses_audit.policy.solve import decide
from ses_audit.policy.types import Clause, Verdict

VERSION = "2012-10-17"


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("part", range(4))
def test_against_contexts_tried_one_by_one(name: str, part: int) -> None:
    """What is said of all contexts holds in each; a witness does what it says; and where neither
    is proven, no context that is tried shows what was not found."""
    proven, missed, count = 0, 0, 60
    for seed in range(part * count, (part + 1) * count):
        source = random.Random(f"{name}-{seed}")
        mode = MODES[name]
        formula = linked_formula(source, mode)
        result = decide(formula, Domains())
        proven += result.proven
        for witness, expected in ((result.witness, True), (result.counter_witness, False)):
            if witness is not None:
                assert holds_in(formula, witness, frozenset()) is expected, (seed, formula)
        if result.verdict is Verdict.CONDITIONAL and result.proven:
            continue
        for context in linked_contexts(source, mode, 300):
            held = holds_in(formula, context, frozenset())
            if result.verdict is Verdict.CONDITIONAL:
                missed += (result.witness if held else result.counter_witness) is None
            else:
                assert held is (result.verdict is Verdict.ALLOWED), (seed, formula, context)
    assert proven >= count * 0.85
    assert missed == 0


def _atom(operator: str, key: str, *values: str, sets: str | None = None) -> Formula:
    return Formula.of(Atom(Clause(operator, key, values, sets), VERSION))  # type: ignore[arg-type]


def _kinds(formula: Formula, key: str, *undecided: str) -> bool:
    """Whether the values found for a key are said to be enough."""
    atoms = formula.atoms
    linked = tuple(atom for atom in atoms if key in atom.needs)
    own = tuple(atom for atom in atoms if atom.key == key and not atom.needs)
    link = Link(
        key,
        own,
        linked,
        atoms,
        {},
        frozenset({key, "y", *undecided}),
        {},
        frozenset(),
    )
    first, unreal, *others = linked_kinds(
        link,
        (
            Kind(("other",), (False,) * len(own)),
            Kind(None, (True,) * len(own), real=False),
        ),
    )
    # What was found here is each a value of its own; what was not found stands for any.
    assert others
    assert all(kind.alone for kind in others)
    assert not unreal.alone
    return first.alone


def _link(formula: Formula, key: str, **domains: Domain) -> Link:
    own = tuple(a for a in formula.atoms if a.key == key)
    linked = tuple(a for a in formula.atoms if key in a.needs)
    context = {"w": ("a",)}
    undecided = frozenset({"x", "y", "z"})
    return Link(key, own, linked, formula.atoms, context, undecided, domains, frozenset())


def test_the_atoms_on_a_key_that_are_settled_when_it_is() -> None:
    plain, decided, open_, other = (
        _atom("StringEquals", "y", "b"),
        _atom("StringLike", "y", "${w}*"),
        _atom("StringLike", "y", "${x}*"),
        _atom("StringEquals", "x", "b"),
    )
    link = _link(conjunction(plain, decided, open_, other), "x")
    assert {*link.on("y")} == {plain.atom, decided.atom}
    assert link.on("x") == (other.atom,)


def test_a_key_that_is_compared_as_text_alone() -> None:
    text = conjunction(
        _atom("StringLike", "y", "${x}*"),
        _atom("ArnLike", "y", "arn:*"),
        _atom("Null", "y", "true"),
        _atom("NumericLessThan", "x", "5"),
        _atom("Resource", "z", "a*"),
    )
    link = _link(text, "x", w=Domain(Values.NUMBER), v=Domain(Values.ARN))
    textual = {key for key in ("x", "y", "z", "w", "v", "u") if link.is_textual(key)}
    assert textual == {"y", "v", "u"}


def test_how_many_texts_a_set_has_to_hold() -> None:
    some, every, plain = (
        _atom("StringLike", "y", "${x}*", sets="ForAnyValue"),
        _atom("StringLike", "y", "b*", sets="ForAllValues"),
        _atom("StringLike", "y", "c*"),
    )
    assert _link(conjunction(some, every, plain), "x").elements("y") == 3
    assert _link(conjunction(some, plain), "x").elements("y") == 2
    assert _link(plain, "x").elements("y") == 1


def test_what_was_decided_before_stands_in_the_answers() -> None:
    own, linked = _atom("StringLike", "x", "${w}*"), _atom("StringEquals", "y", "${x}")
    kinds = linked_kinds(_link(conjunction(own, linked), "x"), ())
    assert {kind.answers for kind in kinds} == {(True,), (False,)}
    for kind in kinds:
        assert kind.values is not None
        assert kind.answers == (kind.values[0].startswith("a"),)


@pytest.mark.parametrize(
    "values",
    [
        ("${x}",),
        ("${x}@*", "${x}*"),  # both at the beginning
        ("*@${x}", "?${x}"),  # both at the end
        ("a${x}", "${x}"),
        ("*a${x}*", "*${x}*"),  # one lies within the other
        ("${x}", "plain"),
        ("${x, 'd'}@b",),
    ],
)
def test_enough_where_the_value_stands_at_one_place(values: tuple[str, ...]) -> None:
    assert _kinds(disjunction(*(_atom("StringLike", "y", each) for each in values)), "x")
    assert _kinds(_atom("StringLike", "y", *values), "x")


@pytest.mark.parametrize(
    "formula",
    [
        _atom("StringLike", "y", "${x}${x}"),
        conjunction(_atom("StringLike", "y", "a${x}*"), _atom("StringLike", "y", "*${x}a")),
        conjunction(_atom("StringEquals", "y", "a${x}"), _atom("StringEquals", "y", "${x}b")),
        conjunction(_atom("StringEquals", "y", "${x}"), _atom("StringEquals", "y", "${z}")),
        _atom("StringEquals", "y", "${x}", "${z}"),
        _atom("Bool", "y", "${x}"),
        _atom("StringEquals", "x", "a${x}"),
        conjunction(_atom("StringEquals", "y", "${x}"), _atom("IpAddress", "y", "10.0.0.0/8")),
        conjunction(_atom("StringEquals", "y", "${x}"), _atom("NumericLessThan", "x", "5")),
        conjunction(
            _atom("StringEquals", "y", "${x}"), _atom("StringEqualsIgnoreCase", "y", "${x}")
        ),
        conjunction(
            _atom("StringEquals", "y", "${x}"), _atom("StringLike", "x", "a*", sets="ForAnyValue")
        ),
        conjunction(_atom("StringEquals", "y", "${x}"), _atom("StringEquals", "x", "${y}")),
    ],
)
def test_not_known_to_be_enough(formula: Formula) -> None:
    assert not _kinds(formula, "x", "z")


def test_a_value_within_a_value_within_a_value() -> None:
    chain = conjunction(_atom("StringEquals", "y", "${x}"), _atom("StringLike", "w", "a${y}*"))
    assert _kinds(chain, "x", "w")
    ring = conjunction(chain, _atom("StringEquals", "x", "${w}"))
    assert not _kinds(ring, "x", "w")


def test_what_an_earlier_key_was_decided_to_is_part_of_the_question() -> None:
    """`y` is `x` with an `a` behind it, and is `z`: `z` is looked for anew for each `x`."""
    formula = conjunction(_atom("StringLike", "y", "${x}a"), _atom("StringEquals", "y", "${z}"))
    result = decide(formula, Domains())
    assert (result.verdict, result.proven) == (Verdict.CONDITIONAL, True)
    # Two keys that stand in one text might overlap there: that none do is not proven.
    none = decide(conjunction(formula, _atom("StringLike", "z", "*b")), Domains())
    assert (none.verdict, none.proven, none.witness) == (Verdict.CONDITIONAL, False, None)


def test_a_domain_bounds_both() -> None:
    """An address of example.org is never the user's name at example.com."""
    formula = _atom("StringEquals", "ses:FromAddress", "${aws:username}@example.com")
    domains = (("ses:fromaddress", Domain(patterns=("*@example.org",), always=True)),)
    assert decide(formula, Domains(open=domains)).verdict is Verdict.DENIED
    names = (("aws:username", Domain(patterns=("a*",), always=True)),)
    both = conjunction(formula, _atom("StringNotLike", "ses:FromAddress", "a*"))
    assert decide(both, Domains(open=names)).verdict is Verdict.DENIED
    assert decide(both, Domains()).verdict is Verdict.CONDITIONAL


@pytest.mark.parametrize(
    ("own", "verdict"),
    [
        (("StringNotLike", "a*"), Verdict.CONDITIONAL),
        (("StringNotLike", "a*", "A*"), Verdict.DENIED),
        (("StringEquals", "ANN"), Verdict.CONDITIONAL),
        (("StringEquals", "BOB"), Verdict.DENIED),
    ],
)
def test_in_any_case(own: tuple[str, ...], verdict: Verdict) -> None:
    """`Ann` in the other key leaves every spelling of the name, and no other."""
    formula = conjunction(
        _atom("StringEqualsIgnoreCase", "y", "${x}"),
        _atom("StringEquals", "y", "Ann"),
        _atom(own[0], "x", *own[1:]),
    )
    result = decide(formula, Domains())
    assert (result.verdict, result.proven) == (verdict, True)


def test_a_set_of_texts_that_hold_one_value() -> None:
    some = _atom("StringLike", "y", "*@${x}", sets="ForAnyValue")
    wider = _atom("StringLike", "y", "*${x}", sets="ForAnyValue")
    assert decide(conjunction(some, negate(wider)), Domains()).verdict is Verdict.DENIED
    result = decide(conjunction(wider, negate(some)), Domains())
    assert (result.verdict, result.proven) == (Verdict.CONDITIONAL, True)
    # One recipient of the domain and one that is not.
    every = _atom("StringLike", "y", "*@${x}", sets="ForAllValues")
    result = decide(conjunction(some, negate(every)), Domains())
    assert result.witness is not None
    assert len(result.witness["y"]) == 2


@pytest.mark.parametrize(
    ("operator", "value", "witness"),
    [
        ("StringEquals", "${test:k}${test:k}", ""),
        ("StringLike", "*${test:k}${test:k}", ""),
        ("ArnLike", "${test:k}", "x:::::"),
    ],
)
def test_what_a_value_says_of_itself_is_never_proven_impossible(
    operator: str, value: str, witness: str
) -> None:
    own = Formula.of(Atom(Clause(operator, "test:k", (value,)), VERSION))
    like = Formula.of(Atom(Clause("StringLike", "test:k", ("x*", "")), VERSION))
    formula = conjunction(own, like)
    assert holds_in(formula, {"test:k": (witness,)}, frozenset())
    assert decide(formula, Domains()).verdict is Verdict.CONDITIONAL
