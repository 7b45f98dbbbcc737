"""`*` and `?`: patterns matched in time linear in the text for each piece between two stars.

A compiled pattern keeps apart what is a wildcard and what is a literal `*` or `?` (from `${*}` or
from the value of a variable).
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Literal

__all__ = [
    "ANY",
    "STAR",
    "Pattern",
    "Token",
    "action_matches",
    "arn_matches",
    "arn_pattern_matches",
    "compile_tokens",
    "fold",
    "matches",
    "prefix_relation",
    "resource_segments",
    "segments_of",
    "tokens_of",
]


class _Wildcard(Enum):
    STAR = "*"
    ANY = "?"


STAR = _Wildcard.STAR
ANY = _Wildcard.ANY

Token = str | _Wildcard
"""A run of literal text, or a wildcard."""

_SEGMENTS = 6
_SPLIT = re.compile(r"([*?])")
_WILDCARDS: dict[str, Token] = {"*": STAR, "?": ANY}


@lru_cache(maxsize=65536)
def tokens_of(text: str) -> tuple[Token, ...]:
    """Cut a pattern into literal runs and wildcards.

    Examples
    --------
    >>> [t if isinstance(t, str) else t.value for t in tokens_of("a*b?")]
    ['a', '*', 'b', '?']
    """
    if "*" not in text and "?" not in text:
        return (text,) if text else ()
    return tuple(_WILDCARDS.get(part, part) for part in _SPLIT.split(text) if part)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    `pieces` are what stands between stars; a piece is literal text, or a compiled expression of
    the same fixed length where it holds `?`.
    """

    pieces: tuple[str | tuple[re.Pattern[str], int], ...]
    exact: bool
    """No star at all: the one piece is the whole text."""

    def matches(self, text: str) -> bool:
        """Whether the whole text matches; case counts."""
        if self.exact:
            piece = self.pieces[0]
            if isinstance(piece, str):
                return piece == text
            return len(text) == piece[1] and piece[0].match(text) is not None
        first, last = self.pieces[0], self.pieces[-1]
        start = _length(first)
        end = len(text) - _length(last)
        if start > end or not _at(first, text, 0) or not _at(last, text, end):
            return False
        for piece in self.pieces[1:-1]:
            found = _find(piece, text, start, end)
            if found < 0:
                return False
            start = found + _length(piece)
        return True


def _length(piece: str | tuple[re.Pattern[str], int]) -> int:
    return len(piece) if isinstance(piece, str) else piece[1]


def _at(piece: str | tuple[re.Pattern[str], int], text: str, place: int) -> bool:
    if isinstance(piece, str):
        return text.startswith(piece, place)
    return piece[0].match(text, place) is not None


def _find(piece: str | tuple[re.Pattern[str], int], text: str, start: int, end: int) -> int:
    if isinstance(piece, str):
        return text.find(piece, start, end)
    found = piece[0].search(text, start, end)
    return -1 if found is None else found.start()


def _piece(tokens: Sequence[Token]) -> str | tuple[re.Pattern[str], int]:
    if len(tokens) == 1 and isinstance(tokens[0], str):
        return tokens[0]
    if ANY not in tokens:
        return "".join(map(str, tokens))
    length = sum(len(token) if isinstance(token, str) else 1 for token in tokens)
    text = "".join(re.escape(token) if isinstance(token, str) else "." for token in tokens)
    return re.compile(text, re.DOTALL), length


def compile_tokens(tokens: Sequence[Token]) -> Pattern:
    """Compile a cut pattern.

    Examples
    --------
    >>> compile_tokens(tokens_of("news-?@*")).matches("news-1@example.com")
    True
    """
    groups: list[list[Token]] = [[]]
    star = False
    for token in tokens:
        if token is STAR:
            star = True
        elif token is ANY:
            # "*?" is "?*": the star of a run of wildcards comes last.
            groups[-1].append(token)
        else:
            if star:
                groups.append([])
                star = False
            groups[-1].append(token)
    if star:
        groups.append([])
    return Pattern(tuple(map(_piece, groups)), exact=len(groups) == 1)


@lru_cache(maxsize=65536)
def _compiled(pattern: str) -> Pattern:
    return compile_tokens(tokens_of(pattern))


def matches(pattern: str, text: str) -> bool:
    """Whether a whole text matches a pattern with `*` and `?`; case counts.

    Examples
    --------
    >>> matches("*@example.com", "news@example.com")
    True
    >>> matches("a?c", "ac")
    False
    """
    return _compiled(pattern).matches(text)


def fold(text: str) -> str:
    """The text in lower case, character by character, so that lengths do not change.

    Examples
    --------
    >>> fold("SES:Σ")
    'ses:σ'
    """
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


@lru_cache(maxsize=65536)
def action_matches(pattern: str, action: str) -> bool:
    """Whether an `Action` pattern names an action; the names ignore case.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html

    Examples
    --------
    >>> action_matches("SES:send*", "ses:SendRawEmail")
    True
    """
    return _compiled(pattern.lower()).matches(action.lower())


def segments_of(tokens: Sequence[Token]) -> list[list[Token]]:
    """Cut a pattern at its literal colons, into at most six segments.

    Examples
    --------
    A star that was written never cuts; what follows the fifth colon is one segment:

    >>> [len(segment) for segment in segments_of(tokens_of("arn:aws:ses:*:1:identity/a:b"))]
    [1, 1, 1, 1, 1, 1]
    """
    segments: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            segments[-1].append(token)
            continue
        rest = token
        while len(segments) < 6 and ":" in rest:
            head, rest = rest.split(":", 1)
            if head:
                segments[-1].append(head)
            segments.append([])
        if rest:
            segments[-1].append(rest)
    return segments


@dataclass(frozen=True, slots=True)
class ArnPattern:
    """A compiled `Resource` pattern: one pattern over the whole text, or one a segment."""

    whole: Pattern | CrossingPattern | None
    segments: tuple[Pattern, ...]

    def matches(self, arn: str) -> bool:
        """Whether the whole ARN matches; case counts."""
        if self.whole is not None:
            return self.whole.matches(arn)
        parts = arn.split(":", 5)
        return len(parts) == len(self.segments) and all(
            pattern.matches(part) for pattern, part in zip(self.segments, parts, strict=True)
        )


@dataclass(frozen=True, slots=True)
class CrossingPattern:
    """A pattern in which some stars may match a colon and others may not.

    State j says that j single characters of the pattern are matched; a whole set of states is one
    integer, so that each character of the text costs two masks and a shift.
    """

    takes: dict[str, int]
    """Character → the states from which it leads to the next."""
    takes_any: int
    """The states from which any character but a colon leads on (`?`)."""
    takes_all: int
    """The states from which any character leads on (`?` in the last segment)."""
    stays: int
    """The states that any character but a colon leaves as they are (`*`)."""
    stays_all: int
    """The states that any character leaves as they are (`*` at the end of a segment)."""
    finals: int
    """The states in which a text may end."""

    def matches(self, text: str) -> bool:
        """Whether the whole text matches; case counts."""
        return bool(self.after(text) & self.finals)

    def after(self, text: str) -> int:
        """The states in which the pattern can be after a text; 0 where nothing can follow."""
        states = 1
        for character in text:
            takes = self.takes.get(character, 0) | self.takes_all
            stays = self.stays_all
            if character != ":":
                takes |= self.takes_any
                stays |= self.stays
            states = ((states & takes) << 1) | (states & stays)
            if not states:
                return 0
        return states


def _crossing(segments: Sequence[Sequence[Token]], ends: Sequence[int]) -> CrossingPattern:
    takes: dict[str, int] = {}
    takes_any = takes_all = stays = stays_all = finals = 0
    state = 0

    def take(character: str) -> None:
        nonlocal state
        takes[character] = takes.get(character, 0) | 1 << state
        state += 1

    for number, segment in enumerate(segments):
        if number:
            take(":")
        last = number == 5
        for position, token in enumerate(segment):
            if token is STAR:
                if last or position == len(segment) - 1:
                    stays_all |= 1 << state
                else:
                    stays |= 1 << state
            elif token is ANY:
                if last:
                    takes_all |= 1 << state
                else:
                    takes_any |= 1 << state
                state += 1
            else:
                for character in str(token):
                    take(character)
        if number + 1 in ends:
            finals |= 1 << state
    return CrossingPattern(takes, takes_any, takes_all, stays, stays_all, finals)


def resource_segments(tokens: Sequence[Token]) -> tuple[list[list[Token]], tuple[int, ...]]:
    """The segments of a `Resource` pattern, and after how many of them an ARN may end.

    A pattern of fewer than six is completed with `*`. Where a `*` at the end of a segment can match
    beyond the colon, it may be whole as it is, too.

    Examples
    --------
    >>> segments, ends = resource_segments(tokens_of("arn:aws:ses:*"))
    >>> len(segments), ends
    (6, (4, 6))
    """
    segments = segments_of(tokens)
    written = len(segments)
    if written in (1, _SEGMENTS):
        return segments, (written,)
    crosses = any(map(_ends_in_star, segments))
    segments += [[STAR] for _ in range(_SEGMENTS - written)]
    return segments, (written, _SEGMENTS) if crosses else (_SEGMENTS,)


def compile_resource(tokens: Sequence[Token]) -> ArnPattern:
    """Compile a `Resource` pattern.

    A `*` that is the last character of a segment may match beyond the colon; any other wildcard
    stays within its segment. An ARN of fewer than six segments is completed with `*`.
    """
    written = segments_of(tokens)
    if len(written) == 1:
        return ArnPattern(compile_tokens(tokens), ())
    segments, ends = resource_segments(tokens)
    before = written[: _SEGMENTS - 1]
    if not any(map(_ends_in_star, before)):
        return ArnPattern(None, tuple(compile_tokens(segment) for segment in segments))
    inner = any(not isinstance(t, str) for segment in before for t in segment[:-1])
    lone = any(segment and segment[-1] is ANY for segment in before)
    # A star at the very end matches what completion would add.
    whole = len(ends) == 1 or _ends_in_star(written[-1])
    if inner or lone or not whole:
        return ArnPattern(_crossing(segments, ends), ())
    joined: list[Token] = []
    for number, segment in enumerate(written):
        if number:
            joined.append(":")
        joined += segment
    return ArnPattern(compile_tokens(joined), ())


def _ends_in_star(segment: Sequence[Token]) -> bool:
    return bool(segment) and segment[-1] is STAR


@lru_cache(maxsize=65536)
def _compiled_resource(pattern: str) -> ArnPattern:
    return compile_resource(tokens_of(pattern))


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether a `Resource` pattern matches an ARN; case counts.

    `*` crosses `/` anywhere, and crosses `:` where it is the last character of a segment.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html

    Examples
    --------
    >>> arn_matches("arn:aws:ses:*:identity/x", "arn:aws:ses:eu-west-1:111111111111:identity/x")
    True
    >>> arn_matches("arn:aws:ses:*", "arn:aws:ses:eu-west-1:111111111111:identity/x")
    True
    """
    return _compiled_resource(pattern).matches(arn)


@lru_cache(maxsize=65536)
def prefix_relation(pattern: str, prefix: str) -> Literal["none", "all", "some"]:
    """How many of the ARNs that begin with `prefix` a `Resource` pattern matches.

    `some` is also the answer where it is not plain.

    Examples
    --------
    >>> prefix_relation("arn:aws:ses:*", "arn:aws:ses:eu-west-1:111111111111:template/")
    'all'
    >>> prefix_relation("arn:aws:s3:::*", "arn:aws:ses:eu-west-1:111111111111:template/")
    'none'
    """
    if pattern == "*":
        return "all"
    segments, ends = resource_segments(tokens_of(pattern))
    if len(segments) == 1:
        return "some"
    crossing = _crossing(segments, ends)
    states = crossing.after(prefix)
    if not states:
        return "none"
    return "all" if states & crossing.stays_all & crossing.finals else "some"


def arn_pattern_matches(pattern: str, arn: str) -> bool:
    """`ArnEquals` and `ArnLike`: each of the six segments is matched apart.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN

    Examples
    --------
    >>> arn_pattern_matches("arn:aws:iam::*:role/a", "arn:aws:iam::111111111111:role/a")
    True
    >>> arn_pattern_matches("arn:aws:*:role/a", "arn:aws:iam::111111111111:role/a")
    False
    """
    return compile_arn(tokens_of(pattern)).matches(arn)


def compile_arn(tokens: Sequence[Token]) -> ArnPattern:
    """Compile the value of an ARN operator."""
    return ArnPattern(None, tuple(compile_tokens(segment) for segment in segments_of(tokens)))
