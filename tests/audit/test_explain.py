"""Explaining a cell and a message against the example organization."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hostile_world import IDENTITY, PATH, make_hostile

import ses_audit
from ses_audit.audit import Audit
from ses_audit.audit.explanation import ChecklistItem, Explanation
from ses_audit.policy.types import Effect, Verdict
from ses_audit.ses.messages import Message, parse_message

WEB = "222222222222"
EU = f"arn:aws:ses:eu-west-1:{WEB}:identity"
ARTICLE = (
    "554 Access denied: User `arn:aws:iam::{account}:user/{user}' is not authorized to perform "
    "`ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:{account}:identity/{identity}'"
)
"""The published article's own example: an SMTP answer in its own quotes."""


@pytest.fixture(scope="module")
def audit(example_snapshot: Path) -> Audit:
    return ses_audit.open(example_snapshot)


def item(found: Explanation, id: str) -> ChecklistItem:
    (one,) = [each for each in found.checklist if each.id == id]
    return one


def note(found: Explanation, id: str) -> str:
    (text,) = [each.text for each in found.notes if each.id == id]
    return text


def notes(found: Explanation) -> list[str]:
    return [each.id for each in found.notes]


# The published article, point by point


def article(audit: Audit, user: str, identity: str, account: str = WEB) -> Explanation:
    text = ARTICLE.format(account=account, user=user, identity=identity)
    return audit.explain_message(parse_message(text))


def test_the_article_s_four_questions_come_first(audit: Audit) -> None:
    found = article(audit, "article-one", "news@example.com")
    assert [(each.number, each.id) for each in found.checklist if each.article] == [
        (1, "identity_policy"),
        (2, "sending_authorization_policy"),
        (3, "address_identity"),
        (4, "service_control_policy"),
    ]


def test_the_article_s_wrong_policy_is_answered_point_by_point(audit: Audit) -> None:
    found = article(audit, "article-one", "news@example.com")
    assert found.verdict is Verdict.DENIED
    # (1) One statement where two are needed: the quota calls never match an identity's ARN.
    first = item(found, "identity_policy")
    assert "Two statements are needed" in first.answer
    assert "ses:GetSendQuota, ses:GetSendStatistics" in first.answer
    # (2) No sending policy blocks it.
    assert item(found, "sending_authorization_policy").answer == "The identity has none."
    # (3) The address was verified apart from its domain.
    third = item(found, "address_identity")
    assert third.status == "cause"
    assert "news@example.com was verified apart" in third.answer
    (evidence,) = third.evidence
    assert (evidence.name, evidence.sid, evidence.statement_index) == (
        "SesOneStatement",
        "Everything",
        0,
    )
    assert evidence.attached_to == f"arn:aws:iam::{WEB}:user/article-one"
    assert json.loads(evidence.statement or "")["Resource"] == f"{EU}/example.com"
    # (4) No SCP denies SES or the region.
    fourth = item(found, "service_control_policy")
    assert (fourth.status, "Root, Workloads, Production, prod-web" in fourth.answer) == (
        "cleared",
        True,
    )
    assert [each.id for each in found.causes] == ["address_identity"]


def test_the_article_s_right_policy_is_allowed(audit: Audit) -> None:
    found = article(audit, "article-two", "example.com")
    assert found.verdict is Verdict.ALLOWED
    first = item(found, "identity_policy")
    assert [(each.effect, each.sid) for each in first.evidence] == [("allow", "Sending")]
    assert "Two statements" not in first.answer
    said = note(found, "would_allow")
    assert "2026-11-23T06:00:00Z" in said
    for reason in ("change since", "some minutes", "session policy", "other credentials"):
        assert reason in said


def test_the_article_in_text_and_json(audit: Audit) -> None:
    found = article(audit, "article-one", "news@example.com")
    text = found.to_text()
    assert text.splitlines()[0].endswith("DENIED, 1 cause")
    for number in range(1, 5):
        assert f" {number}. " in text
    assert text.count("(the article's)") == 4
    assert "✗ 3." in text
    loaded = json.loads(json.dumps(found.to_json()))
    assert loaded["causes"] == ["address_identity"]
    assert [each["id"] for each in loaded["checklist"] if each["article"]] == [
        "identity_policy",
        "sending_authorization_policy",
        "address_identity",
        "service_control_policy",
    ]
    assert loaded["message"]["action"] == "ses:SendRawEmail"
    assert loaded["checklist"][2]["evidence"][0]["statement"]["Sid"] == "Everything"


def test_an_account_that_the_snapshot_lacks(audit: Audit) -> None:
    found = article(audit, "alice", "example.com", account="123456789012")
    assert found.verdict is Verdict.UNKNOWN
    assert {"other_account", "account_unknown"} <= set(notes(found))
    assert {each.status for each in found.checklist if each.article} == {"cannot_tell"}
    assert not found.causes


# What is behind an answer


def test_an_scp_with_its_statement_and_place(audit: Audit) -> None:
    found = audit.explain(
        f"arn:aws:iam::{WEB}:role/deploy",
        "ses:SendRawEmail",
        f"arn:aws:ses:us-west-2:{WEB}:identity/example.com",
    )
    (evidence,) = item(found, "service_control_policy").evidence
    assert (evidence.effect, evidence.name, evidence.sid) == (
        "deny",
        "RegionLock",
        "OutsideOurRegions",
    )
    assert evidence.attached_to == "Production (ou-a1b2-producti)"
    assert evidence.policy is not None
    assert evidence.policy.endswith("/p-regionlk")
    assert json.loads(evidence.statement or "")["Condition"]
    assert found.verdict_without_scp is Verdict.ALLOWED


def test_a_level_that_does_not_allow_shows_what_it_allows(audit: Audit) -> None:
    found = audit.explain("contained-mailer", "SendRawEmail", "contained.example")
    (evidence,) = item(found, "service_control_policy").evidence
    assert (evidence.effect, evidence.name, evidence.sid) == (
        "lack",
        "AllowedServices",
        "Services",
    )
    assert evidence.attached_to == "Contained (ou-a1b2-containe)"


def test_a_group_s_policy_is_attached_to_the_group(audit: Audit) -> None:
    user = f"arn:aws:iam::{WEB}:user/ses-smtp-user.20240105-101010"
    found = audit.explain(user, "ses:SendRawEmail", f"{EU}/example.com")
    (evidence,) = item(found, "identity_policy").evidence
    assert evidence.attached_to == (f"group arn:aws:iam::{WEB}:group/AWSSESSendingGroupDoNotRename")


def test_a_sending_policy_with_its_statement(audit: Audit) -> None:
    found = audit.explain("blocked", "SendEmail", "deny.example")
    (evidence,) = item(found, "sending_authorization_policy").evidence
    assert (evidence.policy, evidence.sid) == ("no-blocked", "NotTheBlockedRole")
    assert evidence.attached_to.endswith("identity/deny.example")


def test_all_causes_at_once(audit: Audit) -> None:
    found = audit.explain(
        "arn:aws:iam::444444444444:role/ec2-web",
        "ses:SendEmail",
        "arn:aws:ses:us-east-1:666666666666:identity/open.example",
    )
    assert [each.id for each in found.causes] == [
        "identity_policy",
        "sending_authorization_policy",
        "service_control_policy",
    ]
    assert all(each.repair for each in found.causes)


def test_a_default_configuration_set_is_named(audit: Audit) -> None:
    found = audit.explain("scoped-sender", "SendRawEmail", "example.org")
    (cause,) = found.causes
    assert cause.id == "default_configuration_set"
    assert "configuration-set/tracking" in cause.answer
    assert "configuration-set/tracking" in cause.repair
    assert cause.confidence == "R"
    assert [check.id for check in found.checks] == ["sender", "configuration_set"]
    assert [str(check.verdict) for check in found.checks] == ["ALLOWED", "DENIED"]


def test_what_a_conditional_cell_turns_on(audit: Audit) -> None:
    found = audit.explain("from-network", "SendEmail", f"{EU}/example.com")
    assert found.verdict is Verdict.CONDITIONAL
    first = item(found, "identity_policy")
    assert (first.status, first.missing) == ("cannot_tell", ("the request's aws:SourceIp",))
    assert "198.51.100.0/24" in first.answer
    assert "would_allow" in notes(found)


def test_an_unread_account_names_the_missing_cells(audit: Audit) -> None:
    found = audit.explain(
        "arn:aws:iam::121212121212:user/somebody",
        "ses:SendRawEmail",
        "arn:aws:ses:us-east-1:666666666666:identity/org.example",
    )
    assert found.verdict is Verdict.UNKNOWN
    assert "principal_unread" in notes(found)
    (cell,) = item(found, "identity_policy").missing
    assert cell.startswith("121212121212/global/iam.GetAccountAuthorizationDetails=")
    assert cell in found.missing


def test_conditions_that_exclude_each_other_show_both(audit: Audit) -> None:
    found = audit.explain(
        "promo-remote", "SendEmail", "arn:aws:ses:eu-west-1:777777777777:identity/promo.example"
    )
    (cause,) = found.causes
    assert cause.id == "conditions"
    assert {each.layer for each in cause.evidence} == {"identity_policy", "service_control_policy"}
    assert "SesFromTheOffice" in {each.sid for each in cause.evidence}


# The layers as a picture


@pytest.mark.parametrize(
    "principal, identity, layer, state",
    [
        ("deploy", f"{EU}/example.com", "service_control_policy", "open"),
        ("deploy", f"{EU}/example.com", "permissions_boundary", "none"),
        ("deploy", f"{EU}/example.com", "sending_authorization_policy", "none"),
        ("deploy", f"{EU}/example.com", "resource_control_policy", "none"),
        ("bounded-app", f"{EU}/example.com", "permissions_boundary", "closed"),
        ("from-network", f"{EU}/example.com", "identity_policy", "partly"),
        ("contractor", f"{EU}/example.com", "identity_policy", "closed"),
        ("blocked", "deny.example", "sending_authorization_policy", "closed"),
        ("relay", "deny.example", "sending_authorization_policy", "open"),
        ("contained-mailer", "contained.example", "service_control_policy", "closed"),
        ("ops-admin", "arn:aws:ses:us-east-1:111111111111:identity/corp.example",
         "service_control_policy", "none"),
        ("helpdesk", "arn:aws:ses:ca-central-1:888888888888:identity/*",
         "sending_authorization_policy", "unknown"),
        ("cognito-idp.amazonaws.com", "cognito.example", "identity_policy", "none"),
        ("cognito-idp.amazonaws.com", "cognito.example", "sending_authorization_policy", "partly"),
    ],
)  # fmt: skip
def test_gates(audit: Audit, principal: str, identity: str, layer: str, state: str) -> None:
    found = audit.explain(principal, "ses:SendRawEmail", identity)
    gates = {gate.layer: gate.state for gate in found.checks[0].gates}
    assert gates[layer] == state


def test_the_tree_decides_as_the_verdict_does(audit: Audit) -> None:
    frame = audit.verdicts(account=WEB, action="ses:SendRawEmail", identity=f"{EU}/example.com")
    for row in frame.drop_duplicates(["verdict", "denied_by", "conditions"]).itertuples():
        found = audit.explain(row.principal_arn, row.action, row.identity_arn)
        assert str(found.verdict) == row.verdict
        passes = [check.decision.effect is Effect.ALLOWED for check in found.checks]
        assert all(passes) is (row.verdict != "DENIED"), row.principal_arn


def test_every_distinct_cell_is_explained(audit: Audit) -> None:
    """Causes exactly where the verdict is DENIED; the trees agree; repairs mend."""
    frame = audit.verdicts(unrelated=True)
    told = ["principal_type", "identity_arn", "action", "verdict", "verdict_without_scp"]
    told += ["denied_by", "denied_policies", "conditions", "missing_evidence"]
    for row in frame.drop_duplicates(told).itertuples():
        found = audit.explain(row.principal_arn, row.action, row.identity_arn)
        where = (row.principal_arn, row.action, row.identity_arn)
        causes = {each.id for each in found.causes}
        assert str(found.verdict) == row.verdict, where
        assert bool(causes) is (row.verdict == "DENIED"), where
        assert all(each.evidence for each in found.causes), where
        if row.verdict == "UNKNOWN":
            assert found.open_questions, where
        else:
            certain = [check.allowed for check in found.checks if check.id != "recipients"]
            if row.verdict == "DENIED":
                assert not all(check.allowed for check in found.checks), where
            else:
                assert all(certain), where
        if causes - {"conditions"} and row.principal_type != "anonymous" and not found.missing:
            assert (found.verdict_repaired is Verdict.DENIED) is ("conditions" in causes), where


def test_the_tree_of_a_denial_shows_the_denial_alone(audit: Audit) -> None:
    # An example request that would pass if the denial were lifted.
    found = audit.explain(
        "promo-mailer",
        "SendRawEmail",
        "arn:aws:ses:ca-central-1:777777777777:identity/promo.example",
    )
    (check,) = found.checks
    assert [denial.policy for denial in check.decision.denied_by] == [
        next(e.policy for e in item(found, "service_control_policy").evidence)
    ]
    assert "aws:sourceip" in check.context


def test_recipients_in_the_sandbox_are_checks(audit: Audit) -> None:
    found = audit.explain(
        "lab-sender", "SendRawEmail", "arn:aws:ses:eu-west-1:999999999999:identity/news@lab.example"
    )
    assert [check.id for check in found.checks] == ["sender", *["recipients"] * 3]
    assert item(found, "sandbox_recipient").missing == ("the recipient",)
    assert "gate" in notes(found)


# Messages


def test_a_message_is_kept(audit: Audit) -> None:
    message = parse_message(
        ARTICLE.format(account=WEB, user="article-one", identity="news@example.com")
    )
    assert audit.explain_message(message).message == message.to_json()


def test_smtp_without_an_action_is_send_raw_email(audit: Audit) -> None:
    message = Message(
        "access_denied",
        principal=f"arn:aws:iam::{WEB}:user/contractor",
        resource=f"{EU}/example.com",
        smtp_code=554,
    )
    found = audit.explain_message(message)
    assert (found.action, found.verdict) == ("ses:SendRawEmail", Verdict.DENIED)
    assert {"action_of_smtp", "smtp"} <= set(notes(found))


def test_a_role_in_a_text_of_smtp(audit: Audit) -> None:
    """https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html: users alone log in."""
    message = Message(
        "access_denied",
        principal=f"arn:aws:iam::{WEB}:role/deploy",
        action="ses:SendRawEmail",
        resource=f"{EU}/example.com",
        smtp_code=554,
    )
    said = [note.text for note in audit.explain_message(message).notes if note.id == "smtp"]
    assert len(said) == 1
    assert "only IAM users log in" in said[0]
    assert "no active access key" not in said[0]


def test_a_layer_that_the_snapshot_does_not_blame(audit: Audit) -> None:
    message = Message(
        "access_denied",
        principal=f"arn:aws:iam::{WEB}:role/deploy",
        action="ses:SendEmail",
        resource=f"{EU}/example.com",
        layer="scp",
        effect="explicit",
        policy_arn="arn:aws:organizations::111111111111:policy/o-a1b2c3d4e5/"
        "service_control_policy/p-regionlk",
        authorization_id="0a1b2c3d",
    )
    found = audit.explain_message(message)
    assert found.verdict is Verdict.ALLOWED
    assert "changed since" in note(found, "message_layer")
    assert "(RegionLock)" in note(found, "message_policy")
    assert "0a1b2c3d" in note(found, "authorization_id")


def test_a_layer_that_the_snapshot_does_blame(audit: Audit) -> None:
    message = Message(
        "access_denied",
        principal="arn:aws:iam::444444444444:role/dev-mailer",
        action="ses:SendEmail",
        resource="arn:aws:ses:eu-west-1:444444444444:identity/dev.example",
        layer="scp",
    )
    assert "message_layer" not in notes(audit.explain_message(message))


@pytest.mark.parametrize("layer", ["session_policy", "vpc_endpoint_policy"])
def test_a_layer_that_no_snapshot_holds(audit: Audit, layer: str) -> None:
    message = Message(
        "access_denied",
        principal=f"arn:aws:sts::{WEB}:assumed-role/deploy/job",
        action="ses:SendEmail",
        resource=f"{EU}/example.com",
        layer=layer,
        policy_arn="arn:aws:iam::222222222222:policy/unheard",
    )
    found = audit.explain_message(message)
    assert "no snapshot holds those" in note(found, layer)
    assert note(found, "message_policy").endswith("policy/unheard.")
    assert "session" in notes(found)


@pytest.mark.parametrize(
    "kind, said",
    [
        ("smtp_auth", "never a policy"),
        ("smtp_auth_required", "without logging in"),
        ("throttling", "not a policy"),
        ("not_verified", "No policy is missing"),
        ("unknown", ""),
    ],
)
def test_a_message_about_something_else(audit: Audit, kind: str, said: str) -> None:
    found = audit.explain_message(Message(kind))  # type: ignore[arg-type]
    assert (found.kind, found.verdict, found.checklist) == (kind, None, ())
    assert said in found.headline
    assert "step" in notes(found)
    assert json.loads(json.dumps(found.to_json()))["verdict"] is None


def test_an_unverified_identity_that_is_verified_elsewhere(audit: Audit) -> None:
    message = Message("not_verified", region="us-east-1", identities=("billing.example",))
    said = note(audit.explain_message(message), "identity_places")
    assert "eu-west-1 of account 333333333333 (verified)" in said


def test_an_empty_refusal_lists_nothing(audit: Audit) -> None:
    found = audit.explain_message(Message("access_denied"))
    assert (found.kind, found.verdict, found.candidates) == ("unknown_to_snapshot", None, ())
    assert {"principal_unknown", "identity_unknown"} <= set(notes(found))


def test_another_action_is_not_decided(audit: Audit) -> None:
    found = audit.explain("deploy", "ses:ListIdentities", f"{EU}/example.com")
    assert (found.kind, found.verdict) == ("no_send_action", None)
    assert "ses:SendRawEmail" in note(found, "no_send_action")


# Hostile text


def test_hostile_names_are_text(tmp_path: Path) -> None:
    audit = ses_audit.open(make_hostile(tmp_path / "snapshot"))
    arn = f"arn:aws:ses:us-east-1:{WEB}:identity/{IDENTITY}"
    found = audit.explain(f"arn:aws:iam::{WEB}:role{PATH}deploy", "SendEmail", arn)
    assert found.verdict is Verdict.ALLOWED
    text, markup = found.to_text(), found._repr_html_()
    assert not {"\u001b", "\u202e", "\u0007"} & set(text + markup)
    assert "<svg" not in markup
    assert "&lt;svg" in markup
    assert found.to_json()["identity"] == arn
