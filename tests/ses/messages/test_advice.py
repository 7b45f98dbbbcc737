"""What each refusal means, and what to do."""

from __future__ import annotations

import pytest

from ses_audit.ses.actions import load_entries
from ses_audit.ses.messages import KINDS, Message, advise, parse_message


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_advice(kind: str) -> None:
    found = advise(Message(kind))  # type: ignore[arg-type]
    assert found.means and found.steps
    assert found.source.startswith(("https://docs.aws.amazon.com/", "https://repost.aws/"))
    assert set(found.to_json()) == {"means", "steps", "source"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("535 Authentication Credentials Invalid", "never a policy"),
        ("530 Authentication required", "without logging in"),
        ("454 Throttling failure: Maximum sending rate exceeded", "faster than its rate"),
        ("421 Too many concurrent SMTP connections", "Too many SMTP connections"),
        ("535 Account not subscribed to SES", "not signed up"),
        ("454 Temporary authentication failure", "could not check the credentials"),
        ("530 Must issue a STARTTLS command first", "encrypted"),
        ("554 Message rejected: Sending paused for this account.", "paused"),
        ("The security token included in the request is invalid", "unknown, inactive or expired"),
        ("SignatureDoesNotMatch: The request signature", "signature"),
        ("hello", "no refusal that SES is known to give"),
        ("554 Access denied: User `arn:aws:iam::1:user/a' is not authorized", "IAM refuses"),
    ],
)
def test_what_a_text_means(text: str, words: str) -> None:
    assert words in advise(parse_message(text), text).means


def test_not_verified_names_the_identities_and_the_region() -> None:
    text = (
        "Email address is not verified. The following identities failed the check in region "
        "EU-WEST-1: Jane <jane@b.example>, jane@b.example"
    )
    found = advise(parse_message(text))
    assert "in eu-west-1: Jane <jane@b.example>, jane@b.example." in found.means
    assert found.steps[0].startswith("Verify the address, or its domain, in eu-west-1")
    assert "in this region: it does not say which" in advise(Message("not_verified")).means


def test_the_words_of_a_message_are_no_template() -> None:
    found = advise(Message("not_verified", region="{identities}", identities=("{region}",)))
    assert "verified in {identities}: {region}." in found.means


def test_the_last_entry_of_a_kind_fits_always() -> None:
    entries = load_entries("advice.json", "advice")
    for kind in KINDS:
        last = [entry for entry in entries if entry["kind"] == kind][-1]
        assert "codes" not in last and "hint" not in last
