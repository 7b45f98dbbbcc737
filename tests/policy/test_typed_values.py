"""A text for every kind of number, date, address and boolean."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from ses_audit.policy.domains import Values
from ses_audit.policy.operators import Family
from ses_audit.policy.operators.date import instant
from ses_audit.policy.operators.ip_address import address, network
from ses_audit.policy.operators.numeric import number
from ses_audit.policy.sweeps import plain_number
from ses_audit.policy.typed_values import binaries, compares, fresh, is_of, typed_values


def _values(family: Family, *texts: str, domain: Values = Values.TEXT) -> list[str]:
    return typed_values([(family, text) for text in texts], domain)


def test_nothing_typed() -> None:
    assert typed_values([], Values.TEXT) == []


@pytest.mark.parametrize("texts", [[], ["5"], ["5", "5.0", "6"], ["1", "1.1", "-3"], ["junk"]])
def test_numbers(texts: list[str]) -> None:
    """Each cut, each gap between two, both ends, and no number."""
    cuts = sorted({n for n in map(number, texts) if n is not None})
    values = _values(Family.NUMERIC, *texts, domain=Values.NUMBER)
    numbers = [n for n in map(number, values) if n is not None]
    assert set(cuts) <= set(numbers)
    for low, high in itertools.pairwise(cuts):
        assert any(low < n < high for n in numbers)
    if cuts:
        assert min(numbers) < cuts[0]
        assert max(numbers) > cuts[-1]
    assert numbers
    assert any(number(value) is None for value in values)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["2026-01-01T00:00:00Z"],
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"],
        ["2026-01-01T00:00:00.000000000001Z", "2026-01-01T00:00:00Z"],
        ["0001-01-01", "9999-12-31T23:59:59Z"],
        ["-62135596801", "253402300800"],
        ["junk"],
    ],
)
def test_dates(texts: list[str]) -> None:
    cuts = sorted({i for i in map(instant, texts) if i is not None})
    values = _values(Family.DATE, *texts, domain=Values.INSTANT)
    instants = [i for i in map(instant, values) if i is not None]
    assert set(cuts) <= set(instants)
    for low, high in itertools.pairwise(cuts):
        # Between two that differ by the last digit that a date can have there is none.
        assert high - low <= Fraction(1, 10**12) or any(low < i < high for i in instants)
    if cuts:
        assert min(instants) < cuts[0]
        assert max(instants) > cuts[-1]
    assert instants


def test_numbers_that_are_dates() -> None:
    """Years, seconds, and numbers that are no dates, on both sides of each cut."""
    texts = [(Family.NUMERIC, "2020"), (Family.DATE, "2021-01-01"), (Family.DATE, "5")]
    values = typed_values(texts, Values.TEXT)
    answers = {
        (n is not None and n < 2020, n is not None and n == 2020, None if i is None else i < cut)
        for value in values
        for n, i, cut in [(number(value), instant(value), Fraction(1609459200))]
    }
    for below, at, before in (
        (True, False, True),  # 2019, and the seconds 5
        (False, True, True),  # the year 2020
        (False, False, True),  # the seconds 2021.5
        (False, False, False),  # the year 2022
        (True, False, None),  # +5 is no date
        (False, True, None),  # +2020
        (False, False, None),
    ):
        assert (below, at, before) in answers


def _side(value: Fraction | None, cuts: list[Fraction]) -> tuple[int, ...] | None:
    """Where a value lies beside each cut."""
    return None if value is None else tuple((value > cut) - (value < cut) for cut in cuts)


@pytest.mark.parametrize(
    ("numbers", "dates"),
    [
        (["2020"], ["2021-01-01"]),
        (["5", "9"], ["1970-01-01T00:00:07Z"]),
        (["0.5"], ["2026-01-01", "1"]),
        (["-3"], ["1969-12-31T23:59:50Z"]),
        (["10000"], ["0003"]),
        (["9998"], ["9998"]),
        (["2", "junk"], ["9999", "junk"]),
    ],
)
def test_every_kind_of_number_and_date(numbers: list[str], dates: list[str]) -> None:
    """Beside each cut the years, the seconds, and what is no date, as far as there are any."""
    texts = [(Family.NUMERIC, each) for each in numbers] + [(Family.DATE, each) for each in dates]
    n_cuts = [Fraction(n) for n in map(number, numbers) if n is not None]
    i_cuts = [i for i in map(instant, dates) if i is not None]

    def kind(text: str) -> tuple[object, object]:
        value = number(text)
        own = None if value is None else Fraction(value)
        return _side(own, n_cuts), _side(instant(text), i_cuts)

    tried = [f"{year:04}" for year in (1, 2, 3, 4, 1969, 1970, 2020, 2021, 2022, 9997, 9998, 9999)]
    for cut in (*n_cuts, *i_cuts):
        for seconds in (cut - 1, cut, cut + 1, cut + Fraction(1, 2)):
            written = plain_number(seconds)
            assert written is not None
            tried += [written, written if "." in written else f"{written}.0", f"+{written}"]
            tried.append(f"{written}{'' if '.' in written else '.'}{'0' * 13}")
    wanted = {kind(text) for text in tried if number(text) is not None}
    found = {kind(value) for value in typed_values(texts, Values.TEXT)}
    assert wanted <= found, wanted - found


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["10.0.0.0/8", "10.1.0.0/16", "10.1.1.1"],
        ["10.0.0.0/9", "10.128.0.0/9", "10.0.0.0/8"],
        ["0.0.0.0/0", "::/0"],
        ["2001:db8::/32", "2001:db8:1::/48"],
        ["junk"],
    ],
)
def test_addresses(texts: list[str]) -> None:
    """In each range that its inner ranges do not fill, and outside of all."""
    ranges = [n for n in map(network, texts) if n is not None]
    values = _values(Family.IP_ADDRESS, *texts, domain=Values.ADDRESS)
    found = [a for a in map(address, values) if a is not None]
    assert found
    for outer in ranges:
        inner = [n for n in ranges if n != outer and n.version == outer.version]
        inner = [n for n in inner if n.subnet_of(outer)]  # type: ignore[arg-type]
        full = sum(n.num_addresses for n in inner) == outer.num_addresses
        free = any(a in outer and not any(a in n for n in inner) for a in found)
        assert free is not full
    for version, whole in ((4, "0.0.0.0/0"), (6, "::/0")):
        outside = any(a.version == version and not any(a in n for n in ranges) for a in found)
        assert outside is (whole not in texts)


def test_booleans() -> None:
    assert set(_values(Family.BOOLEAN, "true")) == {"true", "false", "other"}
    assert _values(Family.BOOLEAN, domain=Values.BOOLEAN) == ["true", "false", "other"]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("10.0.0.1", Values.ADDRESS, True),
        (" 10.0.0.1", Values.ADDRESS, False),
        ("10.0.0.0/8", Values.ADDRESS, False),
        ("2026", Values.INSTANT, True),
        ("soon", Values.INSTANT, False),
        ("5", Values.NUMBER, True),
        ("five", Values.NUMBER, False),
        ("true", Values.BOOLEAN, True),
        ("TRUE", Values.BOOLEAN, False),
        ("anything", Values.TEXT, True),
    ],
)
def test_is_of(value: str, kind: Values, expected: bool) -> None:
    assert is_of(value, kind) is expected


def test_fresh() -> None:
    assert fresh([]) == "other"
    assert fresh(["OTHER", "other-Other"]) == "other-other-other"


def test_binaries() -> None:
    assert binaries("!") == []
    assert binaries("QUJD") == ["QUJD"]
    assert len(binaries("QQ==")) == 16
    assert len(binaries("QUI=")) == 4
    assert binaries("") == [""]


@pytest.mark.parametrize(
    ("family", "text", "expected"),
    [
        (Family.NUMERIC, "0", True),
        (Family.NUMERIC, "zero", False),
        (Family.DATE, "0", True),
        (Family.DATE, "soon", False),
        (Family.IP_ADDRESS, "10.0.0.0/8", True),
        (Family.IP_ADDRESS, "10.0.0.0/33", False),
        (Family.ARN, "arn:aws:iam::1:user/x", True),
        (Family.ARN, "arn:aws:iam::${aws:PrincipalAccount}:user/x", True),
        (Family.ARN, "arn:aws:iam:${aws:PrincipalAccount}", False),
        (Family.STRING, "", True),
        (Family.NULL, "", True),
    ],
)
def test_what_an_operator_compares_with(family: Family, text: str, expected: bool) -> None:
    assert compares(family, text) is expected
