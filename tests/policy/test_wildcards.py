"""Wildcards in actions, resources and text; how much work a match is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import allow, identity_layers, load, request

from ses_audit.policy import patterns, wildcards
from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.machines import pattern_machine, resource_machine
from ses_audit.policy.outcome import outcome
from ses_audit.policy.text_places import TextPlaces
from ses_audit.policy.wildcards import (
    ANY,
    STAR,
    Pattern,
    action_matches,
    arn_matches,
    arn_pattern_matches,
    fold,
    matches,
    prefix_relation,
    segments_of,
    tokens_of,
)

DATA = load("wildcards")


def _rows(family: str) -> list[tuple[str, str, bool]]:
    for group in DATA[family]:
        assert group["source"].startswith("https://docs.aws.amazon.com/")
    return [tuple(row) for group in DATA[family] for row in group["rows"]]


@pytest.mark.parametrize(("pattern", "action", "expected"), _rows("action"))
def test_action(pattern: str, action: str, expected: bool) -> None:
    assert action_matches(pattern, action) is expected
    layers = identity_layers(allow(Action=pattern))
    assert bool(outcome(layers, request(action=action)).identity.allows) is expected


def accepts(machine: object, text: str) -> bool:
    """Run a machine of open evaluation over a text."""
    taken = dict(machine.takes)
    states = 1
    for character in text:
        states = machine.step(states, character, taken)
    return bool(states & machine.finals)


@pytest.mark.parametrize(("pattern", "arn", "expected"), _rows("resource"))
def test_resource(pattern: str, arn: str, expected: bool) -> None:
    assert arn_matches(pattern, arn) is expected
    layers = identity_layers(allow(Resource=pattern))
    assert bool(outcome(layers, request(resource=arn)).identity.allows) is expected
    assert accepts(resource_machine(tokens_of(pattern)), arn) is expected


@pytest.mark.parametrize(("pattern", "arn", "expected"), DATA["version_without_variables"]["rows"])
def test_resource_before_variables(pattern: str, arn: str, expected: bool) -> None:
    layers = identity_layers(allow(Resource=pattern), version="2008-10-17")
    assert bool(outcome(layers, request(resource=arn)).identity.allows) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("?", "", False),
        ("?*", "a", True),
        ("*?", "", False),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("*a", "ab", False),
        ("a*b*c", "abc", True),
        ("a*b*c", "acb", False),
        ("a??", "abc", True),
        ("a*?b", "ab", False),
        ("a*?b", "axxb", True),
        ("a?*?b", "axb", False),
        ("a?*?b", "axxxb", True),
        ("*?*?", "a", False),
        ("*?*?", "ab", True),
        ("*?a*", "aa", True),
        ("*a?*c?*", "axcx", True),
        ("*a?*c?*", "acx", False),
        ("*a?*xb", "axb", False),
        ("*a?*xb", "axxb", True),
        ("*a??*?c*", "axyzc", True),
        ("*?a*", "a", False),
        ("*ab*ab*", "xab", False),
        ("[a]*", "[a]b", True),
        (".", "a", False),
    ],
)
def test_text(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected
    assert accepts(pattern_machine(tokens_of(pattern)), text) is expected


@pytest.mark.parametrize(
    ("pattern", "relation"),
    [
        ("*", "all"),
        ("arn:aws:ses:*", "all"),
        ("arn:aws:ses:*:1:template/*", "all"),
        ("arn:aws:ses:*:1:template/**", "all"),
        ("arn:aws:ses:*:1:template/a*", "some"),
        ("arn:aws:s?s:eu-west-1:1:template/?*", "some"),
        ("arn:aws:s?s:eu-west-1:1:template/", "some"),
        ("arn:aws:ses:eu-west-1:1:template/abc", "some"),
        ("arn:aws:s?s:eu-west-1:1:identity/*", "none"),
        ("arn:aws:s3:*", "none"),
        ("arn:aws:ses:e*1:2:*", "none"),
    ],
)
def test_what_a_pattern_says_of_names_that_begin_alike(pattern: str, relation: str) -> None:
    assert prefix_relation(pattern, "arn:aws:ses:eu-west-1:1:template/") == relation


def test_literal_wildcards_are_kept_apart() -> None:
    pattern = Pattern(("a*", STAR, "?", ANY))
    assert pattern.matches("a*-?x")
    assert not pattern.matches("ab-?x")
    assert not pattern.matches("a*-xx")


def test_an_arn_is_cut_at_five_colons_only() -> None:
    assert segments_of(tokens_of("a:b:c:d:e:f:g")) == [["a"], ["b"], ["c"], ["d"], ["e"], ["f:g"]]
    assert segments_of(tokens_of("::")) == [[], [], []]
    assert arn_pattern_matches("arn:aws:iam::*:user/x", "arn:aws:iam::1:user/x")


@pytest.mark.parametrize(
    ("text", "folded"), [("ABC", "abc"), ("ÅΣ", "åσ"), ("İ", "İ"), ("K", "k"), ("", "")]
)
def test_fold_keeps_lengths(text: str, folded: str) -> None:
    assert fold(text) == folded


class _Counter:
    """Counts how far the pieces of a pattern are looked for in a text."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looked = 0
        original = patterns._find

        def find(piece: object, text: str, start: int, end: int) -> int:
            found = original(piece, text, start, end)
            self.looked += (end if found < 0 else found + len(piece)) - start
            return found

        monkeypatch.setattr(patterns, "_find", find)


@pytest.mark.parametrize("size", [100, 1_000, 10_000])
def test_no_part_of_the_text_is_looked_at_twice(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = _Counter(monkeypatch)
    assert not matches("*a" * size + "*b", "a" * size + "c")
    assert not matches("*ab" * size + "*c*", "ab" * size)
    assert counter.looked <= 2 * (2 * size + 1)


@pytest.mark.parametrize("size", [10, 1_000, 20_000])
def test_a_text_is_followed_at_all_its_places_at_once(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many steps as the pattern has characters, however long the text is and repeats itself."""
    steps = 0
    original = TextPlaces.of

    def of(places: TextPlaces, character: str) -> int:
        nonlocal steps
        steps += 1
        return original(places, character)

    monkeypatch.setattr(TextPlaces, "of", of)
    crossing = "arn:a*b*c:s*:*?*?*:" + "*a" * 5 + "*b"
    assert isinstance(wildcards.compile_resource(crossing).whole, wildcards.CrossingPattern)
    assert not arn_matches(crossing, "arn:abc:s:x:yy:" + "a" * size)
    assert arn_matches(crossing, "arn:abc:s:x:yy:" + "a" * size + "b")
    assert steps <= 2 * (len(crossing) + 1)
    steps = 0
    assert not matches("*a?a?a?b*", "a" * size)
    assert matches("*a?a?a?b*", "a" * size + "b")
    assert steps <= 2 * 4


def test_each_character_of_a_text_is_found_once() -> None:
    class Text(str):
        found = 0

        def find(self, *given: object) -> int:  # type: ignore[override]
            Text.found += 1
            return str.find(self, *given)  # type: ignore[arg-type]

    text = Text("ab" * 500)
    places = TextPlaces(text)
    for _ in range(10):
        assert places.of("a") == int("01" * 500, 2)
        assert places.of("b") == int("10" * 500, 2)
        assert places.of("c") == 0
    assert Text.found == 1_000 + 3


@pytest.mark.parametrize("pattern", ["*a" * 50_000, "?*" * 50_000, "*?a" * 50_000, "a?" * 50_000])
def test_a_pattern_that_is_too_long_for_a_text_is_not_cut(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = patterns._pieces

    def pieces(written: str) -> object:
        assert len(written) < 100
        return original(written)

    monkeypatch.setattr(patterns, "_pieces", pieces)
    monkeypatch.setattr(patterns, "_SPLIT", None)
    statement = allow(
        Action=["s" + pattern],
        Resource=[pattern, "arn:a*a:*:" + pattern, "arn:" + pattern],
        Condition={"StringLike": {"k": pattern}, "ArnLike": {"k": "a:b:c:d:e:" + pattern}},
    )
    asked = request(context={"k": "a:b:c:d:e:f"})
    found = evaluate(identity_layers(statement), asked).layers[0].levels[0].policies[0]
    assert not any(matched for _, matched in found.statements[0].elements[1:])


LETTERS = st.text("ab:*?", max_size=12)
"""Few letters, so that patterns and texts meet."""


@given(LETTERS, st.text("ab:", max_size=10))
@settings(max_examples=2_000, deadline=None, derandomize=True, database=None)
def test_a_pattern_as_it_is_written_and_one_that_is_cut_are_the_same(
    pattern: str, text: str
) -> None:
    tokens = tokens_of(pattern)
    expected = accepts(pattern_machine(tokens), text)
    assert Pattern(pattern).matches(text) is expected
    assert Pattern(tokens).matches(text) is expected
    expected = accepts(resource_machine(tokens), text)
    assert wildcards.compile_resource(pattern).matches(text) is expected
    assert wildcards.compile_resource(tokens).matches(text) is expected
    written, cut = (wildcards.compile_arn(each).matches(text) for each in (pattern, tokens))
    assert written is cut


@given(LETTERS, st.text("ab:", max_size=6), st.text("ab:", max_size=6))
@settings(max_examples=1_000, deadline=None, derandomize=True, database=None)
def test_what_a_pattern_says_of_a_prefix_holds_of_what_begins_with_it(
    pattern: str, prefix: str, rest: str
) -> None:
    relation = prefix_relation(pattern, prefix)
    if relation != "some":
        assert arn_matches(pattern, prefix + rest) is (relation == "all")
