"""A case of open evaluation, and a concrete request made of its witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policy_cases import ACCOUNT, IDENTITY, USER, allow, attached

from ses_audit.policy.domains import Domain, Values
from ses_audit.policy.outcome import outcome
from ses_audit.policy.reduce import OpenRequest
from ses_audit.policy.types import AttachedPolicy, Effect, Layers, Request


def _policy(statements: Sequence[tuple[str, dict]], **elements: object) -> AttachedPolicy:
    return attached(
        *(
            allow(Effect={"A": "Allow", "D": "Deny"}[effect], Condition=condition, **elements)
            for effect, condition in statements
        )
    )


def layers_of(case: dict) -> Layers:
    """The layers of a case: `statements` are the identity policy's."""

    def levels(name: str, **elements: object) -> tuple[tuple[AttachedPolicy, ...], ...] | None:
        found = case.get(name)
        return None if found is None else tuple((_policy(each, **elements),) for each in found)

    boundary, session = case.get("boundary"), case.get("session")
    resource = case.get("resource")
    return Layers(
        identity_policies=(_policy(case["statements"]),) if case["statements"] else (),
        permissions_boundary=None if boundary is None else _policy(boundary),
        session_policies=None if session is None else (_policy(session),),
        service_control_policies=levels("scp"),
        resource_control_policies=levels("rcp", Principal="*"),
        resource_policies=()
        if resource is None
        else (_policy(resource, Principal={"AWS": USER.arn}),),
    )


def _domain(written: Mapping[str, object]) -> Domain:
    return Domain(
        values=Values(written.get("values", "text")),
        always=bool(written.get("always", False)),
        multivalued=bool(written.get("multivalued", False)),
        patterns=tuple(written.get("patterns", ())),  # type: ignore[arg-type]
    )


def open_request_of(case: dict) -> OpenRequest:
    return OpenRequest(
        USER,
        "ses:SendEmail",
        IDENTITY,
        ACCOUNT,
        known={key: (value,) for key, value in case.get("known", {}).items()},
        absent=frozenset(case.get("absent", ())),
        multivalued=frozenset(case.get("multivalued", ())),
        domains={key: _domain(value) for key, value in case.get("domains", {}).items()},
    )


def concrete(layers: Layers, asked: OpenRequest, context: Mapping[str, tuple[str, ...]]) -> Effect:
    """What the concrete evaluator says in the context of a witness."""
    return outcome(
        layers,
        Request(
            asked.caller,
            asked.action,
            asked.resource,
            asked.resource_account,
            {**asked.known, **context},
            asked.multivalued,
        ),
    ).effect
