"""Machines for numbers, booleans and instants accept what the operators read so, and no more."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
from text_machines import accepts

from ses_audit.policy.operators.boolean import equals
from ses_audit.policy.operators.date import instant
from ses_audit.policy.operators.numeric import number
from ses_audit.policy.typed_machines import (
    BooleanMachine,
    DateMachine,
    InstantMachine,
    NumberMachine,
)

CUTS = [Fraction(n) for n in ("0", "5", "5.5", "-3", "10", "0.05", "-0.5", "100", "99.99")]


def _within(value: Fraction, low: Fraction | None, high: Fraction | None) -> bool:
    if low is not None and low == high:
        return value == low
    return (low is None or value > low) and (high is None or value < high)


def _bounds(source: random.Random, cuts: list[Fraction]) -> tuple[Fraction | None, Fraction | None]:
    if source.random() < 0.3:
        cut = source.choice(cuts)
        return cut, cut
    low, high = sorted(source.sample(cuts, 2))
    return source.choice((low, None)), source.choice((high, None))


def _number_text(source: random.Random) -> str:
    digits = "".join(source.choice("0015799.") for _ in range(source.randint(1, 5)))
    around = source.choice(("", "", "", "", " ", "\t")), source.choice(("", "", "", " ", "x", "-"))
    return around[0] + source.choice(("", "", "+", "-")) + digits + around[1]


@pytest.mark.parametrize("seed", range(10))
def test_numbers(seed: int) -> None:
    source, accepted = random.Random(seed), 0
    for _ in range(1_000):
        low, high = _bounds(source, CUTS)
        padded = source.random() < 0.5
        text = _number_text(source)
        value = number(text)
        expected = value is not None and (padded or text == text.strip())
        expected = expected and _within(Fraction(value or 0), low, high)
        machine = NumberMachine(low, high, padded=padded)
        assert accepts(machine, text) is expected, (text, low, high)
        accepted += expected
    assert accepted > 100


@pytest.mark.parametrize("text", ["", ".", "+", "5.", ".5", "+.5", "-", "--5", "5 5", "5e1", "٥"])
def test_every_shape_of_a_number(text: str) -> None:
    assert accepts(NumberMachine(None, None), text) is (number(text) is not None)


@pytest.mark.parametrize("words", [("true",), ("false",), ("true", "false")])
def test_booleans(words: tuple[str, ...]) -> None:
    tests = [equals((word,)) for word in words]
    texts = ["true", "false", "TRUE", " False ", "tru", "truee", "true false", "", " ", "1"]
    for text in texts:
        assert accepts(BooleanMachine(*words), text) is any(test(text) for test in tests), text
        exact = accepts(BooleanMachine(*words, exact=True), text)
        assert exact is (text in words), text


INSTANTS = [
    instant(text) or Fraction(0)
    for text in (
        "2026-01-01T00:00:00Z",
        "2026-02-28",
        "2024-02-29T12:00:00Z",
        "1999-12-31T23:59:59.5Z",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        "2026-01-31",
    )
]


@pytest.mark.parametrize("seed", range(10))
def test_instants(seed: int) -> None:
    """Whole seconds as AWS writes them; of the days that not every month has only the bounds'."""
    source, accepted = random.Random(seed), 0
    for _ in range(1_000):
        low, high = _bounds(source, [i for i in INSTANTS if i.denominator == 1])
        year = source.choice((2026, 2024, 1999, source.randint(0, 9999)))
        month, day = source.choice((1, 2, 12, 13, 0)), source.choice((0, 1, 28, 29, 31, 32))
        hour, minute, second = (source.choice(x) for x in ((0, 12, 24), (0, 59, 60), (0, 59)))
        text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        value = instant(text)
        inside = value is not None and _within(value, low, high)
        got = accepts(InstantMachine(low, high), text)
        assert not got or inside, (text, low, high)
        assert got or not inside or day > 28, (text, low, high)
        accepted += got
    assert accepted > 30


def test_instants_between_parts_of_a_second_and_beyond_the_years() -> None:
    half = instant("1999-12-31T23:59:58.5Z")
    assert half is not None
    between = InstantMachine(half, half + 1)
    assert accepts(between, "1999-12-31T23:59:59Z")
    assert not accepts(between, "1999-12-31T23:59:58Z")
    assert not accepts(between, "2000-01-01T00:00:00Z")
    whole = InstantMachine(Fraction(-(10**12)), Fraction(10**12))
    for text in ("0001-01-01T00:00:00Z", "9999-12-28T23:59:59Z"):
        assert accepts(whole, text)
    for text in ("2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00Zx", "2026/01/01T"):
        assert not accepts(whole, text)


def test_a_number_is_compared_digit_by_digit() -> None:
    """Every text of few digits, against bounds of as many."""
    texts = ["".join(t) for n in range(1, 4) for t in itertools.product("019.", repeat=n)]
    for bound in ("0", "1", "9", "10", "0.9", "1.01", "99"):
        below, at = NumberMachine(None, Fraction(bound)), NumberMachine(*[Fraction(bound)] * 2)
        for text in texts:
            value = number(text)
            assert accepts(below, text) is (value is not None and value < Fraction(bound))
            assert accepts(at, text) is (value is not None and value == Fraction(bound))


_ZONES = (
    "",
    "Z",
    "z",
    "+01:00",
    "-2359",
    "+0100",
    ".5",
    ".25Z",
    ".125-01:00",
    "+1",
    ".",
    "+01:",
    " ",
)


@pytest.mark.parametrize("seed", range(10))
def test_no_date_between_two_instants_is_left_out(seed: int) -> None:
    source, inside, outside = random.Random(seed), 0, 0
    for _ in range(1_500):
        low, high = _bounds(source, INSTANTS)
        year, month = source.choice((2026, 2024, 1999, 2025, 9999)), source.choice((1, 2, 12))
        day, hour = source.choice((1, 28, 29, 31)), source.choice((0, 12, 23))
        fields = f"{year:04}-{month:02}-{day:02}{source.choice('Tt')}{hour:02}:59"
        fields += source.choice(("", ":58", ":59"))
        if source.random() < 0.3:
            fields = fields[: source.choice((4, 7, 10))]
        text = fields + source.choice(_ZONES)
        if source.random() < 0.3:
            text = text.replace("-", "", 2).replace(":", "", 2)
        machines = [DateMachine(low, high, dashes=dashes) for dashes in (True, False)]
        dates = any(accepts(machine, text) for machine in machines)
        got = dates or accepts(NumberMachine(low, high), text)
        value = instant(text)
        if value is None:
            outside += not got
        elif _within(value, low, high):
            assert got, (text, low, high)
            inside += 1
        else:
            # What is accepted lies within a day of the bounds, and its zone another.
            days = Fraction(2 * 86_400)
            near = (low is None or value > low - days) and (high is None or value < high + days)
            assert near or not dates, (text, low, high)
    assert inside > 50
    assert outside > 20


@pytest.mark.parametrize(
    "text", ["2026-01-01T00:00:00+1", "2026-01-01T00", "2026-01-01T00:00:00.", "2026-1", "2026Z"]
)
def test_shapes_that_no_date_has(text: str) -> None:
    assert instant(text) is None
    assert not accepts(DateMachine(None, None, dashes=True), text)
    assert not accepts(DateMachine(None, None, dashes=False), text)
