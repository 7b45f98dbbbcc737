"""Single values of a key: within its domain, with what they answer, and said to be all or not."""

from __future__ import annotations

import pytest

from ses_audit.policy import single_values as tested
from ses_audit.policy.domains import Domain, Values
from ses_audit.policy.formula import Atom
from ses_audit.policy.operators import Family
from ses_audit.policy.single_values import Question, is_in, single_values
from ses_audit.policy.typed_values import NO_TYPE
from ses_audit.policy.types import Clause

VERSION = "2012-10-17"


def _question(*clauses: tuple[str, ...], **context: str) -> Question:
    atoms = tuple(Atom(Clause(name, "k", tuple(values)), VERSION) for name, *values in clauses)
    known = {key: (value,) for key, value in context.items()}
    return Question("k", atoms, known, frozenset({"many"}))


NUMBERS = (("NumericLessThan", "5"), ("NumericEquals", "7"))
DATES = (("DateLessThan", "2026-01-01"), ("DateNotEquals", "2027-01-01"))
ADDRESSES = (("IpAddress", "10.0.0.0/8"), ("NotIpAddress", "10.1.0.0/16"))


@pytest.mark.parametrize(
    ("clauses", "values"),
    [(NUMBERS, Values.NUMBER), (DATES, Values.INSTANT), (ADDRESSES, Values.ADDRESS)],
)
def test_what_is_compared_by_one_family_is_answered_at_once(
    clauses: tuple[tuple[str, ...], ...], values: Values
) -> None:
    for domain in (Domain(), Domain(values)):
        question = _question(*clauses)
        found = single_values(question, domain)
        assert found.complete
        assert {**found.answers} == {text: question.answers((text,)) for text in found.others}
        assert (NO_TYPE in found.others) is (domain.values is Values.TEXT)
        assert len({*found.answers.values()}) >= 3


@pytest.mark.parametrize(
    "domain",
    [
        Domain(patterns=("1*",)),
        Domain(Values.NUMBER, patterns=("*7", "4*")),
        Domain(excluded=("7", "6", "4")),
        Domain(Values.ADDRESS),
        Domain(Values.BOOLEAN),
    ],
)
def test_every_value_is_of_the_domain(domain: Domain) -> None:
    for clauses in (NUMBERS, (*NUMBERS, ("StringLike", "*7"))):
        found = single_values(_question(*clauses), domain)
        assert found.others
        assert all(is_in(value, domain) for value in (*found.named, *found.others))


def test_a_limit_that_is_met_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    likes = [("StringLike", f"*{one}*{one}*") for one in "abcd"]
    for clauses in (likes, [*likes, *NUMBERS]):
        assert single_values(_question(*clauses), Domain()).complete
        with monkeypatch.context() as patch:
            patch.setattr(tested, "_TEXT_LIMIT", 5)
            assert not single_values(_question(*clauses), Domain()).complete


def test_what_is_not_found_remains_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    clauses = (("StringLike", "*17"), ("NumericLessThan", "5"))
    found = single_values(_question(*clauses), Domain())
    assert found.possible == ()
    answers = {_question(*clauses).answers((value,)) for value in found.others}
    assert (True, True) in answers
    monkeypatch.setattr(tested, "_SEARCH_LIMIT", 3)
    assert (True, True) in single_values(_question(*clauses), Domain()).possible


def test_the_values_that_are_compared_with() -> None:
    question = _question(
        ("StringLike", "${v}*", "${many}", "${none}"), ("NumericEquals", "${v}"), v="x"
    )
    strings, numbers = question.patterns()[Family.STRING], question.patterns()[Family.NUMERIC]
    assert [tokens[0] for _, tokens in strings] == ["x"]
    assert [tokens for _, tokens in numbers] == [("${v}",)]
    of_a_set = _question(("StringEquals", "${many}"), many="x")
    assert of_a_set.patterns() == {}
