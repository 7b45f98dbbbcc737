"""The tables as what a decision needs; placeholders for what was not listed."""

from __future__ import annotations

import pytest
from audit_worlds import ROOT, World, allow, policy

from ses_audit.audit.model import load, unread_accounts
from ses_audit.ses.actions import SEND_ACTIONS

A, B = "222222222222", "333333333333"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)


def placeholders(world: World) -> set[str]:
    return {arn for arn, i in load(world, ACTIONS).identities.items() if not i.known}


def test_a_read_account_has_no_placeholder(world: World) -> None:
    world.account(A, "prod", ROOT)
    world.region(A, "eu-west-1")
    assert placeholders(world) == set()
    assert unread_accounts(load(world, ACTIONS)) == []


@pytest.mark.parametrize("state", ["DENIED", "THROTTLED", "TRUNCATED", "MALFORMED"])
def test_a_region_that_was_not_listed(world: World, state: str) -> None:
    world.account(A, "prod", ROOT)
    world.cell(A, "us-east-1", "sesv2", "ListEmailIdentities", state)
    assert placeholders(world) == {f"arn:aws:ses:us-east-1:{A}:identity/*"}


@pytest.mark.parametrize("state", ["OK", "EMPTY", "REGION_DISABLED", "NO_ENDPOINT"])
def test_a_region_without_identities_for_certain(world: World, state: str) -> None:
    world.account(A, "prod", ROOT)
    world.cell(A, "us-east-1", "sesv2", "ListEmailIdentities", state)
    assert placeholders(world) == set()


def test_an_account_that_refused_has_one_for_all_its_regions(world: World) -> None:
    world.account(A, "prod", ROOT)
    world.cell(A, "global", "sts", "AssumeRole", "ASSUME_FAILED")
    world.cell(A, "global", "iam", "GetAccountAuthorizationDetails", "ASSUME_FAILED")
    world.cell(A, "*", "sesv2", "ListEmailIdentities", "ASSUME_FAILED")
    assert placeholders(world) == {f"arn:aws:ses:*:{A}:identity/*"}
    assert unread_accounts(load(world, ACTIONS)) == [A]


def test_a_suspended_account_has_none(world: World) -> None:
    world.account(A, "old", ROOT, audited=False, reason="its state is SUSPENDED")
    assert placeholders(world) == set()


def test_statements_about_other_actions_are_left_out(world: World) -> None:
    world.account(A, "prod", ROOT)
    arn = world.principal(f"arn:aws:iam::{A}:user/u", policy(allow("s3:*"), allow("ses:Send*")))
    (document,) = load(world, ACTIONS).senders[arn].identity_policies
    assert [s.index for s in document.document.statements] == [1]


def test_the_partition_is_the_principals(world: World) -> None:
    world.rows["principals"].clear()
    assert load(world, ACTIONS).partition == "aws"
    world.principal(f"arn:aws-us-gov:iam::{A}:role/r")
    assert load(world, ACTIONS).partition == "aws-us-gov"


def test_without_a_caller_nothing_fails() -> None:
    empty = World()
    empty.manifest.clear()
    found = load(empty, ACTIONS)
    assert (found.senders, found.identities, found.organization.id) == ({}, {}, None)
