"""What an answer must look like before it is read: an answer of another shape is `MALFORMED`.

The shapes stand in `data/shapes.json`: the output shapes of AWS's API references, cut to what
the tables use. A name that ends in `?` may be absent or null. The kinds: `text`, `flag`, `time`
(text or seconds), `document` (a policy: text or an object), `texts` (name → text).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

__all__ = ["is_empty", "wrong_shape"]


@cache
def _shapes() -> Mapping[str, object]:
    loaded = json.loads(files("ses_audit.snapshot").joinpath("data/shapes.json").read_text("utf-8"))
    shapes = loaded["shapes"]
    if not isinstance(shapes, dict):
        raise TypeError("shapes.json: no shapes")
    return shapes


def wrong_shape(operation: str, response: object) -> str | None:
    """Say where an answer departs from its operation's shape, or None.

    Parameters
    ----------
    operation
        AWS's name; any answer suits an operation that has no shape here.
    response
        The answer.

    Examples
    --------
    >>> wrong_shape("ListAccounts", {"Accounts": [{"Id": 12}]})
    'Accounts[0].Id is not text'
    >>> wrong_shape("ListAccounts", {"Accounts": []}) is None
    True
    """
    fits = _fitting(operation)
    if fits is None or fits(response):
        return None
    return _wrong(_shapes()[operation], response, "")


def is_empty(operation: str, response: Mapping[str, object]) -> bool:
    """Whether an answer says that there is nothing: a list operation whose lists are all empty.

    What is described (an identity without tags) is never nothing.

    Examples
    --------
    >>> is_empty("ListEmailIdentities", {"EmailIdentities": []})
    True
    >>> is_empty("GetEmailIdentity", {"Tags": []})
    False
    """
    if not operation.startswith("List") and operation != "GetAccountAuthorizationDetails":
        return False
    lists = [value for value in response.values() if isinstance(value, list)]
    return bool(lists) and not any(lists)


Fits = Callable[[object], bool]


@cache
def _fitting(operation: str) -> Fits | None:
    """Whether an answer has its operation's shape; without saying where it departs from it."""
    shape = _shapes().get(operation)
    return None if shape is None else _test_of(shape)


def _test_of(shape: object) -> Fits:
    if isinstance(shape, str):
        return _KINDS[shape][1]
    if isinstance(shape, list):
        inside = _test_of(shape[0])
        return lambda value: isinstance(value, list) and all(map(inside, value))
    if not isinstance(shape, dict):
        raise TypeError("shapes.json: a shape is text, a list or an object")
    parts = [
        (name.removesuffix("?"), name.endswith("?"), _test_of(inner))
        for name, inner in shape.items()
    ]

    def fits(value: object) -> bool:
        if not isinstance(value, dict):
            return False
        for key, optional, inside in parts:
            found = value.get(key)
            if not (optional if found is None else inside(found)):
                return False
        return True

    return fits


def _wrong(shape: object, value: object, where: str) -> str | None:
    """Where a value departs from a shape."""
    if isinstance(shape, str):
        name, fits = _KINDS[shape]
        return None if fits(value) else f"{where} is not {name}"
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is not a list"
        for place, item in enumerate(value):
            if found := _wrong(shape[0], item, f"{where}[{place}]"):
                return found
        return None
    assert isinstance(shape, dict)
    if not isinstance(value, dict):
        return f"{where or 'the answer'} is not an object"
    for name, inner in shape.items():
        key = name.removesuffix("?")
        path = f"{where}.{key}" if where else key
        if value.get(key) is None:
            if name == key:
                return f"{path} is absent"
            continue
        if found := _wrong(inner, value[key], path):
            return found
    return None


def _is_time(value: object) -> bool:
    return hasattr(value, "isoformat") or (
        isinstance(value, str | int | float) and not isinstance(value, bool)
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(v, str | dict) for v in value.values())


_KINDS: Mapping[str, tuple[str, Fits]] = {
    "text": ("text", lambda value: isinstance(value, str)),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
    "time": ("a time", _is_time),
    "document": ("a policy", lambda value: isinstance(value, str | dict)),
    "texts": ("an object of texts", _are_texts),
}
