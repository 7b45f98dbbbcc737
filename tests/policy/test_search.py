"""The kinds of each key, found once for a whole formula and all its parts."""

from __future__ import annotations

from ses_audit.policy.domains import Domains
from ses_audit.policy.formula import TRUE, Atom, Formula, conjunction, disjunction
from ses_audit.policy.search import Search, Solver, Tables
from ses_audit.policy.types import Clause

VERSION = "2012-10-17"


def _atom(operator: str, key: str, *values: str, sets: str | None = None) -> Formula:
    return Formula.of(Atom(Clause(operator, key, values, sets), VERSION))  # type: ignore[arg-type]


ONE, TWO = _atom("StringEquals", "k", "a"), _atom("StringLike", "k", "a*")
OTHER, LINKED = _atom("StringEquals", "j", "b"), _atom("StringEquals", "k", "${v}")


def test_the_kinds_of_a_whole_formula_serve_its_parts() -> None:
    tables = Tables(conjunction(ONE, TWO, OTHER, LINKED), Domains())
    table = tables.of("k", (ONE.atom,))
    assert table.complete
    # What is linked is told apart elsewhere, with the other key.
    assert {*table.columns.bits} == {ONE.atom, TWO.atom}
    told = [tuple(kind.answers[place] for place in (0, 1)) for kind in table.kinds]
    assert told == [(False, False), (True, True), (False, True)]
    assert {*tables.of("j", (OTHER.atom,)).columns.bits} == {OTHER.atom}


def test_what_the_formula_does_not_ask_is_found_by_itself() -> None:
    tables = Tables(OTHER, Domains(multivalued=frozenset({"k"})))
    table = tables.of("k", (ONE.atom,))
    assert {*table.columns.bits} == {ONE.atom}
    # A set that no set operator asks for matches nothing.
    assert all(kind.answers == (False,) for kind in table.kinds)


def test_the_kinds_with_which_a_formula_on_one_key_holds() -> None:
    tables = Tables(conjunction(ONE, TWO, OTHER, LINKED), Domains())
    assert tables.kinds_with(ONE) == ("k", 0b010)
    assert tables.kinds_with(disjunction(ONE, TWO)) == ("k", 0b110)
    assert tables.kinds_with(conjunction(ONE, OTHER)) is None
    assert tables.kinds_with(LINKED) is None
    assert tables.kinds_with(TRUE) is None


def test_kinds_that_are_not_all_known_say_nothing() -> None:
    many = [_atom("StringEquals", "k", f"v{n}", sets="ForAnyValue") for n in range(14)]
    assert Tables(conjunction(*many), Domains()).kinds_with(many[0]) is None


def _searched(formula: Formula, budget: int = 1_000) -> Search:
    domains = Domains()
    return Solver(formula, domains, budget, Tables(formula, domains)).search()


def test_a_budget_that_is_met_is_told() -> None:
    never = [disjunction(_atom("Bool", key, "true"), OTHER) for key in "abcdef"]
    impossible = conjunction(*never, _atom("StringEquals", "j", "c"), *_pairs("abcdef"))
    assert _searched(impossible) == Search(None, True)
    assert _searched(impossible, 3) == Search(None, False, True)


def _pairs(keys: str) -> list[Formula]:
    return [_atom("Bool", key, "false") for key in keys]


def test_a_key_that_stands_in_another_is_decided_first() -> None:
    formula = conjunction(
        _atom("StringEquals", "a", "${b}x"),
        _atom("StringEquals", "b", "${c}y"),
        _atom("StringEquals", "c", "z"),
    )
    assert _searched(formula) == Search({"c": ("z",), "b": ("zy",), "a": ("zyx",)}, True)
