"""A policy text, or the object it decodes to, as a `Document`. No statement is ever dropped.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ses_audit.policy.json_text import MalformedPolicy, loads
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
_SET_OPERATORS = {"foranyvalue": "ForAnyValue", "forallvalues": "ForAllValues"}


def parse_document(source: str | Mapping[str, object]) -> Document:
    """Parse a policy.

    Parameters
    ----------
    source
        The JSON text, or the object that it decodes to.

    Raises
    ------
    MalformedPolicy
        For what the grammar does not allow: unknown elements, both `Action` and `NotAction`, an
        unknown operator, duplicate keys, and everything that is not strict JSON.

    Examples
    --------
    >>> text = '{"Statement": {"Effect": "Allow", "Action": "ses:*", "Resource": "*"}}'
    >>> document = parse_document(text)
    >>> document.version, document.statements[0].actions
    ('2008-10-17', ('ses:*',))
    """
    if isinstance(source, str):
        text = source
        value = loads(source)
    else:
        try:
            text = json.dumps(source, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise MalformedPolicy(f"not JSON: {error}") from None
        value = loads(text)
    if not isinstance(value, dict):
        raise MalformedPolicy("a policy is an object", 0)
    _known(value, _DOCUMENT_KEYS, "policy")
    version = value.get("Version", "2008-10-17")
    if version not in VERSIONS:
        raise MalformedPolicy(f"Version is {version!r}; it is one of {', '.join(VERSIONS)}")
    if "Statement" not in value:
        raise MalformedPolicy("Statement is missing")
    body = value["Statement"]
    entries = body if isinstance(body, list) else [body]
    if not entries:
        raise MalformedPolicy("Statement is empty")
    identifier = value.get("Id")
    if identifier is not None and not isinstance(identifier, str):
        raise MalformedPolicy("Id is not text")
    return Document(
        version=version,
        statements=tuple(_statement(entry, index) for index, entry in enumerate(entries)),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        id=identifier,
    )


def _known(value: Mapping[str, object], names: frozenset[str], what: str) -> None:
    unknown = [key for key in value if key not in names]
    if unknown:
        raise MalformedPolicy(f"unknown {what} element {unknown[0]!r}")


def _statement(entry: object, index: int) -> Statement:
    where = f"statement {index + 1}"
    if not isinstance(entry, dict):
        raise MalformedPolicy(f"{where} is not an object")
    _known(entry, _STATEMENT_KEYS, "statement")
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicy(f"{where}: Effect is {effect!r}; it is Allow or Deny")
    sid = entry.get("Sid")
    if sid is not None and not isinstance(sid, str):
        raise MalformedPolicy(f"{where}: Sid is not text")
    actions, actions_negated = _either(entry, "Action", where)
    if actions is None:
        raise MalformedPolicy(f"{where}: Action or NotAction is missing")
    resources, resources_negated = _either(entry, "Resource", where)
    return Statement(
        index=index,
        sid=sid,
        effect=effect,
        actions=actions,
        actions_negated=actions_negated,
        resources=resources,
        resources_negated=resources_negated,
        conditions=_conditions(entry.get("Condition", {}), where),
        principal=_principal(entry, where),
    )


def _either(
    entry: Mapping[str, object], name: str, where: str
) -> tuple[tuple[str, ...] | None, bool]:
    negated = f"Not{name}"
    if name in entry and negated in entry:
        raise MalformedPolicy(f"{where}: both {name} and {negated}")
    if name in entry:
        return _texts(entry[name], f"{where}: {name}"), False
    if negated in entry:
        return _texts(entry[negated], f"{where}: {negated}"), True
    return None, False


def _texts(value: object, what: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise MalformedPolicy(f"{what} is empty")
    for item in values:
        if not isinstance(item, str):
            raise MalformedPolicy(f"{what} is not text")
    return tuple(values)


def _principal(entry: Mapping[str, object], where: str) -> PrincipalElement | None:
    if "Principal" in entry and "NotPrincipal" in entry:
        raise MalformedPolicy(f"{where}: both Principal and NotPrincipal")
    for name in ("Principal", "NotPrincipal"):
        if name not in entry:
            continue
        value = entry[name]
        if value == "*":
            return PrincipalElement((("AWS", ("*",)),), name == "NotPrincipal")
        if not isinstance(value, dict) or not value:
            raise MalformedPolicy(f'{where}: {name} is "*" or an object of kinds')
        for kind in value:
            if kind not in _PRINCIPAL_KINDS:
                raise MalformedPolicy(f"{where}: unknown kind of principal {kind!r}")
        entries = tuple(
            (kind, _texts(values, f"{where}: {name}.{kind}")) for kind, values in value.items()
        )
        return PrincipalElement(entries, name == "NotPrincipal")
    return None


def _conditions(value: object, where: str) -> tuple[Clause, ...]:
    if not isinstance(value, dict):
        raise MalformedPolicy(f"{where}: Condition is not an object")
    clauses: list[Clause] = []
    for written, keys in value.items():
        operator, set_operator, if_exists = _operator(written, where)
        if not isinstance(keys, dict):
            raise MalformedPolicy(f"{where}: {written} is not an object of keys")
        for key, values in keys.items():
            if not key:
                raise MalformedPolicy(f"{where}: {written} has an empty key")
            clauses.append(
                Clause(
                    operator=operator,
                    key=key,
                    values=_values(values, f"{where}: {written} {key}"),
                    set_operator=set_operator,  # type: ignore[arg-type]
                    if_exists=if_exists,
                )
            )
    return tuple(clauses)


def _operator(written: str, where: str) -> tuple[str, str | None, bool]:
    """Take an operator apart; its names ignore case."""
    rest = written
    set_operator = None
    if ":" in rest:
        prefix, rest = rest.split(":", 1)
        set_operator = _SET_OPERATORS.get(prefix.lower())
        if set_operator is None:
            raise MalformedPolicy(f"{where}: unknown condition operator {written!r}")
    if_exists = rest.lower().endswith("ifexists")
    name = _BY_LOWER_NAME.get((rest[: -len("IfExists")] if if_exists else rest).lower())
    if name is None or (name == "Null" and if_exists):
        raise MalformedPolicy(f"{where}: unknown condition operator {written!r}")
    return name, set_operator, if_exists


def _values(value: object, what: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    found: list[str] = []
    for item in values:
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, (bool, int, float)):
            found.append(json.dumps(item))
        else:
            raise MalformedPolicy(f"{what}: a value is text, a number or a boolean")
    return tuple(found)
