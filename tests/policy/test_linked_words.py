"""Words that stand in the texts of other keys."""

from __future__ import annotations

import pytest

from ses_audit.policy.linked_words import Reader, generic_words, pinned_words
from ses_audit.policy.machines import (
    Joined,
    Machine,
    arn_machine,
    literal_machine,
    pattern_machine,
)
from ses_audit.policy.wildcards import tokens_of


def _like(pattern: str) -> Machine:
    return pattern_machine(tokens_of(pattern))


def _reader(patterns: list[str], before: str, *, fold: bool = False, elements: int = 1) -> Reader:
    return Reader([*map(_like, patterns)], [_like(before)], fold=fold, elements=elements)


@pytest.mark.parametrize(
    ("own", "patterns", "before", "expected"),
    [
        ([], [], "", [""]),
        ([], ["ab"], "", ["", "a", "ab"]),
        ([], ["ab"], "a", ["", "b"]),
        ([], ["ab"], "*", ["", "a", "b", "ab"]),
        ([], ["?b"], "", [""]),  # a letter that no policy writes comes first
        ([], ["?b"], "x", ["", "b"]),
        (["a*"], ["*b"], "", ["", "a", "ab", "b"]),
        (["a?"], ["b"], "", ["", "a", "b"]),
    ],
)
def test_words_of_letters_that_policies_write(
    own: list[str], patterns: list[str], before: str, expected: list[str]
) -> None:
    words, complete = pinned_words([*map(_like, own)], [_reader(patterns, before)])
    assert sorted(words) == sorted(expected)
    assert complete


@pytest.mark.parametrize(
    ("patterns", "before", "expected"),
    [
        (["ab", "cd"], "", ["", "a", "ab", "c", "cd"]),
        (["a", "bc", "d"], "", ["", "a", "b", "bc", "d"]),
        (["ab", "bc", "bd"], "b", ["", "c", "d"]),
        (["xyz", "bc"], "b", ["", "c"]),
    ],
)
def test_each_pattern_of_a_text_writes_letters(
    patterns: list[str], before: str, expected: list[str]
) -> None:
    words, complete = pinned_words([], [_reader(patterns, before)])
    assert (sorted(words), complete) == (sorted(expected), True)


@pytest.mark.parametrize(
    ("pattern", "within", "across"), [("?x", ["", ":"], [":x"]), ("*x", ["", ":", "x"], [":x"])]
)
def test_a_wildcard_of_an_arn_reads_no_colon(
    pattern: str, within: list[str], across: list[str]
) -> None:
    colon = _like(":*")
    words, _ = pinned_words([colon, arn_machine(tokens_of(pattern))], [])
    assert sorted(words) == sorted(within)
    words, _ = pinned_words([colon, _like(pattern)], [])
    assert sorted(words) == sorted(within + across)


def test_a_colon_is_told_from_other_letters() -> None:
    arn = arn_machine(tokens_of("*b"))
    starts, complete = Reader([arn], [_like("*")], fold=False).starts()
    assert ({*starts}, complete) == ({0b01, 0b11, 0}, True)
    words, complete = generic_words(Joined([arn_machine(tokens_of("*"))]), [])
    assert complete
    assert {":" in word for word in words} == {True, False}


def test_a_word_for_each_end_of_several_texts() -> None:
    readers = [_reader(["*b"], ""), _reader(["c*"], "")]
    words, complete = generic_words(Joined([]), readers)
    assert complete
    assert {(word[-1] == "b", word[0] == "c") for word in words} == {
        (last, first) for last in (True, False) for first in (True, False)
    }


def test_several_texts_pin_more() -> None:
    """Two texts that both hold `ab`, at different places of the word."""
    one, _ = pinned_words([], [_reader(["*ab*"], "*")])
    two, _ = pinned_words([], [_reader(["*ab*"], "*", elements=2)])
    assert "abab" not in one
    assert "abab" in two


def test_in_any_case_one_spelling_stands_for_all() -> None:
    words, _ = pinned_words([], [_reader(["aB"], "", fold=True)])
    assert sorted(words) == ["", "a", "ab"]


def test_a_word_for_each_end() -> None:
    words, complete = generic_words(Joined([_like("a*")]), [_reader(["*b"], "")])
    assert complete
    # Each has a letter of its own; it begins with `a` or not, and ends in `b` or not.
    assert {(word[0] == "a", word[-1] == "b") for word in words} == {
        (first, last) for first in (True, False) for last in (True, False)
    }
    assert all("x" in word for word in words)


def test_where_a_word_may_begin() -> None:
    reader = _reader(["*ab"], "*")
    starts, complete = reader.starts()
    assert complete
    assert len(starts) == 3  # after nothing of it, after `a`, after `ab`
    assert _reader(["*ab"], "a").starts() == ((0b011,), True)
    assert _reader(["cd"], "a").starts() == ((0,), True)


def test_limits_that_are_met_say_so() -> None:
    letters = "abcdefghijkl"
    many = [f"*{one}*{two}*" for one in letters for two in letters if one != two]
    _, complete = generic_words(Joined([]), [_reader(many[:40], "")])
    assert not complete
    assert pinned_words([], [_reader(many[:40], "*")]) == ([""], False)
    assert not _reader(many[:40], "*").starts()[1]
    _, complete = pinned_words([_like(f"*{letter}*a*") for letter in letters], [])
    assert not complete
    long = [literal_machine("a" * 600)]
    words, complete = pinned_words(long, [_reader([], "")])
    assert not complete
    assert "aaa" in words


def test_few_words_in_many_texts_take_steps_too() -> None:
    far = [_reader([f"*{number:07b}{number:07b}"], "*") for number in range(16)]
    words, complete = generic_words(Joined([]), far)
    assert (len(words) < 50, complete) == (True, False)
