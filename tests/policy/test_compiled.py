"""Documents made ready: what is made is kept, and few statements are looked at."""

from __future__ import annotations

import pytest
from policy_cases import IDENTITY, allow, document, request

from ses_audit.policy.compiled import CompiledStatement, compiled
from ses_audit.policy.outcome import subject_of
from ses_audit.policy.types import Layers

SUBJECT = subject_of(Layers(), request(context={"aws:username": "ann"}))


def statement(**elements: object) -> CompiledStatement:
    (found,) = compiled(document(allow(**elements))).statements
    return found


def test_a_document_is_made_ready_once() -> None:
    one = document(allow(), allow(Effect="Deny", Action="ses:Get*"))
    made = compiled(one)
    assert compiled(one) is made
    assert made.naming("ses:SendEmail") is made.naming("ses:SendEmail")
    assert made.naming("ses:SendEmail")[0] is made.statements[0]
    assert made.naming("ses:GetAccount") == made.statements
    assert made.statements[1] is made.statements[1]


def test_equal_documents_are_made_ready_each() -> None:
    assert compiled(document(allow())) is not compiled(document(allow()))


def test_a_request_s_action_ignores_case_and_actions_are_not_mixed_up() -> None:
    made = compiled(document(allow(Action="ses:SendEmail"), allow(Action="ses:GetAccount")))
    assert [found.statement.index for found in made.naming("SES:sendEMAIL")] == [0]
    assert [found.statement.index for found in made.naming("ses:getaccount")] == [1]
    assert made.naming("s3:GetObject") == ()


def test_of_many_actions_the_first_are_forgotten() -> None:
    made = compiled(document(allow(Action="ses:a1")))
    for number in range(1_500):
        assert len(made.naming(f"ses:a{number}")) == (number == 1)
    assert len(made.naming("ses:a1")) == 1


@pytest.mark.parametrize(
    ("elements", "unconditional"),
    [
        ({}, True),
        ({"Resource": ["a", "*"]}, True),
        ({"Resource": "arn:aws:ses:*"}, False),
        ({"Condition": {"Bool": {"k": "true"}}}, False),
        ({"Condition": {}}, True),
        ({"Principal": "*"}, False),
    ],
)
def test_what_asks_nothing_of_a_request(elements: dict, unconditional: bool) -> None:
    assert statement(**elements).unconditional is unconditional


def test_not_resource_everything_asks_something() -> None:
    elements = {"Effect": "Allow", "Action": "*", "NotResource": "*"}
    (found,) = compiled(document(elements)).statements
    assert not found.unconditional
    assert found.resource is not None
    assert not found.holds(SUBJECT)


def test_a_statement_without_resource_passes_every_resource() -> None:
    """Of a trust policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    (found,) = compiled(document({"Effect": "Allow", "Action": "sts:AssumeRole"})).statements
    assert found.resource is None
    assert found.holds(SUBJECT)


def test_a_resource_is_made_ready_once_and_holds() -> None:
    found = statement(Resource=IDENTITY)
    assert found.resource is found.resource
    assert found.holds(SUBJECT)
    assert not statement(Resource=IDENTITY + "x").holds(SUBJECT)


def test_conditions_are_made_ready_once_and_stand_beside_what_is_written() -> None:
    condition = {"StringEquals": {"aws:username": "ann", "aws:SourceVpc": "v"}}
    found = statement(Condition=condition)
    assert found.clauses is found.clauses
    assert [clause.key for clause, _ in found.pairs] == ["aws:username", "aws:SourceVpc"]
    assert [prepared for _, prepared in found.pairs] == list(found.clauses)
    assert not found.holds(SUBJECT)


def test_keys_are_those_of_conditions_and_of_variables_as_they_are_written_first() -> None:
    made = compiled(
        document(
            allow(Resource="arn:aws:ses:*:*:identity/${aws:UserName}"),
            allow(Condition={"StringLike": {"AWS:username": "a", "s3:Prefix": "${aws:UserId}/*"}}),
        )
    )
    assert dict(made.keys).keys() == {"aws:username", "s3:prefix", "aws:userid"}
    assert dict(made.keys)["s3:prefix"] == "s3:Prefix"
    assert made.keys is made.keys


def test_an_older_document_has_no_variables() -> None:
    resource = "arn:aws:ses:*:*:identity/${aws:username}"
    made = compiled(document(allow(Resource=resource), version="2008-10-17"))
    assert made.keys == ()
    assert not made.statements[0].holds(SUBJECT)
