"""Stretches of a line: between two cuts no clause changes its answer."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from ses_audit.policy.operators import OPERATORS, Family, holds
from ses_audit.policy.sweeps import plain_number, stretches, swept, written_instant
from ses_audit.policy.types import Clause

POOLS = {
    Family.NUMERIC: ["1", "2", "2.0", "5", "1.5", "-3", "junk", "+7", "5.000001"],
    Family.DATE: ["2026-01-01", "2026-01-01T00:00:01Z", "1767225600", "2026", "junk", "5"],
    Family.IP_ADDRESS: [
        *("10.0.0.0/8", "10.1.0.0/16", "10.0.0.1", "0.0.0.0/0", "::/0", "255.255.255.255", "junk"),
        *("2001:db8::/32", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "10.0.0.0/9"),
    ],
}


@pytest.mark.parametrize("family", POOLS)
@pytest.mark.parametrize("seed", range(40))
def test_a_sweep_says_what_each_clause_says(family: Family, seed: int) -> None:
    source = random.Random(seed)
    operators = [each.name for each in OPERATORS.values() if each.family is family]
    clauses = [
        Clause(
            source.choice(operators),
            "k",
            tuple(source.sample(POOLS[family], source.randint(0, 3))),
        )
        for _ in range(source.randint(1, 6))
    ]

    def asked(number: int, text: str) -> bool:
        return holds(clauses[number], {"k": (text,)}, frozenset(), "2012-10-17")

    found = swept(family, [clause.values for clause in clauses], asked)
    for stretch, row in found:
        for number in range(len(clauses)):
            assert bool(row >> number & 1) is asked(number, stretch.text), (stretch, clauses)


def test_numbers_between_as_short_as_can_be() -> None:
    cuts = ["1", "2", "2.5", "100"]
    texts = ["0", "1", "1.1", "2", "2.1", "2.5", "3", "100", "101"]
    assert [each.text for each in stretches(Family.NUMERIC, cuts)] == texts
    assert [each.text for each in stretches(Family.NUMERIC, ["junk"])] == ["0"]
    assert [(s.low, s.high) for s in stretches(Family.NUMERIC, ["1"])] == [
        (None, Fraction(1)),
        (Fraction(1), Fraction(1)),
        (Fraction(1), None),
    ]


def test_addresses_from_the_first_to_the_last() -> None:
    found = stretches(Family.IP_ADDRESS, ["10.0.0.0/8", "ff00::/8"])
    assert [each.text for each in found] == ["0.0.0.0", "10.0.0.0", "11.0.0.0", "::", "ff00::"]
    assert [each.version for each in found] == [4, 4, 4, 6, 6]
    assert (found[1].low, found[1].high) == (10 << 24, (11 << 24) - 1)
    assert found[-1].high == 2**128 - 1


def test_nothing_lies_between_what_differs_by_the_last_digit() -> None:
    one, two = "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000000001Z"
    assert [each.text for each in stretches(Family.DATE, [one, two])][1:3] == [one, two]
    # Nor past the last number of seconds that can be written.
    last = "9" * 15
    assert [each.text for each in stretches(Family.DATE, [last])][-1] == last


def test_a_clause_without_values_is_asked_where_the_line_begins() -> None:
    asked: list[str] = []

    def holding(number: int, text: str) -> bool:
        asked.append(text)
        return True

    found = swept(Family.IP_ADDRESS, [(), ()], holding)
    assert [row for _, row in found] == [3, 3]
    assert asked == ["0.0.0.0", "::"] * 2


@pytest.mark.parametrize(
    ("value", "text"), [(Fraction(5, 2), "2.5"), (Fraction(-3), "-3"), (Fraction(10**401), None)]
)
def test_plain_numbers(value: Fraction, text: str | None) -> None:
    assert plain_number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(0), "1970-01-01T00:00:00Z"),
        (Fraction(1, 4), "1970-01-01T00:00:00.25Z"),
        (Fraction(10**12), "1000000000000"),
        (Fraction(1, 10**13), None),
        (Fraction(10**15), None),
    ],
)
def test_written_instants(seconds: Fraction, text: str | None) -> None:
    assert written_instant(seconds) == text
