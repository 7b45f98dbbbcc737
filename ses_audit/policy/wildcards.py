"""`*` and `?` in actions and ARNs: matched in time linear in the text.

What a pattern is, and how it is matched over a whole text, stands in `patterns.py`.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, Literal

from ses_audit.policy.kept import kept
from ses_audit.policy.patterns import (
    ANY,
    STAR,
    Pattern,
    Token,
    Written,
    tokens_of,
)
from ses_audit.policy.text_places import text_places
from ses_audit.policy.values import value

__all__ = [
    "ANY",
    "STAR",
    "Pattern",
    "Token",
    "action_matches",
    "arn_matches",
    "arn_pattern_matches",
    "compile_arn",
    "compile_resource",
    "fold",
    "matches",
    "prefix_relation",
    "resource_segments",
    "segments_of",
    "tokens_of",
]

_SEGMENTS = 6


@kept(65_536)
def _compiled(pattern: str) -> Pattern:
    return Pattern(pattern)


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
    return text.lower() if text.isascii() else _fold(text)


@kept(64)
def _fold(text: str) -> str:
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


@kept(65_536)
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
        while len(segments) < _SEGMENTS and ":" in rest:
            head, rest = rest.split(":", 1)
            if head:
                segments[-1].append(head)
            segments.append([])
        if rest:
            segments[-1].append(rest)
    return segments


@value(frozen=True, slots=True)
class ArnPattern:
    """A compiled `Resource` pattern, or the value of an ARN operator."""

    whole: Pattern | CrossingPattern
    """What the whole text has to match."""
    segments: tuple[Pattern, ...] = ()
    """What each segment has to match as well; empty where the whole text says it."""

    def matches(self, arn: str) -> bool:
        """Whether the whole ARN matches; case counts."""
        if not self.whole.matches(arn):
            return False
        if not self.segments:
            return True
        parts = arn.split(":", _SEGMENTS - 1)
        if len(parts) != len(self.segments):
            return False
        for pattern, part in zip(self.segments, parts, strict=True):
            if not pattern.matches(part):
                return False
        return True


class _Step(Enum):
    """What a token of a crossing pattern does to the places that were reached."""

    TEXT = "text"
    ANY_IN_SEGMENT = "? but no colon"
    ANY = "?"
    STAR_IN_SEGMENT = "* but no colon"
    STAR = "*"
    END = "the text may end"


class CrossingPattern:
    """A `Resource` pattern in which some stars may match a colon and others may not.

    Step by step it follows all the places of a text that its beginning reaches.

    Parameters
    ----------
    written
        The pattern, of more than one segment.
    """

    __slots__ = ("_made", "_written")

    def __init__(self, written: Written) -> None:
        self._written = written
        self._made: tuple[str, tuple[tuple[_Step, str], ...]] | None = None

    def matches(self, text: str) -> bool:
        """Whether the whole text matches; case counts."""
        written = self._written
        if isinstance(written, str) and len(written) - written.count("*") > len(text):
            # Shorter than the shortest text that can match: no step is made.
            return False
        whole = 1 << len(text)
        return any(step is _Step.END and reached & whole for step, reached in self._followed(text))

    def relation(self, prefix: str) -> Literal["none", "all", "some"]:
        """How many of the texts that begin with a prefix match; "some" where it is not plain."""
        whole = 1 << len(prefix)
        relation: Literal["none", "some"] = "none"
        if self._steps[0].startswith(prefix):
            relation = "some"
        before: _Step | None = None
        for step, reached in self._followed(prefix):
            if reached & whole:
                if step is _Step.END and before is _Step.STAR:
                    return "all"
                relation = "some"
            before = step
        return relation

    @property
    def _steps(self) -> tuple[str, tuple[tuple[_Step, str], ...]]:
        """The text before the first wildcard, and the steps after it."""
        if self._made is None:
            written = self._written
            if isinstance(written, str):
                while "**" in written:
                    written = written.replace("**", "*")
                written = tokens_of(written)
            self._made = _steps(*resource_segments(written))
        return self._made

    def _followed(self, text: str) -> Iterator[tuple[_Step, int]]:
        """Each step with the places that are reached after it, while there are any."""
        prefix, steps = self._steps
        if not text.startswith(prefix):
            return
        places = text_places(text)
        reached = 1 << len(prefix)
        for step, run in steps:
            if step is _Step.TEXT:
                for character in run:
                    reached = (reached & places.of(character)) << 1
            elif step is _Step.STAR:
                reached = places.later(reached)
            elif step is _Step.STAR_IN_SEGMENT:
                reached = places.later_in_segment(reached)
            elif step is _Step.ANY:
                reached = (reached & places.every) << 1
            elif step is _Step.ANY_IN_SEGMENT:
                reached = (reached & places.apart_from_colons) << 1
            if not reached:
                return
            yield step, reached


def _steps(
    segments: Sequence[Sequence[Token]], ends: Sequence[int]
) -> tuple[str, tuple[tuple[_Step, str], ...]]:
    steps: list[tuple[_Step, str]] = []
    for number, segment in enumerate(segments):
        last = number == _SEGMENTS - 1
        if number:
            steps.append((_Step.TEXT, ":"))
        for position, token in enumerate(segment):
            if isinstance(token, str):
                steps.append((_Step.TEXT, token))
            elif token is ANY:
                steps.append((_Step.ANY if last else _Step.ANY_IN_SEGMENT, ""))
            elif last or position == len(segment) - 1:
                steps.append((_Step.STAR, ""))
            else:
                steps.append((_Step.STAR_IN_SEGMENT, ""))
        if number + 1 in ends:
            steps.append((_Step.END, ""))
    literal = next(place for place, (step, _) in enumerate(steps) if step is not _Step.TEXT)
    return "".join(run for _, run in steps[:literal]), tuple(steps[literal:])


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
    crosses = any(segment and segment[-1] is STAR for segment in segments)
    segments += [[STAR] for _ in range(_SEGMENTS - written)]
    return segments, (written, _SEGMENTS) if crosses else (_SEGMENTS,)


def _cut(written: Written) -> list[Written]:
    """The segments of a pattern."""
    if isinstance(written, str):
        return [*written.split(":", _SEGMENTS - 1)]
    return [tuple(segment) for segment in segments_of(written)]


def _by_segment(written: Written, segments: Sequence[Written]) -> ArnPattern:
    """A pattern of which no wildcard crosses a colon."""
    # Over the whole text its wildcards reach further: what does not match so does not match.
    return ArnPattern(Pattern(written), tuple(map(Pattern, segments)))


def compile_resource(written: Written) -> ArnPattern:
    """Compile a `Resource` pattern.

    A `*` that is the last character of a segment may match beyond the colon; any other wildcard
    stays within its segment. An ARN of fewer than six segments is completed with `*`.

    Examples
    --------
    >>> compile_resource("arn:aws:s3:::a*").matches("arn:aws:s3:::a/b:c")
    True
    """
    star, one = ("*", "?") if isinstance(written, str) else (STAR, ANY)
    segments: list[Any] = [*_cut(written)]
    if len(segments) == 1:
        return ArnPattern(Pattern(written))
    before = [segment for segment in segments[: _SEGMENTS - 1] if segment]
    if not any(segment[-1] == star for segment in before):
        lacking = _SEGMENTS - len(segments)
        completed: Any = ":*" * lacking if isinstance(written, str) else (":", STAR) * lacking
        return _by_segment(written + completed, [*segments, *["*"] * lacking])
    # A star at the very end matches what completion would add.
    if any(
        star in segment[:-1] or one in segment[:-1] or segment[-1] == one for segment in before
    ) or (len(segments) < _SEGMENTS and not (segments[-1] and segments[-1][-1] == star)):
        return ArnPattern(CrossingPattern(written))
    return ArnPattern(Pattern(written))


@kept(65_536)
def _compiled_resource(pattern: str) -> ArnPattern:
    return compile_resource(pattern)


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


@kept(65_536)
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
    return CrossingPattern(pattern).relation(prefix) if ":" in pattern else "some"


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
    return compile_arn(pattern).matches(arn)


def compile_arn(written: Written) -> ArnPattern:
    """Compile the value of an ARN operator."""
    return _by_segment(written, _cut(written))
