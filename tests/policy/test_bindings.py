"""Open variables on known text: the keys that are asked instead say the same."""

from __future__ import annotations

import itertools

import pytest
from policy_formulas import holds_in

from ses_audit.policy.bindings import clause_on_known_values, pattern_on_known_text
from ses_audit.policy.formula import FALSE, TRUE, Atom, Formula, disjunction
from ses_audit.policy.operators import holds
from ses_audit.policy.types import Clause

NEW, OLD = "2012-10-17", "2008-10-17"
TEXTS = ["", "a", "A", "b", "ab", "aab", "a-b", "a*b", "x", "arn:aws:iam::1:user/a"]
TEXTS += ["aa", "Aa", "xaa", "Ab", "a*"]
PATTERNS = [
    "${v}",
    "${v}-${w}",
    "a${v}",
    "${v}b",
    "a${v}b",
    "${v}${v}",
    "${v, 'a'}",
    "*${v}",
    "?${v}*",
    "a${*}${v}",
    "${v}${?}",
    "x${v}${v}",
    "A${v}",
    "${v, 'a'}-${w}",
    "a${*}",
    "plain",
    "a*",
]
OPERATORS = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
]
VALUES = [None, "", "a", "A", "b", "*", "?", "ab", "-", "x"]


def _contexts() -> list[dict[str, tuple[str, ...]]]:
    return [
        {key: (value,) for key, value in (("v", v), ("w", w)) if value is not None}
        for v, w in itertools.product(VALUES, VALUES[:5])
    ]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_single_values(operator: str, pattern: str) -> None:
    clause = Clause(operator, "k", (pattern, "b"))
    for text in TEXTS:
        found = clause_on_known_values(clause, (text,), is_set=False, version=NEW)
        assert found is not None
        for context in _contexts():
            expected = holds(clause, {**context, "k": (text,)}, frozenset(), NEW)
            assert holds_in(found, context, frozenset()) is expected, (text, context, found)


@pytest.mark.parametrize("operator", ["StringLike", "StringNotLike", "StringEquals"])
@pytest.mark.parametrize("sets", ["ForAnyValue", "ForAllValues", None])
def test_sets(operator: str, sets: str | None) -> None:
    clause = Clause(operator, "k", ("${v}", "a${w}"), sets)  # type: ignore[arg-type]
    for values in itertools.permutations(["a", "b", "ab"], 2):
        found = clause_on_known_values(clause, values, is_set=True, version=NEW)
        assert found is not None
        for context in _contexts():
            expected = holds(clause, {**context, "k": values}, frozenset({"k"}), NEW)
            assert holds_in(found, context, frozenset()) is expected, (values, context)


def test_a_set_is_no_single_value_even_with_one_member() -> None:
    clause = Clause("StringEquals", "k", ("${v}",))
    assert not holds(clause, {"k": ("a",), "v": ("a",)}, frozenset({"k"}), NEW)
    assert clause_on_known_values(clause, ("a",), is_set=True, version=NEW) is FALSE


def test_arns_and_resources_are_compared_segment_by_segment() -> None:
    arn = "arn:aws:iam::1:user/a"
    clause = Clause("ArnLike", "k", ("arn:aws:iam::*:user/${v}",))
    found = clause_on_known_values(clause, (arn,), is_set=False, version=NEW)
    assert str(found) == "StringEquals v ['a']"
    resource = Clause("Resource", "(resource)", ("arn:aws:*:user/${v}",))
    assert str(pattern_on_known_text(resource, arn, NEW)) == "StringEquals v ['a']"
    assert pattern_on_known_text(Clause("Resource", "r", ("*",)), arn, NEW) is TRUE
    assert pattern_on_known_text(Clause("Resource", "r", ("b",)), arn, NEW) is FALSE


@pytest.mark.parametrize("operator", ["ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals"])
@pytest.mark.parametrize("sets", [None, "ForAnyValue", "ForAllValues"])
def test_arns_with_two_open_variables(operator: str, sets: str | None) -> None:
    patterns = ("arn:aws:iam::${w}:user/${v}", "arn:aws:iam::1:role/${v}*")
    clause = Clause(operator, "k", patterns, sets)  # type: ignore[arg-type]
    for arn in ("arn:aws:iam::1:user/a", "arn:aws:iam::b:user/ab", "arn:aws:iam::1:role/a"):
        found = clause_on_known_values(clause, (arn,), is_set=sets is not None, version=NEW)
        assert found is not None
        multivalued = frozenset({"k"} if sets else ())
        for context in _contexts():
            expected = holds(clause, {**context, "k": (arn,)}, multivalued, NEW)
            assert holds_in(found, context, frozenset()) is expected, (arn, context)


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("arn:aws:iam::1:user/a", "arn:aws:iam:${v}"),  # no ARN, unless the variable has colons
        ("user/a", "arn:aws:iam::1:user/${v}"),
    ],
)
def test_what_may_be_no_arn_is_left_to_the_search(value: str, pattern: str) -> None:
    clause = Clause("ArnNotLike", "k", (pattern,))
    assert clause_on_known_values(clause, (value,), is_set=False, version=NEW) is None


@pytest.mark.parametrize("values", [(), ("",), ("", "")])
@pytest.mark.parametrize("sets", [None, "ForAnyValue", "ForAllValues"])
@pytest.mark.parametrize("operator", ["StringEquals", "StringNotLike", "Bool"])
def test_null_values(operator: str, sets: str | None, values: tuple[str, ...]) -> None:
    clause = Clause(operator, "k", ("${v}", "a"), sets)  # type: ignore[arg-type]
    found = clause_on_known_values(clause, values, is_set=False, version=NEW)
    if operator == "Bool" and sets is None and len(values) == 1:
        assert found is None
        return
    assert found is not None
    for context in _contexts():
        expected = holds(clause, {**context, "k": values}, frozenset(), NEW)
        assert holds_in(found, context, frozenset()) is expected, context


def test_an_older_document_has_no_variables() -> None:
    clause = Clause("StringEquals", "k", ("${v}",))
    assert clause_on_known_values(clause, ("${v}",), is_set=False, version=OLD) is TRUE
    assert clause_on_known_values(clause, ("a",), is_set=False, version=OLD) is FALSE


def test_what_is_left_to_the_search() -> None:
    def asked(clause: Clause, text: str) -> object:
        return clause_on_known_values(clause, (text,), is_set=False, version=NEW)

    assert asked(Clause("Bool", "k", ("${v}",)), "true") is None
    # The key itself as its variable, and more bindings than can be kept.
    assert asked(Clause("StringEquals", "k", ("${k}",)), "a") is None
    assert (
        asked(Clause("StringLike", "k", ("*".join(f"${{v{i}}}" for i in range(6)),)), "x" * 40)
        is None
    )
    assert asked(Clause("StringLike", "k", ("${v}*",)), "x" * 600) is None
    assert asked(Clause("StringLike", "k", ("${v}*${w}",)), "x" * 40) is None


@pytest.mark.parametrize(
    ("operator", "pattern"),
    [
        ("StringEquals", "*${v}"),
        ("StringEqualsIgnoreCase", "*${v}"),
        ("StringLike", "${*}${v}"),
    ],
)
def test_a_star_that_is_a_character_matches_one_character(operator: str, pattern: str) -> None:
    """And is answered within bounds: a long text without it does not match."""
    clause = Clause(operator, "k", (pattern,))
    assert clause_on_known_values(clause, ("x" * 600,), is_set=False, version=NEW) is FALSE


def test_values_of_one_variable_are_one_clause() -> None:
    """Of the older Version: what was found is text, and is no variable whatever it holds."""
    clause = Clause("StringLike", "k", ("${v}-*",))
    found = clause_on_known_values(clause, ("a-b-c",), is_set=False, version=NEW)
    assert found is Formula.of(Atom(Clause("StringEquals", "v", ("a", "a-b")), OLD))


def test_absence_is_asked_with_the_default() -> None:
    clause = Clause("StringEquals", "k", ("${v, 'd'}",))
    found = clause_on_known_values(clause, ("d",), is_set=False, version=NEW)
    assert found is disjunction(
        Formula.of(Atom(Clause("StringEquals", "v", ("d",)), OLD)),
        Formula.of(Atom(Clause("Null", "v", ("true",)), OLD)),
    )
    assert holds_in(found, {}, frozenset())
    assert holds_in(found, {"v": ("d",)}, frozenset())
    assert not holds_in(found, {"v": ("e",)}, frozenset())
