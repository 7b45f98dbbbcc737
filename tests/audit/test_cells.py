"""Which principals are crossed with which identities."""

from __future__ import annotations

import pytest
from audit_worlds import ROOT, World, allow, policy

from ses_audit.audit.cells import arn_kind
from ses_audit.audit.model import load
from ses_audit.ses.actions import SEND_ACTIONS

A, B, C = "222222222222", "333333333333", "444444444444"
OUTSIDE = "909090909090"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
DOMAIN = f"arn:aws:ses:eu-west-1:{A}:identity/example.com"


@pytest.fixture
def accounts(world: World) -> World:
    """Two read accounts with a role each, and one that was not read."""
    for account, name in ((A, "owner"), (B, "other"), (C, "refused")):
        world.account(account, name, ROOT)
    world.region(A, "eu-west-1")
    world.principal(f"arn:aws:iam::{A}:role/own")
    world.principal(f"arn:aws:iam::{B}:role/theirs")
    world.cell(C, "global", "iam", "GetAccountAuthorizationDetails", "ASSUME_FAILED")
    return world


def rows(
    world: World, *principals: object, negated: bool = False, effect: str = "Allow"
) -> set[str]:
    name = "NotPrincipal" if negated else "Principal"
    statements = [
        {**allow("ses:SendEmail", DOMAIN), "Effect": effect, name: principal}
        for principal in principals
    ]
    world.identity(DOMAIN, *([policy(*statements)] if statements else []))
    model = load(world, ACTIONS)
    return {sender.arn for sender in model.crossing.senders_of(model.identities[DOMAIN])}


OWN = {f"arn:aws:iam::{A}:root", f"arn:aws:iam::{A}:role/own"}
THEIRS = {f"arn:aws:iam::{B}:root", f"arn:aws:iam::{B}:role/theirs"}


def test_without_a_sending_policy_the_own_account_alone(accounts: World) -> None:
    assert rows(accounts) == OWN


@pytest.mark.parametrize("value", [B, f"arn:aws:iam::{B}:root"])
def test_a_grant_to_an_account_brings_all_its_principals(accounts: World, value: str) -> None:
    assert rows(accounts, {"AWS": value}) == OWN | THEIRS


def test_a_grant_to_one_principal_brings_it_alone(accounts: World) -> None:
    assert rows(accounts, {"AWS": f"arn:aws:iam::{B}:role/theirs"}) == OWN | {
        f"arn:aws:iam::{B}:role/theirs"
    }


def test_an_account_that_was_not_read_has_its_root_and_one_row_for_the_others(
    accounts: World,
) -> None:
    refused = {f"arn:aws:iam::{C}:root", f"arn:aws:iam::{C}:*"}
    assert rows(accounts, {"AWS": C}) == OWN | refused


EVERYONE = (
    OWN
    | THEIRS
    | {
        "*",
        "arn:aws:iam::111111111111:root",
        f"arn:aws:iam::{C}:root",
        f"arn:aws:iam::{C}:*",
    }
)


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}])
def test_a_grant_to_everyone(accounts: World, principal: object) -> None:
    assert rows(accounts, principal) == EVERYONE


def test_not_principal_with_allow_brings_everyone(accounts: World) -> None:
    assert rows(accounts, {"AWS": B}, negated=True) == EVERYONE


@pytest.mark.parametrize(
    "principal, arn",
    [
        ({"AWS": OUTSIDE}, f"arn:aws:iam::{OUTSIDE}:root"),
        ({"AWS": f"arn:aws:iam::{OUTSIDE}:root"}, f"arn:aws:iam::{OUTSIDE}:root"),
        ({"AWS": f"arn:aws:iam::{OUTSIDE}:user/x"}, f"arn:aws:iam::{OUTSIDE}:user/x"),
        (
            {"AWS": f"arn:aws:sts::{OUTSIDE}:assumed-role/r/s"},
            f"arn:aws:sts::{OUTSIDE}:assumed-role/r/s",
        ),
        ({"Service": "cognito-idp.amazonaws.com"}, "cognito-idp.amazonaws.com"),
        ({"Federated": "accounts.google.com"}, "accounts.google.com"),
        # Of an account that was not read, what is named can exist.
        ({"AWS": f"arn:aws:iam::{C}:user/x"}, f"arn:aws:iam::{C}:user/x"),
        ({"AWS": f"arn:aws:sts::{C}:assumed-role/r/s"}, f"arn:aws:sts::{C}:assumed-role/r/s"),
    ],
)
def test_one_row_for_each_as_it_is_named(accounts: World, principal: object, arn: str) -> None:
    assert rows(accounts, principal) == OWN | {arn}


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "AIDACKCEVSQ6C2EXAMPLE"},
        {"AWS": f"arn:aws:iam::{B}:role/gone"},
        {"AWS": f"arn:aws:sts::{B}:assumed-role/gone/s"},
        {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
    ],
)
def test_who_does_not_exist_has_no_row(accounts: World, principal: object) -> None:
    assert rows(accounts, principal) == OWN


def test_a_session_of_a_known_role_is_a_row_beside_it(accounts: World) -> None:
    session = f"arn:aws:sts::{B}:assumed-role/theirs/job"
    assert rows(accounts, {"AWS": session}) == OWN | {f"arn:aws:iam::{B}:role/theirs", session}


def test_a_deny_brings_no_principal_but_a_session_that_it_names(accounts: World) -> None:
    session = f"arn:aws:sts::{A}:assumed-role/own/job"
    named = {"AWS": [session, f"arn:aws:iam::{B}:role/theirs"]}
    assert rows(accounts, named, effect="Deny") == OWN | {session}


def test_nobody_acts_in_a_suspended_account(accounts: World) -> None:
    accounts.rows["accounts"][-1] |= {"state": "SUSPENDED", "audited": False}
    assert f"arn:aws:iam::{C}:*" not in rows(accounts, "*")


def test_a_grant_of_other_actions_brings_nobody(accounts: World) -> None:
    statement = {**allow("ses:GetEmailIdentity", DOMAIN), "Principal": {"AWS": B}}
    accounts.identity(DOMAIN, policy(statement))
    model = load(accounts, ACTIONS)
    found = {sender.arn for sender in model.crossing.senders_of(model.identities[DOMAIN])}
    assert found == OWN


@pytest.mark.parametrize(
    "arn, kind",
    [
        ("arn:aws:iam::1:root", "account"),
        ("arn:aws:iam::1:user/a", "user"),
        ("arn:aws:iam::1:role/a/b", "role"),
        ("arn:aws:sts::1:assumed-role/a/b", "role"),
        ("arn:aws:sts::1:federated-user/a", "user"),
    ],
)
def test_kinds_of_arns(arn: str, kind: str) -> None:
    assert arn_kind(arn) == kind
