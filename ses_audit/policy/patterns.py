"""`*` and `?` over a whole text; how a pattern is written and cut.

Between two stars stands a piece of fixed length, and each piece is looked for once, from where the
one before it ended: the work is linear in the text. A pattern as it is written keeps apart from one
that is cut, in which a literal `*` or `?` (from `${*}` or from the value of a variable) is text.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from ses_audit.policy.kept import kept
from ses_audit.policy.text_places import text_places

__all__ = [
    "ANY",
    "STAR",
    "Pattern",
    "Piece",
    "Token",
    "Written",
    "tokens_of",
]


class _Wildcard(Enum):
    STAR = "*"
    ANY = "?"


STAR = _Wildcard.STAR
ANY = _Wildcard.ANY

Token = str | _Wildcard
"""A run of literal text, or a wildcard."""

Written = str | tuple[Token, ...]
"""A pattern as it is written, all of whose `*` and `?` are wildcards; or cut into tokens."""

_SPLIT = re.compile(r"([*?])")
_WILDCARDS: dict[str, Token] = {"*": STAR, "?": ANY}


@kept(65_536)
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


class Piece:
    """What stands between two stars and holds `?`.

    Parameters
    ----------
    written
        The piece; without stars.

    Examples
    --------
    >>> Piece("a?c").find("xxabc", 0, 5)
    2
    """

    __slots__ = ("_runs", "_written", "length")

    def __init__(self, written: Written) -> None:
        self._written = written
        self._runs: tuple[tuple[int, str], ...] | None = None
        self.length = (
            len(written)
            if isinstance(written, str)
            else sum(len(token) if isinstance(token, str) else 1 for token in written)
        )

    @property
    def runs(self) -> tuple[tuple[int, str], ...]:
        """Literal runs, each at its distance from the beginning of the piece."""
        if self._runs is None:
            distance = 0
            runs: list[tuple[int, str]] = []
            written = self._written
            for token in tokens_of(written) if isinstance(written, str) else written:
                if isinstance(token, str):
                    runs.append((distance, token))
                    distance += len(token)
                else:
                    distance += 1
            self._runs = tuple(runs)
        return self._runs

    def at(self, text: str, place: int) -> bool:
        """Whether the piece stands there; the text is long enough."""
        return all(text.startswith(run, place + distance) for distance, run in self.runs)

    def find(self, text: str, start: int, end: int) -> int:
        """The first place between two others where the piece stands; -1 where there is none."""
        last = end - self.length
        if last < start or not self.runs:
            return start if start <= last else -1
        places = text_places(text)
        found = (1 << (last + 1)) - (1 << start)
        for distance, run in self.runs:
            for further, character in enumerate(run, distance):
                found &= places.of(character) >> further
                if not found:
                    return -1
        return (found & -found).bit_length() - 1


class Pattern:
    """A compiled pattern over a whole text.

    Parameters
    ----------
    written
        The pattern.

    Examples
    --------
    >>> Pattern("news-?@*").matches("news-1@example.com")
    True
    >>> Pattern(("a*", STAR)).matches("ab")
    False
    """

    __slots__ = ("_exact", "_literal", "_pieces", "_shortest", "_written")

    def __init__(self, written: Written) -> None:
        self._written = written
        self._pieces: tuple[str | Piece, ...] | None = None
        self._literal: str | None = None
        """The one text that matches, where no wildcard is written."""
        if isinstance(written, str):
            stars = written.count("*")
            self._shortest = len(written) - stars
            self._exact = not stars
            if not stars and "?" not in written:
                self._literal = written
        else:
            self._shortest = sum(
                len(token) if isinstance(token, str) else token is ANY for token in written
            )
            self._exact = STAR not in written

    def matches(self, text: str) -> bool:
        """Whether the whole text matches; case counts."""
        if self._literal is not None:
            return text == self._literal
        if len(text) < self._shortest:
            # However long the pattern is, no piece of it is cut for that.
            return False
        pieces = self._pieces
        if pieces is None:
            pieces = self._pieces = _pieces(self._written)
        first, last = pieces[0], pieces[-1]
        if self._exact:
            return len(text) == self._shortest and _at(first, text, 0)
        start = _length(first)
        end = len(text) - _length(last)
        if not _at(first, text, 0) or not _at(last, text, end):
            return False
        for piece in pieces[1:-1]:
            found = _find(piece, text, start, end)
            if found < 0:
                return False
            start = found + _length(piece)
        return True


def _length(piece: str | Piece) -> int:
    return len(piece) if isinstance(piece, str) else piece.length


def _at(piece: str | Piece, text: str, place: int) -> bool:
    return text.startswith(piece, place) if isinstance(piece, str) else piece.at(text, place)


def _find(piece: str | Piece, text: str, start: int, end: int) -> int:
    return text.find(piece, start, end) if isinstance(piece, str) else piece.find(text, start, end)


def _pieces(written: Written) -> tuple[str | Piece, ...]:
    """What stands between the stars of a pattern."""
    if not isinstance(written, str):
        return _pieces_of_tokens(written)
    parts = written.split("*")
    if len(parts) > 2:
        parts = [parts[0], *filter(None, parts[1:-1]), parts[-1]]
    if "?" not in written:
        return tuple(parts)
    # Of the same pieces, however many, one is made.
    made = {part: Piece(part) for part in set(parts) if "?" in part}
    return tuple([made.get(part, part) for part in parts])


def _pieces_of_tokens(tokens: Sequence[Token]) -> tuple[str | Piece, ...]:
    groups: list[list[Token]] = [[]]
    star = False
    for token in tokens:
        if token is STAR:
            star = True
            continue
        if star:
            groups.append([])
            star = False
        groups[-1].append(token)
    if star:
        groups.append([])
    return tuple(
        [Piece(tuple(group)) if ANY in group else "".join(map(str, group)) for group in groups]
    )
