"""A policy text, or the object it decodes to, as a `Document`. No statement is ever dropped.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from ses_audit.policy.json_text import MalformedPolicy, Pairs, loads, pairs_of, place_of
from ses_audit.policy.kept import kept
from ses_audit.policy.operators import OPERATORS
from ses_audit.policy.types import Clause, Document, PrincipalElement, Statement

__all__ = ["parse_document"]

VERSIONS = ("2012-10-17", "2008-10-17")
_DOCUMENT_KEYS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_KEYS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_PRINCIPAL_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")
_BY_LOWER_NAME = {name.lower(): name for name in OPERATORS if name != "Resource"}
_SET_OPERATORS: dict[str, Literal["ForAnyValue", "ForAllValues"]] = {
    "foranyvalue": "ForAnyValue",
    "forallvalues": "ForAllValues",
}

Path = tuple[str | int, ...]
"""Keys and places that lead to a value in the document."""


class _Wrong(Exception):
    """What the grammar does not allow, and where it stands."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


def parse_document(source: str | Mapping[str, object]) -> Document:
    """Parse a policy.

    An empty list is accepted where AWS accepts it: an empty `Action` names no action, and the
    statement has no effect.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html

    Parameters
    ----------
    source
        The JSON text, or the object that it decodes to.

    Raises
    ------
    MalformedPolicy
        With the position, for what the grammar does not allow: unknown elements, both `Action`
        and `NotAction`, an unknown operator, duplicate keys, and everything that is not strict
        JSON. For an object the position is that in its compact JSON text.

    Examples
    --------
    >>> text = '{"Statement": {"Effect": "Allow", "Action": "ses:*", "Resource": "*"}}'
    >>> document = parse_document(text)
    >>> document.version, document.statements[0].actions
    ('2008-10-17', ('ses:*',))
    """
    if isinstance(source, str):
        text = source
    else:
        try:
            text = json.dumps(source, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise MalformedPolicy(f"not JSON: {error}") from None
    try:
        return _document(pairs_of(text), text)
    except _Wrong as wrong:
        # What is wrong in any JSON is told before what is wrong in a policy.
        loads(text, exact_numbers=True)
        raise MalformedPolicy(wrong.reason, place_of(text, wrong.path)) from None


def _document(pairs: object, text: str) -> Document:
    if not isinstance(pairs, tuple):
        raise _Wrong("a policy is an object", ())
    version_at, statement_at, id_at = _heading(tuple([name for name, _ in pairs]))
    version: Any = "2008-10-17" if version_at is None else pairs[version_at][1]
    if version not in VERSIONS:
        raise _Wrong(f"Version is one of {', '.join(VERSIONS)}", ("Version",))
    if statement_at is None:
        raise _Wrong("Statement is missing", ())
    identifier = None
    if id_at is not None:
        identifier = pairs[id_at][1]
        if identifier.__class__ is not str:
            raise _Wrong("Id is not text", ("Id",))
    body = pairs[statement_at][1]
    if not isinstance(body, list):
        return Document(version, (_statement(body, 0, ("Statement",)),), text, identifier)
    if not body:
        raise _Wrong("Statement is empty", ("Statement",))
    statements: list[Statement] = []
    for index, entry in enumerate(body):
        statements.append(_statement(entry, index, ("Statement", index)))
    return Document(version, tuple(statements), text, identifier)


@lru_cache(maxsize=64)
def _heading(elements: tuple[str, ...]) -> tuple[int | None, int | None, int | None]:
    """In which places Version, Statement and Id stand."""
    for name in elements:
        if name not in _DOCUMENT_KEYS:
            raise _Wrong(f"unknown policy element {name!r}", (name,))
    place = {name: number for number, name in enumerate(elements)}
    if len(place) != len(elements):
        raise _duplicate()
    return place.get("Version"), place.get("Statement"), place.get("Id")


def _duplicate() -> _Wrong:
    """A name that is written twice; `loads` says which and where."""
    return _Wrong("duplicate key", ())


class _Shape(NamedTuple):
    """Which elements a statement has, and in which place; there are few such shapes, and many
    statements of each."""

    effect: int
    action: int
    resource: int | None
    principal: int | None
    sid: int | None
    condition: int | None
    action_negated: bool
    resource_negated: bool


@lru_cache(maxsize=1024)
def _shape(elements: tuple[str, ...]) -> _Shape:
    """The shape of a statement with these elements; `LookupError` where the grammar knows none,
    so that only what it knows is kept."""
    place = {name: number for number, name in enumerate(elements)}
    if len(place) != len(elements) or not _STATEMENT_KEYS.issuperset(place):
        raise LookupError
    for name in ("Action", "Resource", "Principal"):
        if name in place and f"Not{name}" in place:
            raise LookupError
    action = place.get("Action", place.get("NotAction"))
    if "Effect" not in place or action is None:
        raise LookupError
    return _Shape(
        place["Effect"],
        action,
        place.get("Resource", place.get("NotResource")),
        place.get("Principal", place.get("NotPrincipal")),
        place.get("Sid"),
        place.get("Condition"),
        "NotAction" in place,
        "NotResource" in place,
    )


def _shapeless(elements: tuple[str, ...], path: Path) -> _Wrong:
    """Why a statement has no shape."""
    where = _where(path)
    if len(set(elements)) != len(elements):
        return _duplicate()
    for key in elements:
        if key not in _STATEMENT_KEYS:
            return _Wrong(f"unknown statement element {key!r}", (*path, key))
    if "Effect" not in elements:
        return _Wrong(f"{where}: Effect is missing", path)
    for name in ("Action", "Resource", "Principal"):
        if name in elements and f"Not{name}" in elements:
            return _Wrong(f"{where}: both {name} and Not{name}", (*path, f"Not{name}"))
    return _Wrong(f"{where}: Action or NotAction is missing", path)


def _statement(entry: object, index: int, path: Path) -> Statement:
    if not isinstance(entry, tuple):
        raise _Wrong(f"{_where(path)} is not an object", path)
    elements = tuple([name for name, _ in entry])
    try:
        shape = _shape(elements)
    except LookupError:
        raise _shapeless(elements, path) from None
    (
        effect_at, action, resource, principal, sid_at, condition, action_negated, resource_negated
    ) = shape  # fmt: skip
    effect = entry[effect_at][1]
    if effect != "Allow" and effect != "Deny":
        raise _Wrong(f"{_where(path)}: Effect is Allow or Deny", (*path, "Effect"))
    sid = None
    if sid_at is not None:
        sid = entry[sid_at][1]
        if sid.__class__ is not str:
            raise _Wrong(f"{_where(path)}: Sid is not text", (*path, "Sid"))
    resources = None
    if resource is not None:
        name, texts = entry[resource]
        resources = (texts,) if texts.__class__ is str else _texts(texts, path, name)
    name, texts = entry[action]
    return Statement(
        index,
        sid,
        effect,
        (texts,) if texts.__class__ is str else _texts(texts, path, name),
        action_negated,
        resources,
        resource_negated,
        () if condition is None else _conditions(entry[condition][1], path),
        None if principal is None else _principals(entry[principal], path),
    )


def _where(path: Path) -> str:
    """The statement that a path leads through, as errors name it."""
    place = path[1] if len(path) > 1 else 0
    return f"statement {place + 1 if isinstance(place, int) else 1}"


def _texts(value: Any, path: Path, name: str) -> tuple[str, ...]:
    # Numbers are texts of a class of their own.
    if value.__class__ is str:
        return (value,)
    if isinstance(value, list):
        for place, item in enumerate(value):
            if item.__class__ is not str:
                raise _not_text((*path, name, place))
        return tuple(value)
    raise _not_text((*path, name))


def _not_text(path: Path) -> _Wrong:
    names = [part for part in path[1:] if isinstance(part, str)]
    return _Wrong(f"{_where(path)}: {'.'.join(names)} is not text", path)


def _principals(pair: tuple[str, Any], path: Path) -> PrincipalElement:
    name, value = pair
    path = (*path, name)
    negated = name == "NotPrincipal"
    if value == "*":
        return PrincipalElement((("AWS", ("*",)),), negated)
    if not isinstance(value, tuple):
        raise _Wrong(f'{_where(path)}: {name} is "*" or an object of kinds', path)
    for kind, _ in value:
        if kind not in _PRINCIPAL_KINDS:
            raise _Wrong(f"{_where(path)}: unknown kind of principal {kind!r}", (*path, kind))
    _once(value)
    entries = tuple([(kind, _texts(texts, path, kind)) for kind, texts in value])
    return PrincipalElement(entries, negated)


def _once(pairs: Pairs) -> None:
    """Refuse an object in which a name is written twice."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise _duplicate()


def _conditions(value: object, path: Path) -> tuple[Clause, ...]:
    path = (*path, "Condition")
    if not isinstance(value, tuple):
        raise _Wrong(f"{_where(path)}: Condition is not an object", path)
    if len(value) > 1:
        _once(value)
    clauses: list[Clause] = []
    for written, keys in value:
        parts = _operator(written)
        if parts is None:
            what = f"{_where(path)}: unknown condition operator {written!r}"
            raise _Wrong(what, (*path, written))
        operator, set_operator, if_exists = parts
        if not isinstance(keys, tuple):
            what = f"{_where(path)}: {written} is not an object of keys"
            raise _Wrong(what, (*path, written))
        if len(keys) > 1:
            _once(keys)
        for key, values in keys:
            if not key:
                what = f"{_where(path)}: {written} has an empty key"
                raise _Wrong(what, (*path, written, key))
            if values.__class__ is str:
                found: tuple[str, ...] = (values,)
            else:
                found = _values(values, path, written, key)
            clauses.append(Clause(operator, key, found, set_operator, if_exists))
    return tuple(clauses)


@kept(1_024)
def _operator(
    written: str,
) -> tuple[str, Literal["ForAnyValue", "ForAllValues"] | None, bool] | None:
    """Take an operator apart; its names ignore case."""
    prefix, colon, rest = written.rpartition(":")
    set_operator = _SET_OPERATORS.get(prefix.lower())
    if colon and set_operator is None:
        return None
    if_exists = rest.lower().endswith("ifexists")
    name = _BY_LOWER_NAME.get((rest[: -len("IfExists")] if if_exists else rest).lower())
    if name is None or (name == "Null" and if_exists):
        return None
    return name, set_operator, if_exists


def _values(value: object, path: Path, written: str, key: str) -> tuple[str, ...]:
    """JSON booleans and numbers stand as their JSON text."""
    found: list[str] = []
    for place, item in enumerate(value if isinstance(value, list) else (value,)):
        if item.__class__ is str:
            found.append(item)
        elif isinstance(item, bool):
            found.append("true" if item else "false")
        elif isinstance(item, str):
            found.append(str(item))
        else:
            what = f"{_where(path)}: {written} {key}: a value is text, a number or a boolean"
            here = (*path, written, key)
            raise _Wrong(what, (*here, place) if isinstance(value, list) else here)
    return tuple(found)
