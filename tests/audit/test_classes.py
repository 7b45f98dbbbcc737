"""What documents can tell apart: outlines, attributes, the names that may be left out."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from audit_worlds import allow, deny, policy
from hypothesis import given, settings
from hypothesis import strategies as st

from ses_audit.audit.attributes import patterns, uses_of
from ses_audit.audit.classes import Numbers
from ses_audit.audit.document_sets import DocumentSet, Outline, whatever_domain
from ses_audit.policy import parse_document
from ses_audit.policy.operators import holds
from ses_audit.policy.types import AttachedPolicy, Clause


def document_set(*texts: str) -> DocumentSet:
    return DocumentSet(
        AttachedPolicy(parse_document(text), f"p{n}") for n, text in enumerate(texts)
    )


def test_copies_that_differ_in_resource_patterns_have_one_outline() -> None:
    one = policy(allow("ses:*", ["arn:aws:ses:*:111111111111:identity/*", "*"]))
    two = policy(allow("ses:*", ["arn:aws:ses:*:222222222222:identity/*", "*"]))
    other = policy(allow("ses:*", ["arn:aws:ses:*:222222222222:identity/*"]))
    outlines = [Outline(parse_document(text)) for text in (one, two, other)]
    assert outlines[0].key == outlines[1].key != outlines[2].key
    assert outlines[0].patterns == ("arn:aws:ses:*:111111111111:identity/*",)


def test_a_variable_in_a_resource_is_part_of_the_outline() -> None:
    one = Outline(
        parse_document(policy(allow("ses:*", "arn:aws:ses:*:*:identity/${aws:username}")))
    )
    two = Outline(parse_document(policy(allow("ses:*", "arn:aws:ses:*:*:identity/${aws:userid}"))))
    assert one.variable
    assert one.key != two.key


def test_a_sid_is_part_of_the_outline() -> None:
    one, two = ({**deny(), "Sid": sid} for sid in ("A", "B"))
    assert Outline(parse_document(policy(one))).key != Outline(parse_document(policy(two))).key


def test_attributes_are_used_by_clauses_or_themselves() -> None:
    found = document_set(
        policy(allow("ses:*", "*", StringEquals={"aws:PrincipalTag/team": "mail"})),
        policy(allow("ses:*", "*", StringLike={"ses:FromAddress": "${aws:username}@*"})),
    )
    uses = uses_of([found])
    assert set(uses) == {"aws:principaltag/team", "aws:username"}
    assert uses["aws:username"] is None
    assert [clause.values for clause, _ in uses["aws:principaltag/team"] or ()] == [("mail",)]


def test_an_account_s_values_are_no_principal_s() -> None:
    found = document_set(policy(allow("ses:*", "*", StringEquals={"aws:PrincipalOrgID": "o-1"})))
    assert found.principal_keys == ()


@pytest.mark.parametrize(
    ("operator", "value", "whatever"),
    [
        ("StringLike", "no-reply@*", True),
        ("StringNotLike", "*@*", True),
        ("StringLike", "news@example.com", False),
        ("StringLike", "*@*.example.com", False),
        ("StringEquals", "no-reply@*", False),
        ("Null", "true", True),
    ],
)
def test_a_clause_that_does_not_look_at_the_domain(
    operator: str, value: str, whatever: bool
) -> None:
    assert whatever_domain(Clause(operator, "ses:FromAddress", (value,))) is whatever


def test_numbers_are_of_equal_things() -> None:
    numbers = Numbers()
    assert numbers.of(("a", 1)) == numbers.of(("a", 1)) != numbers.of(("a", 2))


_TEXT = st.text(st.sampled_from("ab:/*?.+"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["StringLike", "StringEquals", "ArnLike", "ArnNotLike", "StringNotLike"]),
    _TEXT,
    st.lists(st.text(st.sampled_from("ab:/.+\n"), max_size=14), min_size=2, max_size=6),
)
def test_rows_with_equal_pattern_bits_have_equal_answers(
    operator: str, pattern: str, values: list[str]
) -> None:
    """ARNs are told apart by regular expressions: never less finely than the operators do."""
    clause = Clause(operator, "aws:PrincipalArn", (pattern,))
    regexes = patterns([(clause, "2012-10-17")])
    assert regexes is not None
    arns = [f"arn:aws:iam::1:{value}" for value in values]
    bits = [pc.match_substring_regex(pa.array(arns), regex).to_pylist() for regex in regexes]
    answers: dict[tuple[bool, ...], set[bool]] = {}
    for place, arn in enumerate(arns):
        row = tuple(column[place] for column in bits)
        answer = holds(clause, {"aws:principalarn": (arn,)}, frozenset(), "2012-10-17")
        answers.setdefault(row, set()).add(answer)
    assert all(len(found) == 1 for found in answers.values())
