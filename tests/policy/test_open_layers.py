"""A layer whose denials can be lifted one by one."""

from __future__ import annotations

from policy_cases import ACCOUNT, IDENTITY, USER, allow, attached

from ses_audit.policy.formula import FALSE, TRUE
from ses_audit.policy.open_layers import (
    NOTHING,
    OpenLayer,
    OpenResource,
    deny_statements,
    never,
    only,
)
from ses_audit.policy.reduce import OpenRequest, reduce_layer, reduce_resource_policies
from ses_audit.policy.types import Denial, Layer

REQUEST = OpenRequest(USER, "ses:SendEmail", IDENTITY, ACCOUNT)
NEAR = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
LACK = Denial(Layer.IDENTITY_POLICY, "implicit")


def deny(**elements: object) -> dict:
    return allow(Effect="Deny", **elements)


def test_only_keeps_the_statement_s_place() -> None:
    found = only(attached(allow(), deny()), 1)
    (statement,) = found.document.statements
    assert (statement.index, statement.effect) == (1, "Deny")


def test_never() -> None:
    assert never(FALSE, REQUEST)
    assert not never(TRUE, REQUEST)


def test_statements_that_can_hold_are_kept_with_when_they_do() -> None:
    policies = (attached(allow(), deny(Sid="No"), deny(Sid="Far", Action="s3:*")),)
    whole = reduce_layer(policies, REQUEST)
    (found,) = deny_statements(Layer.IDENTITY_POLICY, policies, REQUEST, whole.deny)
    assert found == (Denial(Layer.IDENTITY_POLICY, "explicit", "policy", "No", 1), TRUE)
    assert deny_statements(Layer.IDENTITY_POLICY, policies, REQUEST, FALSE) == ()


def test_a_layer_with_some_of_its_denials_lifted() -> None:
    policies = (attached(deny(Sid="No"), deny(Sid="Near", Condition=NEAR)),)
    whole = reduce_layer(policies, REQUEST)
    statements = deny_statements(Layer.IDENTITY_POLICY, policies, REQUEST, whole.deny)
    layer = OpenLayer(whole, LACK, statements)
    (always, _), (near, formula) = statements
    assert layer.lifted(NOTHING) is whole
    assert layer.lifted(frozenset({near})).deny is TRUE
    assert layer.lifted(frozenset({always})).deny is formula
    assert layer.lifted(frozenset({always, near})).deny is FALSE
    lifted = layer.lifted(frozenset({LACK}))
    assert (lifted.allow, lifted.deny) == (TRUE, TRUE)


def test_a_resource_s_policies_with_some_of_their_denials_lifted() -> None:
    policies = (attached(deny(Principal="*", Sid="No")),)
    whole = reduce_resource_policies(policies, REQUEST)
    layer = Layer.SENDING_AUTHORIZATION_POLICY
    resource = OpenResource(whole, deny_statements(layer, policies, REQUEST, whole.deny))
    ((denial, _),) = resource.statements
    assert resource.lifted(NOTHING) is whole
    assert resource.lifted(frozenset({denial})).deny is FALSE
    granted = resource.lifted(frozenset({resource.lack}))
    granted_by = (granted.grant_exempt, granted.grant_limited, granted.delegate)
    assert (*granted_by, granted.deny) == (TRUE, TRUE, TRUE, TRUE)
