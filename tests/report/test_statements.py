"""A statement's text at its place."""

from __future__ import annotations

import json

import pytest

from ses_audit.report.statements import statement_text

FIRST, SECOND = {"Sid": "A", "Effect": "Deny"}, {"Sid": "B", "Effect": "Allow"}


def test_the_statement_at_its_place() -> None:
    document = json.dumps({"Statement": [FIRST, SECOND]})
    assert json.loads(statement_text(document, 1)) == SECOND
    assert json.loads(statement_text(json.dumps({"Statement": FIRST}), 0)) == FIRST


@pytest.mark.parametrize(
    ("document", "index"),
    [
        (None, 0),
        ('{"Statement": []}', None),
        ('{"Statement": []}', 0),
        ("[]", 0),
        ("not JSON", 0),
        ('{"Statement": ["x"]}', 0),
        ("{}", 0),
    ],
)
def test_nothing_where_there_is_none(document: str | None, index: int | None) -> None:
    assert statement_text(document, index) == ""
