"""Ways to send: the table of facts/ses.md §2, row by row."""

from __future__ import annotations

import pytest

from ses_audit.ses.actions import CONFIDENCE, SEND_ACTIONS
from ses_audit.ses.ways import WAYS, way, ways_of


@pytest.mark.parametrize(
    ("id", "action", "version", "confidence"),
    [
        ("smtp", "ses:SendRawEmail", "2", "D"),
        ("v1-send-email", "ses:SendEmail", "1", "D"),
        ("v1-send-raw-email", "ses:SendRawEmail", "1", "D"),
        ("v1-send-templated-email", "ses:SendTemplatedEmail", "1", "D"),
        ("v1-send-bulk-templated-email", "ses:SendBulkTemplatedEmail", "1", "D"),
        ("v1-send-bounce", "ses:SendBounce", "1", "D"),
        ("v1-send-custom-verification-email", "ses:SendCustomVerificationEmail", "1", "R"),
        ("v2-simple", "ses:SendEmail", "2", "D"),
        ("v2-template", "ses:SendEmail", "2", "D"),
        ("v2-inline-template", "ses:SendEmail", "2", "I"),
        ("v2-raw", "ses:SendRawEmail", "2", "R"),
        ("v2-bulk", "ses:SendBulkEmail", "2", "X"),
        ("v2-bulk-inline", "ses:SendBulkEmail", "2", "X"),
        ("v2-send-custom-verification-email", "ses:SendCustomVerificationEmail", "2", "R"),
        ("pinpoint-email", "ses:SendEmail", None, "I"),
        ("mail-manager-send", "ses:SendRawEmail", None, "D"),
        ("mail-manager-bounce", "ses:SendBounce", None, "D"),
    ],
)
def test_a_way_is_checked_as_an_action(
    id: str, action: str, version: str | None, confidence: str
) -> None:
    found = way(id)
    assert (found.action, found.api_version, found.confidence) == (action, version, confidence)
    assert found in ways_of(action)


def test_every_way_has_its_source() -> None:
    assert len({found.id for found in WAYS}) == len(WAYS) == 17
    for found in WAYS:
        assert found.source.startswith("https://docs.aws.amazon.com/")
        assert found.confidence in CONFIDENCE
    assert {found.action for found in WAYS} == {action.name for action in SEND_ACTIONS}


def test_only_a_users_key_logs_in_to_smtp() -> None:
    assert way("smtp").sender == "user with an active access key"
    assert way("smtp").identity_arn == "X-SES-SOURCE-ARN"
    assert way("mail-manager-send").sender == "the rule's role"


def test_only_v2_overrides_tracking_and_stored_templates_are_named() -> None:
    assert {w.interface for w in WAYS if w.tracking_overrides} == {"v2"}
    assert way("v2-template").template == "template"
    assert way("v2-inline-template").template is None


def test_a_way_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        way("fax")
    assert ways_of("ses:GetAccount") == ()
