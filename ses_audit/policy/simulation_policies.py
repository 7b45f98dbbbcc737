"""The policies of one line of `ses-audit simulate`, each under the name by which AWS speaks of it.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Literal

from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.kept import forget
from ses_audit.policy.parse import parse_document
from ses_audit.policy.principals import UNKNOWN_CALLER
from ses_audit.policy.types import AttachedPolicy, Caller, Document, Layers

__all__ = ["KEPT", "InvalidRequest", "known_fields", "list_of", "read_layers", "sources_of"]

Kind = Literal["identity", "resource", "resource control"]

_POLICY_LISTS = (
    "PolicyInputList",
    "PermissionsBoundaryPolicyInputList",
    "SessionPolicyInputList",
    "ResourcePolicyInputList",
)
_SERVICE_LINKED = re.compile(r"arn:[^:]+:iam::[0-9]{12}:role/aws-service-role/.*", re.DOTALL)


class InvalidRequest(ValueError):
    """A line that is no request; the message is one line and names the field."""


class _Kept:
    """Parsed policies, for the lines that follow, and the length of all that was read since
    everything was forgotten: a long file must not need more memory than a short one."""

    MOST = 4_000_000

    def __init__(self) -> None:
        self.documents: dict[tuple[str, Kind], Document] = {}
        self.length = 0

    def read(self, length: int) -> None:
        """Count the characters of what was read, and forget all when they are many."""
        self.length += length
        if self.length > self.MOST:
            self.documents.clear()
            forget()
            self.length = length

    def document(self, text: str, kind: Kind) -> Document:
        """A policy's text parsed, once while it is kept."""
        self.read(len(text))
        found = self.documents.get((text, kind))
        if found is None:
            found = self.documents[text, kind] = _checked(text, kind)
        return found


KEPT = _Kept()


def known_fields(value: Mapping[str, object], known: frozenset[str], where: str = "") -> None:
    """Refuse what is not known by its name, and name what is nearest to it.

    Examples
    --------
    >>> known_fields({"Idd": ""}, frozenset({"Id"}))
    Traceback (most recent call last):
    ses_audit.policy.simulation_policies.InvalidRequest: unknown field 'Idd'; did you mean Id?
    """
    for name in value:
        if name in known:
            continue
        lower = {each.lower(): each for each in known}
        near = difflib.get_close_matches(name.lower(), lower, 1, 0.7)
        hint = f"; did you mean {lower[near[0]]}?" if near else ""
        raise InvalidRequest(f"{where}unknown field {name!r}{hint}")


def list_of(value: Mapping[str, object], name: str) -> list[object]:
    found = value.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise InvalidRequest(f"{name} is a list")
    return found


def sources_of(value: Mapping[str, object]) -> dict[str, object]:
    """The text or object of each policy that is not the organization's, by its name.

    Examples
    --------
    >>> sorted(sources_of({"PolicyInputList": ["{}", "{}"]}))
    ['PolicyInputList.1', 'PolicyInputList.2', 'ResourcePolicy']
    """
    found: dict[str, object] = {"ResourcePolicy": value.get("ResourcePolicy")}
    for name in _POLICY_LISTS:
        for position, source in enumerate(list_of(value, name), 1):
            found[f"{name}.{position}"] = source
    return found


def read_layers(value: Mapping[str, object], caller: Caller) -> Layers:
    """All documents. Those of the organization that do not bind the caller are read and left out:
    SCPs bind no service and no service-linked role, RCPs no service-linked role.

    Sources:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
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
    if caller.account is None and caller is not UNKNOWN_CALLER:
        scp = None
    if _SERVICE_LINKED.fullmatch(caller.role_arn or caller.arn):
        scp = rcp = None
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
        for position, source in enumerate(list_of(value, name), 1)
    )


def _levels(
    value: Mapping[str, object], name: str, inner: str, kind: Kind
) -> tuple[tuple[tuple[AttachedPolicy, ...], ...] | None, tuple[str, ...]]:
    """The levels, root first; absent: the layer does not apply. An empty level denies."""
    if value.get(name) is None:
        return None, ()
    levels: list[tuple[AttachedPolicy, ...]] = []
    targets: list[str] = []
    for position, level in enumerate(list_of(value, name), 1):
        target = f"{name}.{position}"
        if not isinstance(level, dict):
            raise InvalidRequest(f"{target} is an object with {inner}")
        known_fields(level, frozenset({inner}), f"{target}: ")
        levels.append(
            tuple(
                _policy(source, f"{target}.{inner}.{number}", kind, target)
                for number, source in enumerate(list_of(level, inner), 1)
            )
        )
        targets.append(target)
    return tuple(levels), tuple(targets)


def _policy(source: object, name: str, kind: Kind, target: str | None = None) -> AttachedPolicy:
    try:
        if isinstance(source, str):
            document = KEPT.document(source, kind)
        elif isinstance(source, dict):
            document = _checked(source, kind)
            KEPT.read(len(document.text))
        else:
            raise MalformedPolicy("a policy is JSON text or an object")
    except MalformedPolicy as error:
        raise InvalidRequest(f"{name}: malformed policy: {error}") from None
    return AttachedPolicy(document, name, target=target)


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
