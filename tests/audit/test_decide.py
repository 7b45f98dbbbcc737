"""Verdicts of single cells, each by the rule it turns on."""

from __future__ import annotations

from typing import Any

import pytest
from audit_worlds import ORG, ROOT, World, allow, deny, policy

from ses_audit.audit.decide import Decider, Ruling
from ses_audit.audit.model import load
from ses_audit.ses.actions import SEND_ACTIONS

A, B = "222222222222", "333333333333"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
DOMAIN = f"arn:aws:ses:eu-west-1:{A}:identity/example.com"
USER = f"arn:aws:iam::{A}:user/app"


@pytest.fixture
def member(world: World) -> World:
    """The organization with one OU and one member account in it."""
    world.unit("ou-ab12-11111111", "Workloads", ROOT)
    world.scp("p-full2", policy(allow("*")), "ou-ab12-11111111", A, B)
    world.account(A, "prod", "ou-ab12-11111111")
    world.region(A, "eu-west-1")
    return world


def ruling(
    world: World, principal: str = USER, identity: str = DOMAIN, action: str = "ses:SendRawEmail"
) -> Ruling:
    model = load(world, ACTIONS)
    found = model.identities[identity]
    senders = {s.arn: s for s in model.crossing.senders_of(found)}
    return Decider(model).decide(senders[principal], found, action)


def verdicts(found: Ruling) -> tuple[str, str]:
    return str(found.verdict), str(found.verdict_without_scp)


def test_an_identity_policy_allows(member: World) -> None:
    member.principal(USER, policy(allow("ses:Send*", DOMAIN)))
    member.identity(DOMAIN)
    assert verdicts(ruling(member)) == ("ALLOWED", "ALLOWED")


def test_nothing_allows(member: World) -> None:
    member.principal(USER, policy(allow("s3:*")))
    member.identity(DOMAIN)
    found = ruling(member)
    assert verdicts(found) == ("DENIED", "DENIED")
    assert found.denied_by == "identity_policy"
    assert found.denied_policies == ""


def test_an_scp_on_the_ou_denies_and_is_named(member: World) -> None:
    arn = member.scp("p-deny", policy({**deny(), "Sid": "NoMail"}), "ou-ab12-11111111")
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = ruling(member)
    assert verdicts(found) == ("DENIED", "ALLOWED")
    assert found.denied_by == "service_control_policy"
    assert found.denied_policies == arn
    (denial,) = found.denials
    assert (denial.kind, denial.sid, denial.target) == ("explicit", "NoMail", "ou-ab12-11111111")


def test_an_exempt_role_passes_the_scp(member: World) -> None:
    exempt = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{A}:role/mailer"}}
    member.scp("p-deny", policy(deny(**exempt)), A)
    role = member.principal(f"arn:aws:iam::{A}:role/mailer", policy(allow()))
    other = member.principal(f"arn:aws:iam::{A}:role/other", policy(allow()))
    member.identity(DOMAIN)
    assert verdicts(ruling(member, role)) == ("ALLOWED", "ALLOWED")
    assert verdicts(ruling(member, other)) == ("DENIED", "ALLOWED")


def test_a_level_without_an_allow_denies_by_its_target(member: World) -> None:
    member.unit("ou-ab12-22222222", "Inner", "ou-ab12-11111111")
    member.rows["accounts"][-1]["parent_id"] = "ou-ab12-22222222"
    member.scp("p-list", policy(allow("s3:*")), "ou-ab12-22222222")
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = ruling(member)
    assert verdicts(found) == ("DENIED", "ALLOWED")
    assert [(d.kind, d.target) for d in found.denials] == [("implicit", "ou-ab12-22222222")]


def test_the_region_lock_knows_the_region(member: World) -> None:
    lock = {
        "Effect": "Deny",
        "NotAction": ["iam:*"],
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    }
    member.scp("p-lock", policy(lock), ROOT)
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    far = f"arn:aws:ses:us-east-1:{A}:identity/example.com"
    member.region(A, "us-east-1")
    member.identity(far)
    assert verdicts(ruling(member)) == ("ALLOWED", "ALLOWED")
    assert verdicts(ruling(member, identity=far)) == ("DENIED", "ALLOWED")


def test_scps_do_not_bind_the_management_account(world: World) -> None:
    world.scp("p-deny", policy(deny()), ROOT)
    user = world.principal("arn:aws:iam::111111111111:user/a", policy(allow()))
    world.region("111111111111", "eu-west-1")
    identity = world.identity("arn:aws:ses:eu-west-1:111111111111:identity/example.com")
    assert verdicts(ruling(world, user, identity)) == ("ALLOWED", "ALLOWED")


def test_scps_do_not_bind_service_linked_roles(member: World) -> None:
    member.scp("p-deny", policy(deny()), A)
    role = member.principal(
        f"arn:aws:iam::{A}:role/aws-service-role/email.cognito-idp.amazonaws.com/Linked",
        policy(allow("ses:Send*")),
        linked=True,
    )
    member.identity(DOMAIN)
    assert verdicts(ruling(member, role)) == ("ALLOWED", "ALLOWED")


def test_root_may_send_until_an_scp_denies(member: World) -> None:
    member.identity(DOMAIN)
    root = f"arn:aws:iam::{A}:root"
    assert verdicts(ruling(member, root)) == ("ALLOWED", "ALLOWED")
    member.scp("p-deny", policy(deny()), A)
    assert verdicts(ruling(member, root)) == ("DENIED", "ALLOWED")


def test_a_boundary_without_ses_denies_by_its_arn(member: World) -> None:
    member.principal(USER, policy(allow()), boundary=policy(allow("s3:*")))
    member.identity(DOMAIN)
    found = ruling(member)
    assert found.denied_by == "permissions_boundary"
    assert found.denied_policies == f"arn:aws:iam::{A}:policy/boundary"


def test_every_denying_layer_is_named(member: World) -> None:
    member.scp("p-deny", policy(deny()), A)
    member.principal(
        USER, policy(allow("s3:*"), deny("ses:SendRawEmail")), boundary=policy(allow("s3:*"))
    )
    member.identity(DOMAIN, policy({**deny("ses:SendRawEmail", DOMAIN), "Principal": "*"}))
    assert ruling(member).denied_by.split(";") == [
        "identity_policy",
        "permissions_boundary",
        "service_control_policy",
        "sending_authorization_policy",
    ]


def test_a_condition_remains_with_its_text(member: World) -> None:
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    member.principal(USER, policy(allow(**near)))
    member.identity(DOMAIN)
    found = ruling(member)
    assert verdicts(found) == ("CONDITIONAL", "CONDITIONAL")
    assert found.conditions == "aws:SourceIp in 203.0.113.0/24"


def test_conditions_of_two_layers_that_never_meet_are_denied(member: World) -> None:
    member.principal(USER, policy(allow(IpAddress={"aws:SourceIp": "203.0.113.0/24"})))
    member.scp("p-net", policy(deny(IpAddress={"aws:SourceIp": "203.0.0.0/16"})), A)
    member.identity(DOMAIN)
    found = ruling(member)
    assert verdicts(found) == ("DENIED", "CONDITIONAL")
    assert "service_control_policy" in found.denied_by


def test_from_address_is_bound_by_the_identity(member: World) -> None:
    only = {"StringLike": {"ses:FromAddress": "*@example.com"}}
    member.principal(USER, policy(allow(**only)))
    address = f"arn:aws:ses:eu-west-1:{A}:identity/news@example.com"
    other = f"arn:aws:ses:eu-west-1:{A}:identity/example.org"
    for arn in (DOMAIN, address, other):
        member.identity(arn)
    assert verdicts(ruling(member, identity=address)) == ("ALLOWED", "ALLOWED")
    assert verdicts(ruling(member)) == ("CONDITIONAL", "CONDITIONAL")  # a subdomain's address
    assert verdicts(ruling(member, identity=other)) == ("DENIED", "DENIED")


def test_a_resource_tag_condition_never_matches(member: World) -> None:
    member.principal(USER, policy(allow(StringEquals={"aws:ResourceTag/team": "mail"})))
    member.identity(DOMAIN)
    assert verdicts(ruling(member)) == ("DENIED", "DENIED")


def test_the_default_configuration_set_is_checked(member: World) -> None:
    member.principal(USER, policy(allow("ses:SendRawEmail", DOMAIN)))
    member.identity(DOMAIN, configuration_set="tracking")
    found = ruling(member)
    assert verdicts(found) == ("DENIED", "DENIED")
    assert str(found.sender_verdict) == "ALLOWED"
    assert found.failed_checks == ("configuration_set",)
    assert found.confidence == "R"


def test_in_the_sandbox_the_recipient_is_checked(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = False
    member.principal(USER, policy(allow("ses:SendRawEmail", DOMAIN)))
    member.identity(DOMAIN)
    second = member.identity(f"arn:aws:ses:eu-west-1:{A}:identity/friend@example.net")
    found = ruling(member)
    assert verdicts(found) == ("CONDITIONAL", "CONDITIONAL")
    assert found.conditions == "recipient within example.com"
    wide = member.principal(f"arn:aws:iam::{A}:user/wide", policy(allow("ses:SendRawEmail")))
    assert verdicts(ruling(member, wide)) == ("ALLOWED", "ALLOWED")
    assert verdicts(ruling(member, USER, second)) == ("DENIED", "DENIED")


def test_a_template_is_checked_with_its_name_open(member: World) -> None:
    prefix = f"arn:aws:ses:eu-west-1:{A}"
    member.principal(USER, policy(allow("ses:*", [DOMAIN, f"{prefix}:template/news-*"])))
    member.identity(DOMAIN)
    found = ruling(member, action="ses:SendTemplatedEmail")
    assert verdicts(found) == ("CONDITIONAL", "CONDITIONAL")
    assert "template/news-*" in found.conditions


def grant(principal: object, action: object = "ses:SendRawEmail", **condition: Any) -> str:
    statement = {**allow(action, DOMAIN, **condition), "Principal": principal}
    return policy(statement)


@pytest.fixture
def delegate(member: World) -> World:
    """A second member account, that may want to send from the first one's identity."""
    member.account(B, "partner", "ou-ab12-11111111")
    member.region(B, "eu-west-1")
    return member


def test_across_accounts_both_sides_must_allow(delegate: World) -> None:
    both = delegate.principal(f"arn:aws:iam::{B}:user/both", policy(allow()))
    one = delegate.principal(f"arn:aws:iam::{B}:user/one", policy(allow("s3:*")))
    delegate.identity(DOMAIN, grant({"AWS": B}))
    assert verdicts(ruling(delegate, both)) == ("ALLOWED", "ALLOWED")
    found = ruling(delegate, one)
    assert (str(found.verdict), found.denied_by) == ("DENIED", "identity_policy")
    lacking = ruling(delegate, both, action="ses:SendEmail")
    assert lacking.denied_by == "sending_authorization_policy"
    assert lacking.ungranted


def test_a_grant_to_everyone_in_the_organization(delegate: World) -> None:
    member = {"StringEquals": {"aws:PrincipalOrgID": ORG}}
    delegate.principal(f"arn:aws:iam::{B}:user/both", policy(allow()))
    delegate.identity(DOMAIN, grant("*", **member))
    assert verdicts(ruling(delegate, f"arn:aws:iam::{B}:user/both")) == ("ALLOWED", "ALLOWED")
    assert verdicts(ruling(delegate, "*")) == ("DENIED", "DENIED")


def test_a_bare_grant_lets_anyone_send(delegate: World) -> None:
    delegate.identity(DOMAIN, grant("*"))
    assert verdicts(ruling(delegate, "*")) == ("ALLOWED", "ALLOWED")


def test_a_service_needs_the_identitys_grant_alone(delegate: World) -> None:
    delegate.scp("p-deny", policy(deny()), A)
    delegate.identity(DOMAIN, grant({"Service": "cognito-idp.amazonaws.com"}))
    found = ruling(delegate, "cognito-idp.amazonaws.com")
    assert verdicts(found) == ("ALLOWED", "ALLOWED")


def test_an_account_outside_the_organization(delegate: World) -> None:
    outside = "arn:aws:iam::999999999999:root"
    delegate.identity(DOMAIN, grant({"AWS": outside}))
    assert verdicts(ruling(delegate, outside)) == ("ALLOWED", "ALLOWED")


def test_a_grant_to_the_users_own_arn_passes_its_boundary(member: World) -> None:
    member.principal(USER, boundary=policy(allow("s3:*")))
    member.identity(DOMAIN, grant({"AWS": USER}))
    assert verdicts(ruling(member)) == ("ALLOWED", "ALLOWED")


def test_a_role_s_grant_is_limited_by_its_boundary(member: World) -> None:
    role = member.principal(f"arn:aws:iam::{A}:role/r", boundary=policy(allow("s3:*")))
    member.identity(DOMAIN, grant({"AWS": role}))
    assert ruling(member, role).denied_by == "permissions_boundary"


# What was not read


def test_unread_scps_leave_an_allow_unknown(member: World) -> None:
    member.cell("111111111111", "global", "organizations", "ListTargetsForPolicy", "DENIED")
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = ruling(member)
    assert verdicts(found) == ("UNKNOWN", "ALLOWED")
    assert found.missing == ("111111111111/global/organizations.ListTargetsForPolicy=DENIED",)


def test_an_explicit_deny_in_hand_stays_a_denial(member: World) -> None:
    member.cell("111111111111", "global", "organizations", "ListTargetsForPolicy", "DENIED")
    member.principal(USER, policy(allow(), deny("ses:SendRawEmail")))
    member.identity(DOMAIN)
    assert verdicts(ruling(member)) == ("DENIED", "DENIED")


def test_an_unread_scp_document_opens_its_level_alone(member: World) -> None:
    member.scp("p-gone", None, A)
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    assert verdicts(ruling(member)) == ("UNKNOWN", "ALLOWED")
    member.scp("p-deny", policy(deny()), ROOT)
    assert verdicts(ruling(member)) == ("DENIED", "ALLOWED")


def test_unread_identity_details_leave_even_a_denial_unknown(member: World) -> None:
    # A sending policy of the same account could grant what the user's own policies do not.
    member.principal(USER, policy(allow("s3:*")))
    member.identity(DOMAIN, details=False)
    member.cell(A, "eu-west-1", "sesv2", "GetEmailIdentity", "DENIED", "example.com")
    found = ruling(member)
    assert verdicts(found) == ("UNKNOWN", "UNKNOWN")
    assert found.missing == (f"{A}/eu-west-1/sesv2.GetEmailIdentity[example.com]=DENIED",)


def test_a_malformed_policy_leaves_the_verdict_unknown(member: World) -> None:
    member.principal(USER, '{"Version": "2012-10-17", "Statement": NaN}')
    member.identity(DOMAIN)
    found = ruling(member)
    assert verdicts(found) == ("UNKNOWN", "UNKNOWN")
    assert "MALFORMED" in found.missing[0]


def test_a_boundary_that_was_not_seen(member: World) -> None:
    member.principal(USER, policy(allow()), boundary="")
    member.identity(DOMAIN)
    assert verdicts(ruling(member)) == ("UNKNOWN", "UNKNOWN")


def test_sandbox_state_not_read(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = None
    member.cell(A, "eu-west-1", "sesv2", "GetAccount", "DENIED")
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    assert ruling(member).missing == (f"{A}/eu-west-1/sesv2.GetAccount=DENIED",)


def test_an_account_that_was_not_read_has_one_row_more(member: World) -> None:
    member.cell(A, "global", "iam", "GetAccountAuthorizationDetails", "DENIED")
    member.identity(DOMAIN)
    found = ruling(member, f"arn:aws:iam::{A}:*")
    assert verdicts(found) == ("UNKNOWN", "UNKNOWN")


def test_a_region_that_was_not_listed_has_a_placeholder(member: World) -> None:
    member.cell(A, "us-east-1", "sesv2", "ListEmailIdentities", "DENIED")
    member.principal(USER, policy(allow()))
    anyone = f"arn:aws:ses:us-east-1:{A}:identity/*"
    found = ruling(member, identity=anyone)
    assert verdicts(found) == ("UNKNOWN", "UNKNOWN")
    member.scp("p-deny", policy(deny()), A)
    assert verdicts(ruling(member, identity=anyone)) == ("DENIED", "UNKNOWN")


def test_without_an_organization_the_scps_are_unknown(lone: World) -> None:
    lone.account(A, "", None)
    lone.region(A, "eu-west-1")
    lone.principal(USER, policy(allow()))
    lone.identity(DOMAIN)
    assert verdicts(ruling(lone)) == ("UNKNOWN", "ALLOWED")


def test_stated_that_no_organization_applies(lone: World) -> None:
    lone.manifest["organization"] = {"none": True}
    lone.account(A, "", None)
    lone.region(A, "eu-west-1")
    lone.principal(USER, policy(allow()))
    lone.identity(DOMAIN)
    assert verdicts(ruling(lone)) == ("ALLOWED", "ALLOWED")
