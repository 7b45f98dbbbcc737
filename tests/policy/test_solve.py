"""Open evaluation: cases by rule, and formulas against contexts tried one by one."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from policy_cases import load
from policy_formulas import holds_in, random_context, random_formula
from policy_open import concrete, layers_of, open_request_of

from ses_audit.policy.domains import Domain
from ses_audit.policy.formula import FALSE, TRUE, Atom, Formula, conjunction, disjunction
from ses_audit.policy.reduce import open_evaluate
from ses_audit.policy.solve import Domains, decide, forget, never_holds, satisfy
from ses_audit.policy.types import Clause, Effect, Verdict

RULES = load("open_rules")["cases"]
CASES = [*load("open")["cases"], *RULES]


@pytest.mark.parametrize("case", CASES, ids=[case.get("name", case.get("rule")) for case in CASES])
def test_case(case: dict) -> None:
    layers, asked = layers_of(case), open_request_of(case)
    result = open_evaluate(layers, asked)
    assert result.verdict.value == case["verdict"]
    assert result.proven
    if "conditions" in case:
        assert str(result.conditions) == case["conditions"]
    if result.verdict is not Verdict.DENIED:
        assert result.witness is not None
        assert concrete(layers, asked, result.witness) is Effect.ALLOWED
    if result.verdict is not Verdict.ALLOWED:
        assert result.counter_witness is not None
        assert concrete(layers, asked, result.counter_witness) is not Effect.ALLOWED
    assert (result.conditions is not None) == (result.verdict is Verdict.CONDITIONAL)


def test_every_rule_has_its_page() -> None:
    assert len(RULES) >= 60
    assert len({case["rule"] for case in RULES}) == len(RULES)
    assert all(case["source"].startswith("https://docs.aws.amazon.com/") for case in RULES)


@pytest.mark.parametrize("families", [1, 2])
@pytest.mark.parametrize("part", range(5))
def test_against_contexts_tried_one_by_one(families: int, part: int) -> None:
    """A verdict for all contexts holds in each; a witness does what it says."""
    proven = 0
    for seed in range(part * 40, (part + 1) * 40):
        source = random.Random(seed)
        formula = random_formula(source, families)
        multivalued = frozenset(key for key in ("k1", "k2") if source.random() < 0.3)
        result = decide(formula, Domains(multivalued=multivalued))
        proven += result.proven
        for witness, expected in ((result.witness, True), (result.counter_witness, False)):
            if witness is not None:
                assert holds_in(formula, witness, multivalued) is expected
        if result.verdict is Verdict.CONDITIONAL:
            continue
        for _ in range(60):
            context = random_context(source, formula, multivalued)
            held = holds_in(formula, context, multivalued)
            assert held is (result.verdict is Verdict.ALLOWED), (seed, formula, context)
    assert proven >= (38 if families == 1 else 25)


def _atom(key: str, *values: str, operator: str = "StringEquals") -> Formula:
    return Formula.of(Atom(Clause(operator, key, values), "2012-10-17"))


def test_constants() -> None:
    assert decide(TRUE, Domains()).verdict is Verdict.ALLOWED
    assert decide(FALSE, Domains()).verdict is Verdict.DENIED
    assert satisfy(FALSE, Domains()).complete


def test_a_budget_that_runs_out_says_so() -> None:
    hard = conjunction(*(_atom(f"k{i}", "a", "b") for i in range(6)))
    result = decide(hard, Domains(), budget=2)
    assert result.verdict is Verdict.CONDITIONAL
    assert not result.proven
    assert decide(hard, Domains()).proven


def test_failures_are_not_tried_again() -> None:
    """Thirty keys of three kinds each would be 3^30 combinations, one by one."""
    keys = range(30)
    some = [disjunction(_atom(f"k{i}", "a"), _atom(f"k{i + 1}", "b")) for i in keys]
    none = conjunction(_atom("z", "a"), _atom("z", "b", operator="StringLike"))
    result = decide(conjunction(*some, none), Domains())
    assert result.verdict is Verdict.DENIED
    result = decide(conjunction(*some, _atom("z", "a")), Domains())
    assert result.verdict is Verdict.CONDITIONAL
    assert result.proven


def test_keys_known_absent_and_open_in_a_domain() -> None:
    formula = conjunction(_atom("a", "x"), _atom("b", "x", operator="StringNotEquals"))
    domains = Domains(
        known=(("a", ("x",)),), absent=frozenset({"b"}), open=(("c", Domain(always=True)),)
    )
    assert decide(formula, domains).verdict is Verdict.ALLOWED
    assert decide(_atom("b", "x"), domains).verdict is Verdict.DENIED
    # A text that is always there, and is not one of these.
    other = decide(_atom("c", "x"), Domains(open=(("c", Domain(always=True)),)))
    assert other.counter_witness == {"c": ("other",)}


def test_values_that_a_domain_leaves_out() -> None:
    domains = Domains(open=(("a", Domain(patterns=("x", "y"), excluded=("y",), always=True)),))
    assert decide(_atom("a", "x"), domains).verdict is Verdict.ALLOWED
    assert decide(_atom("a", "y"), domains).verdict is Verdict.DENIED


def test_results_are_remembered() -> None:
    formula = _atom("remembered", "x")
    assert decide(formula, Domains()) is decide(formula, Domains())


def test_an_unknown_variable_in_a_ring_of_three() -> None:
    ring = conjunction(_atom("k1", "${k2}"), _atom("k2", "${k3}"), _atom("k3", "${k1}"))
    result = decide(conjunction(ring, _atom("k1", "x")), Domains())
    assert result.verdict is Verdict.CONDITIONAL
    assert result.witness == {"k1": ("x",), "k2": ("x",), "k3": ("x",)}


def test_what_takes_too_much_work_is_shown_as_it_is() -> None:
    """Twenty patterns of three stars make more kinds of text than are told apart."""
    letters = "abcdefghijklmnopqrstu"
    patterns = [f"*{one}*{two}*" for one, two in pairwise(letters)]
    formula = disjunction(*(_atom("k", each, operator="StringLike") for each in patterns))
    search = satisfy(formula, Domains())
    assert search.bounded
    result = decide(formula, Domains())
    assert (result.verdict, result.proven) == (Verdict.CONDITIONAL, True)
    assert result.conditions is not None
    assert len(result.conditions.parts) == len(patterns)
    never = conjunction(formula, _atom("k", "z"))
    assert decide(never, Domains()).verdict is not Verdict.ALLOWED


def test_what_holds_in_no_context() -> None:
    one, two = (Formula.of(Atom(Clause("StringEquals", "k", (v,)), "2012-10-17")) for v in "ab")
    forget()
    for _ in range(2):
        assert never_holds(conjunction(one, two), Domains()) is True
        assert never_holds(one, Domains()) is False
        assert never_holds(FALSE, Domains()) is True
        assert never_holds(TRUE, Domains()) is False
        # What was decided says the same.
        decide(conjunction(one, two), Domains())
        decide(one, Domains())


def test_a_resource_is_any_text() -> None:
    formula = Formula.of(Atom(Clause("Resource", "(resource)", ("x",)), "2012-10-17"))
    assert decide(formula, Domains()).witness == {"(resource)": ("x",)}
