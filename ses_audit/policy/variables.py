"""Policy variables: `${key}`, `${key, 'default'}`, `${*}`, `${?}`, `${$}`.

Only a document of Version 2012-10-17 has them; in an older one they are literal text. What a
variable brings in is literal: a `*` in a user's name is no wildcard.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ses_audit.policy.kept import kept
from ses_audit.policy.patterns import STAR, Token, Written, tokens_of
from ses_audit.policy.text_places import text_places

__all__ = [
    "Variable",
    "part_for_variable",
    "parts_of",
    "specialize",
    "substitute",
    "substitute_text",
    "variables_in",
    "without_variables",
]

VERSION_WITH_VARIABLES = "2012-10-17"

_VARIABLE = re.compile(
    r"\$\{(?:([*?$])|\s*([^\s,'${}](?:[^,'${}]*[^\s,'${}])?)\s*(?:,\s*'([^']*)'\s*)?)\}"
)
"""A special character, or a key and its default. What is neither is literal text."""


class Variable(NamedTuple):
    """A variable in a pattern: its key in lower case, and its default."""

    key: str
    default: str | None


@kept(65_536)
def parts_of(text: str) -> tuple[str | Variable | tuple[str], ...]:
    """Cut a value of a document with variables into pattern text, variables, and one-tuples of
    literal text.

    Examples
    --------
    >>> parts_of("a*${*}${b}")
    ('a*', ('*',), Variable(key='b', default=None))
    """
    found: list[str | Variable | tuple[str]] = []
    place = 0
    for match in _VARIABLE.finditer(text):
        special, key, default = match.groups()
        if match.start() > place:
            found.append(text[place : match.start()])
        found.append((special,) if special is not None else Variable(key.lower(), default))
        place = match.end()
    if place < len(text):
        found.append(text[place:])
    return tuple(found)


def variables_in(text: str, version: str) -> tuple[Variable, ...]:
    """The variables of a value, in order; none in a document without variables.

    Examples
    --------
    >>> variables_in("home/${aws:username}", "2012-10-17")
    (Variable(key='aws:username', default=None),)
    """
    if version != VERSION_WITH_VARIABLES or "${" not in text:
        return ()
    return tuple(part for part in parts_of(text) if isinstance(part, Variable))


def _value(
    variable: Variable, context: Mapping[str, tuple[str, ...]], multivalued: frozenset[str]
) -> str | None:
    values = context.get(variable.key)
    if not values:
        return variable.default
    if len(values) != 1 or variable.key in multivalued:
        # A key of several values is no variable.
        return None
    return values[0]


def substitute(
    text: str,
    context: Mapping[str, tuple[str, ...]],
    version: str,
    multivalued: frozenset[str] = frozenset(),
) -> tuple[Token, ...] | None:
    """Cut a pattern into tokens with its variables replaced.

    Parameters
    ----------
    text
        The value as it stands in the policy.
    context
        Condition keys in lower case with their values.
    version
        The document's Version.
    multivalued
        Keys in lower case that carry a set.

    Returns
    -------
    tuple or None
        None where a variable can't be resolved: the value then matches nothing.

    Examples
    --------
    >>> substitute("u/${aws:username}", {"aws:username": ("a*b",)}, "2012-10-17")
    ('u/', 'a*b')
    """
    if version != VERSION_WITH_VARIABLES or "${" not in text:
        return tokens_of(text)
    found: list[Token] = []
    for part in parts_of(text):
        if isinstance(part, str):
            found += tokens_of(part)
        elif isinstance(part, Variable):
            value = _value(part, context, multivalued)
            if value is None:
                return None
            found.append(value)
        else:
            found.append(part[0])
    return tuple(found)


def without_variables(text: str, version: str) -> Written:
    """A value that holds no variable, as a pattern.

    Examples
    --------
    >>> without_variables("a*${*}", "2008-10-17")
    'a*${*}'
    >>> [token for token in without_variables("a*${*}", "2012-10-17") if isinstance(token, str)]
    ['a', '*']
    """
    if version != VERSION_WITH_VARIABLES or "${" not in text:
        return text
    parts = parts_of(text)
    if parts == (text,):
        return text
    found: list[Token] = []
    for part in parts:
        found += tokens_of(part) if isinstance(part, str) else part[:1]
    return tuple(found)


def substitute_text(
    text: str,
    context: Mapping[str, tuple[str, ...]],
    version: str,
    multivalued: frozenset[str] = frozenset(),
) -> str | None:
    """Like `substitute`, for operators without wildcards: the plain text, or None.

    Examples
    --------
    >>> context = {"aws:username": ("alice",)}
    >>> substitute_text("${aws:username}@example.com", context, "2012-10-17")
    'alice@example.com'
    >>> substitute_text("${aws:userid}", context, "2012-10-17") is None
    True
    """
    if version != VERSION_WITH_VARIABLES or "${" not in text:
        return text
    found: list[str] = []
    for part in parts_of(text):
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, Variable):
            value = _value(part, context, multivalued)
            if value is None:
                return None
            found.append(value)
        else:
            found.append(part[0])
    return "".join(found)


_ESCAPES = {"*": "${*}", "?": "${?}", "$": "${$}"}


def specialize(
    text: str,
    known: Mapping[str, tuple[str, ...]],
    absent: frozenset[str],
    version: str,
    multivalued: frozenset[str],
) -> str | None:
    """Put the variables that are known into a value, and leave the open ones.

    Returns
    -------
    str or None
        None where a known or absent variable can't be resolved: the value matches nothing.

    Examples
    --------
    >>> specialize("${a}/${b}", {"a": ("x*",)}, frozenset(), "2012-10-17", frozenset())
    'x${*}/${b}'
    """
    if version != VERSION_WITH_VARIABLES or "${" not in text:
        return text
    found: list[str] = []
    for part in parts_of(text):
        if isinstance(part, str):
            found.append(part)
        elif not isinstance(part, Variable):
            found.append("${" + part[0] + "}")
        elif part.key not in known and part.key not in absent:
            default = "" if part.default is None else f", '{part.default}'"
            found.append("${" + part.key + default + "}")
        else:
            value = _value(part, known, multivalued)
            if value is None:
                return None
            found.append("".join(_ESCAPES.get(character, character) for character in value))
    return "".join(found)


def part_for_variable(pattern: str, key: str, value: str) -> str | None:
    """What a variable would have to hold for a pattern to match a value, where that is plain.

    Examples
    --------
    >>> part_for_variable("home/${aws:username}/*", "aws:username", "home/ann/x")
    'ann'
    """
    before: list[Token] = []
    after: list[Token] | None = None
    for part in parts_of(pattern):
        tokens: tuple[Token, ...]
        if not isinstance(part, Variable):
            tokens = tokens_of(part) if isinstance(part, str) else part
        elif part.key == key and after is None:
            after = []
            continue
        else:
            tokens = (STAR,)
        (before if after is None else after).extend(tokens)
    if after is None:
        return None
    begins = _ends(before, value)
    # From the end of the text, so many characters before it.
    ends = _ends([t[::-1] if isinstance(t, str) else t for t in after[::-1]], value[::-1])
    last = len(value) - (ends & -ends).bit_length() + 1
    begin = (begins & ((1 << last) - 1)).bit_length() - 1
    if begin < 0 or not ends:
        return None
    nearest = (ends & ((1 << (len(value) - begin)) - 1)).bit_length() - 1
    return value[begin : len(value) - nearest]


def _ends(tokens: Sequence[Token], text: str) -> int:
    """The places at which tokens that begin with the text may end, as bits."""
    places, reached = text_places(text), 1
    for token in tokens:
        if token is STAR:
            reached = places.later(reached)
        elif isinstance(token, str):
            for character in token:
                reached = (reached & places.of(character)) << 1
        else:
            reached = (reached & places.every) << 1
        if not reached:
            break
    return reached
