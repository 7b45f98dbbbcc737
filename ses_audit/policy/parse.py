"""A policy text, or the object it decodes to, as a `Document`. No statement is ever dropped.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from ses_audit.policy.json_text import MalformedPolicy, loads, place_of
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
    value = loads(text, exact_numbers=True)
    try:
        return _document(value, text)
    except _Wrong as wrong:
        raise MalformedPolicy(wrong.reason, place_of(text, wrong.path)) from None


def _document(value: object, text: str) -> Document:
    if not isinstance(value, dict):
        raise _Wrong("a policy is an object", ())
    _known(value, _DOCUMENT_KEYS, "policy", ())
    version = value.get("Version", "2008-10-17")
    if version not in VERSIONS:
        raise _Wrong(f"Version is one of {', '.join(VERSIONS)}", ("Version",))
    if "Statement" not in value:
        raise _Wrong("Statement is missing", ())
    identifier = value.get("Id")
    if identifier.__class__ is not str and "Id" in value:
        raise _Wrong("Id is not text", ("Id",))
    body = value["Statement"]
    statements: tuple[Statement, ...]
    if isinstance(body, list):
        if not body:
            raise _Wrong("Statement is empty", ("Statement",))
        statements = tuple(
            [_statement(entry, index, ("Statement", index)) for index, entry in enumerate(body)]
        )
    else:
        statements = (_statement(body, 0, ("Statement",)),)
    return Document(version, statements, text, identifier)


def _known(value: Mapping[str, object], names: frozenset[str], what: str, path: Path) -> None:
    if not value.keys() <= names:
        key = next(key for key in value if key not in names)
        raise _Wrong(f"unknown {what} element {key!r}", (*path, key))


class _Shape(NamedTuple):
    """Which elements a statement has; there are few such shapes, and many statements of each."""

    action: str
    resource: str | None
    principal: str | None
    has_sid: bool
    has_condition: bool


@lru_cache(maxsize=1024)
def _shape(elements: tuple[str, ...]) -> _Shape | None:
    """The shape of a statement with these elements; None where the grammar knows none."""
    if not _STATEMENT_KEYS.issuperset(elements) or "Effect" not in elements:
        return None
    found: dict[str, str | None] = {}
    for name in ("Action", "Resource", "Principal"):
        given = [each for each in (name, f"Not{name}") if each in elements]
        if len(given) > 1:
            return None
        found[name] = given[0] if given else None
    action = found["Action"]
    if action is None:
        return None
    has_sid, has_condition = "Sid" in elements, "Condition" in elements
    return _Shape(action, found["Resource"], found["Principal"], has_sid, has_condition)


def _shapeless(entry: Mapping[str, object], path: Path) -> _Wrong:
    """Why a statement has no shape."""
    where = _where(path)
    for key in entry:
        if key not in _STATEMENT_KEYS:
            return _Wrong(f"unknown statement element {key!r}", (*path, key))
    if "Effect" not in entry:
        return _Wrong(f"{where}: Effect is missing", path)
    for name in ("Action", "Resource", "Principal"):
        if name in entry and f"Not{name}" in entry:
            return _Wrong(f"{where}: both {name} and Not{name}", (*path, f"Not{name}"))
    return _Wrong(f"{where}: Action or NotAction is missing", path)


def _statement(entry: object, index: int, path: Path) -> Statement:
    if not isinstance(entry, dict):
        raise _Wrong(f"{_where(path)} is not an object", path)
    shape = _shape(tuple(entry))
    if shape is None:
        raise _shapeless(entry, path)
    action, resource, principal, has_sid, has_condition = shape
    effect = entry["Effect"]
    if effect != "Allow" and effect != "Deny":
        raise _Wrong(f"{_where(path)}: Effect is Allow or Deny", (*path, "Effect"))
    sid = entry["Sid"] if has_sid else None
    if has_sid and sid.__class__ is not str:
        raise _Wrong(f"{_where(path)}: Sid is not text", (*path, "Sid"))
    return Statement(
        index,
        sid,
        effect,
        _texts(entry[action], path, action),
        action == "NotAction",
        None if resource is None else _texts(entry[resource], path, resource),
        resource == "NotResource",
        _conditions(entry["Condition"], path) if has_condition else (),
        None if principal is None else _principals(entry[principal], (*path, principal)),
    )


def _where(path: Path) -> str:
    """The statement that a path leads through, as errors name it."""
    place = path[1] if len(path) > 1 else 0
    return f"statement {place + 1 if isinstance(place, int) else 1}"


def _texts(value: object, path: Path, name: str) -> tuple[str, ...]:
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


def _principals(value: object, path: Path) -> PrincipalElement:
    negated = path[-1] == "NotPrincipal"
    if value == "*":
        return PrincipalElement((("AWS", ("*",)),), negated)
    if not isinstance(value, dict):
        raise _Wrong(f'{_where(path)}: {path[-1]} is "*" or an object of kinds', path)
    for kind in value:
        if kind not in _PRINCIPAL_KINDS:
            raise _Wrong(f"{_where(path)}: unknown kind of principal {kind!r}", (*path, kind))
    entries = tuple([(kind, _texts(values, path, kind)) for kind, values in value.items()])
    return PrincipalElement(entries, negated)


def _conditions(value: object, path: Path) -> tuple[Clause, ...]:
    path = (*path, "Condition")
    if not isinstance(value, dict):
        raise _Wrong(f"{_where(path)}: Condition is not an object", path)
    clauses: list[Clause] = []
    for written, keys in value.items():
        parts = _operator(written)
        if parts is None:
            what = f"{_where(path)}: unknown condition operator {written!r}"
            raise _Wrong(what, (*path, written))
        operator, set_operator, if_exists = parts
        if not isinstance(keys, dict):
            what = f"{_where(path)}: {written} is not an object of keys"
            raise _Wrong(what, (*path, written))
        for key, values in keys.items():
            if not key:
                what = f"{_where(path)}: {written} has an empty key"
                raise _Wrong(what, (*path, written, key))
            found = _values(values, path, written, key)
            clauses.append(Clause(operator, key, found, set_operator, if_exists))
    return tuple(clauses)


@lru_cache(maxsize=1024)
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
    if value.__class__ is str:
        return (value,)
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
