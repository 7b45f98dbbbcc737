"""What remains, as a person reads it: nothing implied, nothing twice, and the same formula."""

from __future__ import annotations

import random

import pytest
from policy_formulas import holds_in, random_context, random_formula

from ses_audit.policy.conditions import Conditions, pushed, remaining
from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    conjunction,
    disjunction,
    negate,
)
from ses_audit.policy.operators import OPERATORS, holds
from ses_audit.policy.solve import Domains, decide
from ses_audit.policy.types import Clause, Verdict


def atom(operator: str, key: str, *values: str, **rest: object) -> Formula:
    return Formula.of(Atom(Clause(operator, key, values, **rest), "2012-10-17"))  # type: ignore[arg-type]


def shown(formula: Formula) -> str:
    return str(decide(formula, Domains()).conditions)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (atom("StringEquals", "k", "a"), "k is a"),
        (atom("StringEquals", "k", "a", "b"), "k is a or b"),
        (atom("StringNotEquals", "k", "a", "b"), "k is not a nor b"),
        (atom("StringEqualsIfExists", "k", "a"), None),
        (atom("StringLike", "k", "a*", if_exists=True), "k like a* (or absent)"),
        (atom("StringLike", "k", "a*", set_operator="ForAnyValue"), "some of k like a*"),
        (atom("StringLike", "k", "a*", set_operator="ForAllValues"), "each of k like a*"),
        (atom("NumericLessThan", "k", "5"), "k < 5"),
        (atom("DateGreaterThanEquals", "k", "2026"), "k at or after 2026"),
        (atom("IpAddress", "k", "10.0.0.0/8"), "k in 10.0.0.0/8"),
        (atom("Bool", "k", "true"), "k is true"),
        (atom("Null", "k", "true"), "k absent"),
        (negate(atom("Null", "k", "true")), "k present"),
        (negate(atom("StringLike", "k", "a*")), "k not like a*"),
        (negate(atom("StringNotLike", "k", "a*")), "k like a*"),
        (negate(atom("StringLike", "k", "a*", if_exists=True)), "not (k like a* (or absent))"),
        (negate(atom("Bool", "k", "true")), "not (k is true)"),
        (
            conjunction(atom("StringEquals", "a", "x"), atom("StringEquals", "b", "y")),
            "a is x and b is y",
        ),
        (
            conjunction(
                atom("StringEquals", "a", "x"),
                disjunction(atom("StringEquals", "b", "y"), atom("StringEquals", "c", "z")),
            ),
            "a is x and (b is y or c is z)",
        ),
        (
            disjunction(
                conjunction(atom("StringEquals", "a", "x"), atom("StringEquals", "b", "y")),
                atom("StringEquals", "c", "z"),
            ),
            "c is z or (a is x and b is y)",
        ),
        (negate(atom("Null", "k", "false")), "k absent"),
        (
            # What is said outside is not said again inside.
            conjunction(
                atom("StringEquals", "a", "x"),
                disjunction(
                    atom("StringEquals", "b", "y"),
                    conjunction(atom("StringEquals", "a", "x", "w"), atom("Bool", "c", "true")),
                ),
            ),
            "a is x and (b is y or c is true)",
        ),
        (
            # Nor what cannot be, by what is said outside.
            conjunction(
                atom("StringEquals", "a", "x"),
                disjunction(atom("StringEquals", "a", "y"), atom("StringEquals", "b", "z")),
            ),
            "a is x and b is z",
        ),
        (negate(atom("StringLike", "k", "*")), "k absent"),
        (negate(atom("Bool", "k", "true", if_exists=True)), "k is false"),
        (
            conjunction(
                atom("StringLike", "k", "a*", if_exists=True), atom("StringNotLike", "k", "a*")
            ),
            "k absent",
        ),
        (
            conjunction(
                atom("StringEquals", "a", "x"),
                atom("StringLike", "k", "a*", if_exists=True),
                atom("StringNotLike", "k", "a*"),
            ),
            "a is x and k absent",
        ),
    ],
)
def test_sentences(formula: Formula, text: str | None) -> None:
    if text is not None:
        assert shown(formula) == text


SENTENCES = {
    "StringEquals": "k is v",
    "StringNotEquals": "k is not v",
    "StringEqualsIgnoreCase": "k is (any case) v",
    "StringNotEqualsIgnoreCase": "k is not (any case) v",
    "StringLike": "k like v",
    "StringNotLike": "k not like v",
    "NumericEquals": "k = v",
    "NumericNotEquals": "k ≠ v",
    "NumericLessThan": "k < v",
    "NumericLessThanEquals": "k ≤ v",
    "NumericGreaterThan": "k > v",
    "NumericGreaterThanEquals": "k ≥ v",
    "DateEquals": "k at v",
    "DateNotEquals": "k not at v",
    "DateLessThan": "k before v",
    "DateLessThanEquals": "k at or before v",
    "DateGreaterThan": "k after v",
    "DateGreaterThanEquals": "k at or after v",
    "Bool": "k is v",
    "BinaryEquals": "k is v",
    "IpAddress": "k in v",
    "NotIpAddress": "k not in v",
    "Resource": "k like v",
    "ArnEquals": "k like v",
    "ArnLike": "k like v",
    "ArnNotEquals": "k not like v",
    "ArnNotLike": "k not like v",
}


def test_every_operator_has_its_words() -> None:
    assert {*SENTENCES, "Null"} == {*OPERATORS}
    for operator, sentence in SENTENCES.items():
        assert str(Conditions("clause", clause=Clause(operator, "k", ("v",)))) == sentence


@pytest.mark.parametrize(
    ("operator", "opposite", "value"),
    [
        ("StringEquals", "StringNotEquals", "v"),
        ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "v"),
        ("StringLike", "StringNotLike", "v*"),
        ("NumericEquals", "NumericNotEquals", "5"),
        ("DateEquals", "DateNotEquals", "2026-01-01T00:00:00Z"),
        ("IpAddress", "NotIpAddress", "192.0.2.0/24"),
        ("ArnEquals", "ArnNotEquals", "arn:aws:iam::111111111111:user/a"),
        ("ArnLike", "ArnNotLike", "arn:aws:iam::111111111111:user/*"),
    ],
)
def test_what_fails_is_shown_by_the_opposite_operator(
    operator: str, opposite: str, value: str
) -> None:
    for one, other in ((operator, opposite), (opposite, operator)):
        conditions = decide(negate(atom(one, "k", value)), Domains()).conditions
        assert conditions is not None
        assert conditions.to_json() == {"operator": other, "key": "k", "values": [value]}


def test_json() -> None:
    formula = conjunction(
        atom("StringEquals", "a", "x"),
        disjunction(atom("Bool", "b", "true"), negate(atom("Bool", "c", "true"))),
    )
    conditions = decide(formula, Domains()).conditions
    assert conditions is not None
    assert conditions.to_json() == {
        "all": [
            {"operator": "StringEquals", "key": "a", "values": ["x"]},
            {
                "any": [
                    {"operator": "Bool", "key": "b", "values": ["true"]},
                    {"not": {"operator": "Bool", "key": "c", "values": ["true"]}},
                ]
            },
        ]
    }


@pytest.mark.parametrize(("written", "opposite"), [("true", "false"), ("false", "true")])
def test_the_opposite_of_null_is_null(written: str, opposite: str) -> None:
    conditions = decide(negate(atom("Null", "k", written)), Domains()).conditions
    assert conditions is not None
    assert conditions.kind == "clause"
    assert conditions.to_json() == {"operator": "Null", "key": "k", "values": [opposite]}


@pytest.mark.parametrize(
    ("operator", "version", "values"),
    [
        ("StringEquals", "2008-10-17", ["a${$}{b}", "c"]),
        ("StringEquals", "2012-10-17", ["a${b}", "c"]),
        # What has no variables says the same in either.
        ("BinaryEquals", "2008-10-17", ["a${b}", "c"]),
    ],
)
def test_values_are_written_as_a_document_with_variables_does(
    operator: str, version: str, values: list[str]
) -> None:
    formula = Formula.of(Atom(Clause(operator, "k", ("a${b}", "c")), version))
    shown = remaining(formula, lambda part: False, lambda clause: False)
    assert shown.to_json() == {"operator": operator, "key": "k", "values": values}


def test_a_clause_is_of_its_own_kind() -> None:
    conditions = decide(atom("Bool", "k", "true"), Domains()).conditions
    assert conditions is not None
    assert (conditions.kind, conditions.parts) == ("clause", ())


def test_pushed() -> None:
    a, b = atom("Bool", "a", "true"), atom("Bool", "b", "true")
    assert pushed(negate(conjunction(a, b)), False) is disjunction(negate(a), negate(b))
    assert pushed(disjunction(a, negate(b)), True) is conjunction(negate(a), b)
    assert pushed(TRUE, True) is FALSE


def met(conditions: Conditions, context: dict[str, tuple[str, ...]], flags: frozenset[str]) -> bool:
    """Whether what is shown holds in a context."""
    if conditions.clause is not None:
        return holds(conditions.clause, context, flags, "2012-10-17")
    held = [met(part, context, flags) for part in conditions.parts]
    if conditions.kind == "not":
        return not held[0]
    return all(held) if conditions.kind == "all" else any(held)


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("families", [1, 2])
def test_what_is_shown_is_the_formula(part: int, families: int) -> None:
    seen = 0
    for seed in range(part * 30, part * 30 + 30):
        source = random.Random(f"shown-{families}-{seed}")
        formula = random_formula(source, families)
        flags = frozenset(key for key in ("k1", "k2") if source.random() < 0.3)
        result = decide(formula, Domains(multivalued=flags))
        if result.verdict is not Verdict.CONDITIONAL or not result.proven:
            continue
        seen += 1
        assert result.conditions is not None
        for _ in range(40):
            context = random_context(source, formula, flags)
            assert met(result.conditions, context, flags) is holds_in(formula, context, flags), (
                seed,
                formula,
                str(result.conditions),
                context,
            )
    assert seen > 5


def _parts(conditions: Conditions) -> int:
    return 1 + sum(map(_parts, conditions.parts))


@pytest.mark.parametrize("size", [3, 12, 20, 40])
def test_no_duplicate_and_no_implied_branch_however_many(size: int) -> None:
    wide = [atom("IpAddress", "k", f"10.{i}.0.0/16") for i in range(size)]
    narrow = [atom("IpAddress", "k", f"10.{i}.{i}.0/24") for i in range(size)]
    conditions = decide(disjunction(*wide, *narrow), Domains()).conditions
    assert conditions is not None
    assert _parts(conditions) == size + 1
    both = [conjunction(one, two) for one, two in zip(wide, narrow, strict=True)]
    conditions = decide(disjunction(*both), Domains()).conditions
    assert conditions is not None
    assert _parts(conditions) == size + 1


def test_many_parts_are_compared_by_their_kinds() -> None:
    """Two hundred ranges within one are not named beside it; nor is one that two others cover."""
    every = [_range(f"10.{n}.0.0/16") for n in range(200)]
    others = [_range("192.0.2.0/25"), _range("192.0.2.0/24"), _range("192.0.2.128/25")]
    wide = decide(disjunction(_range("10.0.0.0/8"), *every, *others), Domains())
    assert str(wide.conditions) == "aws:SourceIp in 10.0.0.0/8 or aws:SourceIp in 192.0.2.0/24"
    narrow = decide(negate(disjunction(*every, *others[1:])), Domains())
    assert narrow.conditions is not None
    assert len(narrow.conditions.parts) == 201
    # Beside another key all the same.
    other = Formula.of(Atom(Clause("StringEquals", "k", ("v",)), "2012-10-17"))
    both = decide(conjunction(other, disjunction(_range("10.0.0.0/8"), *every)), Domains())
    assert str(both.conditions) == "aws:SourceIp in 10.0.0.0/8 and k is v"


def _range(text: str) -> Formula:
    return Formula.of(Atom(Clause("IpAddress", "aws:SourceIp", (text,)), "2012-10-17"))
