"""A text that some machines accept and others do not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ses_audit.policy.address_machines import VersionFourMachine, version_six_machines
from ses_audit.policy.machines import arn_machine, literal_machine, pattern_machine
from ses_audit.policy.text_search import PatternMachine, find_text
from ses_audit.policy.typed_machines import BooleanMachine, NumberMachine
from ses_audit.policy.wildcards import tokens_of

LIMIT = 10_000


def _like(pattern: str) -> PatternMachine:
    return PatternMachine(pattern_machine(tokens_of(pattern)))


@pytest.mark.parametrize(
    ("wanted", "unwanted", "text"),
    [
        (["a*"], [], "a"),
        (["a*", "*b"], [], "ab"),
        (["a*"], ["a"], "ax"),
        (["a*", "b*"], [], None),
        (["??"], ["?x"], "xa"),
        (["a*"], ["*"], None),
        (["*"], ["?*"], ""),
        (["*a*", "*b*"], ["*ab*"], "ba"),
    ],
)
def test_patterns(wanted: list[str], unwanted: list[str], text: str | None) -> None:
    found = find_text([*map(_like, wanted)], [*map(_like, unwanted)], LIMIT)
    if text == "xa":
        assert found.text is not None
        assert found.text[1] != "x"
    else:
        assert found.text == text
    assert found.complete


def test_a_number_that_is_like_a_pattern() -> None:
    between = NumberMachine(Fraction(100), Fraction(200))
    assert find_text([between, _like("1*")], [], LIMIT).text == "101"
    assert find_text([between, _like("2*")], [], LIMIT)[:2] == (None, True)
    assert find_text([between, _like("*.5")], [], LIMIT).text == "100.5"


def test_an_address_that_is_like_a_pattern() -> None:
    ten = VersionFourMachine(10 << 24, (11 << 24) - 1)
    assert find_text([ten, _like("10.1.*")], [], LIMIT).text == "10.1.0.0"
    assert find_text([ten, _like("11.*")], [], LIMIT)[:2] == (None, True)
    everything = version_six_machines(0, 2**128 - 1)
    texts = [find_text([machine, _like("*.7")], [], LIMIT).text for machine in everything]
    assert "::0.0.0.7" in texts
    assert all(text is None or text.endswith(".7") for text in texts)


@pytest.mark.parametrize("pattern", ["?", "*"])
def test_a_colon_is_what_a_segment_does_not_take(pattern: str) -> None:
    within = PatternMachine(arn_machine(tokens_of(pattern)))
    assert find_text([_like(pattern)], [within], LIMIT)[:2] == (":", True)
    assert find_text([within], [_like(pattern)], LIMIT)[:2] == (None, True)


def test_no_boolean() -> None:
    spelled = PatternMachine(literal_machine("true", fold=True))
    assert find_text([spelled], [BooleanMachine("true", "false")], LIMIT)[:2] == (None, True)


def test_a_limit_that_is_met_says_so() -> None:
    found = find_text([_like("*a*b*c*")], [_like("*cc*")], 3)
    assert (found.text, found.complete, found.walked) == (None, False, 3)
