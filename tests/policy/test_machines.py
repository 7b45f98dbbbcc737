"""Machines accept what the concrete matchers match; the kinds of text they tell apart."""

from __future__ import annotations

import itertools

import pytest

from ses_audit.policy import machines
from ses_audit.policy.machines import (
    arn_machine,
    kinds_of_text,
    literal_machine,
    pattern_machine,
    resource_machine,
)
from ses_audit.policy.wildcards import (
    ANY,
    STAR,
    arn_matches,
    arn_pattern_matches,
    fold,
    matches,
    tokens_of,
)


def accepts(machine: machines.Machine, text: str) -> bool:
    taken = dict(machine.takes)
    states = 1
    for character in text:
        states = machine.step(states, character, taken)
    return bool(states & machine.finals)


WORDS = ["".join(word) for size in range(5) for word in itertools.product("ab:", repeat=size)]


@pytest.mark.parametrize("pattern", ["", "a", "*", "?", "a*", "*a", "a*b", "?*b", "a?*?b", "*:*"])
def test_patterns_on_every_short_text(pattern: str) -> None:
    machine = pattern_machine(tokens_of(pattern))
    for word in WORDS:
        assert accepts(machine, word) is matches(pattern, word), word


ARNS = [
    ":".join(parts)
    for parts in itertools.product(
        ["a", ""], ["b", "ab"], ["", "a"], ["a"], ["", "b"], ["a", "a:b"]
    )
] + WORDS


@pytest.mark.parametrize(
    "pattern", ["a:b::a::a", "*:*:*:*:*:*", "?:?:?:?:?:?", "a*:*b:*:a:*:a*", "a:ab:a:*:b:*b", "*"]
)
def test_arns(pattern: str) -> None:
    machine = arn_machine(tokens_of(pattern))
    resource = resource_machine(tokens_of(pattern))
    for arn in ARNS:
        assert accepts(machine, arn) is arn_pattern_matches(pattern, arn), arn
        assert accepts(resource, arn) is arn_matches(pattern, arn), arn


@pytest.mark.parametrize(
    "pattern", ["a:*", "*:b", "a:*:a", "a*b:*", "a:b", "?:*:a:*a:b", "a:?b*:a"]
)
def test_resources(pattern: str) -> None:
    machine = resource_machine(tokens_of(pattern))
    for arn in ARNS:
        assert accepts(machine, arn) is arn_matches(pattern, arn), arn


def test_literal_wildcards() -> None:
    machine = pattern_machine(("a*", STAR, "?", ANY))
    assert accepts(machine, "a*bb?x")
    assert not accepts(machine, "abb?x")


@pytest.mark.parametrize("text", ["Ab", "k", "ÅB", "σ", "İ"])
def test_folding_machines_accept_all_spellings(text: str) -> None:
    machine = literal_machine(text, fold=True)
    letters = {
        *text,
        *text.lower(),
        *text.upper(),
        "\u212a",
        "K",
        "k",
        "Å",
        "å",
        "i",
        "x",
        "σ",
        "Σ",
    }
    for size in (1, 2):
        for word in map("".join, itertools.product(sorted(letters), repeat=size)):
            assert accepts(machine, word) is (fold(word) == fold(text)), word


def _masks(patterns: list[str]) -> dict[int, str]:
    found, complete = kinds_of_text([pattern_machine(tokens_of(p)) for p in patterns], 10_000)
    assert complete
    return found


@pytest.mark.parametrize(
    "patterns",
    [["a*"], ["a*", "*b"], ["a", "?"], ["*a*", "b*", "??"], ["", "*"], ["a*b", "a?b", "ab"]],
)
def test_every_kind_is_found_and_nothing_else(patterns: list[str]) -> None:
    by_hand = {
        sum(1 << i for i, pattern in enumerate(patterns) if matches(pattern, word))
        for word in (*WORDS, "xyz", "abab", "abxab")
    }
    found = _masks(patterns)
    assert found.keys() == by_hand
    for mask, text in found.items():
        assert mask == sum(1 << i for i, p in enumerate(patterns) if matches(p, text))


def test_the_shortest_text_and_the_empty_one_last() -> None:
    assert _masks(["*"]) == {1: "x"}
    assert _masks(["?*"]) == {1: "x", 0: ""}
    assert _masks(["abc"]) == {0: "x", 1: "abc"}


@pytest.mark.parametrize("pattern", ["?", "*"])
def test_a_wildcard_within_a_segment_is_told_from_one_that_crosses(pattern: str) -> None:
    within, across = arn_machine(tokens_of(pattern)), pattern_machine(tokens_of(pattern))
    for machines_, crossing in (([within, across], 2), ([across, within], 1)):
        found, complete = kinds_of_text(machines_, 100)
        assert complete
        assert (found[crossing], found[3]) == (":", "x")


def test_in_the_last_segment_every_wildcard_takes_a_colon() -> None:
    for pattern, text in (("a?b", "a:b"), ("a:b:c:d:e:x?y*", "a:b:c:d:e:x:yz:")):
        assert accepts(resource_machine(tokens_of(pattern)), text)
        assert arn_matches(pattern, text)


def test_a_limit_that_is_met_says_so() -> None:
    many = [pattern_machine(tokens_of(f"*{a}*{b}*")) for a, b in ("ab", "ba", "bc", "cb")]
    found, complete = kinds_of_text(many, 5)
    assert not complete
    assert found


def test_a_character_that_no_pattern_names() -> None:
    every = "xyzqwkjvbn0123456789_-~XYZQWKJVBN"
    found, _ = kinds_of_text([literal_machine(every[:i]) for i in range(1, 2)], 100)
    assert found == {1: "x", 0: "y"}
    assert machines.character_apart(set(every)) == "¡"
    assert machines.character_apart({*every, "¡"}) == "¢"
