"""One request against all of its policies.

reference_policies_evaluation-logic_policy-eval-denyallow.html,
reference_policies_evaluation-logic-cross-account.html, access_policies_boundaries.html,
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from iam_reference.conditions import condition_holds
from iam_reference.patterns import action_matches, resource_matches
from iam_reference.principals import Caller, caller_of, named, principal_matches


@dataclass(frozen=True)
class Answer:
    """`denials`: (layer, kind, policy, statement index, target); the last three None where a layer
    has nothing that allows (an organization level then has its target)."""

    decision: str
    denials: frozenset[tuple[str, str, str | None, int | None, str | None]]
    by_organizations: bool
    by_boundary: bool


@dataclass(frozen=True)
class Asked:
    caller: Caller
    action: str
    resource: str
    context: dict[str, list[str]]
    multivalued: set[str]
    has_boundary: bool


def many(value: object) -> list:
    return value if isinstance(value, list) else [value]


def text_of(value: object) -> str:
    """Condition values may be JSON numbers and booleans."""
    return value if isinstance(value, str) else json.dumps(value)


def document(source: object) -> dict:
    return json.loads(source) if isinstance(source, str) else source


def resources_match(statement: dict, version: str, asked: Asked) -> bool:
    """Resource: one of the list; NotResource: none of it
    (reference_policies_elements_notresource.html). A trust policy has neither."""

    def on(pattern: str) -> bool:
        return resource_matches(pattern, asked.resource, version, asked.context, asked.multivalued)

    if "Resource" in statement:
        return any(on(pattern) for pattern in many(statement["Resource"]))
    return not any(on(pattern) for pattern in many(statement.get("NotResource", [])))


def statement_matches(statement: dict, version: str, asked: Asked) -> bool:
    """Every element that is there matches (reference_policies_elements.html)."""
    if not principal_matches(statement, asked.caller, asked.has_boundary):
        return False
    if "Action" in statement:
        if not any(action_matches(p, asked.action) for p in many(statement["Action"])):
            return False
    elif any(action_matches(p, asked.action) for p in many(statement["NotAction"])):
        return False

    if not resources_match(statement, version, asked):
        return False
    return all(
        condition_holds(
            operator,
            key,
            [text_of(value) for value in many(values)],
            version,
            asked.context,
            asked.multivalued,
        )
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def matching(sources: list, name: str, asked: Asked) -> list[tuple[str, int, dict]]:
    """The statements that match, with the name of their policy and their index."""
    found = []
    for position, source in enumerate(sources, 1):
        policy = document(source)
        version = policy.get("Version", "2008-10-17")
        for index, statement in enumerate(many(policy["Statement"])):
            if statement_matches(statement, version, asked):
                found.append((f"{name}.{position}" if name else "", index, statement))
    return found


def allows(statements: list) -> bool:
    return any(statement["Effect"] == "Allow" for _, _, statement in statements)


def resource_account(line: dict, resource: str, caller: Caller) -> str | None:
    """ResourceOwner, or else the ARN's account, or else the caller's
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html)."""
    owner = line.get("ResourceOwner")
    if owner is not None:
        return owner.split(":")[4] if ":" in owner else owner
    parts = resource.split(":")
    if len(parts) >= 6 and len(parts[4]) == 12 and parts[4].isdigit():
        return parts[4]
    return caller.account


def passes_boundary(forms: set[str], caller: Caller) -> bool:
    """Within an account a grant to a user's, federated user's or session's own ARN, or to everyone,
    passes an implicit deny of the boundary and the session policy; one to a role's ARN does not
    (reference_policies_evaluation-logic_policy-eval-denyallow.html, "Resource-based policies")."""
    own = "self" in forms and caller.kind in ("user", "federated-user", "session")
    return own or "everyone" in forms


def passes_session_policy(forms: set[str], caller: Caller) -> bool:
    """The same, of the session policy."""
    return passes_boundary(forms, caller)


def read_context(line: dict) -> tuple[dict[str, list[str]], set[str]]:
    """Key names ignore case. A type that ends in List makes the key multivalued."""
    context, multivalued = {}, set()
    for entry in line.get("ContextEntries", []):
        key = entry["ContextKeyName"].lower()
        context[key] = list(entry["ContextKeyValues"])
        if entry.get("ContextKeyType", "string").endswith("List"):
            multivalued.add(key)
    return context, multivalued


def decide(
    line: dict,
    action: str,
    resource: str,
    context: dict[str, list[str]] | None = None,
    multivalued: set[str] | None = None,
) -> Answer:
    """Decide one action on one resource of a line.

    Parameters
    ----------
    context, multivalued
        Instead of those in the line.
    """
    if context is None:
        context, multivalued = read_context(line)
    caller = caller_of(line["CallerArn"], context)
    boundary_sources = line.get("PermissionsBoundaryPolicyInputList", [])
    asked = Asked(caller, action, resource, context, multivalued or set(), bool(boundary_sources))

    denials: set[tuple[str, str, str | None, int | None, str | None]] = set()

    def meet(layer: str, sources: list, name: str, target: str | None = None) -> list:
        found = matching(sources, name, asked)
        for policy, index, statement in found:
            if statement["Effect"] == "Deny":
                denials.add((layer, "explicit", policy, index, target))
        return found

    def levels(layer: str, name: str, inner: str) -> bool:
        """Every level, from the root to the account, has to allow."""
        ok = True
        for position, level in enumerate(line.get(name) or [], 1):
            target = f"{name}.{position}"
            before = len(denials)
            met = meet(layer, level[inner], f"{target}.{inner}", target)
            if not allows(met):
                denials.add((layer, "implicit", None, None, target))
            ok = ok and len(denials) == before
        return ok

    # SCPs bind no service and no service-linked role
    # (orgs_manage_policies_scps.html, "Tasks and entities not restricted by SCPs").
    organizations = True
    if caller.account is not None and not caller.service_linked:
        organizations = levels(
            "service_control_policy",
            "OrderedOrganizationPolicyInputList",
            "ServiceControlPolicyInputList",
        )
    # RCPs bind everyone but service-linked roles (orgs_manage_policies_rcps.html).
    if not caller.service_linked:
        organizations &= levels(
            "resource_control_policy",
            "OrderedOrganizationResourcePolicyInputList",
            "ResourceControlPolicyInputList",
        )

    identity = meet("identity_policy", line.get("PolicyInputList", []), "PolicyInputList")
    identity_allows = allows(identity) or caller.kind == "root"

    explicit_before = len([d for d in denials if d[1] == "explicit"])
    boundary = meet("permissions_boundary", boundary_sources, "PermissionsBoundaryPolicyInputList")
    boundary_ok = not boundary_sources or allows(boundary)
    by_boundary = boundary_ok and explicit_before == len([d for d in denials if d[1] == "explicit"])

    session_sources = line.get("SessionPolicyInputList") or []
    session = meet("session_policy", session_sources, "SessionPolicyInputList")
    session_ok = not session_sources or allows(session)

    resource_sources = line.get("ResourcePolicyInputList", [])
    found = meet("sending_authorization_policy", resource_sources, "ResourcePolicyInputList")
    if line.get("ResourcePolicy") is not None:
        alone = matching([line["ResourcePolicy"]], "", asked)
        for _, index, statement in alone:
            if statement["Effect"] == "Deny":
                denials.add(
                    ("sending_authorization_policy", "explicit", "ResourcePolicy", index, None)
                )
        found = alone + found
    forms: set[str] = set()
    for _, _, statement in found:
        if statement["Effect"] == "Allow":
            forms |= named(statement.get("Principal", {}), caller)

    def lacks(layer: str) -> None:
        denials.add((layer, "implicit", None, None, None))

    owner = resource_account(line, resource, caller)
    if caller.account is None:
        # No account, so no identity side: the resource's policies alone.
        if not forms:
            lacks("sending_authorization_policy")
    elif owner == caller.account or owner is None:
        # One to the account only delegates
        # (reference_policies_elements_principal.html#principal-accounts).
        granted = identity_allows or bool(forms & {"self", "role", "everyone"})
        if not granted:
            lacks("identity_policy")
        if not boundary_ok and not passes_boundary(forms, caller):
            lacks("permissions_boundary")
        if not session_ok and not passes_session_policy(forms, caller):
            lacks("session_policy")
    else:
        # Both accounts have to allow, and in the caller's the boundary and session policy bind.
        if not identity_allows:
            lacks("identity_policy")
        if not forms:
            lacks("sending_authorization_policy")
        if not boundary_ok:
            lacks("permissions_boundary")
        if not session_ok:
            lacks("session_policy")

    if any(kind == "explicit" for _, kind, *_ in denials):
        decision = "explicitDeny"
    else:
        decision = "implicitDeny" if denials else "allowed"
    return Answer(decision, frozenset(denials), organizations, by_boundary)
