"""What is kept of the texts that were seen: each function's own, and all of it forgotten at once.

A pattern is cut once and tried at many requests. A stream of lines may bring any number of texts of
any length, so whoever reads one counts their length and forgets from time to time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

__all__ = ["forget", "forget_also", "kept"]

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")

_forgetting: dict[Callable[[], None], None] = {}


def kept(most: int) -> Callable[[Callable[_Given, _Found]], Callable[_Given, _Found]]:
    """`functools.lru_cache`, of which `forget` knows.

    Parameters
    ----------
    most
        How many results are kept.

    Examples
    --------
    >>> @kept(10)
    ... def length(text: str) -> int:
    ...     print("counting")
    ...     return len(text)
    >>> length("ab"), length("ab"), forget(), length("ab")
    counting
    counting
    (2, 2, None, 2)
    """

    def decorate(function: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
        keeping = lru_cache(maxsize=most)(function)
        _forgetting[keeping.cache_clear] = None
        return cast("Callable[_Given, _Found]", keeping)

    return decorate


def forget_also(forgetting: Callable[[], None]) -> None:
    """Have `forget` call a function that empties what another module keeps."""
    _forgetting[forgetting] = None


def forget() -> None:
    """Drop all that is kept; results are the same afterwards."""
    for forgetting in _forgetting:
        forgetting()
