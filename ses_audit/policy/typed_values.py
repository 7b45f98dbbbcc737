"""Values of a key that numbers, dates, addresses, booleans and bytes in policies tell apart.

Each function proposes a text for every kind of value that its family's operators distinguish.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from ses_audit.policy.domains import Values
from ses_audit.policy.operators import Family
from ses_audit.policy.operators.date import instant
from ses_audit.policy.operators.ip_address import Network, address, network
from ses_audit.policy.operators.numeric import number

__all__ = ["TYPE_OF_FAMILY", "binaries", "fresh", "is_of", "typed_values"]

TYPE_OF_FAMILY = {
    Family.NUMERIC: Values.NUMBER,
    Family.DATE: Values.INSTANT,
    Family.IP_ADDRESS: Values.ADDRESS,
    Family.BOOLEAN: Values.BOOLEAN,
    Family.ARN: Values.ARN,
}
"""What a key holds that is compared by the operators of one family alone."""

_START = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR = 9999
_COLONS = 5
_NO_TYPE = "other"
"""A text that is no number, date, address or boolean."""


def typed_values(texts: Sequence[tuple[Family, str]], domain: Values) -> list[str]:
    """A text for each kind of value that typed operators tell apart.

    Parameters
    ----------
    texts
        The values that policies compare with, each with its operator's family.
    domain
        What the key's values are known to be.
    """
    families = {family for family, _ in texts}
    found: list[str] = []
    if Family.NUMERIC in families or domain is Values.NUMBER:
        found += _numbers(_cuts(texts, Family.NUMERIC))
    if Family.DATE in families or domain is Values.INSTANT:
        found += _instants(_instant_cuts(texts))
    if Family.NUMERIC in families and Family.DATE in families:
        found += _both(_cuts(texts, Family.NUMERIC), _instant_cuts(texts))
    if Family.IP_ADDRESS in families or domain is Values.ADDRESS:
        found += _addresses([text for family, text in texts if family is Family.IP_ADDRESS])
    if Family.BOOLEAN in families or domain is Values.BOOLEAN:
        found += ["true", "false"]
    return [*dict.fromkeys(found), _NO_TYPE] if found else []


def is_of(value: str, kind: Values) -> bool:
    """Whether a text is one of a typed key's values, as AWS writes them.

    Examples
    --------
    >>> is_of("203.0.113.7", Values.ADDRESS), is_of("yes", Values.NUMBER)
    (True, False)
    """
    if value != value.strip():
        return False
    if kind is Values.ADDRESS:
        return address(value) is not None
    if kind is Values.INSTANT:
        return instant(value) is not None
    if kind is Values.NUMBER:
        return number(value) is not None
    if kind is Values.ARN:
        return value.count(":") >= _COLONS
    return kind is Values.TEXT or value in ("true", "false")


def fresh(taken: Iterable[str]) -> str:
    """A text that differs from all others, in case too.

    Examples
    --------
    >>> taken = ["a", "b"]
    >>> fresh(taken) in taken
    False
    """
    folded = {text.lower() for text in taken}
    candidate = _NO_TYPE
    while candidate in folded:
        candidate += "-other"
    return candidate


def binaries(text: str) -> list[str]:
    """Every base64 text that writes the same bytes: the last character has bits that do not count.

    Examples
    --------
    >>> binaries("QQ==")[:3]
    ['QQ==', 'QR==', 'QS==']
    """
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    try:
        wanted = base64.b64decode(text, validate=True)
    except ValueError:
        return []
    if not text.endswith("="):
        return [text]
    body = text.rstrip("=")
    padding = text[len(body) :]
    variants = (body[:-1] + last + padding for last in alphabet)
    return [v for v in variants if base64.b64decode(v, validate=True) == wanted]


def _cuts(texts: Sequence[tuple[Family, str]], family: Family) -> list[Fraction]:
    numbers = (number(text) for each, text in texts if each is family)
    return sorted({Fraction(n) for n in numbers if n is not None})


def _instant_cuts(texts: Sequence[tuple[Family, str]]) -> list[Fraction]:
    instants = (instant(text) for family, text in texts if family is Family.DATE)
    return sorted({i for i in instants if i is not None})


def _around(cuts: Sequence[Fraction]) -> list[Fraction]:
    """Each cut, something between each two, and something on either side."""
    if not cuts:
        return [Fraction(0)]
    between = [(low + high) / 2 for low, high in pairwise(cuts)]
    return sorted({cuts[0] - 1, *cuts, *between, cuts[-1] + 1})


def _numbers(cuts: Sequence[Fraction]) -> list[str]:
    return [_plain(value) for value in _around(cuts)]


def _plain(value: Fraction) -> str:
    """A decimal text; every value here is a sum of decimals and their halves, so it ends."""
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    scaled = (value * 10**digits).numerator
    return format(Decimal(scaled).scaleb(-digits), "f") if digits else str(scaled)


def _instants(cuts: Sequence[Fraction]) -> list[str]:
    if not cuts:
        return ["2026-01-01T00:00:00Z"]
    return [_moment(value) for value in _around(cuts)]


def _moment(seconds: Fraction) -> str:
    """ISO 8601, with as much of a second as is needed; seconds where no year has four digits."""
    whole = seconds.numerator // seconds.denominator
    try:
        moment = _START + timedelta(seconds=whole)
    except OverflowError:
        return _plain(seconds)
    part = _plain(seconds - whole)[1:]
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}{part}Z"


def _both(numbers: Sequence[Fraction], instants: Sequence[Fraction]) -> list[str]:
    """Texts that are numbers and dates, and numbers that are no dates.

    Four digits are a year, other digits are seconds; with a plus sign they are no date.
    """
    merged = _around(sorted({*numbers, *instants}))
    found = [_plain(value) for value in merged]
    found += [text + ".0" for text in found if "." not in text]
    found += [f"+{_plain(value)}" for value in _around(numbers) if value >= 0]
    found += [f" {_plain(value)}00" for value in _around(numbers) if value < 0]
    years = {1, _LAST_YEAR}
    for value in numbers:
        years |= {int(value) - 1, int(value), int(value) + 1}
    for value in instants:
        year = _year(value)
        years |= {year - 1, year, year + 1}
    return found + [f"{year:04}" for year in sorted(years) if 1 <= year <= _LAST_YEAR]


def _year(seconds: Fraction) -> int:
    try:
        return (_START + timedelta(seconds=seconds.numerator // seconds.denominator)).year
    except OverflowError:
        return 0


def _addresses(texts: Sequence[str]) -> list[str]:
    """An address in each range, outside the ranges within it, and outside all of them."""
    ranges = {n for n in map(network, texts) if n is not None}
    found: list[str] = []
    for version, whole in ((4, "0.0.0.0/0"), (6, "::/0")):
        everything = ipaddress.ip_network(whole)
        family = sorted({everything, *(n for n in ranges if n.version == version)}, key=_place)
        for outer in family:
            inner = [n for n in family if n != outer and n.subnet_of(outer)]  # type: ignore[arg-type]
            free = _outside(outer, inner)
            if free is not None:
                found.append(free)
    return found


def _place(outer: Network) -> tuple[int, int]:
    return int(outer.network_address), outer.prefixlen


def _outside(outer: Network, inner: Sequence[Network]) -> str | None:
    """The first address of a range that lies in none of the ranges within it."""
    place = int(outer.network_address)
    for hole in sorted(inner, key=_place):
        if place < int(hole.network_address):
            break
        place = max(place, int(hole.broadcast_address) + 1)
    if place > int(outer.broadcast_address):
        return None
    if isinstance(outer, ipaddress.IPv4Network):
        return str(ipaddress.IPv4Address(place))
    return str(ipaddress.IPv6Address(place))
