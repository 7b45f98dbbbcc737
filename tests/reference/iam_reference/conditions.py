"""Condition operators: reference_policies_elements_condition_operators.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from iam_reference.patterns import (
    ANY,
    STAR,
    Piece,
    Unresolved,
    literal,
    pieces_match,
    with_variables,
)

Characters = list[tuple[str, bool]]
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?"
)


def number(text: str) -> Fraction | None:
    """An integer or a decimal; anything else is no number."""
    return Fraction(text) if _NUMBER.fullmatch(text) else None


def moment(text: str) -> Fraction | None:
    """Seconds since 1970: the W3C forms of ISO 8601 (of which YYYY is one), or epoch time."""
    match = _DATE.fullmatch(text)
    if match is None:
        return number(text)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        when = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            tzinfo=UTC,
        ) + timedelta(seconds=int(second or 0))
    except (ValueError, OverflowError):
        return None
    seconds = Fraction(int((when - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()))
    seconds += Fraction("0" + fraction) if fraction else 0
    if zone and zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        seconds -= sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return seconds


def truth(text: str) -> str | None:
    """true or false; anything else is no boolean."""
    return text.lower() if text.lower() in ("true", "false") else None


def binary(text: str) -> bytes | None:
    """Base-64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def in_network(pattern: str, value: str) -> bool:
    """CIDR by RFC 4632 (an address alone is a network of one), IPv4 and IPv6."""
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(pattern, strict=False)
    except (ValueError, TypeError):
        return False


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def plain(characters: Characters) -> str:
    return "".join(character for character, _ in characters)


def like(characters: Characters) -> list[Piece]:
    return [
        STAR if (c, special) == ("*", True) else ANY if (c, special) == ("?", True) else ("text", c)
        for c, special in characters
    ]


def arn_like(pattern: Characters, value: str) -> bool:
    """Each of the six colon-delimited components apart, each with wildcards."""
    parts: list[Characters] = [[]]
    for character in pattern:
        if character[0] == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(character)
    values = value.split(":", 5)
    if len(parts) != 6 or len(values) != 6:
        return False
    return all(pieces_match(like(p), v) for p, v in zip(parts, values, strict=True))


def ordered(
    read: Callable[[str], Fraction | None], holds: Callable[[Fraction, Fraction], bool]
) -> Callable[[Characters, str], bool]:
    def test(pattern: Characters, value: str) -> bool:
        left, right = read(value), read(plain(pattern))
        return left is not None and right is not None and holds(left, right)

    return test


COMPARE: dict[str, Callable[[Characters, str], bool]] = {
    "stringequals": lambda p, v: pieces_match(literal(plain(p)), v),
    "stringequalsignorecase": lambda p, v: plain(p).lower() == v.lower(),
    "stringlike": lambda p, v: pieces_match(like(p), v),
    "numericequals": ordered(lambda text: number(text), lambda a, b: a == b),
    "numericlessthan": ordered(lambda text: number(text), lambda a, b: a < b),
    "numericlessthanequals": ordered(lambda text: number(text), lambda a, b: a <= b),
    "numericgreaterthan": ordered(lambda text: number(text), lambda a, b: a > b),
    "numericgreaterthanequals": ordered(lambda text: number(text), lambda a, b: a >= b),
    "dateequals": ordered(lambda text: moment(text), lambda a, b: a == b),
    "datelessthan": ordered(lambda text: moment(text), lambda a, b: a < b),
    "datelessthanequals": ordered(lambda text: moment(text), lambda a, b: a <= b),
    "dategreaterthan": ordered(lambda text: moment(text), lambda a, b: a > b),
    "dategreaterthanequals": ordered(lambda text: moment(text), lambda a, b: a >= b),
    "bool": lambda p, v: truth(v) is not None and truth(v) == truth(plain(p)),
    "binaryequals": lambda p, v: binary(v) is not None and binary(v) == binary(plain(p)),
    "ipaddress": lambda p, v: in_network(plain(p), v),
    "arnequals": arn_like,
    "arnlike": arn_like,
}
NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}


def comparable(operator: str, pattern: Characters, value: str) -> bool:
    """Whether both sides are of the operator's type. What is not (a number that is text, say) is
    no match, for a negated operator too: it is neither equal nor known to differ."""
    text = plain(pattern)
    if operator.startswith("numeric"):
        return number(text) is not None and number(value) is not None
    if operator.startswith("date"):
        return moment(text) is not None and moment(value) is not None
    if operator == "ipaddress":
        return is_network(text) and "/" not in value and is_network(value)
    if operator.startswith("arn"):
        return text.count(":") >= 5 and value.count(":") >= 5
    return True


def value_matches(
    operator: str,
    written: list[str],
    value: str,
    version: str,
    context: dict[str, list[str]],
    multivalued: set[str],
) -> bool:
    """One value of the request against the list of the policy: OR, and NOR for a negated operator
    (reference_policies_condition-logic-multiple-context-keys-or-values.html). Variables stand
    with string, ARN and boolean operators (reference_policies_variables.html, "Where you can use";
    reference_policies_elements_condition_operators.html#Conditions_Boolean)."""
    positive = NEGATED.get(operator, operator)
    patterns = []
    for each in written:
        if positive.startswith(("string", "arn", "bool")):
            try:
                patterns.append(with_variables(each, version, context, multivalued))
            except Unresolved:
                continue
        else:
            patterns.append([(c, False) for c in each])
    if operator in NEGATED:
        return all(
            comparable(positive, pattern, value) and not COMPARE[positive](pattern, value)
            for pattern in patterns
        )
    return any(COMPARE[positive](pattern, value) for pattern in patterns)


def condition_holds(
    name: str,
    key: str,
    written: list[str],
    version: str,
    context: dict[str, list[str]],
    multivalued: set[str],
) -> bool:
    """One operator on one key.

    Missing key: false; true for a negated operator and for IfExists. ForAllValues on a missing key
    or on nothing ("a null data set, such as an empty string"): true; ForAnyValue: false. Null
    "true": the key is missing or null. A key of several values needs a set operator.
    """
    operator = name.lower()
    prefix, colon, rest = operator.partition(":")
    if colon:
        operator = rest
    else:
        prefix = ""
    if_exists = operator.endswith("ifexists")
    if if_exists:
        operator = operator.removesuffix("ifexists")
    key = key.lower()
    values = context.get(key)
    if operator == "null":
        return ("false" if values else "true") in [each.lower() for each in written]
    if values is None:
        if if_exists or prefix == "forallvalues":
            return True
        return prefix != "foranyvalue" and operator in NEGATED
    results = [
        value_matches(operator, written, value, version, context, multivalued) for value in values
    ]
    if prefix:
        if not any(values):
            return prefix == "forallvalues"
        return all(results) if prefix == "forallvalues" else any(results)
    return len(values) == 1 and key not in multivalued and results[0]
