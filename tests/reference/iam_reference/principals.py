"""Who asks, and whether a Principal or NotPrincipal element names them.

reference_policies_elements_principal.html, reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """`names`: what a Principal may call this caller, the narrowest first. `account`: None for a
    service and for nobody in particular. `role_name`: of a session whose role's path is unknown.
    """

    kind: str
    account: str | None
    names: tuple[str, ...]
    service_linked: bool = False
    role_name: str | None = None


def caller_of(arn: str, context: dict[str, list[str]]) -> Caller:
    """A session is also its role, whose path the session's ARN leaves out (it is read from
    aws:PrincipalArn, reference_policies_condition-keys.html#condition-keys-principalarn). Where
    that is not known, the name has to do: it is unique in its account."""
    if arn == "anonymous":
        return Caller("anonymous", None, ())
    if not arn.startswith("arn:"):
        return Caller("service", None, (arn,))
    account, rest = arn.split(":", 5)[4:]
    partition = arn.split(":")[1]
    if rest == "root":
        return Caller("root", account, (arn,))
    kind = rest.split("/")[0]
    if kind in ("user", "role", "federated-user"):
        return Caller(kind, account, (arn,), rest.startswith("role/aws-service-role/"))
    role_name = rest.split("/")[1]
    start = f"arn:{partition}:iam::{account}:role/"
    known = context.get("aws:principalarn", [])
    if len(known) == 1 and known[0].startswith(start) and known[0].endswith("/" + role_name):
        linked = known[0].startswith(start + "aws-service-role/")
        return Caller("session", account, (arn, known[0]), linked)
    return Caller("session", account, (arn,), role_name=role_name)


def entries(element: object) -> list[tuple[str, str]]:
    """`"*"` is `{"AWS": "*"}`; a value is single or a list."""
    if element == "*":
        return [("AWS", "*")]
    assert isinstance(element, dict)
    return [
        (kind, value)
        for kind, values in element.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def is_account(value: str, caller: Caller) -> bool:
    """The account's ARN or its twelve digits (#principal-accounts)."""
    if caller.account is None:
        return False
    return value == caller.account or bool(
        re.fullmatch(rf"arn:[^:]+:iam::{caller.account}:root", value)
    )


def is_role(value: str, caller: Caller) -> bool:
    """The ARN of the session's role, with whatever path."""
    return bool(
        re.fullmatch(
            rf"arn:[^:]+:iam::{caller.account}:role/(.*/)?{re.escape(caller.role_name or '')}",
            value,
        )
    )


def named(element: object, caller: Caller) -> set[str]:
    """How the element names the caller: `self`, `role` (a session's role), `account`, `everyone`.

    An id (AIDA..., AROA...) of a deleted principal, a canonical user and a provider name nobody
    here; an ARN takes no wildcard.
    """
    found = set()
    for kind, value in entries(element):
        if kind == "AWS" and value == "*":
            found.add("everyone")
        elif kind == "AWS" and is_account(value, caller):
            found.add("account")
        elif kind == "AWS" and caller.kind != "service" and value in caller.names:
            found.add("self" if value == caller.names[0] else "role")
        elif kind == "AWS" and caller.role_name and is_role(value, caller):
            found.add("role")
        elif kind == "Service" and caller.kind == "service" and value in caller.names:
            found.add("self")
    return found


def principal_matches(statement: dict, caller: Caller, has_boundary: bool) -> bool:
    """NotPrincipal with Deny spares only a caller all of whose names are listed (account, role,
    session), and never one with a permissions boundary."""
    if "Principal" in statement:
        return bool(named(statement["Principal"], caller))
    if "NotPrincipal" not in statement:
        return True
    if has_boundary:
        return True
    found = named(statement["NotPrincipal"], caller)
    if "everyone" in found:
        return False
    wanted = {"root": {"account"}, "session": {"self", "role", "account"}, "service": {"self"}}
    return not wanted.get(caller.kind, {"self", "account"}) <= found
