"""Where the statements of a policy stand in its text: AWS's `StartPosition` and `EndPosition`.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Statement.html
"""

from __future__ import annotations

import json
import re

__all__ = ["position", "statement_places"]

_decoder = json.JSONDecoder()
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


def position(text: str, at: int) -> dict[str, int]:
    """A place as line and column, both from 1.

    Examples
    --------
    >>> position("{\\n  1", 4)
    {'Line': 2, 'Column': 3}
    """
    before = text.rfind("\n", 0, at)
    return {"Line": text.count("\n", 0, at) + 1, "Column": at - before}
