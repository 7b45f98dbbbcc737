"""Why no Allow matched: the statement that came nearest, and the element that kept it away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ses_audit.audit.identities import Identity
from ses_audit.audit.layers import referenced_keys
from ses_audit.policy.match import action_applies
from ses_audit.policy.open_layers import never, only
from ses_audit.policy.reduce import OpenRequest, reduce_layer
from ses_audit.policy.types import AttachedPolicy, Clause, Statement
from ses_audit.policy.variables import variables_in
from ses_audit.ses.actions import SEND_ACTIONS
from ses_audit.ses.identities import covering, is_address

__all__ = ["NearMiss", "near_misses", "nearest"]

Ask = Callable[[frozenset[str]], OpenRequest]

_ORDER = (
    "address_identity",
    "from_address",
    "absent_key",
    "principal_attributes",
    "conditions",
    "wrong_action",
    "identity_policy",
)
"""Nearest first."""

_OF_PRINCIPAL = ("aws:principal", "aws:username", "aws:userid")


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An Allow that did not match; `item` is the checklist's item that says why."""

    item: str
    policy: AttachedPolicy
    statement: Statement
    note: str


def nearest(misses: Iterable[NearMiss]) -> tuple[str, tuple[NearMiss, ...]]:
    """The item that explains a lack best, with the statements that came so near."""
    found = tuple(misses)
    for item in _ORDER:
        near = tuple(miss for miss in found if miss.item == item)
        if near:
            return item, near
    return "identity_policy", ()


def near_misses(
    policies: Sequence[AttachedPolicy],
    ask: Ask,
    ask_for: Callable[[str], Ask],
    identity: Identity,
    verified: Iterable[str],
) -> Iterator[NearMiss]:
    """Each Allow of some policies that does not match a sender check, and why.

    Parameters
    ----------
    policies
        Of one layer.
    ask, ask_for
        Make the request of the check, and of the same check by another action.
    identity
        Sent from.
    verified
        The names verified in its account and region.
    """
    names = frozenset(verified)
    for policy in policies:
        keys = referenced_keys(policy.document)
        request = ask(keys)
        for position, statement in enumerate(policy.document.statements):
            if statement.effect != "Allow":
                continue
            single = only(policy, position)
            if not action_applies(statement, request.action):
                yield from _other_action(single, statement, ask_for, keys)
            elif not _holds(_bare(single), request):
                yield _resource(single, statement, request, identity, names)
            else:
                yield _condition(single, statement, request)


def _holds(policy: AttachedPolicy, request: OpenRequest) -> bool:
    """Whether a policy of one Allow can match at all."""
    return not never(reduce_layer((policy,), request).allow, request)


def _with(policy: AttachedPolicy, **changes: object) -> AttachedPolicy:
    (statement,) = policy.document.statements
    changed = replace(statement, **changes)  # type: ignore[arg-type]
    return replace(policy, document=replace(policy.document, statements=(changed,)))


def _bare(policy: AttachedPolicy) -> AttachedPolicy:
    return _with(policy, conditions=())


def _other_action(
    policy: AttachedPolicy,
    statement: Statement,
    ask_for: Callable[[str], Ask],
    keys: frozenset[str],
) -> Iterator[NearMiss]:
    allowed = [
        action.name
        for action in SEND_ACTIONS
        if action_applies(statement, action.name) and _holds(policy, ask_for(action.name)(keys))
    ]
    if allowed:
        yield NearMiss("wrong_action", policy, statement, f"It allows {', '.join(allowed)} only.")


def _resource(
    policy: AttachedPolicy,
    statement: Statement,
    request: OpenRequest,
    identity: Identity,
    verified: frozenset[str],
) -> NearMiss:
    version = policy.document.version
    if is_address(identity.name):
        domain = identity.name.rpartition("@")[2]
        labels = domain.split(".")
        for start in range(len(labels)):
            parent = ".".join(labels[start:])
            there = replace(request, resource=request.resource.replace(identity.name, parent))
            if _holds(_bare(policy), there):
                note = (
                    f"It names the domain {parent}; {identity.name} was verified apart, and has "
                    "an ARN of its own."
                )
                return NearMiss("address_identity", policy, statement, note)
    else:
        for pattern in statement.resources or ():
            address = pattern.rsplit(":identity/", 1)[-1]
            if "*" in address or "@" not in address or statement.resources_negated:
                continue
            if covering(address, verified) == identity.name:
                note = (
                    f"It names the address {address}, which was not verified apart: the domain's "
                    "ARN is checked."
                )
                return NearMiss("address_identity", policy, statement, note)
    lacking = sorted(
        {
            variable.key
            for pattern in statement.resources or ()
            for variable in variables_in(pattern, version)
            if variable.key in request.absent and variable.default is None
        }
    )
    if lacking:
        note = f"The principal has no {', '.join(lacking)}: the variable matches nothing."
        return NearMiss("principal_attributes", policy, statement, note)
    named = ", ".join(statement.resources or ())
    word = "excludes it by NotResource" if statement.resources_negated else f"names {named}"
    return NearMiss("identity_policy", policy, statement, f"Its Resource {word}.")


def _condition(policy: AttachedPolicy, statement: Statement, request: OpenRequest) -> NearMiss:
    failing = [
        c for c in statement.conditions if not _holds(_with(policy, conditions=(c,)), request)
    ]
    if not failing:
        note = "No request meets its conditions together."
        return NearMiss("conditions", policy, statement, note)
    named = [_why(clause, request) for clause in failing]
    items = {item for item, _ in named}
    item = next(each for each in _ORDER if each in items)
    return NearMiss(item, policy, statement, " ".join(note for _, note in named))


def _why(clause: Clause, request: OpenRequest) -> tuple[str, str]:
    key = clause.key.lower()
    values = ", ".join(clause.values)
    if key == "ses:fromaddress" and key in request.domains:
        return "from_address", f"Its {clause.text} {clause.key} asks for {values}."
    if key in request.absent:
        if key.startswith(_OF_PRINCIPAL):
            return "principal_attributes", f"The principal has no {clause.key}."
        return "absent_key", f"{request.action} carries no {clause.key}: {clause.text} is not met."
    known = ", ".join(request.known.get(key, ()))
    return "identity_policy", f"{clause.key} is {known}, and its {clause.text} asks for {values}."
