"""Strict JSON: what AWS would refuse is refused here too, with its position.

Duplicate keys, NaN and Infinity, lone surrogates and absurd depth are malformed: a policy that
holds them could mean two things, and a guess would be a wrong verdict.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

__all__ = [
    "MAXIMUM_DEPTH",
    "MalformedPolicy",
    "Number",
    "Pairs",
    "loads",
    "pairs_of",
    "place_of",
]

MAXIMUM_DEPTH = 64
"""Nesting beyond this is refused; the grammar of a policy needs six."""

_TOKEN = re.compile(
    r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL
)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u([0-9a-fA-F]{4})|\\."
)
"""A pair of surrogates, another escape of four digits, or one of one character."""
_LONGEST_EXPONENT = 400


class MalformedPolicy(ValueError):
    """A text that is no policy.

    Parameters
    ----------
    reason
        What is wrong, in one line.
    position
        The place in the text, in characters from 0, where it can be known.

    Examples
    --------
    >>> str(MalformedPolicy("Effect is missing", None))
    'Effect is missing'
    >>> str(MalformedPolicy("duplicate key 'Action'", 40))
    "duplicate key 'Action' at character 40"
    """

    def __init__(self, reason: str, position: int | None = None) -> None:
        where = "" if position is None else f" at character {position}"
        super().__init__(reason + where)
        self.reason = reason
        self.position = position


class _Duplicate(Exception):
    pass


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Duplicate
    return found


def _constant(name: str) -> object:
    raise _Constant(name)


class _Constant(Exception):
    pass


class Number(str):
    """A JSON number as it is written: nothing of it is rounded away."""

    __slots__ = ()


def _number(text: str) -> Number:
    """The number without an exponent, which no policy value is compared with."""
    mantissa, _, exponent = text.lower().partition("e")
    if not exponent or len(mantissa) > _LONGEST_EXPONENT or len(exponent) > 4:
        return Number(text)
    if abs(int(exponent)) > _LONGEST_EXPONENT:
        return Number(text)
    return Number(format(Decimal(text), "f"))


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)
_exact_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_constant, parse_float=_number, parse_int=_number
)
_pairs_decoder = json.JSONDecoder(
    object_pairs_hook=tuple, parse_constant=_constant, parse_float=_number, parse_int=_number
)
_scan_pairs = _pairs_decoder.scan_once  # type: ignore[attr-defined]

Pairs = tuple[tuple[str, Any], ...]
"""An object of a JSON text as it is written: its names, each with its value."""


def _whole(decoder: json.JSONDecoder, text: str) -> object:
    """Decode a text; `decode` tells of what is wrong, and passes over space around it."""
    try:
        value, end = decoder.scan_once(text, 0)  # type: ignore[attr-defined]
    except StopIteration:
        return decoder.decode(text)
    return value if end == len(text) else decoder.decode(text)


def loads(text: str, *, exact_numbers: bool = False) -> object:
    """Parse a JSON text strictly.

    Parameters
    ----------
    text
        The whole text.
    exact_numbers
        Whether numbers are given as `Number`, the text that writes them.

    Raises
    ------
    MalformedPolicy
        With the position in characters where it can be known.

    Examples
    --------
    >>> loads('{"Version": "2012-10-17"}')
    {'Version': '2012-10-17'}
    """
    if not text.isascii():
        if text.startswith("\ufeff"):
            raise MalformedPolicy("the text begins with a byte order mark", 0)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise MalformedPolicy("lone surrogate", error.start) from None
    decoder = _exact_decoder if exact_numbers else _decoder
    try:
        value = _whole(decoder, text)
    except _Duplicate:
        raise _first_duplicate(text) from None
    except _Constant as error:
        name = str(error)
        raise MalformedPolicy(f"{name} is not JSON", _place(text, name)) from None
    except json.JSONDecodeError as error:
        raise MalformedPolicy(f"not JSON: {error.msg}", error.pos) from None
    except RecursionError:
        raise MalformedPolicy("nested too deep", _deep(text)) from None
    except ValueError:
        # A whole number of more digits than Python converts.
        raise MalformedPolicy("a number is too long", _long_number(text)) from None
    if "\\u" in text and _ESCAPED_SURROGATE.search(text):
        _refuse_surrogates(text)
    if text.count("{") + text.count("[") > MAXIMUM_DEPTH and (place := _deep(text)) is not None:
        raise MalformedPolicy("nested too deep", place)
    return value


def pairs_of(text: str) -> object:
    """Parse a JSON text of which every object is looked at name by name.

    Names that are written twice stay, and depth is not counted: a reader that knows which names
    and what depth there can be sees both by the way. When it has seen anything wrong, `loads` says
    what, and where.

    Parameters
    ----------
    text
        The whole text.

    Returns
    -------
    object
        Objects are tuples of pairs, lists are lists, and numbers `Number`.

    Raises
    ------
    MalformedPolicy
        As `loads`, but for names that are written twice and for depth.

    Examples
    --------
    >>> pairs_of('{"Id": "a", "Id": ["b"]}')
    (('Id', 'a'), ('Id', ['b']))
    """
    if text.isascii() and "\\u" not in text:
        try:
            value, end = _scan_pairs(text, 0)
        except (StopIteration, _Constant, ValueError, RecursionError):
            end = -1
        if end == len(text):
            return value
    # What is wrong is told by `loads`; where nothing is, there is space around the value, or text
    # that may hold surrogates.
    loads(text, exact_numbers=True)
    return _pairs_decoder.decode(text)


def _long_number(text: str) -> int | None:
    limit = sys.get_int_max_str_digits()
    for token in _TOKEN.finditer(text):
        if len(token.group().lstrip("-")) > limit and token.group().lstrip("-").isdigit():
            return token.start()
    return None


def place_of(text: str, path: Sequence[str | int]) -> int | None:
    """Where a value stands in a JSON text.

    Parameters
    ----------
    text
        A text that `loads` accepts.
    path
        Keys of objects and places in lists, from the outermost.

    Examples
    --------
    >>> place_of('{"Statement": [{"Effect": "Maybe"}]}', ("Statement", 0, "Effect"))
    26
    """
    wanted = list(path)
    here: list[str | int | None] = []
    """For each open bracket the key or the place that is being read."""
    key: str | None = None
    for token in _TOKEN.finditer(text):
        first = token.group()[0]
        if first in "}]":
            here.pop()
        elif first == ",":
            if isinstance(here[-1], int):
                here[-1] += 1
            else:
                here[-1] = None
        elif first == ":":
            here[-1] = key
        elif here and here[-1] is None and first == '"':
            key = json.loads(token.group())
        else:
            if here == wanted:
                return token.start()
            if first in "{[":
                here.append(None if first == "{" else 0)
    return None


def _place(text: str, name: str) -> int | None:
    for token in _TOKEN.finditer(text):
        if token.group().startswith(name):
            return token.start()
    return None


def _deep(text: str) -> int | None:
    """Where the nesting passes the bound."""
    depth = 0
    for token in _TOKEN.finditer(text):
        first = token.group()[0]
        if first in "{[":
            depth += 1
            if depth > MAXIMUM_DEPTH:
                return token.start()
        elif first in "}]":
            depth -= 1
    return None


def _first_duplicate(text: str) -> MalformedPolicy:
    """Find the second of two equal keys; the text is known to be JSON up to there."""
    named: list[set[str]] = []
    for token, following in pairwise(_TOKEN.finditer(text)):
        first = token.group()[0]
        if first in "{[":
            named.append(set())
        elif first in "}]":
            named.pop()
        elif following.group() == ":":
            key = json.loads(token.group())
            if key in named[-1]:
                return MalformedPolicy(f"duplicate key {key!r}", token.start())
            named[-1].add(key)
    return MalformedPolicy("duplicate key", None)


def _refuse_surrogates(text: str) -> None:
    """Escapes of surrogates are text only in pairs, and only within one string."""
    for token in _TOKEN.finditer(text):
        if token.group()[0] != '"' or _ESCAPED_SURROGATE.search(token.group()) is None:
            continue
        try:
            json.loads(token.group()).encode()
        except UnicodeEncodeError:
            lone = next(
                escape.start() for escape in _ESCAPE.finditer(token.group()) if _is_lone(escape)
            )
            raise MalformedPolicy("lone surrogate", token.start() + lone) from None


def _is_lone(escape: re.Match[str]) -> bool:
    unit = escape.group(1)
    return unit is not None and 0xD800 <= int(unit, 16) <= 0xDFFF
