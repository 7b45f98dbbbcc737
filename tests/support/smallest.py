"""The smallest part of a JSON value that still shows a failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["smallest"]


def _smaller(value: Any) -> Iterator[Any]:
    """The value with one thing less: a member, an element, a level; text of JSON as its object."""
    if isinstance(value, str) and value[:1] == "{":
        yield json.loads(value)
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
        for key, inner in value.items():
            for less in _smaller(inner):
                yield {**value, key: less}
    elif isinstance(value, list):
        for place in range(len(value)):
            yield value[:place] + value[place + 1 :]
        if len(value) == 1 and not isinstance(value[0], (dict, list)):
            yield value[0]
        for place, inner in enumerate(value):
            for less in _smaller(inner):
                yield [*value[:place], less, *value[place + 1 :]]


def smallest(value: Any, fails: Callable[[Any], bool]) -> Any:
    """Take away one thing at a time while `fails` stays true.

    Parameters
    ----------
    value
        A JSON value for which `fails` is true.
    fails
        Whether a smaller value shows the same failure; false where it is no valid value.
    """
    while True:
        for less in _smaller(value):
            if fails(less):
                value = less
                break
        else:
            return value
