"""The tree in words and in JSON: complete, whatever decided."""

from __future__ import annotations

import json

import pytest
from policy_cases import IDENTITY, USER, allow, attached, request
from policy_layers import CASES, layers_of, request_of

from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.explain import denial_json, denial_text, explain_json, explain_text
from ses_audit.policy.types import Caller, Denial, Effect, Layer, Layers

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


GRANTING = Layers(
    identity_policies=(
        attached(
            allow(),
            allow(
                Sid="Far",
                Effect="Deny",
                Condition={"IpAddressIfExists": {"aws:SourceIp": ["10.0.0.0/8", "::1"]}},
            ),
            name="send",
        ),
    ),
    service_control_policies=((attached(allow(), name="Full", arn="p-1", target="r-1"),),),
    service_control_targets=("r-1",),
)
GRANTING_JSON = {
    "effect": "allowed",
    "denied_by": [],
    "granted_by": [{"policy": "send", "sid": None, "statement_index": 0}],
    "layers": [
        {
            "layer": "identity_policy",
            "applies": True,
            "effect": "allowed",
            "note": "",
            "levels": [
                {
                    "target": None,
                    "effect": "allowed",
                    "policies": [
                        {
                            "policy": "send",
                            "name": "send",
                            "target": None,
                            "statements": [
                                {
                                    "statement_index": 0,
                                    "sid": None,
                                    "effect": "Allow",
                                    "matched": True,
                                    "elements": {
                                        "principal": True,
                                        "action": True,
                                        "resource": True,
                                        "condition": True,
                                    },
                                    "conditions": [],
                                },
                                {
                                    "statement_index": 1,
                                    "sid": "Far",
                                    "effect": "Deny",
                                    "matched": False,
                                    "elements": {
                                        "principal": True,
                                        "action": True,
                                        "resource": True,
                                        "condition": False,
                                    },
                                    "conditions": [
                                        {
                                            "operator": "IpAddressIfExists",
                                            "key": "aws:SourceIp",
                                            "values": ["10.0.0.0/8", "::1"],
                                            "matched": False,
                                        }
                                    ],
                                },
                            ],
                        }
                    ],
                }
            ],
        },
        {
            "layer": "permissions_boundary",
            "applies": False,
            "effect": "allowed",
            "note": "none is set",
            "levels": [],
        },
        {
            "layer": "session_policy",
            "applies": False,
            "effect": "allowed",
            "note": "none is set",
            "levels": [],
        },
        {
            "layer": "service_control_policy",
            "applies": True,
            "effect": "allowed",
            "note": "",
            "levels": [
                {
                    "target": "r-1",
                    "effect": "allowed",
                    "policies": [
                        {
                            "policy": "p-1",
                            "name": "Full",
                            "target": "r-1",
                            "statements": [
                                {
                                    "statement_index": 0,
                                    "sid": None,
                                    "effect": "Allow",
                                    "matched": True,
                                    "elements": {
                                        "principal": True,
                                        "action": True,
                                        "resource": True,
                                        "condition": True,
                                    },
                                    "conditions": [],
                                }
                            ],
                        }
                    ],
                }
            ],
        },
        {
            "layer": "resource_control_policy",
            "applies": False,
            "effect": "allowed",
            "note": "does not bind this request",
            "levels": [],
        },
        {
            "layer": "sending_authorization_policy",
            "applies": False,
            "effect": "implicitDeny",
            "note": "within one account a grant here is not needed",
            "levels": [{"target": None, "effect": "implicitDeny", "policies": []}],
        },
    ],
}


def test_the_whole_tree_as_json() -> None:
    decision = evaluate(GRANTING, request(context={"aws:SourceIp": "203.0.113.7"}))
    assert explain_json(decision) == GRANTING_JSON


def test_a_denial_as_json() -> None:
    denial = Denial(Layer.SERVICE_CONTROL_POLICY, "explicit", "Lock", "No", 1, "ou-1")
    assert denial_json(denial) == {
        "layer": "service_control_policy",
        "kind": "explicit",
        "policy": "Lock",
        "sid": "No",
        "statement_index": 1,
        "target": "ou-1",
    }


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
    denial = Denial(Layer.IDENTITY_POLICY, "explicit", "p")
    assert denial_text(denial) == "identity_policy: explicitly denied by p, statement ?"


def test_what_granted_without_a_sid() -> None:
    decision = evaluate(GRANTING, request(context={"aws:SourceIp": "203.0.113.7"}))
    lines = explain_text(decision).splitlines()
    assert lines[:2] == ["allowed", "  granted by send, statement 1"]


def test_a_condition_without_values_ends_with_its_key() -> None:
    condition = {"StringEquals": {"aws:SourceVpc": []}}
    layers = Layers(identity_policies=(attached(allow(Condition=condition), name="p"),))
    assert "    statement 1 Allow: no match in condition StringEquals aws:SourceVpc" in (
        explain_text(evaluate(layers, request())).splitlines()
    )


ANN = {"AWS": "arn:aws:iam::111111111111:user/ann"}
ROOT = Caller("arn:aws:iam::111111111111:root", "111111111111", "root")
NOBODY = Caller("anonymous", None, "anonymous")
SERVICE = Caller("cognito-idp.amazonaws.com", None, "service")
OTHERS = Caller("arn:aws:iam::222222222222:user/bob", "222222222222", "user")
OF_IDENTITY, OF_BOUNDARY = 0, 1
OF_RESOURCE = -1


@pytest.mark.parametrize(
    ("caller", "place", "applies", "note"),
    [
        (USER, OF_IDENTITY, True, ""),
        (USER, OF_RESOURCE, False, "within one account a grant here is not needed"),
        (OTHERS, OF_RESOURCE, True, ""),
        (ROOT, OF_IDENTITY, True, "the root user needs no policy"),
        (NOBODY, OF_IDENTITY, False, "the caller has no identity policies"),
        (SERVICE, OF_IDENTITY, False, "the caller has no identity policies"),
    ],
)
def test_whom_a_layer_binds(caller: Caller, place: int, applies: bool, note: str) -> None:
    layers = Layers(identity_policies=(attached(allow(), name="p"),))
    layer = evaluate(layers, request(caller=caller)).layers[place]
    assert (layer.applies, layer.note) == (applies, note)


def test_a_boundary_that_allows_has_no_note() -> None:
    grant = allow(Principal=ANN, Resource=IDENTITY)
    layers = Layers(
        permissions_boundary=attached(allow(), name="b"),
        resource_policies=(attached(grant, name="r"),),
    )
    layer = evaluate(layers, request()).layers[OF_BOUNDARY]
    assert (layer.applies, layer.effect, layer.note) == (True, Effect.ALLOWED, "")


def test_a_level_without_an_allow_makes_its_layer_an_implicit_deny() -> None:
    levels = ((attached(allow()),), (attached(allow(Action="s3:*")),))
    layers = Layers(identity_policies=(attached(allow()),), service_control_policies=levels)
    assert evaluate(layers, request()).layers[3].effect is Effect.IMPLICIT_DENY
    layers = Layers(identity_policies=(attached(allow()),), service_control_policies=levels[:1])
    assert evaluate(layers, request()).layers[3].effect is Effect.ALLOWED
