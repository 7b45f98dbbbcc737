"""The tree in words and in JSON: complete, whatever decided."""

from __future__ import annotations

import json

import pytest
from policy_cases import IDENTITY, allow, attached, request
from policy_layers import CASES, layers_of, request_of

from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.explain import denial_text, explain_json, explain_text
from ses_audit.policy.types import Denial, Layer, Layers

LAYERS = Layers(
    identity_policies=(
        attached(
            allow(Sid="Yes"),
            allow(
                Effect="Deny",
                Action="s3:*",
                Resource="arn:aws:s3:::b",
                Condition={"StringEquals": {"aws:SourceVpc": ["a", "b"]}, "Null": {"x": "true"}},
            ),
            name="send",
            arn="arn:aws:iam::111111111111:policy/send",
        ),
    ),
    service_control_policies=(
        (attached(allow(), name="FullAWSAccess", target="r-1"),),
        (attached(allow(Effect="Deny", Sid="No"), name="Lock", target="ou-1"),),
        (),
    ),
    service_control_targets=("r-1", "ou-1", "222222222222"),
)


TEXT = """\
explicitDeny
  service_control_policy: explicitly denied by Lock, statement 1 "No", attached to ou-1
  service_control_policy: no statement allows it at ou-1
  service_control_policy: no statement allows it at 222222222222
identity_policy: allowed
  arn:aws:iam::111111111111:policy/send
    statement 1 "Yes" Allow: matched
    statement 2 Deny: no match in action, resource, condition StringEquals aws:SourceVpc a or b
permissions_boundary: does not apply (none is set)
session_policy: does not apply (none is set)
service_control_policy: explicitDeny
  at r-1: allowed
    FullAWSAccess
      statement 1 Allow: matched
  at ou-1: explicitDeny
    Lock
      statement 1 "No" Deny: matched
  at 222222222222: implicitDeny
    no policy
resource_control_policy: does not apply (does not bind this request)
sending_authorization_policy: does not apply (within one account a grant here is not needed)"""


def test_text() -> None:
    assert explain_text(evaluate(LAYERS, request())) == TEXT


def test_what_granted() -> None:
    layers = Layers(identity_policies=LAYERS.identity_policies)
    lines = explain_text(evaluate(layers, request())).splitlines()
    assert lines[:2] == [
        "allowed",
        '  granted by arn:aws:iam::111111111111:policy/send, statement 1 "Yes"',
    ]


def test_json_holds_every_element_and_condition() -> None:
    tree = json.loads(json.dumps(explain_json(evaluate(LAYERS, request()))))
    assert tree["effect"] == "explicitDeny"
    assert [denial["kind"] for denial in tree["denied_by"]] == ["explicit", "implicit", "implicit"]
    assert [layer["layer"] for layer in tree["layers"]] == [layer.value for layer in Layer]
    second = tree["layers"][0]["levels"][0]["policies"][0]["statements"][1]
    assert second["matched"] is False
    assert second["elements"] == {
        "principal": True,
        "action": False,
        "resource": False,
        "condition": False,
    }
    assert [(c["operator"], c["matched"]) for c in second["conditions"]] == [
        ("StringEquals", False),
        ("Null", True),
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_statement_and_denial_is_in_the_tree(case: dict) -> None:
    layers = layers_of(case)
    decision = evaluate(layers, request_of(case))
    tree = explain_json(decision)
    statements = [
        statement
        for layer in tree["layers"]
        for level in layer["levels"]
        for policy in level["policies"]
        for statement in policy["statements"]
    ]
    assert len(statements) == sum(len(p.document.statements) for p in layers.all_policies())
    assert len(tree["denied_by"]) == len(decision.denied_by)
    assert len(tree["granted_by"]) == len(decision.granted_by)
    text = explain_text(decision)
    assert all(denial_text(denial) in text for denial in decision.denied_by)
    if decision.layers[0].applies:
        assert all(policy.name in text for policy in layers.identity_policies)


def test_notes() -> None:
    grant = allow(Principal={"AWS": "arn:aws:iam::111111111111:user/ann"}, Resource=IDENTITY)
    layers = Layers(
        permissions_boundary=attached(allow(Action="s3:*"), name="b"),
        resource_policies=(attached(grant, name="r"),),
    )
    decision = evaluate(layers, request())
    assert decision.allowed
    found = {layer.layer.value: layer.note for layer in decision.layers}
    assert found["identity_policy"] == "a policy of the resource grants instead"
    assert (
        found["permissions_boundary"] == "the grant of the resource's policy is not limited by it"
    )


def test_a_denial_without_a_statement() -> None:
    denial = Denial(Layer.SESSION_POLICY, "implicit", "session-1")
    assert denial_text(denial) == "session_policy: session-1 lacks it"
