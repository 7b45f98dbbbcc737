"""The layers of one cell as trees and gates: what a picture shows of each check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ses_audit.audit.decide import Decider
from ses_audit.audit.explanation import ExplainedCheck, LayerGate
from ses_audit.audit.identities import Identity
from ses_audit.audit.layers import LayerRuling, ResourceRuling, referenced_keys
from ses_audit.audit.model import Model
from ses_audit.audit.rulings import CheckRuling
from ses_audit.audit.senders import Sender
from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.formula import Formula, conjunction, disjunction, negate
from ses_audit.policy.reduce import RESOURCE_KEY
from ses_audit.policy.solve import OpenResult, decide
from ses_audit.policy.types import AttachedPolicy, Layer, Layers, Request, Verdict

__all__ = ["explained_check", "ruled"]

State = Literal["open", "closed", "partly", "unknown", "none"]

_STATES: dict[Verdict, State] = {
    Verdict.ALLOWED: "open",
    Verdict.DENIED: "closed",
    Verdict.CONDITIONAL: "partly",
}


def ruled(check: CheckRuling, ruling: LayerRuling | ResourceRuling | None) -> OpenResult | None:
    """What one layer alone says of a check; None where it does not apply.

    Of sending policies within an account only a Deny counts: a grant is not needed there.
    """
    if ruling is None:
        return None
    formula: Formula
    if isinstance(ruling, ResourceRuling):
        formula = negate(ruling.formula.deny)
        if not check.same_account:
            known = ruling.formula
            grants = [known.grant_exempt, known.grant_limited]
            grants += [known.delegate] if check.identity_side else []
            formula = conjunction(formula, disjunction(*grants))
    else:
        formula = conjunction(ruling.formula.allow, negate(ruling.formula.deny))
    return decide(formula, check.known_of(ruling.open_keys))


def _state(found: OpenResult | None, *, missing: bool) -> State:
    if found is None:
        return "unknown" if missing else "none"
    state = _STATES[found.verdict]
    return "unknown" if missing and state != "closed" else state


def _gates(check: CheckRuling, sender: Sender, missing_scp: bool, unread: bool) -> list[LayerGate]:
    found: list[LayerGate] = []
    own = ruled(check, check.identity)
    granted = check.resource.formula if check.resource is not None else None
    direct = granted is not None and check.same_account
    if not check.identity_side:
        gate = LayerGate(Layer.IDENTITY_POLICY, "none", "the caller has no identity policies")
    elif direct and granted is not None and check.identity.implicit and not check.identity.explicit:
        grants = disjunction(granted.grant_exempt, granted.grant_limited)
        result = decide(grants, check.domains())
        note = "" if result.verdict is Verdict.DENIED else "a sending policy grants instead"
        gate = LayerGate(Layer.IDENTITY_POLICY, _STATES[result.verdict], note)
        if unread and result.verdict is not Verdict.DENIED:
            gate = LayerGate(Layer.IDENTITY_POLICY, "unknown")
    else:
        gate = LayerGate(Layer.IDENTITY_POLICY, _state(own, missing=bool(sender.missing)))
    found.append(gate)
    boundary = _state(ruled(check, check.boundary), missing=bool(sender.boundary_missing))
    found.append(LayerGate(Layer.PERMISSIONS_BOUNDARY, boundary))
    found.append(LayerGate(Layer.SESSION_POLICY, "none", "no snapshot holds it"))
    levels = [_state(ruled(check, level), missing=missing_scp) for level in check.levels or ()]
    worst = next((s for s in ("closed", "unknown", "partly", "open") if s in levels), "none")
    if worst == "none" and missing_scp:
        worst = "unknown"
    found.append(LayerGate(Layer.SERVICE_CONTROL_POLICY, worst))  # type: ignore[arg-type]
    found.append(LayerGate(Layer.RESOURCE_CONTROL_POLICY, "none", "RCPs do not support SES"))
    sending = _state(
        ruled(check, check.resource), missing=unread and check.request.check.on_identity
    )
    found.append(LayerGate(Layer.SENDING_AUTHORIZATION_POLICY, sending))
    return found


def explained_check(
    model: Model,
    decider: Decider,
    sender: Sender,
    identity: Identity,
    check: CheckRuling,
    witness: Mapping[str, tuple[str, ...]],
) -> ExplainedCheck:
    """One check with its tree, decided for one example of what is open.

    Parameters
    ----------
    model, decider, sender, identity
        The cell.
    check
        What its layers say.
    witness
        Values of open keys; a key that is not in it is absent.
    """
    asked = check.request.check
    policies: tuple[AttachedPolicy, ...] = ()
    if asked.on_identity:
        policies = model.identities.get(asked.resource, identity).policies
    chain = decider.scp_chain(sender)
    layers = Layers(
        identity_policies=sender.identity_policies,
        permissions_boundary=sender.boundary,
        service_control_policies=chain.levels,
        service_control_targets=chain.targets,
        resource_policies=policies,
    )
    keys = frozenset().union(*(referenced_keys(p.document) for p in layers.all_policies()))
    request = check.request.ask(keys)
    open_values = {key: values for key, values in witness.items() if not key.startswith("(")}
    resource = witness.get(check.resource_key, (asked.resource,))[0]
    context = {**request.known, **open_values}
    context.pop(RESOURCE_KEY, None)
    decision = evaluate(
        layers,
        Request(
            sender.caller, asked.action, resource, identity.account, context, request.multivalued
        ),
    )
    missing = decider.missing(sender, identity)
    result = decider.solve((check,))[0]
    unknown = bool(missing.all(sender_check=asked.id == "sender"))
    verdict = result.verdict
    if unknown and verdict is not Verdict.DENIED:
        verdict = Verdict.UNKNOWN
    return ExplainedCheck(
        id=asked.id,
        action=asked.action,
        resource=asked.resource,
        rule=asked.rule,
        confidence=asked.confidence,
        verdict=verdict,
        gates=tuple(_gates(check, sender, bool(missing.scp), bool(identity.missing))),
        context=dict(sorted(context.items())),
        decision=decision,
    )
