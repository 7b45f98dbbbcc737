"""One layer's own answer to a check, and the gates of a picture."""

from __future__ import annotations

import pytest
from audit_worlds import ROOT, World, allow, deny, policy

from ses_audit.audit.decide import Decider
from ses_audit.audit.explanation import ExplainedCheck
from ses_audit.audit.model import load
from ses_audit.audit.tree import explained_check, ruled
from ses_audit.policy.types import Effect
from ses_audit.ses.actions import SEND_ACTIONS

A, B = "222222222222", "333333333333"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
DOMAIN = f"arn:aws:ses:eu-west-1:{A}:identity/example.com"
USER = f"arn:aws:iam::{A}:user/app"
NEAR = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}


@pytest.fixture
def member(world: World) -> World:
    world.account(A, "prod", ROOT)
    world.account(B, "other", ROOT)
    world.scp("p-full2", policy(allow("*")), A, B)
    world.region(A, "eu-west-1")
    return world


def shown(world: World, principal: str = USER, **witness: tuple[str, ...]) -> ExplainedCheck:
    model = load(world, ACTIONS)
    decider = Decider(model)
    identity = model.identities[DOMAIN]
    sender = {s.arn: s for s in model.crossing.senders_of(identity)}[principal]
    check = decider.checks(sender, identity, "ses:SendRawEmail")[0]
    return explained_check(model, decider, sender, identity, check, witness)


def gates(check: ExplainedCheck) -> dict[str, str]:
    return {str(gate.layer): gate.state for gate in check.gates if gate.state != "none"}


def test_open_gates(member: World) -> None:
    member.principal(USER, policy(allow()), boundary=policy(allow("ses:*")))
    member.identity(DOMAIN)
    found = shown(member)
    assert gates(found) == {
        "identity_policy": "open",
        "permissions_boundary": "open",
        "service_control_policy": "open",
    }
    assert (found.allowed, str(found.verdict)) == (True, "ALLOWED")


def test_an_example_of_what_is_open_decides_the_tree(member: World) -> None:
    member.principal(USER, policy(allow(**NEAR)))
    member.identity(DOMAIN)
    inside = shown(member, **{"aws:sourceip": ("203.0.113.9",)})
    outside = shown(member, **{"aws:sourceip": ("198.51.100.1",)})
    assert (inside.decision.effect, outside.decision.effect) == (
        Effect.ALLOWED,
        Effect.IMPLICIT_DENY,
    )
    assert gates(inside)["identity_policy"] == "partly"
    assert inside.context["aws:sourceip"] == ("203.0.113.9",)


def test_a_grant_is_needed_across_accounts_alone(member: World) -> None:
    theirs = member.principal(f"arn:aws:iam::{B}:role/r", policy(allow()))
    member.principal(USER, policy(allow()))
    grant = {**allow("ses:SendRawEmail", DOMAIN, **NEAR), "Principal": {"AWS": theirs}}
    member.identity(DOMAIN, policy(grant))
    assert gates(shown(member, theirs))["sending_authorization_policy"] == "partly"
    assert gates(shown(member))["sending_authorization_policy"] == "open"


def test_an_identity_side_that_a_sending_policy_replaces(member: World) -> None:
    member.principal(USER)
    grant = {**allow("ses:SendRawEmail", DOMAIN), "Principal": {"AWS": USER}}
    member.identity(DOMAIN, policy(grant))
    found = shown(member)
    assert (gates(found)["identity_policy"], found.allowed) == ("open", True)


def test_a_denial_closes_its_gate_although_more_is_missing(member: World) -> None:
    member.principal(USER, policy(allow(), deny("ses:SendRawEmail")), None)
    member.identity(DOMAIN)
    assert gates(shown(member))["identity_policy"] == "closed"


def test_missing_evidence_is_unknown(member: World) -> None:
    member.cell("111111111111", "global", "organizations", "ListTargetsForPolicy", "DENIED")
    member.principal(USER, policy(allow()), None, boundary="")
    member.identity(DOMAIN, details=False)
    found = shown(member)
    assert set(gates(found).values()) == {"unknown"}
    assert len(gates(found)) == 4
    assert str(found.verdict) == "UNKNOWN"


def test_a_layer_that_does_not_apply_says_nothing(member: World) -> None:
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    model = load(member, ACTIONS)
    decider = Decider(model)
    (check,) = decider.checks(model.senders[USER], model.identities[DOMAIN], "ses:SendRawEmail")
    assert ruled(check, check.boundary) is None
    assert ruled(check, check.resource) is None


def test_the_tree_as_json(member: World) -> None:
    member.principal(USER, policy({**allow(), "Sid": "Mail"}))
    member.identity(DOMAIN)
    told = shown(member).to_json()
    layers = told["layers"]
    assert isinstance(layers, list)
    own = layers[0]["levels"][0]["matched"]
    assert own == [{"policy": "policy-0", "sid": "Mail", "statement_index": 0, "effect": "Allow"}]
