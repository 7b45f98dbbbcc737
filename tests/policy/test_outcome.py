"""One request against all layers: tests/policy/cases/layers.json, by every evaluator."""

from __future__ import annotations

import pytest
from policy_cases import ACCOUNT, allow, attached, identity_layers, request
from policy_layers import CASES, layers_of, request_of, words

from ses_audit.policy.evaluate import evaluate, is_same_account
from ses_audit.policy.outcome import outcome
from ses_audit.policy.reduce import OpenRequest, open_evaluate
from ses_audit.policy.types import Caller, Effect, Layer, Layers, Verdict


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict) -> None:
    assert case["source"].startswith("https://docs.aws.amazon.com/")
    layers, asked = layers_of(case), request_of(case)
    found = outcome(layers, asked)
    assert found.effect.value == case["effect"]
    assert [words(denial) for denial in found.denials] == case.get("denied_by", [])
    if "granted_by" in case:
        assert [policy.name for policy, _ in found.grants] == case["granted_by"]
    opened = open_evaluate(
        layers,
        OpenRequest(
            asked.caller,
            asked.action,
            asked.resource,
            asked.resource_account,
            known=asked.context,
            absent=frozenset({"aws:sourceip"}) - asked.context.keys(),
        ),
    )
    assert opened.proven
    assert opened.verdict is (Verdict.ALLOWED if found.effect is Effect.ALLOWED else Verdict.DENIED)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_tree_says_the_same(case: dict) -> None:
    layers, asked = layers_of(case), request_of(case)
    found, tree = outcome(layers, asked), evaluate(layers, asked)
    assert (tree.effect, list(tree.denied_by)) == (found.effect, found.denials)
    assert tree.granted_by == found.grants
    assert tree.allowed is (found.effect is Effect.ALLOWED)
    assert [layer.layer for layer in tree.layers] == list(Layer)
    # Each explicit denial is a statement that matched, in the layer it names.
    matched = {
        (layer.layer, policy.policy.name, statement.statement.index)
        for layer in tree.layers
        for level in layer.levels
        for policy in level.policies
        for statement in policy.statements
        if statement.matched and statement.statement.effect == "Deny" and layer.applies
    }
    explicit = {
        (denial.layer, denial.policy, denial.statement_index)
        for denial in tree.denied_by
        if denial.kind == "explicit"
    }
    assert matched == explicit


def test_an_explicit_denial_names_its_statement_and_target() -> None:
    scp = attached(allow(), allow(Effect="Deny", Sid="No"), name="Lock", arn="arn:p", target="ou-1")
    layers = Layers(identity_policies=(attached(allow()),), service_control_policies=((scp,),))
    (denial,) = outcome(layers, request()).denials
    assert (denial.policy, denial.sid, denial.statement_index) == ("arn:p", "No", 1)
    assert denial.target == "ou-1"


def test_an_empty_level_is_named_by_its_target() -> None:
    layers = Layers(
        identity_policies=(attached(allow()),),
        service_control_policies=((attached(allow()),), ()),
        service_control_targets=("r-1", "ou-2"),
        resource_control_policies=((),),
        resource_control_targets=("r-1",),
    )
    assert [d.target for d in outcome(layers, request()).denials] == ["ou-2", "r-1"]
    assert not outcome(layers, request()).allowed_by_organizations


def test_what_an_organization_and_a_boundary_allow_by_themselves() -> None:
    layers = Layers(
        service_control_policies=((attached(allow()),),),
        permissions_boundary=attached(allow(Action="s3:*")),
    )
    found = outcome(layers, request())
    assert found.allowed_by_organizations
    assert not found.allowed_by_boundary
    assert outcome(Layers(), request()).allowed_by_boundary


def test_what_decides() -> None:
    statements = (allow(Sid="yes"), allow(Effect="Deny", Sid="no", Action="ses:SendRawEmail"))
    layers = identity_layers(*statements)
    allowed = outcome(layers, request())
    assert [statement.sid for _, statement in allowed.deciding] == ["yes"]
    denied = outcome(layers, request(action="ses:SendRawEmail"))
    assert [statement.sid for _, statement in denied.deciding] == ["no"]
    assert outcome(Layers(), request()).deciding == ()


@pytest.mark.parametrize(
    ("caller", "owner", "same"),
    [
        (ACCOUNT, ACCOUNT, True),
        (ACCOUNT, "222222222222", False),
        (None, ACCOUNT, True),
        (ACCOUNT, None, True),
    ],
)
def test_one_account_or_two(caller: str | None, owner: str | None, same: bool) -> None:
    asked = request(caller=Caller("x", caller, "user"), owner=owner)
    assert is_same_account(asked) is same


def test_every_layer_lists_its_policies() -> None:
    names = [
        policy.name
        for policy in Layers(
            identity_policies=(attached(allow(), name="i"),),
            permissions_boundary=attached(allow(), name="b"),
            session_policies=(attached(allow(), name="s"),),
            service_control_policies=((attached(allow(), name="scp"),),),
            resource_control_policies=((attached(allow(), name="rcp"),),),
            resource_policies=(attached(allow(), name="r"),),
        ).all_policies()
    ]
    assert names == ["i", "b", "s", "scp", "rcp", "r"]
    assert list(Layers().all_policies()) == []
