"""A case of open evaluation, and a concrete request made of its witness."""

from __future__ import annotations

from collections.abc import Mapping

from policy_cases import ACCOUNT, IDENTITY, USER, allow, identity_layers

from ses_audit.policy.domains import Domain, Values
from ses_audit.policy.outcome import outcome
from ses_audit.policy.reduce import OpenRequest
from ses_audit.policy.types import Effect, Layers, Request


def layers_of(case: dict) -> Layers:
    return identity_layers(
        *(
            allow(Effect={"A": "Allow", "D": "Deny"}[effect], Condition=condition)
            for effect, condition in case["statements"]
        )
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
