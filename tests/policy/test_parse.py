"""What a document becomes; no statement is ever dropped."""

from __future__ import annotations

import json

import pytest
from policy_cases import IDENTITY, allow, request

from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.parse import parse_document
from ses_audit.policy.types import AttachedPolicy, Layers, PrincipalElement


def test_single_and_list_are_the_same() -> None:
    single = parse_document({"Statement": allow(Principal={"AWS": "1"})})
    listed = parse_document(
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["ses:*"],
                    "Resource": ["*"],
                    "Principal": {"AWS": ["1"]},
                }
            ]
        }
    )
    assert single.statements == listed.statements


def test_version_and_id() -> None:
    body = {"Statement": allow()}
    assert parse_document(body).version == "2008-10-17"
    assert parse_document({"Version": "2012-10-17", "Id": "i", **body}).id == "i"
    assert parse_document({"Version": "2008-10-17", **body}).id is None


def test_equal_text_parses_to_equal_documents() -> None:
    text = json.dumps({"Statement": allow()})
    assert parse_document(text) == parse_document(text)
    assert parse_document(text).digest != parse_document(text + " ").digest


def test_the_parts_of_a_statement() -> None:
    (statement,) = parse_document(
        {
            "Statement": {
                "Sid": "s",
                "Effect": "Deny",
                "NotAction": "a:b",
                "NotResource": ["r", "s"],
                "NotPrincipal": {"AWS": ["1", "2"], "Service": "x"},
                "Condition": {"foranyvalue:stringlikeifexists": {"K": ["v", True, 2]}},
            }
        }
    ).statements
    assert (statement.index, statement.sid, statement.effect) == (0, "s", "Deny")
    assert (statement.actions, statement.actions_negated) == (("a:b",), True)
    assert (statement.resources, statement.resources_negated) == (("r", "s"), True)
    assert statement.principal == PrincipalElement(
        (("AWS", ("1", "2")), ("Service", ("x",))), negated=True
    )
    (clause,) = statement.conditions
    assert (clause.operator, clause.key, clause.values) == ("StringLike", "K", ("v", "true", "2"))
    assert (clause.set_operator, clause.if_exists) == ("ForAnyValue", True)
    assert clause.text == "ForAnyValue:StringLikeIfExists"


def test_booleans_and_numbers_stand_as_their_json_text() -> None:
    written = allow(Condition={"StringEquals": {"k": [True, False, 5, "x"]}})
    (statement,) = parse_document({"Statement": written}).statements
    assert statement.conditions[0].values == ("true", "false", "5", "x")


def test_everyone_in_three_spellings() -> None:
    everyone = PrincipalElement((("AWS", ("*",)),))
    for principal in ("*", {"AWS": "*"}, {"AWS": ["*"]}):
        (statement,) = parse_document({"Statement": allow(Principal=principal)}).statements
        assert statement.principal == everyone


@pytest.mark.parametrize(
    "source", [b"{}", {1, 2}, object(), float("nan"), {"a": object()}, None, 5, ["x"], {"Id": b""}]
)
def test_what_is_no_json_at_all(source: object) -> None:
    with pytest.raises(MalformedPolicy):
        parse_document(source)  # type: ignore[arg-type]


def test_an_object_that_holds_itself_or_is_deep() -> None:
    loop: dict[str, object] = {}
    loop["Statement"] = loop
    with pytest.raises(MalformedPolicy):
        parse_document(loop)
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(MalformedPolicy):
        parse_document({"Statement": deep})


def test_two_keys_that_become_one() -> None:
    with pytest.raises(MalformedPolicy, match="duplicate key"):
        parse_document({"Statement": allow(Condition={"Null": {1: "true", "1": "true"}})})


def test_a_lone_surrogate_in_an_object() -> None:
    with pytest.raises(MalformedPolicy, match="lone surrogate"):
        parse_document({"Statement": allow(Sid="\ud800")})


def test_a_megabyte_of_statements_is_kept_whole() -> None:
    number = 8_000
    statements = [allow(Sid=f"s{i}", Resource=f"{IDENTITY}{i}") for i in range(number)]
    text = json.dumps({"Statement": [*statements, allow(), allow(Effect="Deny", Sid="last")]})
    assert len(text) > 1_000_000
    document = parse_document(text)
    assert len(document.statements) == number + 2
    layers = Layers(identity_policies=(AttachedPolicy(document, "p"),))
    decision = evaluate(layers, request())
    assert [denial.sid for denial in decision.denied_by] == ["last"]


@pytest.mark.parametrize("size", [2_000, 20_000])
def test_bombs_of_stars_are_parsed_and_matched(size: int) -> None:
    bombs = ["*" * size, "*a" * size, "?*" * size, "*?" * size + "b", "arn:*" + ":*a" * size]
    statement = allow(
        Action=[*bombs, "ses:*"],
        Resource=[*bombs, f"*{IDENTITY}*"],
        Condition={"StringNotLike": {"k": [b + "!" for b in bombs]}},
    )
    layers = Layers(
        identity_policies=(AttachedPolicy(parse_document({"Statement": statement}), "p"),)
    )
    decision = evaluate(layers, request(context={"k": "a" * size}))
    assert len(decision.layers[0].levels[0].policies[0].statements) == 1
