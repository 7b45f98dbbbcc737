"""A policy is read from the pairs of its objects: nothing of strict JSON is lost by it.

`loads`, which compares all keys and counts depth, is what a text is held against.
"""

from __future__ import annotations

import gc
import json
import random

import pytest
from policy_cases import allow, identity_layers, load, request
from random_requests import line

from ses_audit.policy.json_text import MAXIMUM_DEPTH, MalformedPolicy, loads, pairs_of
from ses_audit.policy.outcome import outcome
from ses_audit.policy.parse import parse_document

MALFORMED = [marked.replace("¤", "", 1) for marked, _ in load("malformed")["cases"]]
PIECES = [
    *'{}[]",:\\',
    " ",
    "\n",
    '""',
    "{}",
    "[]",
    "null",
    "true",
    "NaN",
    "-1.5e3",
    '"Effect":"Deny",',
    '"Statement":[],',
    '"Action":"*",',
    '"Sid":"a",',
    '"Condition":{},',
    '"aws:username":"b",',
    "\\ud800",
    "\\u0041",
    "\ud800",
    "é",
    "\ufeff",
    "[" * 70,
]
"""What is put into a policy, or in the place of some of it."""


def texts(seed: int) -> list[str]:
    """The policies of a random line as texts, some compact, some indented."""
    asked = line(seed)
    found = [*asked["PolicyInputList"], asked.get("ResourcePolicy") or {"Statement": allow()}]
    return [
        json.dumps(
            json.loads(each) if isinstance(each, str) else each,
            indent=(None, 2)[number % 2],
            separators=((",", ":"), (", ", ": "))[seed % 2],
        )
        for number, each in enumerate(found)
    ]


def disturbed(text: str, rng: random.Random) -> str:
    """The text with up to three places changed."""
    for _ in range(rng.randrange(1, 4)):
        start = rng.randrange(len(text) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:start] + rng.choice(PIECES) + text[start:]
        elif kind == 1:
            text = text[:start] + text[start + rng.randrange(1, 4) :]
        elif kind == 2:
            end = rng.randrange(start, min(len(text), start + 60) + 1)
            text = text[:end] + text[start:end] + text[end:]
        else:
            text = text[:start] + rng.choice(PIECES) + text[start + 1 :]
    return text


def plain(value: object) -> object:
    """Pairs as an object."""
    if isinstance(value, tuple):
        return {name: plain(each) for name, each in value}
    return [plain(each) for each in value] if isinstance(value, list) else value


def wrong(text: str) -> tuple[str, int | None] | None:
    """What strict JSON has against a text."""
    try:
        loads(text, exact_numbers=True)
    except MalformedPolicy as error:
        return error.reason, error.position
    return None


@pytest.mark.parametrize("seed", range(20))
def test_what_strict_json_refuses_is_refused_with_the_same_words_and_place(seed: int) -> None:
    rng = random.Random(seed)
    refused = accepted = 0
    for number in range(10):
        for whole in texts(10 * seed + number):
            assert wrong(whole) is None
            parse_document(whole)
            for _ in range(10):
                text = disturbed(whole, rng)
                reason = wrong(text)
                if reason is None:
                    accepted += 1
                    assert plain(pairs_of(text)) == loads(text, exact_numbers=True)
                    continue
                refused += 1
                with pytest.raises(MalformedPolicy) as caught:
                    parse_document(text)
                assert (caught.value.reason, caught.value.position) == reason
    assert refused > 100
    assert accepted > 10


@pytest.mark.parametrize("text", MALFORMED)
def test_cases(text: str) -> None:
    reason = wrong(text)
    with pytest.raises(MalformedPolicy) as caught:
        parse_document(text)
    assert reason in (None, (caught.value.reason, caught.value.position))


PLACES = [
    '{@"Statement": {"Effect": "Allow", "Action": "*"}}',
    '{"Statement": {@"Effect": "Allow", "Action": "*"}}',
    '{"Statement": [{@"Effect": "Allow", "Action": "*"}]}',
    '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {@"AWS": "*"}}}',
    '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {@"Bool": {"a": "b"}}}}',
    '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {@"a": "b"}}}}',
]
"""Every object that a policy has."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("written", ['"{}": 5, ', '"{}" : 5,', '"{}"\n\t:5 ,'])
def test_a_name_that_is_written_twice_in_any_object(place: str, written: str) -> None:
    parse_document(place.replace("@", ""))
    start = place.index("@")
    name = place[start + 2 : place.index('"', start + 2)]
    for each in (name, "".join(f"\\u{ord(character):04x}" for character in name)):
        first = written.format(each)
        with pytest.raises(MalformedPolicy, match=f"duplicate key '{name}'") as caught:
            parse_document(place.replace("@", first))
        assert caught.value.position == start + len(first)


def test_a_name_that_is_written_twice_is_told_before_what_is_no_policy() -> None:
    with pytest.raises(MalformedPolicy, match="duplicate key 'b'"):
        parse_document('{"Unknown": 1, "Statement": {"a": {"b": 1, "b": 2}}}')


@pytest.mark.parametrize("space", ["", " ", "\n", " \t\r\n"])
def test_space_around_a_policy(space: str) -> None:
    text = json.dumps({"Statement": allow()})
    assert parse_document(space + text + space).statements == parse_document(text).statements


def test_depth_is_told_before_what_is_no_policy() -> None:
    half = '{"Statement":' * (MAXIMUM_DEPTH + 1)
    with pytest.raises(MalformedPolicy, match="nested too deep") as caught:
        parse_document(half + "1" + "}" * (MAXIMUM_DEPTH + 1))
    assert caught.value.position == MAXIMUM_DEPTH * len('{"Statement":')


def test_a_decided_document_goes_without_a_search_for_garbage() -> None:
    """Of a million lines each is parsed anew: what keeps itself would fill the memory."""

    def decide() -> None:
        layers = identity_layers(
            allow(Resource="arn:aws:ses:*:*:identity/${aws:username}"),
            allow(Effect="Deny", Condition={"StringLike": {"k": ["a*", "b?"]}}),
        )
        outcome(layers, request(context={"k": "c"}))

    decide()
    gc.collect()
    gc.disable()
    try:
        decide()
        assert gc.collect() == 0
    finally:
        gc.enable()
