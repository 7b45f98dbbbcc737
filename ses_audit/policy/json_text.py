"""Strict JSON: what AWS would refuse is refused here too, with its position.

Duplicate keys, NaN and Infinity, lone surrogates and absurd depth are malformed: a policy that
holds them could mean two things, and a guess would be a wrong verdict.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re

__all__ = ["MAXIMUM_DEPTH", "MalformedPolicy", "loads"]

MAXIMUM_DEPTH = 64
"""Nesting beyond this is refused; the grammar of a policy needs six."""

_TOKEN = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


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


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)


def loads(text: str) -> object:
    """Parse a JSON text strictly.

    Parameters
    ----------
    text
        The whole text.

    Raises
    ------
    MalformedPolicy
        With the position in characters where it can be known.

    Examples
    --------
    >>> loads('{"Version": "2012-10-17"}')
    {'Version': '2012-10-17'}
    """
    if text.startswith("\ufeff"):
        raise MalformedPolicy("the text begins with a byte order mark", 0)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MalformedPolicy("lone surrogate", error.start) from None
    try:
        value = _decoder.decode(text)
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
        raise MalformedPolicy("a number is too long", None) from None
    if _ESCAPED_SURROGATE.search(text):
        _refuse_surrogates(value, text)
    if text.count("{") + text.count("[") > MAXIMUM_DEPTH and (place := _deep(text)) is not None:
        raise MalformedPolicy("nested too deep", place)
    return value


def _place(text: str, name: str) -> int | None:
    for token in _TOKEN.finditer(text):
        if token.group() == name:
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
    stack: list[set[str] | None] = []
    previous: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        first = token.group()[0]
        if first == "{":
            stack.append(set())
        elif first == "[":
            stack.append(None)
        elif first in "}]" and stack:
            stack.pop()
        elif first == ":" and previous is not None and stack:
            keys = stack[-1]
            key = json.loads(previous.group()) if previous.group()[0] == '"' else None
            if keys is not None and isinstance(key, str):
                if key in keys:
                    return MalformedPolicy(f"duplicate key {key!r}", previous.start())
                keys.add(key)
        previous = token
    return MalformedPolicy("duplicate key", None)


def _refuse_surrogates(value: object, text: str) -> None:
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            waiting += current.keys()
            waiting += current.values()
        elif isinstance(current, list):
            waiting += current
        elif isinstance(current, str):
            try:
                current.encode()
            except UnicodeEncodeError:
                match = _ESCAPED_SURROGATE.search(text)
                place = match.start() if match else None
                raise MalformedPolicy("lone surrogate", place) from None
