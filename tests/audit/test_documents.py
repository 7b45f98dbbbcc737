"""Documents by content: parsed once, cut to what a send can meet, malformed ones named."""

from __future__ import annotations

import json

import pytest

from ses_audit.audit.documents import Documents, check_document, full_access, relevant
from ses_audit.policy import parse_document

SEND = ("ses:SendEmail", "ses:SendRawEmail")


def document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


READ = {"Effect": "Allow", "Action": "ses:Get*", "Resource": "*"}
MAIL = {"Effect": "Allow", "Action": ["s3:*", "SES:send*"], "Resource": "*"}
REST = {"Effect": "Deny", "NotAction": "ses:Send*", "Resource": "*"}
OTHERS = {"Effect": "Deny", "NotAction": ["ses:SendEmail", "iam:*"], "Resource": "*"}


def test_statements_about_other_actions_vanish_and_keep_their_places() -> None:
    found = relevant(parse_document(document(READ, MAIL, REST, OTHERS)), SEND)
    assert [statement.index for statement in found.statements] == [1, 3]


def test_a_document_of_which_everything_matters_is_itself() -> None:
    whole = parse_document(document(MAIL))
    assert relevant(whole, SEND) is whole


@pytest.mark.parametrize("text", ["{", '{"Statement": NaN}', "[]", ""])
def test_a_malformed_text_is_no_document(text: str) -> None:
    assert check_document(text)
    assert Documents({"d": text}, SEND).get("d") is None


def test_a_document_is_parsed_once() -> None:
    documents = Documents({"d": document(MAIL)}, SEND)
    assert documents.get("d") is documents.get("d")
    assert documents.text("d") == document(MAIL)
    assert check_document(document(MAIL)) is None


def test_what_was_not_seen() -> None:
    documents = Documents({}, SEND)
    assert documents.get(None) is None
    assert documents.get("gone") is None
    assert documents.text("gone") is None


def test_a_root_user_s_statement_allows_everything() -> None:
    (statement,) = full_access().statements
    assert (statement.effect, statement.actions, statement.resources) == ("Allow", ("*",), ("*",))
