"""Dates: ISO 8601 as W3C profiles it, or seconds since the epoch; anything else matches nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from functools import partial

from ses_audit.policy.kept import kept
from ses_audit.policy.operators.base import Family, Operator, Test, never, text_of
from ses_audit.policy.patterns import Written

__all__ = ["OPERATORS", "instant"]

_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt](\d\d):(\d\d)(?::(\d\d)(\.\d{1,12})?)?"
    r"(?:[Zz]|([+-])(\d\d):?(\d\d))?)?)?)?"
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(\d\d)()(?:[Zz]|([+-])(\d\d):?(\d\d))?")
_EPOCH = re.compile(r"-?\d{1,15}(\.\d{1,12})?")
_START = datetime(1970, 1, 1, tzinfo=UTC)


@kept(4096)
def instant(text: str) -> Fraction | None:
    """Seconds since the epoch that a text writes, or None.

    Four digits alone are a year, as in the W3C profile; longer runs of digits are seconds.

    Examples
    --------
    >>> instant("1970-01-01T00:01:00Z")
    Fraction(60, 1)
    >>> instant("60000")
    Fraction(60000, 1)
    """
    stripped = text.strip()
    if not stripped.isascii():
        return None
    iso = _ISO.fullmatch(stripped) or _COMPACT.fullmatch(stripped)
    if iso is not None:
        return _iso(iso)
    if _EPOCH.fullmatch(stripped) is not None:
        return Fraction(stripped)
    return None


def _iso(match: re.Match[str]) -> Fraction | None:
    year, month, day, hour, minute, second, part, sign, off_hours, off_minutes = match.groups()
    zone: timezone = UTC
    if sign:
        offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
        if offset >= timedelta(days=1):
            return None
        zone = timezone(-offset if sign == "-" else offset)
    try:
        moment = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=zone,
        )
        since = moment - _START
    except (ValueError, OverflowError):
        return None
    return Fraction(since.days * 86400 + since.seconds) + Fraction(part or 0)


def _compared(compare: Callable[[Fraction, Fraction], bool], written: Written) -> Test:
    right = instant(text_of(written))
    if right is None:
        return never

    def test(value: str) -> bool:
        left = instant(value)
        return left is not None and compare(left, right)

    return test


OPERATORS = (
    Operator("DateEquals", Family.DATE, partial(_compared, operator.eq)),
    Operator("DateNotEquals", Family.DATE, partial(_compared, operator.ne), negated=True),
    Operator("DateLessThan", Family.DATE, partial(_compared, operator.lt)),
    Operator("DateLessThanEquals", Family.DATE, partial(_compared, operator.le)),
    Operator("DateGreaterThan", Family.DATE, partial(_compared, operator.gt)),
    Operator("DateGreaterThanEquals", Family.DATE, partial(_compared, operator.ge)),
)
