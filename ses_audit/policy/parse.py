"""A policy text, or the object it decodes to, as a `Document`. No statement is ever dropped.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Literal

from ses_audit.policy.json_text import MalformedPolicy, Number, loads, place_of
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
    digest = hashlib.sha256(text.encode()).hexdigest()
    try:
        return _document(value, digest)
    except _Wrong as wrong:
        raise MalformedPolicy(wrong.reason, place_of(text, wrong.path)) from None


def _document(value: object, digest: str) -> Document:
    if not isinstance(value, dict):
        raise _Wrong("a policy is an object", ())
    _known(value, _DOCUMENT_KEYS, "policy", ())
    version = value.get("Version", "2008-10-17")
    if version not in VERSIONS or not _is_text(version):
        raise _Wrong(f"Version is one of {', '.join(VERSIONS)}", ("Version",))
    if "Statement" not in value:
        raise _Wrong("Statement is missing", ())
    identifier = value.get("Id")
    if "Id" in value and not _is_text(identifier):
        raise _Wrong("Id is not text", ("Id",))
    body = value["Statement"]
    statements: tuple[Statement, ...]
    if isinstance(body, list):
        if not body:
            raise _Wrong("Statement is empty", ("Statement",))
        statements = tuple(
            _statement(entry, index, ("Statement", index)) for index, entry in enumerate(body)
        )
    else:
        statements = (_statement(body, 0, ("Statement",)),)
    return Document(version=version, statements=statements, digest=digest, id=identifier)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def _known(value: Mapping[str, object], names: frozenset[str], what: str, path: Path) -> None:
    for key in value:
        if key not in names:
            raise _Wrong(f"unknown {what} element {key!r}", (*path, key))


def _statement(entry: object, index: int, path: Path) -> Statement:
    where = f"statement {index + 1}"
    if not isinstance(entry, dict):
        raise _Wrong(f"{where} is not an object", path)
    _known(entry, _STATEMENT_KEYS, "statement", path)
    if "Effect" not in entry:
        raise _Wrong(f"{where}: Effect is missing", path)
    effect = entry["Effect"]
    if effect not in ("Allow", "Deny"):
        raise _Wrong(f"{where}: Effect is Allow or Deny", (*path, "Effect"))
    sid = entry.get("Sid")
    if "Sid" in entry and not _is_text(sid):
        raise _Wrong(f"{where}: Sid is not text", (*path, "Sid"))
    actions, actions_negated = _either(entry, "Action", where, path)
    if actions is None:
        raise _Wrong(f"{where}: Action or NotAction is missing", path)
    resources, resources_negated = _either(entry, "Resource", where, path)
    return Statement(
        index=index,
        sid=sid,
        effect=effect,
        actions=actions,
        actions_negated=actions_negated,
        resources=resources,
        resources_negated=resources_negated,
        conditions=_conditions(entry, where, path),
        principal=_principal(entry, where, path),
    )


def _either(
    entry: Mapping[str, object], name: str, where: str, path: Path
) -> tuple[tuple[str, ...] | None, bool]:
    negated = f"Not{name}"
    if name in entry and negated in entry:
        raise _Wrong(f"{where}: both {name} and {negated}", (*path, negated))
    for found in (name, negated):
        if found in entry:
            return _texts(entry[found], f"{where}: {found}", (*path, found)), found == negated
    return None, False


def _texts(value: object, what: str, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        if not _is_text(value):
            raise _Wrong(f"{what} is not text", path)
        return (str(value),)
    for place, item in enumerate(value):
        if not _is_text(item):
            raise _Wrong(f"{what} is not text", (*path, place))
    return tuple(value)


def _principal(entry: Mapping[str, object], where: str, path: Path) -> PrincipalElement | None:
    if "Principal" in entry and "NotPrincipal" in entry:
        raise _Wrong(f"{where}: both Principal and NotPrincipal", (*path, "NotPrincipal"))
    for name in ("Principal", "NotPrincipal"):
        if name not in entry:
            continue
        value = entry[name]
        if value == "*":
            return PrincipalElement((("AWS", ("*",)),), name == "NotPrincipal")
        if not isinstance(value, dict):
            raise _Wrong(f'{where}: {name} is "*" or an object of kinds', (*path, name))
        for kind in value:
            if kind not in _PRINCIPAL_KINDS:
                raise _Wrong(f"{where}: unknown kind of principal {kind!r}", (*path, name, kind))
        entries = tuple(
            (kind, _texts(values, f"{where}: {name}.{kind}", (*path, name, kind)))
            for kind, values in value.items()
        )
        return PrincipalElement(entries, name == "NotPrincipal")
    return None


def _conditions(entry: Mapping[str, object], where: str, path: Path) -> tuple[Clause, ...]:
    value = entry.get("Condition", {})
    path = (*path, "Condition")
    if not isinstance(value, dict):
        raise _Wrong(f"{where}: Condition is not an object", path)
    clauses: list[Clause] = []
    for written, keys in value.items():
        inner = (*path, written)
        parts = _operator(written)
        if parts is None:
            raise _Wrong(f"{where}: unknown condition operator {written!r}", inner)
        operator, set_operator, if_exists = parts
        if not isinstance(keys, dict):
            raise _Wrong(f"{where}: {written} is not an object of keys", inner)
        for key, values in keys.items():
            if not key:
                raise _Wrong(f"{where}: {written} has an empty key", (*inner, key))
            clauses.append(
                Clause(
                    operator=operator,
                    key=key,
                    values=_values(values, f"{where}: {written} {key}", (*inner, key)),
                    set_operator=set_operator,
                    if_exists=if_exists,
                )
            )
    return tuple(clauses)


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


def _values(value: object, what: str, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        return (_value(value, what, path),)
    return tuple(_value(item, what, (*path, place)) for place, item in enumerate(value))


def _value(item: object, what: str, path: Path) -> str:
    """JSON booleans and numbers stand as their JSON text."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return str(item)
    raise _Wrong(f"{what}: a value is text, a number or a boolean", path)
