"""Where the statements of a policy stand in its text: AWS's `StartPosition` and `EndPosition`.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Statement.html
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left

__all__ = ["StatementPositions", "statement_places"]

_decoder = json.JSONDecoder()
_LINE_BREAK = re.compile("\n")
_SPACE = re.compile(r"[ \t\n\r]*")


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def statement_places(text: str) -> list[tuple[int, int]]:
    """The first character of each statement and the one after its last, from 0.

    Parameters
    ----------
    text
        The JSON text of a policy that `parse_document` accepts.

    Examples
    --------
    >>> statement_places('{"Statement": [{"Effect": "Deny"}, {}]}')
    [(15, 33), (35, 37)]
    """
    at = _after_space(text, 0) + 1
    while True:
        key, at = _decoder.raw_decode(text, _after_space(text, at))
        at = _after_space(text, _after_space(text, at) + 1)
        if key == "Statement":
            break
        _, at = _decoder.raw_decode(text, at)
        at = _after_space(text, at) + 1
    if text[at] != "[":
        return [(at, _decoder.raw_decode(text, at)[1])]
    places: list[tuple[int, int]] = []
    while text[at] != "]":
        start = _after_space(text, at + 1)
        _, end = _decoder.raw_decode(text, start)
        places.append((start, end))
        at = _after_space(text, end)
    return places


class StatementPositions:
    """The lines and columns of the statements of one policy; its text is gone through once.

    Parameters
    ----------
    text
        The JSON text of a policy that `parse_document` accepts.

    Examples
    --------
    >>> StatementPositions('{"Statement":\\n  [{"Effect": "Deny"}]}').of(0)
    ({'Line': 2, 'Column': 4}, {'Line': 2, 'Column': 22})
    """

    def __init__(self, text: str) -> None:
        self._places = statement_places(text)
        self._breaks = [match.start() for match in _LINE_BREAK.finditer(text)]

    def of(self, index: int) -> tuple[dict[str, int], dict[str, int]]:
        """Where a statement begins, and where it has ended; both count from 1."""
        start, end = self._places[index]
        return self._position(start), self._position(end)

    def _position(self, at: int) -> dict[str, int]:
        line = bisect_left(self._breaks, at)
        return {"Line": line + 1, "Column": at - (self._breaks[line - 1] if line else -1)}
