"""Strict JSON, and hostile texts: refused with a position, never another exception."""

from __future__ import annotations

import json

import pytest
from policy_cases import allow, load

from ses_audit.policy.json_text import MAXIMUM_DEPTH, MalformedPolicy, Number, loads, place_of
from ses_audit.policy.parse import parse_document

CASES = load("malformed")["cases"]


@pytest.mark.parametrize(("marked", "reason"), CASES, ids=[case[0] for case in CASES])
def test_malformed(marked: str, reason: str) -> None:
    position = marked.index("¤")
    with pytest.raises(MalformedPolicy) as caught:
        parse_document(marked.replace("¤", "", 1))
    if reason == "not JSON":
        assert caught.value.reason.startswith("not JSON: ")
    else:
        assert caught.value.reason == reason
    assert caught.value.position == position
    assert str(position) in str(caught.value)


@pytest.mark.parametrize("depth", [65, 100, 999, 5_000, 100_000])
@pytest.mark.parametrize("bracket", ["[]", '{"a":}'])
def test_depth(depth: int, bracket: str) -> None:
    half = bracket[: len(bracket) - 1]
    text = half * depth + "1" + bracket[-1] * depth
    with pytest.raises(MalformedPolicy) as caught:
        loads(text)
    assert caught.value.reason == "nested too deep"
    assert caught.value.position == MAXIMUM_DEPTH * len(half)


@pytest.mark.parametrize("before", ["[[]],", "[[[]]],[],", '{"a":[{}]},'])
def test_what_is_closed_is_not_deep(before: str) -> None:
    """The place is counted from what is open there."""
    text = "[" + before * 40 + "[" * MAXIMUM_DEPTH + "]" * MAXIMUM_DEPTH + "]"
    with pytest.raises(MalformedPolicy) as caught:
        loads(text)
    assert caught.value.position == len("[" + before * 40) + MAXIMUM_DEPTH - 1


def test_depth_that_is_never_closed() -> None:
    with pytest.raises(MalformedPolicy) as caught:
        parse_document("[" * 200_000)
    assert caught.value.position is not None


def test_what_is_deep_enough() -> None:
    assert loads("[" * MAXIMUM_DEPTH + "]" * MAXIMUM_DEPTH)
    # Brackets in text are text, and many beside each other are not deep.
    assert loads(json.dumps("[{" * 500)) == "[{" * 500
    assert loads("[" + "[]," * 500 + "[]]")


def test_a_raw_surrogate() -> None:
    with pytest.raises(MalformedPolicy) as caught:
        parse_document('{"Id": "\ud800"}')
    assert (caught.value.reason, caught.value.position) == ("lone surrogate", 8)


def test_a_pair_of_surrogates_is_text() -> None:
    assert loads('"\\ud83d\\ude00"') == "😀"
    assert loads('"\\\\ud83d"') == "\\ud83d"
    # Neither a surrogate is what stands just outside their range.
    assert loads('"\\ud7ff\\ue000"') == "\ud7ff\ue000"
    assert loads('["\\ud83d\\ude00", "\\\\ud800"]') == ["😀", "\\ud800"]


def test_a_number_of_many_digits() -> None:
    text = '{"Statement": ' + "1" * 5_000 + "}"
    with pytest.raises(MalformedPolicy) as caught:
        loads(text)
    assert (caught.value.reason, caught.value.position) == ("a number is too long", 14)
    with pytest.raises(MalformedPolicy) as caught:
        loads(
            '{"Version": 5, "Id": [123, "' + "9" * 5_000 + '", -' + "1" * 4_300 + ", -" + text[14:]
        )
    assert caught.value.position == 14 + 14 + 5_000 + 4 + 4_300 + 2
    with pytest.raises(MalformedPolicy, match="statement 1 is not an object"):
        parse_document(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", "5"),
        ("1.50", "1.50"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("-2.5e1", "-25"),
        ("1e400", "1" + "0" * 400),
        ("1e+12", "1" + "0" * 12),
        ("1e+0012", "1e+0012"),
        ("1e401", "1e401"),
        ("1" * 400 + "e1", "1" * 400 + "0"),
        ("1e99999999999", "1e99999999999"),
        ("1" * 500 + "e5", "1" * 500 + "e5"),
    ],
)
def test_exact_numbers(text: str, expected: str) -> None:
    found = loads(text, exact_numbers=True)
    assert isinstance(found, Number)
    assert found == expected


def test_a_number_in_a_condition_is_kept_as_it_is_written() -> None:
    text = json.dumps({"Statement": allow(Condition={"NumericEquals": {"k": "@"}})})
    (statement,) = parse_document(text.replace('"@"', "[1.50, 1e3, -7]")).statements
    assert statement.conditions[0].values == ("1.50", "1000", "-7")


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ((), 0),
        (("a",), 6),
        (("a", 0), 7),
        (("a", 1), 10),
        (("a", 1, "b"), 16),
        (("c",), 27),
        (("a", 2), None),
        (("d",), None),
    ],
)
def test_place_of(path: tuple[str | int, ...], position: int | None) -> None:
    assert place_of('{"a": [1, {"b": 2}], "c": {}}'.replace("{}", "[]"), path) == (
        position if path != ("c",) else 26
    )


@pytest.mark.parametrize(
    ("path", "position"),
    [((2,), 7), ((3,), 10), ((3, "b", 2), 24), ((3, "c"), 33), ((4,), 37)],
)
def test_place_of_what_stands_after_others(path: tuple[str | int, ...], position: int) -> None:
    assert place_of('[1, 2, 3, {"b": [4, {}, 5], "c": 6}, 7]', path) == position
