"""One line of `ses-audit simulate`: the request of AWS's SimulateCustomPolicy, with additions.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ses_audit.policy.principals import UNKNOWN_CALLER, caller_of
from ses_audit.policy.simulation_policies import (
    KEPT,
    InvalidRequest,
    known_fields,
    list_of,
    read_layers,
    sources_of,
)
from ses_audit.policy.types import Caller, Layers, Request

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

LEFT_OUT = {
    "Marker": "a line's results come whole, without paging; leave it out",
    "MaxItems": "a line's results come whole, without paging; leave it out",
    "ResourceHandlingOption": "it is about Amazon EC2 alone; leave it out",
}
"""What AWS's own request may hold besides, and why a line may not."""

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

_ENTRY_FIELDS = frozenset({"ContextKeyName", "ContextKeyValues", "ContextKeyType"})
_ORGANIZATION = (
    "OrderedOrganizationPolicyInputList",
    "OrderedOrganizationResourcePolicyInputList",
)
_MOST_ACTION = 128
_MOST_RESOURCE = 2048
_ACCOUNT = re.compile(r"[0-9]{12}")
_ACCOUNT_ARN = re.compile(r"arn:[^:]+:iam::([0-9]{12}):root")
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")


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
    has_organization
        Whether the line speaks of an organization, even if its policies do not bind the caller.
    sources
        The text or object of each policy that is not the organization's, by its name.
    """

    layers: Layers
    requests: tuple[Request, ...]
    open_context: bool
    has_organization: bool
    sources: Mapping[str, object]


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
    for name in value:
        if name in LEFT_OUT:
            raise InvalidRequest(f"{name} is not for simulate: {LEFT_OUT[name]}")
    known_fields(value, FIELDS)
    context, multivalued = _context(value.get("ContextEntries"))
    KEPT.read(sum(len(each) for values in context.values() for each in values))
    caller = _caller(value, context)
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
        layers=read_layers(value, caller),
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
        has_organization=any(value.get(name) is not None for name in _ORGANIZATION),
        sources=sources_of(value),
    )


def _texts(value: Mapping[str, object], name: str) -> tuple[str, ...]:
    found: list[str] = []
    for item in list_of(value, name):
        if not isinstance(item, str):
            raise InvalidRequest(f"{name} is a list of texts")
        found.append(item)
    return tuple(found)


def _caller(value: Mapping[str, object], context: Mapping[str, tuple[str, ...]]) -> Caller:
    """Without CallerArn the caller is somebody of the resource's own account.

    AWS requires it where there is a resource policy, whose Principal would have nobody to name.
    """
    arn = value.get("CallerArn")
    if arn is None:
        for name in ("ResourcePolicy", "ResourcePolicyInputList"):
            if value.get(name):
                raise InvalidRequest(
                    f"CallerArn is missing: with {name} it is required, so that the policy's "
                    "Principal has somebody to name"
                )
        return UNKNOWN_CALLER
    if not isinstance(arn, str):
        raise InvalidRequest("CallerArn is text")
    principal_arn = context.get("aws:principalarn", ())
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-federatedprovider
    provider = context.get("aws:federatedprovider", ())
    caller = caller_of(
        arn,
        role_arn=principal_arn[0] if len(principal_arn) == 1 else None,
        federated_provider=provider[0] if len(provider) == 1 else None,
    )
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
        known_fields(entry, _ENTRY_FIELDS, "ContextEntries: ")
        key, values = entry.get("ContextKeyName"), entry.get("ContextKeyValues")
        kind = entry.get("ContextKeyType")
        if not isinstance(key, str) or not key:
            raise InvalidRequest("ContextEntries: ContextKeyName is text")
        if not isinstance(values, list):
            raise InvalidRequest(f"ContextEntries: ContextKeyValues of {key!r} is a list")
        if kind is not None and (not isinstance(kind, str) or kind not in CONTEXT_TYPES):
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
