"""What things are called."""

from __future__ import annotations

import pytest

from ses_audit.report.labels import (
    account_label,
    actions_label,
    identity_label,
    plural,
    principal_label,
    region_label,
    type_word,
)
from ses_audit.report.page import Html

SSO = "AWSReservedSSO_Mail_Admin_1f2e3d4c5b6a7988"


@pytest.mark.parametrize(
    ("arn", "kind", "name", "words"),
    [
        ("arn:aws:iam::222222222222:user/a", "user", "a", "user a"),
        ("arn:aws:iam::222222222222:role/r", "role", "r", "role r"),
        (f"arn:aws:iam::222222222222:role/{SSO}", "role", SSO, "role Mail_Admin Identity Center"),
        ("arn:aws:iam::222222222222:root", "root", "root", "root user"),
        ("*", "anonymous", "*", "anyone *"),
        ("arn:aws:iam::222222222222:*", "account", "*", "principals that were not read"),
        (
            "arn:aws:iam::909090909090:root",
            "account",
            "root",
            "any principal of account 909090909090",
        ),
        ("ses.amazonaws.com", "service", "ses.amazonaws.com", "service ses.amazonaws.com"),
    ],
)
def test_principals(arn: str, kind: str, name: str, words: str) -> None:
    account = arn.split(":")[4] if arn.startswith("arn:") else ""
    assert Html.of(principal_label(arn, kind, name, account=account)).text == words


def test_an_smtp_key_is_said() -> None:
    assert "SMTP key" in principal_label("arn:aws:iam::2:user/a", "user", "a", smtp=True)


def test_names_are_escaped() -> None:
    assert "<x>" not in principal_label("a", "role", "<x>")
    assert "<x>" not in account_label("1", "<x>") + identity_label("<x>") + region_label("<x>")


def test_what_was_not_read_has_words() -> None:
    assert identity_label("*") == "(not read)"
    assert "(all)" in region_label("*")
    assert account_label(None) == "Outside the organization"


def test_actions() -> None:
    assert actions_label(["ses:SendEmail"] * 7, 7) == ""
    assert actions_label(["ses:SendEmail"], 7) == "SendEmail"
    assert actions_label(["a", "b", "c"], 7) == "3 of 7 actions"


def test_words() -> None:
    assert plural(2_000, "cell") == "2,000 cells"
    assert type_word("anonymous") == "anyone"
    assert type_word("new") == "new"
