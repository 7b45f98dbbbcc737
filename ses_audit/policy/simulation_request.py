"""One line of `ses-audit simulate`: the request of AWS's SimulateCustomPolicy, with additions.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.parse import parse_document
from ses_audit.policy.principals import UNKNOWN_CALLER, caller_of
from ses_audit.policy.types import AttachedPolicy, Caller, Document, Layers, Request

__all__ = ["FIELDS", "InvalidRequest", "SimulationRequest", "read_request"]

AWS_FIELDS = frozenset(
    {
        "PolicyInputList",
        "PermissionsBoundaryPolicyInputList",
        "OrderedOrganizationPolicyInputList",
        "ActionNames",
        "ResourceArns",
        "ResourcePolicy",
        "ResourceOwner",
        "CallerArn",
        "ContextEntries",
    }
)
"""What AWS's own request holds."""

FIELDS = AWS_FIELDS | {
    "Id",
    "ResourcePolicyInputList",
    "OrderedOrganizationResourcePolicyInputList",
    "SessionPolicyInputList",
    "OpenContext",
}
"""What a line may hold; anything else is refused by name."""

LIST_TYPES = frozenset(
    {"stringList", "numericList", "booleanList", "ipList", "binaryList", "dateList"}
)
CONTEXT_TYPES = LIST_TYPES | {name.removesuffix("List") for name in LIST_TYPES}

_MOST_ACTION = 128
_MOST_RESOURCE = 2048
_ACCOUNT = re.compile(r"[0-9]{12}")
_ACCOUNT_ARN = re.compile(r"arn:[^:]+:iam::([0-9]{12}):root")
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_CACHED_TEXT = 16_384
"""A policy text longer than this is parsed each time: what is kept has to be bounded."""

Kind = Literal["identity", "resource", "resource control"]


class InvalidRequest(ValueError):
    """A line that is no request; the message is one line and names the field."""


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """A line, read.

    Parameters
    ----------
    layers
        All documents, under the names by which AWS speaks of them (`PolicyInputList.1`).
    requests
        One for each action and resource, the actions in order, for each the resources in order.
    open_context
        Whether a key that is not given may take any value; else it is absent.
    """

    layers: Layers
    requests: tuple[Request, ...]
    open_context: bool


def read_request(value: Mapping[str, object]) -> SimulationRequest:
    """Read one line's object.

    Parameters
    ----------
    value
        The decoded line.

    Raises
    ------
    InvalidRequest
        For an unknown field (by its name), a wrong type, or a policy that is malformed.

    Examples
    --------
    >>> line = {"PolicyInputList": [], "ActionNames": ["ses:SendEmail"]}
    >>> read_request(line).requests[0].resource
    '*'
    """
    unknown = sorted(key for key in value if key not in FIELDS)
    if unknown:
        raise InvalidRequest(f"unknown field {', '.join(map(repr, unknown))}")
    context, multivalued = _context(value.get("ContextEntries"))
    caller = _caller(value.get("CallerArn"), context)
    owner = _owner(value.get("ResourceOwner"))
    actions = _texts(value, "ActionNames")
    if not actions:
        raise InvalidRequest("ActionNames: name at least one action")
    for action in actions:
        if len(action) > _MOST_ACTION or _ACTION.fullmatch(action) is None:
            raise InvalidRequest(
                "ActionNames: an action is service:Name without wildcards, such as ses:SendEmail"
            )
    resources = _texts(value, "ResourceArns") or ("*",)
    if any(len(resource) > _MOST_RESOURCE or not resource for resource in resources):
        raise InvalidRequest(f"ResourceArns: an ARN has 1 to {_MOST_RESOURCE} characters")
    opened = value.get("OpenContext", False)
    if not isinstance(opened, bool):
        raise InvalidRequest("OpenContext is true or false")
    return SimulationRequest(
        layers=_layers(value),
        requests=tuple(
            Request(
                caller=caller,
                action=action,
                resource=resource,
                resource_account=owner or _account_of(resource) or caller.account,
                context=context,
                multivalued=multivalued,
            )
            for action in actions
            for resource in resources
        ),
        open_context=opened,
    )


def _list(value: Mapping[str, object], name: str) -> list[object]:
    found = value.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise InvalidRequest(f"{name} is a list")
    return found


def _texts(value: Mapping[str, object], name: str) -> tuple[str, ...]:
    found: list[str] = []
    for item in _list(value, name):
        if not isinstance(item, str):
            raise InvalidRequest(f"{name} is a list of texts")
        found.append(item)
    return tuple(found)


def _caller(arn: object, context: Mapping[str, tuple[str, ...]]) -> Caller:
    """Without CallerArn the caller is unknown, and of the resource's own account."""
    if arn is None:
        return UNKNOWN_CALLER
    if not isinstance(arn, str):
        raise InvalidRequest("CallerArn is text")
    principal_arn = context.get("aws:principalarn", ())
    caller = caller_of(arn, role_arn=principal_arn[0] if len(principal_arn) == 1 else None)
    if caller is None:
        raise InvalidRequest(
            "CallerArn is the ARN of a user, a role, a role session, a federated user or an "
            "account's root, a service principal, or anonymous"
        )
    return caller


def _owner(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        if _ACCOUNT.fullmatch(value):
            return value
        match = _ACCOUNT_ARN.fullmatch(value)
        if match is not None:
            return match.group(1)
    raise InvalidRequest("ResourceOwner is an account's ARN (arn:aws:iam::ID:root) or its id")


def _account_of(resource: str) -> str | None:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and _ACCOUNT.fullmatch(parts[4]) else None


def _context(entries: object) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """Condition keys in lower case with their values, and which of them carry sets."""
    if entries is None:
        return {}, frozenset()
    if not isinstance(entries, list):
        raise InvalidRequest("ContextEntries is a list")
    found: dict[str, tuple[str, ...]] = {}
    multivalued: set[str] = set()
    for entry in entries:
        if not isinstance(entry, dict):
            raise InvalidRequest("ContextEntries: an entry is an object")
        for name in entry:
            if name not in ("ContextKeyName", "ContextKeyValues", "ContextKeyType"):
                raise InvalidRequest(f"ContextEntries: unknown field {name!r}")
        key, values = entry.get("ContextKeyName"), entry.get("ContextKeyValues")
        kind = entry.get("ContextKeyType", "string")
        if not isinstance(key, str) or not key:
            raise InvalidRequest("ContextEntries: ContextKeyName is text")
        if not isinstance(values, list):
            raise InvalidRequest(f"ContextEntries: ContextKeyValues of {key!r} is a list")
        if kind not in CONTEXT_TYPES:
            raise InvalidRequest(
                f"ContextEntries: ContextKeyType of {key!r} is one of "
                + ", ".join(sorted(CONTEXT_TYPES))
            )
        lower = key.lower()
        if lower in found:
            raise InvalidRequest(f"ContextEntries: {key!r} is given twice")
        found[lower] = tuple(_value(item, key) for item in values)
        if kind in LIST_TYPES:
            multivalued.add(lower)
    return found, frozenset(multivalued)


def _value(item: object, key: str) -> str:
    """JSON numbers and booleans stand as their JSON text, as they do in a policy."""
    if isinstance(item, str):
        return item
    if isinstance(item, (bool, int, float)):
        return json.dumps(item)
    raise InvalidRequest(f"ContextEntries: a value of {key!r} is text")


def _layers(value: Mapping[str, object]) -> Layers:
    resource: list[AttachedPolicy] = []
    if value.get("ResourcePolicy") is not None:
        resource.append(_policy(value["ResourcePolicy"], "ResourcePolicy", "resource"))
    resource += _policies(value, "ResourcePolicyInputList", "resource")
    boundary = _policies(value, "PermissionsBoundaryPolicyInputList", "identity")
    if len(boundary) > 1:
        raise InvalidRequest("PermissionsBoundaryPolicyInputList holds at most one policy")
    session = _policies(value, "SessionPolicyInputList", "identity")
    scp, scp_targets = _levels(
        value, "OrderedOrganizationPolicyInputList", "ServiceControlPolicyInputList", "identity"
    )
    rcp, rcp_targets = _levels(
        value,
        "OrderedOrganizationResourcePolicyInputList",
        "ResourceControlPolicyInputList",
        "resource control",
    )
    return Layers(
        identity_policies=_policies(value, "PolicyInputList", "identity"),
        permissions_boundary=boundary[0] if boundary else None,
        session_policies=session or None,
        service_control_policies=scp,
        resource_control_policies=rcp,
        resource_policies=tuple(resource),
        service_control_targets=scp_targets,
        resource_control_targets=rcp_targets,
    )


def _policies(value: Mapping[str, object], name: str, kind: Kind) -> tuple[AttachedPolicy, ...]:
    return tuple(
        _policy(source, f"{name}.{position}", kind)
        for position, source in enumerate(_list(value, name), 1)
    )


def _levels(
    value: Mapping[str, object], name: str, inner: str, kind: Kind
) -> tuple[tuple[tuple[AttachedPolicy, ...], ...] | None, tuple[str, ...]]:
    """The levels, root first; absent: the layer does not apply. An empty level denies."""
    if value.get(name) is None:
        return None, ()
    levels: list[tuple[AttachedPolicy, ...]] = []
    targets: list[str] = []
    for position, level in enumerate(_list(value, name), 1):
        target = f"{name}.{position}"
        if not isinstance(level, dict):
            raise InvalidRequest(f"{target} is an object with {inner}")
        for field in level:
            if field != inner:
                raise InvalidRequest(f"{target}: unknown field {field!r}")
        levels.append(
            tuple(
                _policy(source, f"{target}.{inner}.{number}", kind, target)
                for number, source in enumerate(_list(level, inner), 1)
            )
        )
        targets.append(target)
    return tuple(levels), tuple(targets)


def _policy(source: object, name: str, kind: Kind, target: str | None = None) -> AttachedPolicy:
    try:
        if isinstance(source, str):
            short = len(source) <= _CACHED_TEXT
            document = _document(source, kind) if short else _checked(source, kind)
        elif isinstance(source, dict):
            document = _checked(source, kind)
        else:
            raise MalformedPolicy("a policy is JSON text or an object")
    except MalformedPolicy as error:
        raise InvalidRequest(f"{name}: malformed policy: {error}") from None
    return AttachedPolicy(document, name, target=target)


@lru_cache(maxsize=4096)
def _document(text: str, kind: Kind) -> Document:
    return _checked(text, kind)


def _checked(source: str | dict[str, object], kind: Kind) -> Document:
    """Parse, and refuse what AWS refuses in this kind of policy.

    Sources:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    document = parse_document(source)
    for statement in document.statements:
        where = f"statement {statement.index + 1}"
        if kind == "identity" and statement.principal is not None:
            raise MalformedPolicy(f"{where}: only a policy on a resource names a Principal")
        if kind == "resource" and statement.principal is None:
            raise MalformedPolicy(f"{where}: a policy on a resource names a Principal")
        if kind != "resource" and statement.resources is None:
            raise MalformedPolicy(f"{where}: Resource or NotResource is missing")
    return document
