"""Whom and what a text names: one for certain, candidates, or nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

import ses_audit
from ses_audit.audit.model import Model
from ses_audit.audit.resolve import find_identity, find_principal

WEB = "222222222222"
USER = f"arn:aws:iam::{WEB}:user"
OPEN = "arn:aws:ses:us-east-1:666666666666:identity/open.example"


@pytest.fixture(scope="module")
def model(example_snapshot: Path) -> Model:
    return ses_audit.open(example_snapshot).model


def principal(model: Model, text: str, identity: str | None = None) -> tuple[str, list[str], int]:
    found = find_principal(model, text, model.identities[identity] if identity else None)
    sender = found.sender.arn if found.sender else ""
    return sender, [note.id for note in found.notes], len(found.candidates)


@pytest.mark.parametrize(
    "text, arn",
    [
        (f"{USER}/alice", f"{USER}/alice"),
        (f"  {USER}/alice \n", f"{USER}/alice"),
        ("alice", f"{USER}/alice"),
        (f"arn:aws:iam::{WEB}:root", f"arn:aws:iam::{WEB}:root"),
    ],
)
def test_one_for_certain(model: Model, text: str, arn: str) -> None:
    assert principal(model, text) == (arn, [], 0)


@pytest.mark.parametrize("text", ["*", "arn:aws:iam::121212121212:*"])
def test_those_whom_a_sending_policy_brings(model: Model, text: str) -> None:
    assert principal(model, text, OPEN) == (text, [], 0)


def test_a_session_stands_for_its_role(model: Model) -> None:
    arn = f"arn:aws:sts::{WEB}:assumed-role/deploy/i-0123456789abcdef0"
    found = find_principal(model, arn, None)
    assert found.sender is not None
    assert (found.sender.arn, found.sender.role_arn) == (arn, f"arn:aws:iam::{WEB}:role/deploy")
    assert [note.id for note in found.notes] == ["session"]


def test_a_session_of_a_role_with_a_path(model: Model) -> None:
    name = "AWSReservedSSO_AdministratorAccess_0a1b2c3d4e5f6071"
    found = find_principal(model, f"arn:aws:sts::{WEB}:assumed-role/{name}/jane@example.com", None)
    assert found.sender is not None
    assert found.sender.role_arn == (
        f"arn:aws:iam::{WEB}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{name}"
    )


def test_a_unique_id(model: Model) -> None:
    known = model.senders[f"{USER}/alice"].principal_id
    assert known is not None
    assert principal(model, known) == (f"{USER}/alice", ["principal_id"], 0)
    role = model.senders[f"arn:aws:iam::{WEB}:role/deploy"].principal_id
    assert principal(model, f"{role}:job")[0] == f"arn:aws:iam::{WEB}:role/deploy"
    assert principal(model, "AIDACKCEVSQ6C2EXAMPLE") == ("", ["principal_deleted"], 0)


def test_a_federated_user_leads_to_the_user(model: Model) -> None:
    assert principal(model, f"arn:aws:sts::{WEB}:federated-user/alice") == ("", ["federated"], 1)


def test_a_cut_arn_is_not_guessed(model: Model) -> None:
    # The only user whose ARN begins so is still no more than a candidate.
    assert principal(model, f"{USER}/ali") == ("", ["principal_unknown"], 1)
    assert principal(model, f"{USER}/ses-smtp-user.20") == ("", ["principal_unknown"], 3)
    assert principal(model, "arn:aws:iam::22222...") == ("", ["principal_unknown"], 20)


def test_a_name_that_several_have(model: Model) -> None:
    sender, notes, candidates = principal(model, "ec2-web")
    assert (sender, notes) == ("", ["principal_unknown"])
    assert candidates == 10


def test_another_path_or_case_is_a_candidate(model: Model) -> None:
    found = find_principal(model, f"arn:aws:iam::{WEB}:user/team/Alice", None)
    assert [c.arn for c in found.candidates] == [f"{USER}/alice"]
    assert found.candidates[0].account_name == "prod-web"
    assert "path or case" in found.notes[0].text


def test_nobody(model: Model) -> None:
    assert principal(model, f"{USER}/nobody-at-all") == ("", ["principal_unknown"], 0)
    assert principal(model, "") == ("", ["principal_unknown"], 0)
    gone = f"arn:aws:sts::{WEB}:assumed-role/gone/s"
    assert principal(model, gone) == ("", ["principal_unknown"], 0)


@pytest.mark.parametrize(
    "arn, kind",
    [
        ("arn:aws:iam::121212121212:user/x", "user"),
        ("arn:aws:sts::121212121212:assumed-role/r/s", "session"),
    ],
)
def test_a_principal_of_an_account_that_was_not_read(model: Model, arn: str, kind: str) -> None:
    found = find_principal(model, arn, None)
    assert found.sender is not None
    assert (found.sender.arn, found.sender.type, bool(found.sender.missing)) == (arn, kind, True)
    assert [note.id for note in found.notes] == ["principal_unread"]


@pytest.mark.parametrize(
    "arn, kind",
    [
        ("arn:aws:iam::909090909090:root", "account"),
        ("arn:aws:iam::909090909090:role/r", "role"),
        ("arn:aws:sts::909090909090:assumed-role/r/s", "session"),
    ],
)
def test_a_principal_of_an_account_outside(model: Model, arn: str, kind: str) -> None:
    found = find_principal(model, arn, None)
    assert found.sender is not None
    assert (found.sender.type, found.sender.in_organization) == (kind, False)
    assert [note.id for note in found.notes] == ["other_account"]


def identity(model: Model, text: str, account: str | None = None) -> tuple[str, list[str], int]:
    found = find_identity(model, text, account)
    arn = found.identity.arn if found.identity else ""
    return arn, [note.id for note in found.notes], len(found.candidates)


def ses(region: str, account: str, name: str) -> str:
    return f"arn:aws:ses:{region}:{account}:identity/{name}"


def test_an_identity_for_certain(model: Model) -> None:
    assert identity(model, OPEN) == (OPEN, [], 0)
    assert identity(model, "open.example") == (OPEN, [], 0)


def test_a_name_in_several_places(model: Model) -> None:
    assert identity(model, "dev.example") == ("", ["identity_unknown"], 2)
    # corp.example is in two regions of its account, lab.example in one.
    assert identity(model, "lab.example", "999999999999")[0].endswith("identity/lab.example")


@pytest.mark.parametrize(
    "name, covering",
    [
        ("info@example.com", "example.com"),
        ("info@mail.example.com", "example.com"),
        ("mail.example.com", "example.com"),
        ("news+spring@example.com", "news@example.com"),
        ("info@EXAMPLE.com", "example.com"),
    ],
)
def test_what_covers_an_address(model: Model, name: str, covering: str) -> None:
    found = identity(model, ses("eu-west-1", WEB, name))
    assert found == (ses("eu-west-1", WEB, covering), ["covered"], 0)


def test_an_unverified_identity_covers_nothing(model: Model) -> None:
    wanted = ses("us-east-1", "444444444444", "info@dev.example")
    assert identity(model, wanted) == (wanted, ["not_verified_here"], 0)


def test_an_identity_that_is_elsewhere(model: Model) -> None:
    wanted = ses("us-east-1", "333333333333", "billing.example")
    found = find_identity(model, wanted)
    assert found.exists is False
    assert [note.id for note in found.notes] == [
        "not_verified_here",
        "other_region",
        "other_region",
    ]
    assert {other.region for other in found.elsewhere} == {"eu-west-1", "us-west-2"}
    other = find_identity(model, ses("eu-west-1", "777777777777", "billing.example"))
    assert [note.id for note in other.notes][1:] == ["other_account", "other_account"]


def test_a_region_that_is_off(model: Model) -> None:
    found = find_identity(model, ses("af-south-1", WEB, "example.com"))
    assert "af-south-1 is not enabled" in found.notes[0].text


def test_a_region_that_was_not_read(model: Model) -> None:
    found = find_identity(model, ses("ca-central-1", "888888888888", "security.example"))
    assert (found.exists, found.notes[0].id) == (None, "region_unread")
    assert found.identity is not None
    assert found.identity.missing == ("888888888888/ca-central-1/sesv2.ListEmailIdentities=DENIED",)


def test_an_account_that_the_snapshot_lacks(model: Model) -> None:
    found = find_identity(model, ses("eu-west-1", "123456789012", "example.com"))
    assert (found.exists, found.notes[0].id) == (None, "account_unknown")


def test_a_configuration_set_stands_for_the_identity_whose_default_it_is(model: Model) -> None:
    prefix = f"arn:aws:ses:eu-west-1:{WEB}:configuration-set"
    assert identity(model, f"{prefix}/tracking") == (
        ses("eu-west-1", WEB, "example.org"),
        ["configuration_set"],
        0,
    )
    assert identity(model, f"{prefix}/bulk") == ("", ["configuration_set"], 0)


def test_a_template(model: Model) -> None:
    arn = f"arn:aws:ses:eu-west-1:{WEB}:template/welcome"
    assert identity(model, arn) == ("", ["other_resource"], 0)


def test_a_cut_identity_is_not_guessed(model: Model) -> None:
    assert identity(model, f"arn:aws:ses:eu-west-1:{WEB}:identity")[2] == 4
    assert identity(model, f"arn:aws:ses:eu-west-1:{WEB[:5]}…")[2] == 4
    assert identity(model, "") == ("", ["identity_unknown"], 0)


def test_a_name_that_is_no_whole_one_is_cut(model: Model) -> None:
    assert identity(model, ses("eu-west-1", WEB, "exam")) == ("", ["identity_cut"], 2)
    assert identity(model, ses("eu-west-1", WEB, "news@exam")) == ("", ["identity_cut"], 1)


def test_a_name_that_may_be_cut_is_taken_as_it_stands_and_the_others_are_listed(
    model: Model,
) -> None:
    wanted = ses("eu-west-1", WEB, "example.co")
    assert identity(model, wanted) == (wanted, ["not_verified_here", "identity_cut"], 1)
