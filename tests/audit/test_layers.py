"""One layer at a time: decided once for what its documents can tell apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from audit_worlds import allow, deny

from ses_audit.audit.layers import Layers, referenced_keys
from ses_audit.policy.domains import Domain, Values
from ses_audit.policy.formula import FALSE, TRUE
from ses_audit.policy.parse import parse_document
from ses_audit.policy.reduce import OpenRequest
from ses_audit.policy.types import AttachedPolicy, Caller, Denial, Layer

CALLER = Caller("arn:aws:iam::222222222222:user/a", "222222222222", "user")
DOMAIN = "arn:aws:ses:eu-west-1:222222222222:identity/example.com"
OTHER = "arn:aws:ses:eu-west-1:222222222222:identity/example.org"
ACTION = "ses:SendRawEmail"


def attached(
    *statements: dict[str, Any], name: str = "p", target: str | None = None
) -> AttachedPolicy:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return AttachedPolicy(parse_document(text), name, target=target)


class Asked:
    """Counts how often a request is made, and for which keys."""

    def __init__(self, resource: str = DOMAIN, **known: tuple[str, ...]) -> None:
        self.resource, self.known, self.keys = resource, known, []

    def __call__(self, keys: frozenset[str]) -> OpenRequest:
        self.keys.append(sorted(keys))
        return OpenRequest(
            CALLER,
            ACTION,
            self.resource,
            CALLER.account,
            known=self.known,
            domains={"aws:sourceip": Domain(Values.ADDRESS)},
        )


def rule(layers: Layers, *policies: AttachedPolicy, resource: str = DOMAIN, **more: Any) -> Any:
    asked = more.pop("asked", Asked(resource))
    layer = more.pop("layer", Layer.IDENTITY_POLICY)
    return layers.rule(layer, policies, ACTION, resource, asked, **more)


def test_resources_that_the_documents_treat_alike_share_a_ruling() -> None:
    layers, policy = Layers(), attached(allow("ses:*", "arn:aws:ses:*"))
    assert rule(layers, policy) is rule(layers, policy, resource=OTHER)


def test_resources_that_they_tell_apart_do_not() -> None:
    layers, policy = Layers(), attached(allow("ses:*", DOMAIN))
    assert rule(layers, policy).formula.allow is TRUE
    assert rule(layers, policy, resource=OTHER).formula.allow is FALSE


def test_only_the_keys_that_documents_name_are_asked_for() -> None:
    asked = Asked()
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    found = rule(Layers(), attached(allow("ses:*", **near)), asked=asked)
    assert asked.keys == [["aws:sourceip"]]
    assert found.open_keys == {"aws:sourceip"}


def test_values_of_named_keys_tell_rulings_apart() -> None:
    layers = Layers()
    policy = attached(allow("ses:*", StringEquals={"aws:RequestedRegion": "eu-west-1"}))
    near = rule(layers, policy, asked=Asked(**{"aws:requestedregion": ("eu-west-1",)}))
    far = rule(layers, policy, asked=Asked(**{"aws:requestedregion": ("us-east-1",)}))
    assert (near.formula.allow is TRUE, far.formula.allow is FALSE) == (True, True)
    assert far.implicit == (Denial(Layer.IDENTITY_POLICY, "implicit"),)


def test_denials_that_always_hold_and_those_that_may() -> None:
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    policy = attached(
        allow("*"), {**deny("ses:*"), "Sid": "Always"}, {**deny("ses:*", **near), "Sid": "Near"}
    )
    found = rule(Layers(), policy)
    assert [(d.sid, d.statement_index) for d in found.explicit] == [("Always", 1)]
    assert [(d.sid, d.statement_index) for d in found.possible] == [("Near", 2)]


def test_denials_that_leave_no_context_together() -> None:
    near = {"aws:SourceIp": "203.0.113.0/24"}
    policy = attached(deny("ses:*", IpAddress=near), deny("ses:*", NotIpAddress=near))
    found = rule(Layers(), policy)
    assert [d.statement_index for d in found.explicit] == [0, 1]
    assert found.possible == ()


def test_of_denials_that_leave_no_context_together_one_that_is_not_needed_is_possible() -> None:
    near, nearer = {"aws:SourceIp": "203.0.113.0/24"}, {"aws:SourceIp": "203.0.113.0/25"}
    policy = attached(
        deny("ses:*", IpAddress=near),
        deny("ses:*", IpAddress=nearer),
        deny("ses:*", NotIpAddress=near),
    )
    found = rule(Layers(), policy)
    assert [d.statement_index for d in found.explicit] == [0, 2]
    assert [d.statement_index for d in found.possible] == [1]


def test_a_denial_is_lifted_by_its_statement() -> None:
    found = rule(Layers(), attached(allow("*"), {**deny("ses:*"), "Sid": "No"}, deny("ses:Send*")))
    first, second = found.explicit
    assert found.lifted(frozenset()).deny is TRUE
    assert found.lifted(frozenset({first})).deny is TRUE
    assert found.lifted(frozenset({first, second})).deny is FALSE


def test_a_lack_is_lifted_by_an_allow() -> None:
    found = rule(
        Layers(), attached(allow("s3:*")), layer=Layer.SERVICE_CONTROL_POLICY, target="ou-1"
    )
    assert found.lack == Denial(Layer.SERVICE_CONTROL_POLICY, "implicit", target="ou-1")
    assert found.lifted(frozenset({found.lack})).allow is TRUE


def test_a_boundary_s_lack_is_named_by_its_policy() -> None:
    found = rule(Layers(), attached(allow("s3:*"), name="Fence"), layer=Layer.PERMISSIONS_BOUNDARY)
    assert [denial.policy for denial in found.implicit] == ["Fence"]


def test_keys_that_aws_does_not_document_for_ses_are_marked() -> None:
    known = attached(allow("ses:*", StringEquals={"aws:RequestedRegion": "eu-west-1"}))
    other = attached(allow("ses:*", StringEquals={"aws:ResourceAccount": "222222222222"}))
    assert rule(Layers(), known).undocumented is False
    assert rule(Layers(), other).undocumented is True


@pytest.mark.parametrize(
    "statement, keys",
    [
        (allow("ses:*"), set()),
        (allow("ses:*", StringEquals={"aws:PrincipalTag/Team": "x"}), {"aws:principaltag/team"}),
        (allow("ses:*", "arn:aws:ses:*:*:identity/${aws:username}"), {"aws:username"}),
        (
            allow("ses:*", StringLike={"ses:FromAddress": "${aws:PrincipalTag/who, 'x'}@a.b"}),
            {"ses:fromaddress", "aws:principaltag/who"},
        ),
    ],
)
def test_referenced_keys(statement: dict[str, Any], keys: set[str]) -> None:
    assert referenced_keys(attached(statement).document) == keys


def test_equal_rulings_are_one_object() -> None:
    layers = Layers()
    found = rule(layers, attached(allow("ses:*")))
    assert layers.shared(found) is layers.shared(found)


def test_sending_policies_are_decided_once_for_a_key() -> None:
    layers, asked = Layers(), Asked()
    policy = attached({**deny("ses:*", DOMAIN), "Principal": "*", "Sid": "No"}, target=DOMAIN)
    first = layers.rule_resource((policy,), asked, "key")
    assert layers.rule_resource((policy,), asked, "key") is first
    assert len(asked.keys) == 1
    assert [denial.sid for denial in first.explicit] == ["No"]
    assert first.lifted(frozenset(first.explicit)).deny is FALSE
    granted = first.lifted(frozenset({first.lack}))
    assert (granted.delegate, granted.deny) == (TRUE, TRUE)
    assert first.open_keys == frozenset()
