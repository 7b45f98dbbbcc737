"""Wildcards in actions, resources and text; how much work a match is."""

from __future__ import annotations

import pytest
from policy_cases import allow, identity_layers, load, request

from ses_audit.policy import wildcards
from ses_audit.policy.machines import pattern_machine, resource_machine
from ses_audit.policy.outcome import outcome
from ses_audit.policy.wildcards import (
    ANY,
    STAR,
    action_matches,
    arn_matches,
    arn_pattern_matches,
    compile_tokens,
    fold,
    matches,
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
        ("*?a*", "a", False),
        ("*ab*ab*", "xab", False),
        ("[a]*", "[a]b", True),
        (".", "a", False),
    ],
)
def test_text(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected
    assert accepts(pattern_machine(tokens_of(pattern)), text) is expected


def test_literal_wildcards_are_kept_apart() -> None:
    pattern = compile_tokens(("a*", STAR, "?", ANY))
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
        original = wildcards._find

        def find(piece: object, text: str, start: int, end: int) -> int:
            found = original(piece, text, start, end)
            self.looked += (end if found < 0 else found + len(piece)) - start
            return found

        monkeypatch.setattr(wildcards, "_find", find)


@pytest.mark.parametrize("size", [100, 1_000, 10_000])
def test_no_part_of_the_text_is_looked_at_twice(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = _Counter(monkeypatch)
    assert not matches("*a" * size + "*b", "a" * size + "c")
    assert not matches("*ab" * size + "*c*", "ab" * size)
    assert counter.looked <= 2 * (2 * size + 1)


def test_a_crossing_pattern_takes_one_step_a_character() -> None:
    pattern = wildcards.compile_resource(tokens_of("arn:a*b*c:s*:*?*?*:" + "*a" * 2_000 + "*b"))
    assert isinstance(pattern.whole, wildcards.CrossingPattern)

    class Text(str):
        steps = 0

        def __iter__(self):  # type: ignore[no-untyped-def]
            for character in str.__str__(self):
                Text.steps += 1
                yield character

    text = Text("arn:abc:s:x:yy:" + "a" * 5_000)
    assert not pattern.matches(text)
    assert Text.steps == len(text)
