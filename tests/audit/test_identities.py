"""Identities with their sending policies, and what of them was not read."""

from __future__ import annotations

import pytest
from audit_worlds import ROOT, World, allow, policy

from ses_audit.audit.identities import placeholder
from ses_audit.audit.model import load
from ses_audit.ses.actions import SEND_ACTIONS

A = "222222222222"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
DOMAIN = f"arn:aws:ses:eu-west-1:{A}:identity/example.com"
GRANT = policy({**allow("ses:SendEmail", DOMAIN), "Principal": {"AWS": A}})


@pytest.fixture
def member(world: World) -> World:
    world.account(A, "prod", ROOT)
    world.region(A, "eu-west-1", production=False)
    return world


def test_an_identity_with_what_is_known_of_it(member: World) -> None:
    member.identity(DOMAIN, GRANT, configuration_set="main")
    found = load(member, ACTIONS).identities[DOMAIN]
    assert (found.account, found.region, found.name, found.type) == (
        A,
        "eu-west-1",
        "example.com",
        "domain",
    )
    assert (found.verified, found.configuration_set, found.known) == (True, "main", True)
    assert [(p.name, p.target) for p in found.policies] == [("sending-0", DOMAIN)]


def test_a_malformed_sending_policy_is_missing_and_the_others_stay(member: World) -> None:
    member.identity(DOMAIN, GRANT, '{"Statement": NaN}')
    found = load(member, ACTIONS).identities[DOMAIN]
    assert len(found.policies) == 1
    assert found.missing == (
        f"{A}/eu-west-1/sesv2.GetEmailIdentity[example.com: sending-1]=MALFORMED",
    )


def test_details_that_were_not_read(member: World) -> None:
    member.identity(DOMAIN, details=False)
    member.cell(A, "eu-west-1", "sesv2", "GetEmailIdentity", "THROTTLED", "example.com")
    found = load(member, ACTIONS).identities[DOMAIN]
    assert found.configuration_set is None
    assert found.missing == (f"{A}/eu-west-1/sesv2.GetEmailIdentity[example.com]=THROTTLED",)


def test_the_account_in_the_region(member: World) -> None:
    state = load(member, ACTIONS).account_regions[A, "eu-west-1"]
    assert (state.production_access, state.sending_enabled, state.enforcement_status) == (
        False,
        True,
        "HEALTHY",
    )
    member.rows["ses_account_regions"][-1] |= {
        "production_access": None, "sending_enabled": None, "enforcement_status": None,
    }  # fmt: skip
    member.cell(A, "eu-west-1", "sesv2", "GetAccount", "DENIED")
    state = load(member, ACTIONS).account_regions[A, "eu-west-1"]
    assert (state.production_access, state.enforcement_status) == (None, None)
    assert state.missing == (f"{A}/eu-west-1/sesv2.GetAccount=DENIED",)


def test_a_placeholder_ends_in_a_star() -> None:
    found = placeholder("aws-us-gov", A, "us-gov-west-1", ("cell",))
    assert found.arn == f"arn:aws-us-gov:ses:us-gov-west-1:{A}:identity/*"
    assert (found.known, found.type, found.missing) == (False, None, ("cell",))
