"""What the layers say together of one check, and whom a denial names."""

from __future__ import annotations

import pytest
from audit_worlds import ROOT, World, allow, deny, policy

from ses_audit.audit.decide import Decider
from ses_audit.audit.model import load
from ses_audit.audit.rulings import (
    CheckRuling,
    Ruling,
    candidates,
    certain,
    joined,
    possible_by_scp,
)
from ses_audit.policy.domains import Domain
from ses_audit.policy.formula import FALSE, TRUE, keys_of
from ses_audit.policy.solve import Domains
from ses_audit.policy.types import Denial, Layer, Verdict
from ses_audit.ses.actions import SEND_ACTIONS

A, B = "222222222222", "333333333333"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
DOMAIN = f"arn:aws:ses:eu-west-1:{A}:identity/example.com"
USER = f"arn:aws:iam::{A}:user/app"
NEAR = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
OWN = Denial(Layer.IDENTITY_POLICY, "implicit")
GRANT = Denial(Layer.SENDING_AUTHORIZATION_POLICY, "implicit")


@pytest.fixture
def member(world: World) -> World:
    world.account(A, "prod", ROOT)
    world.account(B, "other", ROOT)
    world.scp("p-full2", policy(allow("*")), A, B)
    world.region(A, "eu-west-1")
    return world


def checks(
    world: World, principal: str = USER, action: str = "ses:SendRawEmail"
) -> tuple[CheckRuling, ...]:
    model = load(world, ACTIONS)
    identity = model.identities[DOMAIN]
    sender = {s.arn: s for s in model.crossing.senders_of(identity)}[principal]
    return Decider(model).checks(sender, identity, action)


def test_a_check_that_always_passes(member: World) -> None:
    member.principal(USER, policy(allow()))
    member.identity(DOMAIN)
    (check,) = checks(member)
    assert (check.formula(), certain(check)) == (TRUE, [])
    assert check.domains() == Domains()


def test_lifting_the_scp_layer_and_single_denials(member: World) -> None:
    member.principal(USER, policy(allow()))
    member.scp("p-deny", policy(deny()), A)
    member.identity(DOMAIN)
    (check,) = checks(member)
    (denial,) = certain(check)
    assert check.formula() is FALSE
    assert check.formula(scp=False) is TRUE
    assert check.formula(without=frozenset({denial})) is TRUE


def test_a_lack_of_both_sides(member: World) -> None:
    theirs = member.principal(f"arn:aws:iam::{B}:role/r", policy(allow("s3:*")))
    member.identity(DOMAIN, policy({**allow("ses:SendEmail", DOMAIN), "Principal": {"AWS": B}}))
    (check,) = checks(member, theirs)
    assert certain(check) == [OWN, GRANT]
    assert check.formula(without=frozenset({OWN, GRANT})) is TRUE
    assert check.formula(without=frozenset({OWN})) is FALSE


def test_a_grant_that_can_never_come_about_is_a_lack(member: World) -> None:
    ours = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    grant = {**allow("ses:SendRawEmail", DOMAIN, **ours), "Principal": "*"}
    member.identity(DOMAIN, policy(grant))
    (check,) = checks(member, "*")
    assert certain(check) == [GRANT]


def test_a_direct_grant_passes_the_boundary_by_in_some_contexts(member: World) -> None:
    member.principal(USER, boundary=policy(allow("s3:*")))
    grant = {**allow("ses:SendRawEmail", DOMAIN, **NEAR), "Principal": {"AWS": USER}}
    member.identity(DOMAIN, policy(grant))
    (check,) = checks(member)
    assert certain(check) == []
    assert keys_of(check.formula()) == {"aws:sourceip"}


def test_candidates_are_what_some_contexts_turn_on(member: World) -> None:
    member.principal(USER, policy(allow(**NEAR), deny(**NEAR)), boundary=policy(allow(**NEAR)))
    arn = member.scp("p-net", policy(deny(**NEAR)), A)
    member.identity(DOMAIN)
    (check,) = checks(member)
    named = [(denial.layer.value, denial.kind) for denial in candidates([check])]
    assert named == [
        ("identity_policy", "explicit"),
        ("identity_policy", "implicit"),
        ("permissions_boundary", "implicit"),
        ("service_control_policy", "explicit"),
    ]
    assert [denial.policy for denial in possible_by_scp([check])] == [arn]


def test_each_check_has_its_resource_under_a_name_of_its_own(member: World) -> None:
    prefix = f"arn:aws:ses:eu-west-1:{A}"
    member.principal(USER, policy(allow("ses:*", [DOMAIN, f"{prefix}:template/news-*"])))
    member.identity(DOMAIN, configuration_set="main")
    found = checks(member, action="ses:SendTemplatedEmail")
    assert [check.resource_key for check in found] == [
        "(sender)",
        "(configuration_set)",
        "(template)",
    ]
    template = found[2]
    assert keys_of(template.formula()) == {"(template)"}
    assert [key for key, _ in template.domains().open] == ["(template)"]


def test_domains_are_joined() -> None:
    first = Domains((("a", ("1",)),), frozenset({"x"}), (("(sender)", Domain()),))
    second = Domains(
        (("b", ("2",)),), frozenset({"y"}), (("(template)", Domain()),), frozenset("m")
    )
    found = joined([first, second])
    assert found.known == (("a", ("1",)), ("b", ("2",)))
    assert found.absent == {"x", "y"}
    assert [key for key, _ in found.open] == ["(sender)", "(template)"]
    assert found.multivalued == {"m"}
    assert joined([first]) is first


def test_a_ruling_names_its_layers_in_order_and_its_policies_once() -> None:
    scp = Denial(Layer.SERVICE_CONTROL_POLICY, "explicit", "arn:scp", "A", 0, "ou-1")
    again = Denial(Layer.SERVICE_CONTROL_POLICY, "explicit", "arn:scp", "B", 1, "ou-1")
    found = Ruling(Verdict.DENIED, Verdict.DENIED, Verdict.DENIED, (GRANT, scp, again, OWN))
    assert found.denied_by == (
        "identity_policy;service_control_policy;sending_authorization_policy"
    )
    assert found.denied_policies == "arn:scp"
    assert found.ungranted
    assert not Ruling(Verdict.DENIED, Verdict.DENIED, Verdict.DENIED, (OWN,)).ungranted


def test_denials_of_other_checks_change_nothing(member: World) -> None:
    member.principal(USER, policy(allow(**NEAR)))
    member.identity(DOMAIN)
    (check,) = checks(member)
    other = Denial(Layer.SERVICE_CONTROL_POLICY, "explicit", "arn:of:another", None, 0, "ou-x")
    assert check.formula(without=frozenset({other})) is check.formula()
