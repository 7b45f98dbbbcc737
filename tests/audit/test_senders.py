"""Principals as they can be senders."""

from __future__ import annotations

import json

import pytest
from audit_worlds import ROOT, World, allow, policy

from ses_audit.audit.model import load
from ses_audit.audit.senders import OUTSIDE_POLICY, ROOT_POLICY, outside_sender, unread_sender
from ses_audit.ses.actions import SEND_ACTIONS

A = "222222222222"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
USER = f"arn:aws:iam::{A}:user/app"


@pytest.fixture
def member(world: World) -> World:
    world.account(A, "prod", ROOT)
    return world


def test_a_user_with_what_its_account_says_of_it(member: World) -> None:
    member.principal(
        USER, policy(allow("ses:Send*")), boundary=policy(allow("*")), tags={"team": "mail"},
        keys=("Active", "Inactive"),
    )  # fmt: skip
    sender = load(member, ACTIONS).senders[USER]
    assert (sender.type, sender.account, sender.name, sender.smtp) == ("user", A, "app", True)
    assert sender.tags == {"team": "mail"}
    assert [p.name for p in sender.identity_policies] == ["policy-0"]
    assert sender.boundary is not None
    assert sender.boundary.name == "boundary"
    assert (sender.missing, sender.boundary_missing) == ((), ())
    assert (sender.caller.kind, sender.caller.principal_id) == ("user", "AIDAEXAMPLE")


def test_a_document_without_any_send_statement_is_left_out(member: World) -> None:
    member.principal(USER, policy(allow("s3:*")), policy(allow("ses:Get*")))
    assert load(member, ACTIONS).senders[USER].identity_policies == ()


def test_a_root_user_has_one_statement_of_its_own(member: World) -> None:
    sender = load(member, ACTIONS).senders[f"arn:aws:iam::{A}:root"]
    assert [p.name for p in sender.identity_policies] == [ROOT_POLICY]
    assert sender.smtp is False


def test_a_document_that_was_not_seen_is_missing(member: World) -> None:
    member.principal(USER, None, policy(allow()))
    sender = load(member, ACTIONS).senders[USER]
    assert sender.missing == (f"{A}/global/iam.GetAccountAuthorizationDetails[policy-0]=MALFORMED",)
    assert len(sender.identity_policies) == 1


def test_a_root_user_of_an_account_that_was_not_read_misses_nothing(member: World) -> None:
    member.cell(A, "global", "iam", "GetAccountAuthorizationDetails", "DENIED")
    member.principal(USER)
    senders = load(member, ACTIONS).senders
    assert senders[f"arn:aws:iam::{A}:root"].missing == ()
    assert senders[USER].missing


@pytest.mark.parametrize("tags", ["", "[]", json.dumps({"a": "b"})])
def test_tags_are_a_mapping(member: World, tags: str) -> None:
    member.principal(USER)
    member.rows["principals"][-1]["tags"] = tags
    expected = {"a": "b"} if "a" in tags else {}
    assert load(member, ACTIONS).senders[USER].tags == expected


@pytest.mark.parametrize(
    "arn, kind, name, policies",
    [
        ("arn:aws:iam::909090909090:root", "account", "root", [OUTSIDE_POLICY]),
        ("arn:aws:iam::909090909090:role/a/r", "role", "r", [OUTSIDE_POLICY]),
        ("cognito-idp.amazonaws.com", "service", "cognito-idp.amazonaws.com", []),
        ("*", "anonymous", "*", []),
    ],
)
def test_outside_senders(arn: str, kind: str, name: str, policies: list[str]) -> None:
    sender = outside_sender(arn, None, kind)
    assert (sender.name, sender.in_organization) == (name, False)
    assert [p.name for p in sender.identity_policies] == policies
    assert sender.caller.kind == kind


def test_an_unread_sender_misses_its_account() -> None:
    sender = unread_sender(f"arn:aws:iam::{A}:*", A, "account", ("cell",))
    assert (sender.missing, sender.in_organization, sender.identity_policies) == (
        ("cell",),
        True,
        (),
    )
