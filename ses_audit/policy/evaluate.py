"""One request against all layers: the explained tree.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ses_audit.policy.match import Subject, action_applies, principal_forms, resource_applies
from ses_audit.policy.operators import holds
from ses_audit.policy.principals import Form
from ses_audit.policy.types import (
    AttachedPolicy,
    Clause,
    Decision,
    Denial,
    Effect,
    Layer,
    LayerResult,
    Layers,
    LevelResult,
    PolicyResult,
    Request,
    Statement,
    StatementResult,
)

__all__ = ["evaluate", "is_same_account"]

Grant = tuple[AttachedPolicy, Statement]


@dataclass(frozen=True, slots=True)
class _Met:
    """The documents of one level after matching."""

    policies: tuple[PolicyResult, ...]
    allows: tuple[Grant, ...]
    denies: tuple[Grant, ...]
    forms: frozenset[Form]
    """The forms in which Allow statements name the caller."""

    @property
    def effect(self) -> Effect:
        if self.denies:
            return Effect.EXPLICIT_DENY
        return Effect.ALLOWED if self.allows else Effect.IMPLICIT_DENY


def is_same_account(request: Request) -> bool:
    """Whether caller and resource belong to one account; True where either is not known.

    A service and an anonymous caller have no account of their own: for them a resource policy
    alone decides, as within an account.
    """
    caller, owner = request.caller.account, request.resource_account
    return caller is None or owner is None or caller == owner


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
        The effect, each layer's result, all denials, and what granted.

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
    subject = Subject(
        caller=request.caller,
        action=request.action,
        resource=request.resource,
        context={key.lower(): values for key, values in request.context.items()},
        multivalued=frozenset(key.lower() for key in request.multivalued),
        has_boundary=layers.permissions_boundary is not None,
    )
    return _Evaluation(layers, request, subject).decide()


class _Evaluation:
    def __init__(self, layers: Layers, request: Request, subject: Subject) -> None:
        self._layers = layers
        self._request = request
        self._subject = subject
        self._denials: list[Denial] = []
        self._results: list[LayerResult] = []

    def decide(self) -> Decision:
        layers = self._layers
        kind = self._request.caller.kind
        owns_policies = kind not in ("service", "anonymous")
        identity = self._meet(layers.identity_policies)
        boundary = None
        if layers.permissions_boundary is not None:
            boundary = self._meet((layers.permissions_boundary,))
        session = None
        if layers.session_policies is not None:
            session = self._meet(layers.session_policies)
        resource = self._meet(layers.resource_policies)
        same = is_same_account(self._request)
        root = kind == "root"

        identity_allows = owns_policies and (root or bool(identity.allows))
        boundary_allows = boundary is None or bool(boundary.allows)
        session_allows = session is None or bool(session.allows)

        exact = bool(resource.forms & {Form.EXACT})
        limited = bool(resource.forms & {Form.ROLE, Form.WILDCARD, Form.SERVICE, Form.FEDERATED})
        delegated = Form.ACCOUNT in resource.forms
        if not owns_policies:
            granted = limited or exact
        elif same:
            by_identity = identity_allows and boundary_allows and session_allows
            by_resource = exact or (limited and boundary_allows and session_allows)
            granted = by_identity or by_resource
        else:
            by_identity = identity_allows and boundary_allows and session_allows
            granted = by_identity and (exact or limited or delegated)

        self._identity(identity, owns_policies, root, same and (exact or limited))
        past = same and exact
        self._fence(Layer.PERMISSIONS_BOUNDARY, boundary, past, owns_policies)
        self._fence(Layer.SESSION_POLICY, session, past, owns_policies)
        self._levels(Layer.SERVICE_CONTROL_POLICY, layers.service_control_policies)
        self._levels(Layer.RESOURCE_CONTROL_POLICY, layers.resource_control_policies)
        needed = not owns_policies or not same
        self._resource(resource, needed, exact or limited or (delegated and owns_policies))

        if any(denial.kind == "explicit" for denial in self._denials):
            effect = Effect.EXPLICIT_DENY
        elif self._denials or not granted:
            effect = Effect.IMPLICIT_DENY
        else:
            effect = Effect.ALLOWED
        grants: tuple[Grant, ...] = ()
        if effect is Effect.ALLOWED:
            grants = (*(identity.allows if identity_allows else ()), *resource.allows)
        return Decision(effect, tuple(self._results), tuple(self._denials), grants)

    def _meet(self, policies: Sequence[AttachedPolicy]) -> _Met:
        results: list[PolicyResult] = []
        allows: list[Grant] = []
        denies: list[Grant] = []
        forms: set[Form] = set()
        for policy in policies:
            met: list[StatementResult] = []
            for statement in policy.document.statements:
                result, named = self._statement(statement, policy.document.version)
                met.append(result)
                if result.matched and statement.effect == "Deny":
                    denies.append((policy, statement))
                elif result.matched:
                    allows.append((policy, statement))
                    forms |= named
            results.append(PolicyResult(policy, tuple(met)))
        return _Met(tuple(results), tuple(allows), tuple(denies), frozenset(forms))

    def _statement(
        self, statement: Statement, version: str
    ) -> tuple[StatementResult, frozenset[Form]]:
        subject = self._subject
        named = principal_forms(statement, subject)
        if named is None:
            return StatementResult(statement, False, "principal"), frozenset()
        if not action_applies(statement, subject.action):
            return StatementResult(statement, False, "action"), named
        if not resource_applies(statement, subject, version):
            return StatementResult(statement, False, "resource"), named
        clauses: tuple[tuple[Clause, bool], ...] = tuple(
            (clause, holds(clause, subject.context, subject.multivalued, version))
            for clause in statement.conditions
        )
        matched = all(held for _, held in clauses)
        return StatementResult(statement, matched, None if matched else "condition", clauses), named

    def _explicit(self, layer: Layer, met: _Met) -> None:
        for policy, statement in met.denies:
            self._denials.append(
                Denial(
                    layer,
                    "explicit",
                    policy.arn or policy.name,
                    statement.sid,
                    statement.index,
                    policy.target,
                )
            )

    def _add(self, layer: Layer, met: _Met, applies: bool, note: str = "") -> None:
        level = LevelResult(None, met.effect, met.policies)
        self._results.append(LayerResult(layer, applies, met.effect, (level,), note))

    def _identity(self, met: _Met, applies: bool, root: bool, by_resource: bool) -> None:
        self._explicit(Layer.IDENTITY_POLICY, met)
        note = ""
        if not applies:
            note = "the caller has no identity policies"
        elif root:
            note = "the root user needs no policy"
        elif not met.allows and by_resource:
            note = "a policy of the resource grants instead"
        elif not met.allows:
            self._denials.append(Denial(Layer.IDENTITY_POLICY, "implicit"))
        self._add(Layer.IDENTITY_POLICY, met, applies, note)

    def _fence(self, layer: Layer, met: _Met | None, past: bool, applies: bool) -> None:
        """A boundary or a session policy: it allows nothing by itself, and limits what does."""
        if met is None:
            self._results.append(LayerResult(layer, False, Effect.ALLOWED, (), "none is set"))
            return
        self._explicit(layer, met)
        note = ""
        if not met.allows and past:
            note = "a grant to the caller's own ARN is not limited by it"
        elif not met.allows and applies:
            policy = met.policies[0].policy if met.policies else None
            name = None if policy is None else policy.arn or policy.name
            self._denials.append(Denial(layer, "implicit", name))
        self._add(layer, met, applies, note)

    def _levels(self, layer: Layer, levels: tuple[tuple[AttachedPolicy, ...], ...] | None) -> None:
        if levels is None:
            self._results.append(
                LayerResult(layer, False, Effect.ALLOWED, (), "does not bind this request")
            )
            return
        found: list[LevelResult] = []
        effects: list[Effect] = []
        for policies in levels:
            met = self._meet(policies)
            target = next((policy.target for policy in policies if policy.target), None)
            found.append(LevelResult(target, met.effect, met.policies))
            effects.append(met.effect)
            self._explicit(layer, met)
            if not met.allows:
                self._denials.append(Denial(layer, "implicit", target=target))
        effect = Effect.ALLOWED
        if Effect.EXPLICIT_DENY in effects:
            effect = Effect.EXPLICIT_DENY
        elif Effect.IMPLICIT_DENY in effects:
            effect = Effect.IMPLICIT_DENY
        self._results.append(LayerResult(layer, True, effect, tuple(found)))

    def _resource(self, met: _Met, needed: bool, granted: bool) -> None:
        layer = Layer.SENDING_AUTHORIZATION_POLICY
        self._explicit(layer, met)
        if needed and not granted:
            self._denials.append(Denial(layer, "implicit"))
        note = "" if needed else "within one account a grant here is not needed"
        self._add(layer, met, bool(met.policies) or needed, note)
