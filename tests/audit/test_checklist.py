"""Each item of the checklist, in each of its answers, on organizations made for it."""

from __future__ import annotations

from typing import Any

import pytest
from audit_worlds import ROOT, World, allow, deny, policy

from ses_audit.audit.cell import checklist_data
from ses_audit.audit.decide import Decider
from ses_audit.audit.explain import Explainer
from ses_audit.audit.explanation import ChecklistItem, Explanation
from ses_audit.audit.model import load
from ses_audit.ses.actions import SEND_ACTIONS

A, B = "222222222222", "333333333333"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
PREFIX = f"arn:aws:ses:eu-west-1:{A}"
DOMAIN = f"{PREFIX}:identity/example.com"
NEWS = f"{PREFIX}:identity/news@example.com"
USER = f"arn:aws:iam::{A}:user/app"
ROLE = f"arn:aws:iam::{A}:role/app"


@pytest.fixture
def member(world: World) -> World:
    world.account(A, "prod", ROOT)
    world.scp("p-full2", policy(allow("*")), A)
    world.region(A, "eu-west-1")
    return world


def explained(
    world: World, principal: str = USER, identity: str = DOMAIN, action: str = "ses:SendRawEmail"
) -> Explanation:
    model = load(world, ACTIONS)
    explainer = Explainer(model, Decider(model), "2026-11-23T06:00:00Z")
    return explainer.explain(principal, action, identity)


def answer(found: Explanation, id: str) -> ChecklistItem:
    (one,) = [each for each in found.checklist if each.id == id]
    return one


def causes(found: Explanation) -> list[str]:
    return [each.id for each in found.causes]


def granted(principal: object, **condition: Any) -> dict[str, Any]:
    return {**allow("ses:SendRawEmail", DOMAIN, **condition), "Principal": principal}


def test_every_question_has_its_source() -> None:
    ids = [entry["id"] for entry in checklist_data()["items"]]
    assert len(ids) == len(set(ids))
    for entry in checklist_data()["items"]:
        assert entry["source"].startswith("https://")
        assert entry["confidence"] in "DRIX"
        assert entry["question"].endswith("?")
        assert entry["repair"].endswith(".")
        if "repair_deny" in entry:
            assert "{denies}" in entry["repair_deny"]
            assert entry["repair_deny"].endswith(".")


# What a repair speaks of


def test_the_repair_of_a_deny_names_it_and_asks_for_no_allow(member: World) -> None:
    """An Allow that is there already changes nothing: an explicit Deny outweighs it."""
    member.identity(DOMAIN)
    user = member.principal(USER, policy(allow("ses:*"), {**deny("ses:Send*"), "Sid": "NoMail"}))
    repair = answer(explained(member, user), "identity_policy").repair
    assert "statement 2 “NoMail”" in repair
    assert user in repair
    assert not repair.startswith("Allow")
    assert "Two statements" not in repair


def test_the_repair_of_a_deny_and_of_a_lack_speaks_of_both(member: World) -> None:
    member.identity(DOMAIN)
    user = member.principal(USER, policy({**deny("ses:Send*"), "Sid": "NoMail"}))
    repair = answer(explained(member, user), "identity_policy").repair
    assert repair.startswith("Allow ses:SendRawEmail on ")
    assert "“NoMail”" in repair


def test_the_repair_of_an_scp_names_its_deny_and_where_it_is_attached(member: World) -> None:
    member.identity(DOMAIN)
    member.scp("p-deny", policy({**deny(), "Sid": "NoSes"}), A)
    user = member.principal(USER, policy(allow("ses:*")))
    repair = answer(explained(member, user), "service_control_policy").repair
    assert "“NoSes”" in repair
    assert f"prod ({A})" in repair
    assert "needs an Allow" not in repair


def test_a_repair_names_the_first_of_many_denies(member: World) -> None:
    member.identity(DOMAIN)
    denies = [{**deny(), "Sid": f"No{number}"} for number in range(5)]
    user = member.principal(USER, policy(allow("ses:*"), *denies))
    repair = answer(explained(member, user), "identity_policy").repair
    assert "“No2”" in repair
    assert "“No3”" not in repair
    assert "and 2 more" in repair


# Where nothing allows: the statement that came nearest


def nearest(world: World, *statements: dict[str, Any], **cell: str) -> ChecklistItem:
    principal = world.principal(cell.pop("principal", USER), policy(*statements))
    found = explained(world, principal, **cell)
    (cause,) = found.causes
    return cause


def test_a_resource_that_names_the_domain(member: World) -> None:
    member.identity(DOMAIN)
    member.identity(NEWS)
    found = nearest(member, allow("ses:*", DOMAIN), identity=NEWS)
    assert found.id == "address_identity"
    assert "It names the domain example.com" in found.answer


def test_a_resource_that_names_an_address_that_is_not_verified_apart(member: World) -> None:
    member.identity(DOMAIN)
    found = nearest(member, allow("ses:*", NEWS))
    assert found.id == "address_identity"
    assert "news@example.com, which was not verified apart" in found.answer


def test_a_resource_that_names_something_else(member: World) -> None:
    member.identity(DOMAIN)
    member.identity(NEWS)
    # News is verified apart, so naming it says nothing of the domain.
    found = nearest(member, allow("ses:*", [NEWS, f"{PREFIX}:identity/other.example"]))
    assert found.id == "identity_policy"
    assert [each.statement_index for each in found.evidence] == [0]
    assert "other.example" in found.evidence[0].note


def test_a_not_resource(member: World) -> None:
    member.identity(DOMAIN)
    statement = {"Effect": "Allow", "Action": "ses:*", "NotResource": DOMAIN}
    found = nearest(member, statement)
    assert (found.id, found.evidence[0].note) == (
        "identity_policy",
        "Its Resource excludes it by NotResource.",
    )


def test_a_condition_on_a_value_that_is_known(member: World) -> None:
    member.identity(DOMAIN)
    far = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    found = nearest(member, allow("ses:*", **far))
    assert found.id == "identity_policy"
    assert found.evidence[0].note == (
        "aws:RequestedRegion is eu-west-1, and its StringEquals asks for us-east-1."
    )


def test_a_tag_that_the_principal_has_not(member: World) -> None:
    member.identity(DOMAIN)
    team = {"StringEquals": {"aws:PrincipalTag/team": "mail"}}
    found = nearest(member, allow("ses:*", **team))
    assert (found.id, found.answer) == (
        "principal_attributes",
        "The principal has no aws:PrincipalTag/team.",
    )


def test_a_variable_that_the_principal_has_not(member: World) -> None:
    member.identity(DOMAIN)
    found = nearest(member, allow("ses:*", f"{PREFIX}:identity/${{aws:username}}"), principal=ROLE)
    assert found.id == "principal_attributes"
    assert "aws:username" in found.answer


def test_a_key_that_no_send_carries(member: World) -> None:
    member.identity(DOMAIN)
    found = nearest(member, allow("ses:*", StringEquals={"aws:ResourceTag/env": "prod"}))
    assert found.id == "absent_key"
    assert "ses:SendRawEmail carries no aws:ResourceTag/env" in found.answer


def test_an_address_that_the_identity_cannot_send_from(member: World) -> None:
    member.identity(DOMAIN)
    found = nearest(member, allow("ses:*", StringEquals={"ses:FromAddress": "a@example.org"}))
    assert (found.id, "a@example.org" in found.answer) == ("from_address", True)


def test_conditions_of_one_statement_that_never_meet(member: World) -> None:
    member.identity(DOMAIN)
    found = nearest(
        member,
        allow(
            "ses:*",
            IpAddress={"aws:SourceIp": "203.0.113.0/24"},
            NotIpAddress={"aws:SourceIp": "203.0.0.0/16"},
        ),
    )
    assert (found.id, found.answer) == ("conditions", "No request meets its conditions together.")


def test_another_action(member: World) -> None:
    member.identity(DOMAIN)
    found = nearest(member, allow("ses:SendEmail", DOMAIN))
    assert (found.id, found.answer) == ("wrong_action", "It allows ses:SendEmail only.")


def test_the_nearest_statement_of_several_is_told(member: World) -> None:
    member.identity(DOMAIN)
    member.identity(NEWS)
    found = nearest(
        member, allow("ses:SendEmail"), allow("s3:*"), allow("ses:Send*", DOMAIN), identity=NEWS
    )
    assert (found.id, [each.statement_index for each in found.evidence]) == (
        "address_identity",
        [2],
    )


def test_nothing_is_near(member: World) -> None:
    member.identity(DOMAIN)
    found = nearest(member, allow("s3:*"))
    assert (found.id, found.evidence[0].title) == (
        "identity_policy",
        f"identity_policy: no statement allows it · attached to {USER}",
    )


def test_a_denying_and_a_lacking_policy(member: World) -> None:
    member.identity(DOMAIN)
    member.principal(USER, policy(allow("s3:*"), {**deny("ses:Send*"), "Sid": "Never"}))
    found = answer(explained(member), "identity_policy")
    assert [(each.effect, each.sid) for each in found.evidence] == [
        ("deny", "Never"),
        ("lack", None),
    ]


# Sending policies


def test_a_sending_policy_grants_what_the_principal_s_own_do_not(member: World) -> None:
    member.principal(USER)
    member.identity(DOMAIN, policy(granted({"AWS": USER})))
    found = explained(member)
    first = answer(found, "identity_policy")
    assert (str(found.verdict), first.status) == ("ALLOWED", "cleared")
    assert [each.layer for each in first.evidence] == ["sending_authorization_policy"]
    gates = {gate.layer: gate.note for gate in found.checks[0].gates}
    assert gates["identity_policy"] == "a sending policy grants instead"


def test_a_sending_policy_that_denies_in_some_contexts(member: World) -> None:
    member.principal(USER, policy(allow()))
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    statement = {**deny("ses:SendRawEmail", DOMAIN, **near), "Principal": "*"}
    member.identity(DOMAIN, policy(statement))
    found = answer(explained(member), "sending_authorization_policy")
    assert (found.status, found.missing) == ("cannot_tell", ("the request's aws:SourceIp",))


def test_sending_policies_that_were_not_read(member: World) -> None:
    member.principal(USER, policy(allow("s3:*")))
    member.identity(DOMAIN, details=False)
    member.cell(A, "eu-west-1", "sesv2", "GetEmailIdentity", "DENIED", "example.com")
    found = explained(member)
    assert str(found.verdict) == "UNKNOWN"
    assert [each.id for each in found.open_questions] == [
        "identity_policy",
        "sending_authorization_policy",
        "default_configuration_set",
    ]
    assert {gate.layer: gate.state for gate in found.checks[0].gates}[
        "identity_policy"
    ] == "unknown"


# SCPs


def test_scps_that_were_not_read(member: World) -> None:
    member.cell("111111111111", "global", "organizations", "ListTargetsForPolicy", "DENIED")
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = answer(explained(member), "service_control_policy")
    assert found.status == "cannot_tell"
    assert found.missing == ("111111111111/global/organizations.ListTargetsForPolicy=DENIED",)


@pytest.mark.parametrize(
    "organization, said",
    [
        ({"none": True}, "the snapshot states that no organization applies"),
        ({"id": "o-a1b2c3d4e5", "policy_types": []}, "the organization has not enabled them"),
    ],
)
def test_scps_that_bind_nobody(member: World, organization: dict[str, Any], said: str) -> None:
    member.manifest["organization"] = organization
    for operation in ("DescribeOrganization", "ListRoots"):
        member.cell(A, "global", "organizations", operation)
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    assert said in answer(explained(member), "service_control_policy").answer


def test_scps_that_do_not_bind_this_principal(member: World) -> None:
    linked = f"arn:aws:iam::{A}:role/aws-service-role/x.amazonaws.com/Linked"
    member.principal(linked, policy(allow()), linked=True)
    service = {"Service": "cognito-idp.amazonaws.com"}
    outside = {"AWS": "arn:aws:iam::909090909090:root"}
    member.identity(DOMAIN, policy(granted(service), granted(outside)))
    said = {
        linked: "it is a service-linked role",
        "cognito-idp.amazonaws.com": "it belongs to no account",
    }
    for principal, text in said.items():
        found = answer(explained(member, principal), "service_control_policy")
        assert (found.status, text in found.answer) == ("cleared", True)
    found = answer(explained(member, "arn:aws:iam::909090909090:root"), "service_control_policy")
    assert (found.status, found.missing) == ("cannot_tell", ("account 909090909090",))


def test_a_level_without_any_policy(member: World) -> None:
    member.rows["policy_attachments"] = [
        row for row in member.rows["policy_attachments"] if row["target_id"] != A
    ]
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = answer(explained(member), "service_control_policy")
    assert (found.status, found.answer) == ("cause", "Denied by prod, where no SCP allows it.")
    assert [(each.effect, each.name, each.attached_to) for each in found.evidence] == [
        ("lack", None, f"prod ({A})")
    ]


# Boundaries


def test_a_boundary_that_denies(member: World) -> None:
    member.principal(USER, policy(allow()), boundary=policy(allow("*"), deny("ses:*")))
    member.identity(DOMAIN)
    found = answer(explained(member), "permissions_boundary")
    assert (found.status, found.answer) == (
        "cause",
        "The boundary boundary denies ses:SendRawEmail.",
    )
    assert [each.effect for each in found.evidence] == ["deny"]


def test_a_boundary_with_a_condition(member: World) -> None:
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    member.principal(USER, policy(allow()), boundary=policy(allow(**near)))
    member.identity(DOMAIN)
    found = answer(explained(member), "permissions_boundary")
    assert (found.status, found.missing) == ("cannot_tell", ("the request's aws:SourceIp",))


def test_a_boundary_that_allows(member: World) -> None:
    member.principal(USER, policy(allow()), boundary=policy(allow("ses:*")))
    member.identity(DOMAIN)
    found = answer(explained(member), "permissions_boundary")
    assert (found.status, [each.effect for each in found.evidence]) == ("cleared", ["allow"])


def test_a_boundary_that_was_not_read(member: World) -> None:
    member.principal(USER, policy(allow()), boundary="")
    member.identity(DOMAIN)
    found = explained(member)
    assert [each.id for each in found.open_questions] == ["permissions_boundary"]
    gates = {gate.layer: gate.state for gate in found.checks[0].gates}
    assert gates["permissions_boundary"] == "unknown"


def test_a_boundary_does_not_limit_a_grant_to_the_user_itself(member: World) -> None:
    member.principal(USER, boundary=policy(allow("s3:*")))
    member.identity(DOMAIN, policy(granted({"AWS": USER})))
    found = explained(member)
    assert str(found.verdict) == "ALLOWED"
    assert answer(found, "permissions_boundary").answer.startswith("It does not limit a grant")


# The other checks


def test_a_template_by_its_name(member: World) -> None:
    member.principal(USER, policy(allow("ses:*", [DOMAIN, f"{PREFIX}:template/news-*"])))
    member.identity(DOMAIN)
    found = explained(member, action="ses:SendTemplatedEmail")
    assert (str(found.verdict), answer(found, "template").missing) == (
        "CONDITIONAL",
        ("the template's name",),
    )
    (_, template) = found.checks
    assert template.decision.allowed


def test_a_template_that_nothing_allows(member: World) -> None:
    member.principal(USER, policy(allow("ses:*", DOMAIN)))
    member.identity(DOMAIN)
    found = explained(member, action="ses:SendTemplatedEmail")
    assert causes(found) == ["template"]
    assert "template/*" in answer(found, "template").repair


def test_both_checks_that_fail_are_told(member: World) -> None:
    member.principal(USER, policy(allow("s3:*")))
    member.identity(DOMAIN, configuration_set="tracking")
    assert causes(explained(member)) == ["identity_policy", "default_configuration_set"]


def test_the_owner_s_default_set_does_not_bind_a_delegate(member: World) -> None:
    member.account(B, "partner", ROOT)
    member.scp("p-full3", policy(allow("*")), B)
    delegate = member.principal(f"arn:aws:iam::{B}:role/d", policy(allow()))
    member.identity(DOMAIN, policy(granted({"AWS": delegate})), configuration_set="tracking")
    found = explained(member, delegate)
    assert str(found.verdict) == "ALLOWED"
    assert "does not bind a delegate" in answer(found, "default_configuration_set").answer


def test_the_state_of_the_sandbox_was_not_read(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = None
    member.cell(A, "eu-west-1", "sesv2", "GetAccount", "THROTTLED")
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = answer(explained(member), "sandbox_recipient")
    assert (found.status, found.missing) == (
        "cannot_tell",
        (f"{A}/eu-west-1/sesv2.GetAccount=THROTTLED",),
    )


def test_a_recipient_that_its_own_policy_denies(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = False
    friend = f"{PREFIX}:identity/friend@example.net"
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN, verified=False)
    member.identity(friend, policy({**deny("ses:*", friend), "Principal": "*", "Sid": "NotMe"}))
    found = explained(member)
    assert causes(found) == ["sandbox_recipient"]
    assert [each.sid for each in answer(found, "sandbox_recipient").evidence] == ["NotMe"]


def test_a_recipient_that_its_own_policy_lets_in(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = False
    friend = f"{PREFIX}:identity/friend@example.net"
    member.principal(USER, policy(allow("ses:*", DOMAIN)))
    member.identity(DOMAIN)
    grant = {**allow("ses:SendRawEmail", friend), "Principal": {"AWS": USER}}
    member.identity(friend, policy(grant))
    found = explained(member)
    assert str(found.verdict) == "ALLOWED"
    assert answer(found, "sandbox_recipient").status == "cleared"


def test_a_recipient_by_a_condition(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = False
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    member.principal(USER, policy(allow("ses:*", DOMAIN), allow("ses:*", NEWS, **near)))
    member.identity(DOMAIN, verified=False)
    member.identity(NEWS)
    found = answer(explained(member), "sandbox_recipient")
    assert (found.status, found.missing) == ("cannot_tell", ("the request's aws:SourceIp",))


# The place


def test_an_identity_that_is_in_another_region(member: World) -> None:
    member.region(A, "us-east-1")
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = explained(member, identity=f"arn:aws:ses:us-east-1:{A}:identity/example.com")
    assert (str(found.verdict), causes(found)) == ("ALLOWED", ["place"])
    assert {"not_verified_here", "other_region"} <= {note.id for note in found.notes}


@pytest.mark.parametrize(
    "verified, said", [(True, ", verified"), (False, "not verified"), (None, "was not read")]
)
def test_whether_it_is_verified(member: World, verified: bool | None, said: str) -> None:
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    member.rows["identities"][-1]["verified"] = verified
    found = explained(member)
    assert said in answer(found, "place").answer
    assert any(note.id == "gate" for note in found.notes) is (verified is False)


def test_removing_every_cause_lets_the_send_pass(member: World) -> None:
    """Each cause is a defect of its own: repaired one by one, the last repair allows."""
    net = member.scp("p-net", policy(deny("ses:*")), A)
    member.principal(USER, policy(allow("ses:SendEmail", DOMAIN)), boundary=policy(allow("s3:*")))
    member.identity(DOMAIN, policy({**deny("ses:*", DOMAIN), "Principal": {"AWS": USER}}))
    assert causes(explained(member)) == [
        "sending_authorization_policy",
        "service_control_policy",
        "permissions_boundary",
        "wrong_action",
    ]
    member.rows["identity_policies"].clear()
    member.rows["organization_policies"] = [
        row for row in member.rows["organization_policies"] if row["arn"] != net
    ]
    member.rows["policy_attachments"] = [
        row for row in member.rows["policy_attachments"] if row["policy_id"] != "p-net"
    ]
    assert causes(explained(member)) == ["permissions_boundary", "wrong_action"]
    member.rows["principals"][-1]["boundary_arn"] = None
    assert causes(explained(member)) == ["wrong_action"]
    member.rows["principal_policies"][-1]["document_sha256"] = member.document(
        policy(allow("ses:Send*", DOMAIN))
    )
    assert (causes(explained(member)), str(explained(member).verdict)) == ([], "ALLOWED")
