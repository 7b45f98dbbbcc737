"""A cell as the requests that SES authorizes, and what their keys are."""

from __future__ import annotations

import pytest
from audit_worlds import ORG, ROOT, World, allow, policy

from ses_audit.audit.model import load
from ses_audit.audit.requests import Requests
from ses_audit.policy.reduce import OpenRequest
from ses_audit.ses.actions import SEND_ACTIONS

A, B = "222222222222", "333333333333"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
DOMAIN = f"arn:aws:ses:eu-west-1:{A}:identity/example.com"
USER = f"arn:aws:iam::{A}:user/app"
KEYS = frozenset(
    {
        "aws:principalorgid",
        "aws:resourceorgid",
        "aws:principalorgpaths",
        "aws:resourceorgpaths",
        "aws:resourceaccount",
    }
)


@pytest.fixture
def member(world: World) -> World:
    world.account(A, "prod", ROOT)
    world.account(B, "other", ROOT)
    world.region(A, "eu-west-1")
    world.principal(USER, policy(allow()))
    world.identity(DOMAIN)
    return world


def asked(
    world: World,
    principal: str = USER,
    *,
    keys: frozenset[str] = KEYS,
    action: str = "ses:SendRawEmail",
    undocumented: bool = True,
) -> OpenRequest:
    model = load(world, ACTIONS)
    identity = model.identities[DOMAIN]
    sender = {s.arn: s for s in model.crossing.senders_of(identity)}[principal]
    requests = Requests(model, undocumented=undocumented)
    return requests.checks(sender, identity, action)[0].ask(keys)


def test_a_request_names_caller_action_and_resource(member: World) -> None:
    found = asked(member)
    assert (found.caller.arn, found.action, found.resource, found.resource_account) == (
        USER,
        "ses:SendRawEmail",
        DOMAIN,
        A,
    )
    assert (found.open_resource, found.has_boundary) == (False, False)


def test_only_the_keys_that_were_asked_for(member: World) -> None:
    found = asked(member, keys=frozenset({"aws:principalorgid"}))
    assert (found.known, found.absent, found.domains) == (
        {"aws:principalorgid": (ORG,)},
        frozenset(),
        {},
    )


def test_what_is_known_of_the_organization(member: World) -> None:
    found = asked(member)
    assert found.known["aws:principalorgid"] == (ORG,)
    assert found.known["aws:principalorgpaths"] == (f"{ORG}/{ROOT}/",)
    assert found.known["aws:resourceaccount"] == (A,)


def test_what_is_not_known_is_open(member: World) -> None:
    member.manifest["organization"] = {}
    for row in member.rows["organizational_units"]:
        row["path"] = None
    found = asked(member)
    assert set(found.domains) == KEYS - {"aws:resourceaccount"}
    assert found.domains["aws:principalorgpaths"].multivalued
    assert found.absent == frozenset()


def test_without_an_organization_its_keys_are_absent(member: World) -> None:
    member.manifest["organization"] = {"none": True}
    for row in member.rows["organizational_units"]:
        row["path"] = None
    found = asked(member)
    assert {"aws:principalorgid", "aws:resourceorgid"} <= found.absent


def test_undocumented_keys_can_be_taken_out(member: World) -> None:
    found = asked(member, undocumented=False)
    assert "aws:resourceaccount" in found.absent
    assert found.known["aws:principalorgid"] == (ORG,)
    assert "aws:resourceaccount" not in found.known


def test_a_session_goes_by_its_role(member: World) -> None:
    role = member.principal(f"arn:aws:iam::{A}:role/path/r")
    member.rows["principals"][-1]["name"] = "r"
    session = f"arn:aws:sts::{A}:assumed-role/r/job"
    member.rows["identities"].clear()
    grant = {**allow("ses:SendRawEmail", DOMAIN), "Principal": {"AWS": session}}
    member.identity(DOMAIN, policy(grant))
    found = asked(member, session, keys=frozenset({"aws:principalarn"}))
    assert (found.caller.arn, found.caller.role_arn) == (session, role)
    assert found.known["aws:principalarn"] == (role,)


def test_a_boundary_that_was_not_read_is_one(member: World) -> None:
    bounded = member.principal(f"arn:aws:iam::{A}:user/b", boundary="")
    assert asked(member, bounded).has_boundary


def test_the_name_of_a_resource(member: World) -> None:
    model = load(member, ACTIONS)
    checks = Requests(model).checks(
        model.senders[USER], model.identities[DOMAIN], "ses:SendTemplatedEmail"
    )
    assert [check.name for check in checks] == ["example.com", "*"]
