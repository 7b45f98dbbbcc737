"""Values of a key that numbers, dates, addresses, booleans and bytes in policies tell apart.

Each function proposes a text for every kind of value that its family's operators distinguish.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from ses_audit.policy.domains import Values
from ses_audit.policy.operators import Family
from ses_audit.policy.operators.date import instant
from ses_audit.policy.operators.ip_address import address, network
from ses_audit.policy.operators.numeric import number
from ses_audit.policy.sweeps import SWEPT, plain_number, stretches, written_instant

__all__ = [
    "NO_TYPE",
    "TYPE_OF_FAMILY",
    "binaries",
    "compares",
    "fresh",
    "is_of",
    "typed_values",
]

TYPE_OF_FAMILY = {
    Family.NUMERIC: Values.NUMBER,
    Family.DATE: Values.INSTANT,
    Family.IP_ADDRESS: Values.ADDRESS,
    Family.BOOLEAN: Values.BOOLEAN,
    Family.ARN: Values.ARN,
}
"""What a key holds that is compared by the operators of one family alone."""

_LAST_YEAR = 9999
_COLONS = 5
_VARIABLE = re.compile(r"\$\{[^}]*\}")
NO_TYPE = "other"
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
    for family in SWEPT:
        if family in families or domain is TYPE_OF_FAMILY[family]:
            own = [text for each, text in texts if each is family]
            found += [stretch.text for stretch in stretches(family, own)]
    if Family.NUMERIC in families and Family.DATE in families:
        found += _both(_cuts(texts, Family.NUMERIC), _instant_cuts(texts))
    if Family.BOOLEAN in families or domain is Values.BOOLEAN:
        found += ["true", "false"]
    return [*dict.fromkeys(found), NO_TYPE] if found else []


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


def compares(family: Family, text: str) -> bool:
    """Whether an operator of a family compares a value of its type with a policy's text.

    With what it can't compare it never holds, negated or not.

    Examples
    --------
    >>> compares(Family.DATE, "2026"), compares(Family.DATE, "soon"), compares(Family.STRING, "")
    (True, False, True)
    """
    if family is Family.ARN:
        return _VARIABLE.sub("", text).count(":") >= _COLONS
    read = {Family.NUMERIC: number, Family.DATE: instant, Family.IP_ADDRESS: network}.get(family)
    return read is None or read(text) is not None


def fresh(taken: Iterable[str]) -> str:
    """A text that differs from all others, in case too.

    Examples
    --------
    >>> taken = ["a", "b"]
    >>> fresh(taken) in taken
    False
    """
    folded = {text.lower() for text in taken}
    candidate = NO_TYPE
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


def _written(values: Iterable[Fraction]) -> list[str]:
    return [text for text in map(plain_number, values) if text is not None]


def _both(numbers: Sequence[Fraction], instants: Sequence[Fraction]) -> list[str]:
    """Texts that are numbers and dates, and numbers that are no dates.

    Four digits are a year, other digits are seconds; with a plus sign, or with more than twelve
    digits after the point, they are no date.
    """
    found = _written(_around(sorted({*numbers, *instants})))
    found += [text + ".0" for text in found if "." not in text]
    for text in _written(_around(numbers)):
        point = "" if "." in text else "."
        found.append(f"{text}{point}{'0' * 13}" if text.startswith("-") else f"+{text}")
    years = {1, _LAST_YEAR}
    for value in numbers:
        years |= {int(value) - 1, int(value), int(value) + 1}
    for value in instants:
        year = _year(value)
        years |= {year - 1, year, year + 1}
    return found + [f"{year:04}" for year in sorted(years) if 1 <= year <= _LAST_YEAR]


def _year(seconds: Fraction) -> int:
    """The year of an instant; 0 where it has no four digits."""
    text = written_instant(seconds)
    return int(text[:4]) if text is not None and text.endswith("Z") else 0
