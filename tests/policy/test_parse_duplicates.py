"""A key written twice is found wherever it stands; numbers keep their text."""

from __future__ import annotations

import json
import random

import pytest
from random_requests import line

from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.parse import parse_document

PLAIN = (
    '{"Statement":[{"Effect":"Allow","Action":"ses:*","Resource":"*",'
    '"Condition":{"Bool":{"a:b":true}}}]}'
)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"'),
        PLAIN.replace('"a:b":true', '"a:b":true,"a:b":false'),
        PLAIN.replace('"Effect":"Allow"', '"Effect" :"Deny","Effect":"Allow"'),
        PLAIN.replace('"Effect":"Allow"', '"Effect"\r\n\t:"Deny","Effect":"Allow"'),
        PLAIN.replace('"Effect":"Allow"', '"Eff\\u0065ct":"Deny","Effect":"Allow"'),
        PLAIN.replace("true", "NaN"),
        PLAIN.replace("true", "[" * 5000 + "]" * 5000),
        PLAIN + "x",
        PLAIN[:-1],
        "{" + PLAIN,
        "[]",
        "5",
        "",
    ],
)
def test_what_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(MalformedPolicy):
        parse_document(text)


def test_a_key_written_twice_is_found_wherever_it_stands() -> None:
    rng = random.Random(5)
    for seed in range(100):
        for each in line(seed)["PolicyInputList"]:
            text = each if isinstance(each, str) else json.dumps(each)
            ends = [place for place in range(len(text)) if text.startswith('": ', place)]
            end = rng.choice(ends)
            start = text.rindex('"', 0, end)
            key = text[start : end + 1]
            doubled = f"{text[:start]}{key}: 1, {text[start:]}"
            with pytest.raises(MalformedPolicy, match="duplicate key"):
                parse_document(doubled)


def test_numbers_keep_their_text() -> None:
    text = PLAIN.replace("true", "[1.50, 10, 1e2]")
    values = parse_document(text).statements[0].conditions[0].values
    assert values == ("1.50", "10", "100")
