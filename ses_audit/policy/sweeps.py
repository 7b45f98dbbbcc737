"""Numbers, instants and addresses on a line, cut where clauses of one family may answer otherwise.

Between two neighbouring cuts no clause changes its answer, so one text stands for a whole stretch,
and a clause has to be asked only where one of its own values lies: many clauses cost one sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise

from ses_audit.policy.operators import Family
from ses_audit.policy.operators.date import instant
from ses_audit.policy.operators.ip_address import network
from ses_audit.policy.operators.numeric import number

__all__ = ["SWEPT", "Stretch", "plain_number", "stretches", "swept", "written_instant"]

SWEPT = (Family.NUMERIC, Family.DATE, Family.IP_ADDRESS)
"""The families whose values lie on a line."""

_START = datetime(1970, 1, 1, tzinfo=UTC)
_BITS = {4: 32, 6: 128}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Values next to each other that no clause tells apart.

    Parameters
    ----------
    text
        One of them.
    low, high
        What they lie between, None for no bound; both are in it where they are the same number,
        and where they are addresses, else neither.
    version
        4 or 6 for addresses.
    """

    text: str
    low: Fraction | None = None
    high: Fraction | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    stretches: tuple[Stretch, ...]
    places: dict[object, tuple[int, ...]]
    """What a policy's value is read to → the stretches at which a clause with it may change."""
    starts: tuple[int, ...]
    """Where every clause has to be asked."""


def stretches(family: Family, texts: Iterable[str]) -> tuple[Stretch, ...]:
    """The stretches into which the values of policies cut a family's values.

    Examples
    --------
    >>> [stretch.text for stretch in stretches(Family.NUMERIC, ["5", "7"])]
    ['4', '5', '6', '7', '8']
    """
    return _line(family, texts).stretches


def swept(
    family: Family, values: Sequence[Sequence[str]], holds: Callable[[int, str], bool]
) -> list[tuple[Stretch, int]]:
    """Each stretch with what the clauses answer on it.

    Parameters
    ----------
    family
        Whose operators all clauses are.
    values
        What each clause compares with.
    holds
        What the clause with this number answers to a text.

    Returns
    -------
    list
        The stretches in order, each with a bit for every clause that holds.
    """
    line = _line(family, [text for texts in values for text in texts])
    turned = [0] * (len(line.stretches) + 1)
    read = _READ[family]
    for clause, texts in enumerate(values):
        places = set(line.starts)
        for text in texts:
            places.update(line.places.get(read(text), ()))
        held = False
        for place in sorted(places):
            if place < len(line.stretches):
                holding = holds(clause, line.stretches[place].text)
                if holding is not held:
                    turned[place] ^= 1 << clause
                    held = holding
    row, found = 0, []
    for stretch, turn in zip(line.stretches, turned, strict=False):
        row ^= turn
        found.append((stretch, row))
    return found


def _line(family: Family, texts: Iterable[str]) -> _Line:
    if family is Family.IP_ADDRESS:
        return _address_line(texts)
    read = _READ[family]
    cuts = sorted({found for found in map(read, texts) if isinstance(found, Fraction)})
    if family is Family.NUMERIC:
        return _number_line(cuts, plain_number, Fraction(0))
    return _number_line(cuts, written_instant, _MIDDLE)


_MIDDLE = Fraction(1_767_225_600)
"""The first second of 2026: an instant where policies name none."""


def _number_line(
    cuts: Sequence[Fraction], write: Callable[[Fraction], str | None], middle: Fraction
) -> _Line:
    """Each cut, the stretch between each two, and one on either side."""
    bounds: list[Fraction | None] = [None, *cuts, None]
    found: list[Stretch] = []
    places: dict[object, tuple[int, ...]] = {}
    for low, high in pairwise(bounds):
        if low is not None:
            # At the cut itself, and past it.
            places[low] = (len(found), len(found) + 1)
            found.append(Stretch(write(low) or "", low, low))
        text = write(_between(low, high, middle))
        if text is not None:
            found.append(Stretch(text, low, high))
    return _Line(tuple(found), places, (0,))


def _between(low: Fraction | None, high: Fraction | None, middle: Fraction) -> Fraction:
    """The shortest decimal between two, or something on one side."""
    if low is None or high is None:
        return high - 1 if high is not None else middle if low is None else low + 1
    scale = 1
    while True:
        candidate = Fraction((low * scale).__floor__() + 1, scale)
        if candidate < high:
            return candidate
        scale *= 10


def plain_number(value: Fraction) -> str | None:
    """A decimal text; None where no operator reads so many digits.

    Examples
    --------
    >>> plain_number(Fraction(-5, 2))
    '-2.5'
    """
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    scaled = (value * 10**digits).numerator
    text = format(Decimal(scaled).scaleb(-digits), "f") if digits else str(scaled)
    return None if number(text) is None else text


def written_instant(seconds: Fraction) -> str | None:
    """ISO 8601, with as much of a second as is needed; seconds where no year has four digits.

    None where a date can't be written so finely or so far away.

    Examples
    --------
    >>> written_instant(Fraction(60))
    '1970-01-01T00:01:00Z'
    """
    whole = seconds.__floor__()
    try:
        moment = _START + timedelta(seconds=whole)
    except OverflowError:
        text = plain_number(seconds) or ""
    else:
        part = (plain_number(seconds - whole) or "")[1:]
        text = f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}{part}Z"
    return None if instant(text) is None else text


def _address_line(texts: Iterable[str]) -> _Line:
    """IPv4, then IPv6, cut where a range begins and after its end."""
    networks = {found for found in map(network, texts) if found is not None}
    found: list[Stretch] = []
    places: dict[object, tuple[int, ...]] = {}
    starts: list[int] = []
    for version, bits in _BITS.items():
        own = [each for each in networks if each.version == version]
        ends = {each: (int(each[0]), int(each[-1]) + 1) for each in own}
        cuts = sorted({0, *(cut for pair in ends.values() for cut in pair)} - {1 << bits})
        place = {cut: len(found) + number for number, cut in enumerate(cuts)}
        starts.append(len(found))
        for low, high in pairwise([*cuts, 1 << bits]):
            text = str(IPv4Address(low) if version == 4 else IPv6Address(low))
            found.append(Stretch(text, Fraction(low), Fraction(high - 1), version))
        for each, pair in ends.items():
            places[each] = tuple(place[cut] for cut in pair if cut in place)
    return _Line(tuple(found), places, tuple(starts))


def _read_number(text: str) -> Fraction | None:
    found = number(text)
    return None if found is None else Fraction(found)


_READ: dict[Family, Callable[[str], object]] = {
    Family.NUMERIC: _read_number,
    Family.DATE: instant,
    Family.IP_ADDRESS: network,
}
