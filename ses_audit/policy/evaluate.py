"""One request against all layers: the explained tree.

The decision itself is `outcome.py`'s; here each statement is asked which of its elements failed.
"""

from __future__ import annotations

from collections.abc import Iterable

from ses_audit.policy.compiled import CompiledStatement, compiled
from ses_audit.policy.match import Subject
from ses_audit.policy.outcome import (
    Met,
    Outcome,
    is_same_account,
    outcome,
    subject_of,
    target_of,
)
from ses_audit.policy.types import (
    AttachedPolicy,
    Decision,
    Effect,
    Layer,
    LayerResult,
    Layers,
    LevelResult,
    PolicyResult,
    Request,
    StatementResult,
)

__all__ = ["evaluate", "is_same_account"]


def evaluate(layers: Layers, request: Request) -> Decision:
    """Decide one concrete request and say why.

    Parameters
    ----------
    layers
        All documents that the request meets.
    request
        The request; its context is complete, and what it lacks is absent.

    Returns
    -------
    Decision
        The effect, each layer's result, all denials, and what granted. `outcome.outcome` gives
        the same without the tree, and faster.

    Examples
    --------
    >>> from ses_audit.policy.parse import parse_document
    >>> from ses_audit.policy.types import AttachedPolicy, Caller
    >>> text = '{"Statement": {"Effect": "Allow", "Action": "ses:*", "Resource": "*"}}'
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> layers = Layers(identity_policies=(AttachedPolicy(parse_document(text), "send"),))
    >>> evaluate(layers, Request(user, "ses:SendEmail", "*", "111111111111")).allowed
    True
    """
    found = outcome(layers, request)
    subject = subject_of(layers, request)
    return Decision(
        found.effect,
        (
            _identity(found, layers, request, subject),
            _fence(Layer.PERMISSIONS_BOUNDARY, found, layers, subject),
            _fence(Layer.SESSION_POLICY, found, layers, subject),
            _organization(Layer.SERVICE_CONTROL_POLICY, found, layers, subject),
            _organization(Layer.RESOURCE_CONTROL_POLICY, found, layers, subject),
            _resource(found, layers, subject),
        ),
        tuple(found.denials),
        found.grants,
    )


def _statement(found: CompiledStatement, subject: Subject) -> StatementResult:
    clauses = tuple(
        (clause, prepared.holds(subject.context, subject.multivalued))
        for clause, prepared in found.pairs
    )
    return StatementResult(
        found.statement,
        (
            ("principal", found.forms(subject) is not None),
            ("action", found.names(subject.action.lower())),
            ("resource", found.resource is None or found.resource.applies(subject)),
            ("condition", all(held for _, held in clauses)),
        ),
        clauses,
    )


def _level(
    policies: Iterable[AttachedPolicy], met: Met, subject: Subject, target: str | None = None
) -> LevelResult:
    return LevelResult(
        target,
        met.effect,
        tuple(
            PolicyResult(
                policy,
                tuple(_statement(each, subject) for each in compiled(policy.document).statements),
            )
            for policy in policies
        ),
    )


def _identity(found: Outcome, layers: Layers, request: Request, subject: Subject) -> LayerResult:
    applies = request.caller.kind not in ("service", "anonymous")
    note = ""
    if not applies:
        note = "the caller has no identity policies"
    elif request.caller.kind == "root":
        note = "the root user needs no policy"
    elif not found.granted_by_identity and found.effect is Effect.ALLOWED:
        note = "a policy of the resource grants instead"
    level = _level(layers.identity_policies, found.identity, subject)
    return LayerResult(Layer.IDENTITY_POLICY, applies, found.identity.effect, (level,), note)


def _fence(layer: Layer, found: Outcome, layers: Layers, subject: Subject) -> LayerResult:
    """A boundary or a session policy: it allows nothing by itself, and limits what does."""
    policies: tuple[AttachedPolicy, ...]
    if layer is Layer.PERMISSIONS_BOUNDARY:
        met = found.boundary
        boundary = layers.permissions_boundary
        policies = () if boundary is None else (boundary,)
    else:
        met, policies = found.session, layers.session_policies or ()
    if met is None:
        return LayerResult(layer, False, Effect.ALLOWED, (), "none is set")
    note = ""
    if not met.allows and found.exempt:
        note = "the grant of the resource's policy is not limited by it"
    return LayerResult(layer, True, met.effect, (_level(policies, met, subject),), note)


def _organization(layer: Layer, found: Outcome, layers: Layers, subject: Subject) -> LayerResult:
    if layer is Layer.SERVICE_CONTROL_POLICY:
        levels, mets = layers.service_control_policies, found.service_control
        targets = layers.service_control_targets
    else:
        levels, mets = layers.resource_control_policies, found.resource_control
        targets = layers.resource_control_targets
    if levels is None:
        return LayerResult(layer, False, Effect.ALLOWED, (), "does not bind this request")
    results = tuple(
        _level(policies, met, subject, target_of(policies, targets, position))
        for position, (policies, met) in enumerate(zip(levels, mets, strict=True))
    )
    effects = [met.effect for met in mets]
    effect = Effect.ALLOWED
    if Effect.EXPLICIT_DENY in effects:
        effect = Effect.EXPLICIT_DENY
    elif Effect.IMPLICIT_DENY in effects:
        effect = Effect.IMPLICIT_DENY
    return LayerResult(layer, True, effect, results)


def _resource(found: Outcome, layers: Layers, subject: Subject) -> LayerResult:
    met = found.resource
    note = "" if found.needs_resource else "within one account a grant here is not needed"
    applies = bool(layers.resource_policies) or found.needs_resource
    level = _level(layers.resource_policies, met, subject)
    return LayerResult(Layer.SENDING_AUTHORIZATION_POLICY, applies, met.effect, (level,), note)
