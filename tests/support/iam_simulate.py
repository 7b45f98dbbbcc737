"""Random lines asked of iam-simulate, an outside program: how, and what it answers.

Its licence is the AGPL: it is run as a program of its own, and nothing of it is in this project.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from iam_reference.contexts import LAYERS
from iam_reference.decide import document, many, resource_account
from iam_reference.principals import caller_of

__all__ = ["FOLDER", "UNKNOWN_KEYS", "answers", "comparable", "missing", "simulation", "without"]

FOLDER = Path(__file__).resolve().parent.parent / "outside"
_PACKAGE = FOLDER / "node_modules" / "@cloud-copilot" / "iam-simulate"
_DECISIONS = {
    "Allowed": "allowed",
    "ExplicitlyDenied": "explicitDeny",
    "ImplicitlyDenied": "implicitDeny",
}
_FULL_ACCESS = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["*"], "Resource": "*", "Principal": "*"},
}
_ROOT = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
UNKNOWN_KEYS = frozenset({"my:Binary", "my:Numbers"})
"""Keys of no service: it leaves them out of every request."""


def missing() -> str | None:
    """Why it cannot be asked: Node is absent. None where it can."""
    return None if shutil.which("node") else "Node is not on this machine"


def comparable(line: dict[str, Any]) -> dict[str, Any] | None:
    """The line as far as iam-simulate knows its parts; None where it does not know the request.

    One action and one resource (that the action has), one policy of the resource, one session
    policy; in RCPs what AWS lets a customer write, in each level beside the policy that allows all.
    """
    found: dict[str, Any] = json.loads(json.dumps(line))
    action = found["ActionNames"][0]
    resource = (found.get("ResourceArns") or ["*"])[0]
    # GetAccount is asked of no resource, sending always of one.
    if (action == "ses:GetAccount") is not (resource == "*"):
        return None
    found["ActionNames"], found["ResourceArns"] = [action], [resource]
    several = found.pop("ResourcePolicyInputList", None)
    if several and "ResourcePolicy" not in found:
        found["ResourcePolicy"] = several[0]
    if "SessionPolicyInputList" in found:
        found["SessionPolicyInputList"] = found["SessionPolicyInputList"][:1]
    for name, inner in LAYERS:
        for level in (found.get(name) or []) if inner else []:
            level[inner] = [_with_service(document(policy)) for policy in level[inner]]
        if not inner and name in found:
            found[name] = [_with_service(document(policy)) for policy in found[name]]
    if "ResourcePolicy" in found:
        found["ResourcePolicy"] = _with_service(document(found["ResourcePolicy"]))
    for level in found.get("OrderedOrganizationResourcePolicyInputList") or []:
        policies = level["ResourceControlPolicyInputList"]
        written = [_as_customers_may(policy) for policy in policies if policy != _FULL_ACCESS]
        level["ResourceControlPolicyInputList"] = [_FULL_ACCESS, *written]
    for entry in found["ContextEntries"]:
        # Of a key that has one value it takes the first.
        if not entry["ContextKeyType"].endswith("List"):
            entry["ContextKeyValues"] = entry["ContextKeyValues"][:1]
    return found


def _with_service(policy: dict[str, Any]) -> dict[str, Any]:
    """It refuses an action pattern without a service."""
    for statement in many(policy["Statement"]):
        for element in ("Action", "NotAction"):
            if element in statement:
                patterns = many(statement[element])
                statement[element] = ["ses:*" if p == "s*" else p for p in patterns]
    return policy


def _as_customers_may(policy: dict[str, Any]) -> dict[str, Any]:
    for statement in many(policy["Statement"]):
        statement["Effect"] = "Deny"
        patterns = many(statement.pop("NotAction", None) or statement["Action"])
        statement["Action"] = ["ses:*" if p == "*" else p for p in patterns]
    return {**policy, "Version": "2012-10-17"}


def without(line: dict[str, Any], ignored: list[str]) -> dict[str, Any]:
    """The line without the keys that iam-simulate leaves out of the request."""
    names = {name.lower() for name in ignored}
    entries = [e for e in line["ContextEntries"] if e["ContextKeyName"].lower() not in names]
    return {**line, "ContextEntries": entries}


def simulation(line: dict[str, Any]) -> dict[str, Any]:
    """A line that `comparable` made, in iam-simulate's shape."""
    context: dict[str, Any] = {}
    for entry in line["ContextEntries"]:
        values = entry["ContextKeyValues"]
        single = len(values) == 1 and not entry["ContextKeyType"].endswith("List")
        context[entry["ContextKeyName"]] = values[0] if single else values
    keys = {key.lower(): [value] for key, value in context.items() if isinstance(value, str)}
    caller = caller_of(line["CallerArn"], keys)
    bound = caller.account is not None and not caller.service_linked
    resource = line["ResourceArns"][0]
    owner = resource_account(line, resource, caller) or ""

    def named(sources: list[Any], name: str) -> list[dict[str, Any]]:
        return [{"name": f"{name}.{n}", "policy": document(p)} for n, p in enumerate(sources, 1)]

    def levels(name: str, inner: str) -> list[dict[str, Any]]:
        return [
            {
                "orgIdentifier": f"{name}.{n}",
                # The policy that allows all it adds itself.
                "policies": named([p for p in level[inner] if p != _FULL_ACCESS], f"{name}.{n}"),
            }
            for n, level in enumerate(line.get(name) or [], 1)
        ]

    found: dict[str, Any] = {
        "request": {
            "principal": {"type": "Anonymous"} if caller.kind == "anonymous" else line["CallerArn"],
            "action": line["ActionNames"][0],
            "resource": {"resource": resource, "accountId": owner},
            "contextVariables": context,
        },
        "identityPolicies": named(line["PolicyInputList"], "PolicyInputList"),
        # It leaves it to its caller to know whom the organization's policies bind.
        "serviceControlPolicies": levels(
            "OrderedOrganizationPolicyInputList", "ServiceControlPolicyInputList"
        )
        if bound
        else [],
        "resourceControlPolicies": []
        if caller.service_linked
        else levels("OrderedOrganizationResourcePolicyInputList", "ResourceControlPolicyInputList"),
    }
    if caller.kind == "root":
        # Nor does it know that a root user needs no policy.
        found["identityPolicies"].append({"name": "root", "policy": _ROOT})
    if line.get("ResourcePolicy") is not None:
        found["resourcePolicy"] = document(line["ResourcePolicy"])
    if line.get("SessionPolicyInputList"):
        found["sessionPolicy"] = document(line["SessionPolicyInputList"][0])
    if line.get("PermissionsBoundaryPolicyInputList"):
        found["permissionBoundaryPolicies"] = named(
            line["PermissionsBoundaryPolicyInputList"], "Boundary"
        )
    return found


def answers(lines: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """On each line its decision in AWS's words, or `error: …`; and the keys it left out."""
    node = shutil.which("node")
    assert node is not None
    asked = "".join(json.dumps(simulation(line)) + "\n" for line in lines)
    done = subprocess.run(
        [node, str(FOLDER / "iam_simulate.mjs")],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
        cwd=FOLDER,
    )
    found = [json.loads(text) for text in done.stdout.splitlines()]
    assert len(found) == len(lines)
    return [
        (
            _DECISIONS[each["result"]] if "result" in each else f"error: {each['error']}",
            each.get("ignored", []),
        )
        for each in found
    ]
