"""Wildcards, actions, resources and variables."""

from __future__ import annotations

import re
from functools import lru_cache

STAR, STAR_IN_SEGMENT, ANY, ANY_IN_SEGMENT = "star", "star-in-segment", "any", "any-in-segment"
"""The pieces of a pattern that are wildcards; the others are `("text", character)`."""
_EXPRESSIONS = {STAR: ".*", STAR_IN_SEGMENT: "[^:]*", ANY: ".", ANY_IN_SEGMENT: "[^:]"}

Piece = str | tuple[str, str]


def pieces_match(pieces: list[Piece], text: str) -> bool:
    """Whether the whole text matches, by a regular expression: its patterns are small ones."""
    return _expression(tuple(pieces)).fullmatch(text) is not None


@lru_cache(maxsize=65536)
def _expression(pieces: tuple[Piece, ...]) -> re.Pattern[str]:
    return re.compile(
        "".join(
            _EXPRESSIONS[piece] if isinstance(piece, str) else re.escape(piece[1])
            for piece in pieces
        ),
        re.DOTALL,
    )


def wild(text: str) -> list[Piece]:
    """`*` is any text, `?` one character (reference_policies_elements_condition_operators.html,
    StringLike)."""
    return [STAR if c == "*" else ANY if c == "?" else ("text", c) for c in text]


def literal(text: str) -> list[Piece]:
    """Every character stands for itself (StringEquals)."""
    return [("text", c) for c in text]


def action_matches(pattern: str, action: str) -> bool:
    """Wildcards anywhere; names ignore case (reference_policies_elements_action.html)."""
    return pieces_match(wild(pattern.lower()), action.lower())


class Unresolved(Exception):
    """A variable has no value in this request."""


def with_variables(
    text: str, version: str, context: dict[str, list[str]], multivalued: set[str]
) -> list[tuple[str, bool]]:
    """The characters of a value after replacement, each with whether it may be a wildcard.

    reference_policies_variables.html: variables need Version 2012-10-17 and are text otherwise;
    names ignore case; `${key, 'default'}`; `${*}`, `${?}` and `${$}` are the characters; a key with
    several values cannot be a variable. What a variable brings in is text, never a wildcard.
    """
    if version != "2012-10-17":
        return [(c, True) for c in text]
    found: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        end = text.find("}", at)
        if not text.startswith("${", at) or end < 0:
            found.append((text[at], True))
            at += 1
            continue
        inside = text[at + 2 : end]
        at = end + 1
        if inside in ("*", "?", "$"):
            found.append((inside, False))
            continue
        name, comma, default = inside.partition(",")
        name, default = name.strip().lower(), default.strip()
        values = context.get(name, [])
        if len(values) == 1 and name not in multivalued:
            value = values[0]
        elif comma and not values and default[:1] == "'" == default[-1:]:
            value = default[1:-1]
        else:
            raise Unresolved(inside)
        found += [(c, False) for c in value]
    return found


def resource_pieces(characters: list[tuple[str, bool]]) -> list[Piece]:
    """An ARN pattern: in the first five segments `*` and `?` stay within the segment, except a `*`
    that ends it, which reaches over colons (reference_policies_elements_resource.html, "Using
    wildcards in resource ARNs"). The sixth segment is the rest, with its colons."""
    pieces: list[Piece] = []
    colons = 0
    for position, (character, special) in enumerate(characters):
        ends = position + 1 == len(characters) or characters[position + 1] == (":", True)
        if character == "*" and special:
            pieces.append(STAR if ends or colons >= 5 else STAR_IN_SEGMENT)
        elif character == "?" and special:
            pieces.append(ANY if colons >= 5 else ANY_IN_SEGMENT)
        else:
            pieces.append(("text", character))
            colons += character == ":"
    return pieces


def resource_matches(
    pattern: str,
    resource: str,
    version: str,
    context: dict[str, list[str]],
    multivalued: set[str],
) -> bool:
    """Case counts in a resource; a value with an unresolved variable matches nothing. An ARN of
    fewer than six fields is completed with `*` (reference_identifiers.html#identifiers-arns)."""
    try:
        characters = with_variables(pattern, version, context, multivalued)
    except Unresolved:
        return False
    if pieces_match(resource_pieces(characters), resource):
        return True
    fields = sum(character == ":" for character, _ in characters) + 1
    completed = characters + [(":", True), ("*", True)] * (6 - fields)
    return 1 < fields < 6 and pieces_match(resource_pieces(completed), resource)
