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


# Several reasons at once


def test_lack_of_a_grant_is_named_beside_the_other_layers(delegate: World) -> None:
    delegate.scp("p-deny", policy(deny("ses:SendEmail")), B)
    user = delegate.principal(f"arn:aws:iam::{B}:user/u", policy(allow("s3:*")))
    delegate.identity(DOMAIN, grant({"AWS": user}))
    found = ruling(delegate, user, action="ses:SendEmail")
    assert found.denied_by.split(";") == [
        "identity_policy",
        "service_control_policy",
        "sending_authorization_policy",
    ]


def test_scps_follow_the_principal_into_another_account(delegate: World) -> None:
    delegate.scp("p-deny", policy(deny()), A)
    both = delegate.principal(f"arn:aws:iam::{B}:user/both", policy(allow()))
    delegate.identity(DOMAIN, grant({"AWS": B}))
    assert verdicts(ruling(delegate, both)) == ("ALLOWED", "ALLOWED")
    delegate.scp("p-other", policy(deny()), B)
    assert verdicts(ruling(delegate, both)) == ("DENIED", "ALLOWED")


def test_statements_that_stand_in_for_each_other_are_all_named(member: World) -> None:
    """Inside two Denies say the same, outside nothing allows: each is in a smallest set."""
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    denies = [{**deny(**near), "Sid": sid} for sid in ("One", "Two")]
    member.principal(USER, policy(allow(**near), *denies))
    member.identity(DOMAIN)
    named = [(denial.kind, denial.sid) for denial in ruling(member).denials]
    assert named == [("explicit", "One"), ("explicit", "Two"), ("implicit", None)]


def test_layers_that_deny_together_are_named_beside_one_that_denies_alone(member: World) -> None:
    office = {"aws:SourceIp": "203.0.113.0/24"}
    member.principal(USER, policy(allow(IpAddress=office)), boundary=policy(allow("s3:*")))
    member.scp("p-net", policy(deny(IpAddress={"aws:SourceIp": "203.0.0.0/16"})), A)
    member.identity(DOMAIN)
    assert ruling(member).denied_by.split(";") == [
        "identity_policy",
        "permissions_boundary",
        "service_control_policy",
    ]


def test_a_condition_that_has_no_part_in_the_denial_is_not_blamed(member: World) -> None:
    member.principal(USER, policy(allow(IpAddress={"aws:SourceIp": "203.0.113.0/24"})))
    net = member.scp("p-net", policy(deny(IpAddress={"aws:SourceIp": "203.0.0.0/16"})), A)
    member.scp("p-agent", policy(deny(StringEquals={"aws:UserAgent": "old"})), ROOT)
    member.identity(DOMAIN)
    assert ruling(member).denied_policies == net


def test_an_scp_s_conditional_allow_is_blamed_with_its_target(member: World) -> None:
    member.unit("ou-ab12-22222222", "Inner", "ou-ab12-11111111")
    member.rows["accounts"][-1]["parent_id"] = "ou-ab12-22222222"
    member.scp(
        "p-net", policy(allow(IpAddress={"aws:SourceIp": "198.51.100.0/24"})), "ou-ab12-22222222"
    )
    member.principal(USER, policy(allow(IpAddress={"aws:SourceIp": "203.0.113.0/24"})))
    member.identity(DOMAIN)
    found = ruling(member)
    assert ("implicit", "ou-ab12-22222222") in [(d.kind, d.target) for d in found.denials]


def test_what_each_scp_alone_stops(member: World) -> None:
    first = member.scp("p-one", policy(deny()), A)
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    alone = ruling(member)
    assert [(d.policy, str(v)) for d, v in alone.without] == [(first, "ALLOWED")]
    second = member.scp("p-two", policy(deny("ses:Send*")), ROOT)
    several = ruling(member)
    assert {(d.policy, str(v)) for d, v in several.without} == {
        (first, "DENIED"),
        (second, "DENIED"),
    }


def test_an_scp_that_denies_in_some_contexts_only(member: World) -> None:
    arn = member.scp("p-net", policy(deny(IpAddress={"aws:SourceIp": "203.0.0.0/16"})), A)
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = ruling(member)
    assert verdicts(found) == ("CONDITIONAL", "ALLOWED")
    assert [(d.policy, str(v)) for d, v in found.without] == [(arn, "ALLOWED")]


def test_scps_that_are_not_enabled_bind_nobody(world: World) -> None:
    # Without the policy type no SCP is attached anywhere, and no level denies for it.
    world.rows["policy_attachments"].clear()
    world.manifest["organization"]["policy_types"] = []
    world.account(A, "prod", ROOT)
    world.region(A, "eu-west-1")
    world.principal(USER, policy(allow()))
    world.identity(DOMAIN)
    assert verdicts(ruling(world)) == ("ALLOWED", "ALLOWED")
    world.manifest["organization"]["policy_types"] = ["SERVICE_CONTROL_POLICY"]
    assert verdicts(ruling(world)) == ("DENIED", "ALLOWED")
    world.manifest["organization"]["feature_set"] = "CONSOLIDATED_BILLING"
    assert verdicts(ruling(world)) == ("ALLOWED", "ALLOWED")


# Each check's resource is its own


def test_a_pattern_that_misses_one_resource_is_asked_again_of_an_open_one(member: World) -> None:
    prefix = f"arn:aws:ses:eu-west-1:{A}"
    other = member.identity(f"{prefix}:identity/example.org")
    member.identity(DOMAIN)
    member.principal(USER, policy(allow("ses:*", [DOMAIN, f"{prefix}:template/news-*"])))
    model = load(member, ACTIONS)
    decider = Decider(model)
    user = model.senders[USER]
    found = [
        str(decider.decide(user, model.identities[arn], "ses:SendTemplatedEmail").verdict)
        for arn in (other, DOMAIN)
    ]
    assert found == ["DENIED", "CONDITIONAL"]


def test_no_template_is_named_like_an_identity(member: World) -> None:
    # https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailTemplate.html
    member.principal(USER, policy(allow("ses:*", f"arn:aws:ses:*:{A}:identity/*")))
    member.identity(DOMAIN)
    found = ruling(member, action="ses:SendTemplatedEmail")
    assert (str(found.verdict), found.failed_checks) == ("DENIED", ("template",))


def test_an_open_variable_is_bound_for_each_resource_apart(member: World) -> None:
    prefix = f"arn:aws:ses:eu-west-1:{A}"
    role = member.principal(
        f"arn:aws:iam::{A}:role/r",
        policy(
            allow("ses:*", [f"{prefix}:identity/${{saml:sub}}", f"{prefix}:template/${{saml:iss}}"])
        ),
    )
    member.identity(DOMAIN)
    found = ruling(member, role, action="ses:SendTemplatedEmail")
    assert str(found.verdict) == "CONDITIONAL"


def test_in_the_sandbox_a_recipient_s_own_policies_are_read(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = False
    friend = f"arn:aws:ses:eu-west-1:{A}:identity/friend@example.net"
    member.principal(USER)
    own = {**allow("ses:SendRawEmail", DOMAIN), "Principal": {"AWS": USER}}
    member.identity(DOMAIN, policy(own), verified=False)
    theirs = {**deny("ses:SendRawEmail", friend), "Principal": "*"}
    member.identity(friend, policy(theirs))
    found = ruling(member)
    assert (str(found.verdict), str(found.sender_verdict)) == ("DENIED", "ALLOWED")
    assert found.failed_checks == ("recipients",)
    assert found.denied_policies == "sending-0"


def test_recipients_of_two_regions_are_not_mixed(member: World) -> None:
    other = f"arn:aws:ses:us-east-1:{A}"
    member.region(A, "us-east-1", production=False)
    member.rows["ses_account_regions"][0]["production_access"] = False
    member.principal(USER, policy(allow("ses:SendRawEmail", [DOMAIN, f"{other}:identity/a.net"])))
    member.identity(DOMAIN)
    member.identity(f"arn:aws:ses:eu-west-1:{A}:identity/b.net")
    member.identity(f"{other}:identity/a.net")
    member.identity(f"{other}:identity/c.net")
    model = load(member, ACTIONS)
    decider = Decider(model)
    texts = [
        decider.decide(model.senders[USER], model.identities[arn], "ses:SendRawEmail").conditions
        for arn in (DOMAIN, f"{other}:identity/a.net")
    ]
    assert texts == ["recipient within example.com", "recipient within a.net"]


def test_recipients_that_pass_by_conditions_that_exclude_each_other(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = False
    friend = f"arn:aws:ses:eu-west-1:{A}:identity/friend@example.net"
    near = {"aws:SourceIp": "203.0.113.0/24"}
    member.principal(USER, policy(allow("ses:SendRawEmail", [DOMAIN, friend])))
    member.rows["principal_policies"].clear()
    member.rows["principals"].pop()
    member.principal(
        USER,
        policy(
            allow("ses:SendRawEmail", DOMAIN, IpAddress=near),
            allow("ses:SendRawEmail", friend, NotIpAddress=near),
            allow("ses:SendRawEmail", f"{DOMAIN}.test"),
        ),
    )
    sender = member.identity(f"{DOMAIN}.test", verified=False)
    member.identity(DOMAIN)
    member.identity(friend)
    found = ruling(member, identity=sender)
    assert str(found.verdict) == "CONDITIONAL"
    assert found.conditions == "each recipient by its own conditions"


def test_a_recipient_that_was_not_read_leaves_the_sandbox_open(member: World) -> None:
    member.rows["ses_account_regions"][-1]["production_access"] = False
    member.principal(USER, policy(allow("ses:SendRawEmail", DOMAIN)))
    member.identity(DOMAIN, verified=False)
    friend = "friend@example.net"
    member.identity(f"arn:aws:ses:eu-west-1:{A}:identity/{friend}", details=False)
    member.rows["identities"][-1]["verified"] = None
    member.cell(A, "eu-west-1", "sesv2", "GetEmailIdentity", "THROTTLED", friend)
    found = ruling(member)
    assert (str(found.verdict), str(found.sender_verdict)) == ("UNKNOWN", "ALLOWED")
    assert found.missing == (f"{A}/eu-west-1/sesv2.GetEmailIdentity[{friend}]=THROTTLED",)


# Sessions that a sending policy names


def test_a_grant_to_a_session_is_a_row_beside_its_role(member: World) -> None:
    role = member.principal(f"arn:aws:iam::{A}:role/r")
    session = f"arn:aws:sts::{A}:assumed-role/r/job"
    member.identity(DOMAIN, grant({"AWS": session}))
    assert str(ruling(member, session).verdict) == "ALLOWED"
    assert str(ruling(member, role).verdict) == "DENIED"


def test_a_session_goes_by_its_role_in_conditions(member: World) -> None:
    role = member.principal(f"arn:aws:iam::{A}:role/r", policy(allow()))
    member.scp("p-deny", policy(deny(ArnNotLike={"aws:PrincipalArn": role})), A)
    session = f"arn:aws:sts::{A}:assumed-role/r/job"
    refused = {**deny("ses:SendRawEmail", DOMAIN), "Principal": {"AWS": session}}
    member.identity(DOMAIN, policy(refused))
    found = ruling(member, session)
    assert found.denied_by == "sending_authorization_policy"
    assert str(ruling(member, role).verdict) == "ALLOWED"


# Keys of which AWS says nothing for SES


def test_a_verdict_that_turns_on_an_undocumented_key_says_so(member: World) -> None:
    member.principal(USER, policy(allow(StringEquals={"aws:ResourceAccount": A})))
    wide = member.principal(
        f"arn:aws:iam::{A}:user/wide",
        policy(allow(), allow(StringEquals={"aws:ResourceAccount": A})),
    )
    member.identity(DOMAIN)
    assert (str(ruling(member).verdict), ruling(member).confidence) == ("ALLOWED", "X")
    assert (str(ruling(member, wide).verdict), ruling(member, wide).confidence) == ("ALLOWED", "D")


# What is not known of the organization is open, not absent


def test_an_unknown_organization_s_id_is_open(lone: World) -> None:
    outside = {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}
    lone.account(A, "", None)
    lone.region(A, "eu-west-1")
    lone.principal(USER, policy(allow(), deny(**outside)))
    lone.identity(DOMAIN)
    assert str(ruling(lone).verdict) == "UNKNOWN"
    lone.manifest["organization"] = {"none": True}
    assert str(ruling(lone).verdict) == "DENIED"


def test_a_place_that_was_not_seen_is_open(member: World) -> None:
    inside = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/{ROOT}/*"}}
    member.principal(USER, policy(allow(**inside)))
    member.identity(DOMAIN)
    assert str(ruling(member).verdict) == "ALLOWED"
    member.rows["accounts"][-1]["parent_id"] = None
    assert str(ruling(member).verdict) == "UNKNOWN"


# The monotone rule: what is missing matters only where it could change the answer


def test_the_owner_s_sandbox_state_does_not_bind_a_delegate(delegate: World) -> None:
    delegate.cell(A, "eu-west-1", "sesv2", "GetAccount", "DENIED")
    delegate.rows["ses_account_regions"][0]["production_access"] = None
    both = delegate.principal(f"arn:aws:iam::{B}:user/both", policy(allow()))
    delegate.identity(DOMAIN, grant({"AWS": B}))
    assert str(ruling(delegate, both).verdict) == "ALLOWED"


def test_the_sender_check_does_not_need_the_account_s_state(member: World) -> None:
    member.rows["ses_account_regions"].clear()
    member.cell(A, "eu-west-1", "sesv2", "GetAccount", "DENIED")
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    found = ruling(member)
    assert (str(found.verdict), str(found.sender_verdict)) == ("UNKNOWN", "ALLOWED")


def test_an_unread_boundary_counts_as_one_to_not_principal(member: World) -> None:
    # NotPrincipal with Deny hits every principal that has a boundary, whatever it says.
    member.principal(USER, policy(allow()), boundary="")
    spared = {**deny("ses:SendRawEmail", DOMAIN), "NotPrincipal": {"AWS": [USER, A]}}
    member.identity(DOMAIN, policy(spared))
    found = ruling(member)
    assert (str(found.verdict), found.denied_by) == ("DENIED", "sending_authorization_policy")


def test_unread_sending_policies_could_let_in_anyone(member: World) -> None:
    member.identity(DOMAIN, details=False)
    member.cell(A, "eu-west-1", "sesv2", "GetEmailIdentity", "DENIED", "example.com")
    found = ruling(member, "*")
    assert (str(found.verdict), found.denied_by) == ("UNKNOWN", "")


def test_an_unread_delegate_policy_is_no_certain_denial(delegate: World) -> None:
    role = delegate.principal(f"arn:aws:iam::{B}:role/r", None)
    delegate.identity(DOMAIN, grant({"AWS": role}))
    found = ruling(delegate, role)
    assert str(found.verdict) == "UNKNOWN"
    delegate.scp("p-deny", policy(deny()), B)
    assert verdicts(ruling(delegate, role)) == ("DENIED", "UNKNOWN")


def test_an_unread_layer_cannot_hide_a_lack_in_a_read_one(member: World) -> None:
    member.cell("111111111111", "global", "organizations", "ListTargetsForPolicy", "DENIED")
    member.principal(USER, policy(allow("s3:*")))
    member.identity(DOMAIN)
    found = ruling(member)
    assert (str(found.verdict), found.denied_by) == ("DENIED", "identity_policy")


def test_smtp_is_not_known_where_keys_were_not_read(member: World) -> None:
    user = member.principal(USER, policy(allow()))
    keyed = member.principal(f"arn:aws:iam::{A}:user/keyed", keys=("Inactive",))
    active = member.principal(f"arn:aws:iam::{A}:user/active", keys=("Active",))
    role = member.principal(f"arn:aws:iam::{A}:role/r")
    senders = load(member, ACTIONS).senders
    assert [senders[arn].smtp for arn in (user, keyed, active, role)] == [None, False, True, False]
    member.cell(A, "global", "iam", "ListAccessKeys")
    assert load(member, ACTIONS).senders[user].smtp is False
