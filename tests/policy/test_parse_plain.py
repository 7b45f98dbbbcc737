"""The quick way through plain texts gives what the strict one does, and refuses what it does."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from random_requests import line

from ses_audit.policy import parse
from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.parse import parse_document

PLAIN = (
    '{"Statement":[{"Effect":"Allow","Action":"ses:*","Resource":"*",'
    '"Condition":{"Bool":{"a:b":true}}}]}'
)


def _texts(seed: int) -> list[str]:
    found = line(seed)["PolicyInputList"]
    return [each if isinstance(each, str) else json.dumps(each) for each in found]


def _slowly(text: str) -> Any:
    return parse_document(text + " ")  # Space at the end is for the strict way.


def test_both_ways_give_the_same() -> None:
    quick = 0
    for text in (text for seed in range(400) for text in _texts(seed)):
        plain = parse._plain(text)
        if plain is None:
            # A value that begins with a colon ("::/0") looks like the end of one more key.
            assert '"::' in text
            continue
        quick += 1
        assert plain.statements == _slowly(text).statements
        assert plain.version == _slowly(text).version
    assert quick > 300


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"'),
        PLAIN.replace('"a:b":true', '"a:b":true,"a:b":false'),
        PLAIN.replace('"Effect":"Allow"', '"Effect" :"Deny","Effect":"Allow"'),
        PLAIN.replace('"Effect":"Allow"', '"Effect"\t:"Deny","Effect":"Allow"'),
        PLAIN.replace('"Effect":"Allow"', '"Effect"\r\n:"Deny","Effect":"Allow"'),
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
    assert parse._plain(text) is None
    with pytest.raises(MalformedPolicy):
        parse_document(text)


def test_a_key_written_twice_is_found_wherever_it_stands() -> None:
    rng = random.Random(5)
    for seed in range(100):
        for text in _texts(seed):
            ends = [place for place in range(len(text)) if text.startswith('":', place)]
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
