"""What an answer must look like before it is read: an answer of another shape is `MALFORMED`.

The shapes stand in `data/shapes.json`: the output shapes of AWS's API references, cut to what
the tables use. A name that ends in `?` may be absent or null. The kinds: `text`, `flag`, `time`
(text or seconds), `document` (a policy: text or an object), `texts` (name → text).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    shape = _shapes().get(operation)
    return None if shape is None else _wrong(shape, response, "")


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


def _wrong(shape: object, value: object, where: str) -> str | None:
    if isinstance(shape, str):
        return None if _is(shape, value) else f"{where} is not {_NAMES[shape]}"
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is not a list"
        for place, item in enumerate(value):
            if found := _wrong(shape[0], item, f"{where}[{place}]"):
                return found
        return None
    if not isinstance(shape, dict):
        raise TypeError("shapes.json: a shape is text, a list or an object")
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


_NAMES = {
    "text": "text",
    "flag": "true or false",
    "time": "a time",
    "document": "a policy",
    "texts": "an object of texts",
}


def _is(kind: str, value: object) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "time":
        return hasattr(value, "isoformat") or (
            isinstance(value, str | int | float) and not isinstance(value, bool)
        )
    if kind == "document":
        return isinstance(value, str | dict)
    if kind == "texts":
        return isinstance(value, dict) and all(isinstance(v, str | dict) for v in value.values())
    raise ValueError(f"shapes.json: no such kind: {kind}")
