"""One request against all layers: the decision, and every reason against it.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ses_audit.policy.compiled import compiled
from ses_audit.policy.match import Subject
from ses_audit.policy.principals import DELEGATED, EXEMPT, LIMITED, Form
from ses_audit.policy.types import (
    AttachedPolicy,
    Denial,
    Effect,
    Layer,
    Layers,
    Request,
    Statement,
)

__all__ = [
    "WITHOUT_IDENTITY",
    "Met",
    "Outcome",
    "is_same_account",
    "lack_of",
    "outcome",
    "subject_of",
    "target_of",
]

Grant = tuple[AttachedPolicy, Statement]

_NO_FORMS: frozenset[Form] = frozenset()
WITHOUT_IDENTITY = ("service", "anonymous")
"""Callers to whom no identity policy can be attached."""


def is_same_account(request: Request) -> bool:
    """Whether caller and resource belong to one account; True where either is not known.

    A service and an anonymous caller have no account of their own: for them a resource policy
    alone decides, as within an account.

    Examples
    --------
    >>> from ses_audit.policy.types import Caller
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> is_same_account(Request(user, "ses:SendEmail", "*", "222222222222"))
    False
    """
    caller, owner = request.caller.account, request.resource_account
    return caller is None or owner is None or caller == owner


class Met:
    """Which statements of one set of documents the request meets."""

    __slots__ = ("allows", "denies", "forms")

    def __init__(self) -> None:
        self.allows: list[Grant] = []
        self.denies: list[Grant] = []
        self.forms: frozenset[Form] = _NO_FORMS
        """The forms in which Allow statements name the caller."""

    @property
    def effect(self) -> Effect:
        if self.denies:
            return Effect.EXPLICIT_DENY
        return Effect.ALLOWED if self.allows else Effect.IMPLICIT_DENY


class Outcome:
    """A decision without its tree.

    Attributes
    ----------
    effect
        The decision.
    denials
        Every reason against it; empty where it is allowed.
    identity, boundary, session, service_control, resource_control, resource
        What each layer met; None (or an empty list) where the layer does not apply.
    exempt
        Whether a grant of the resource's policies passes boundary and session policy by.
    granted_by_identity
        Whether the identity side allows (a root user's does without a policy).
    needs_resource
        Whether the resource's policies have to grant as well, or alone.
    """

    __slots__ = (
        "boundary",
        "denials",
        "effect",
        "exempt",
        "granted_by_identity",
        "identity",
        "needs_resource",
        "resource",
        "resource_control",
        "service_control",
        "session",
    )

    effect: Effect
    denials: list[Denial]
    identity: Met
    boundary: Met | None
    session: Met | None
    service_control: list[Met]
    resource_control: list[Met]
    resource: Met
    exempt: bool
    granted_by_identity: bool
    needs_resource: bool

    @property
    def allowed_by_organizations(self) -> bool:
        """Whether every SCP and RCP level allows."""
        return all(
            met.allows and not met.denies for met in (*self.service_control, *self.resource_control)
        )

    @property
    def allowed_by_boundary(self) -> bool:
        """Whether the boundary itself allows, whatever passes it by."""
        return self.boundary is None or self.boundary.effect is Effect.ALLOWED

    @property
    def grants(self) -> tuple[Grant, ...]:
        """For a request that is allowed: the statements that granted it."""
        if self.effect is not Effect.ALLOWED:
            return ()
        return (*self.identity.allows, *self.resource.allows)

    @property
    def deciding(self) -> tuple[Grant, ...]:
        """The denying statements alone where there are any, or else the granting ones."""
        if self.effect is not Effect.EXPLICIT_DENY:
            return self.grants
        layers = (
            self.identity,
            self.boundary,
            self.session,
            *self.service_control,
            *self.resource_control,
            self.resource,
        )
        return tuple(grant for met in layers if met is not None for grant in met.denies)


def subject_of(layers: Layers, request: Request) -> Subject:
    """The request made ready for matching."""
    return Subject(
        request.caller,
        request.action,
        request.resource,
        {key.lower(): values for key, values in request.context.items()},
        frozenset(map(str.lower, request.multivalued)) if request.multivalued else frozenset(),
        layers.permissions_boundary is not None,
    )


def _meet(policies: Iterable[AttachedPolicy], subject: Subject) -> Met:
    met = Met()
    action = subject.action
    for policy in policies:
        document = policy.document
        ready = document.compiled or compiled(document)
        for found in ready.naming(action):
            if not found.unconditional:
                if not found.speaks_of_all:
                    named = found.forms(subject)
                    if named is None or not found.holds(subject):
                        continue
                    if not found.deny:
                        met.forms |= named
                elif not found.holds(subject):
                    continue
            (met.denies if found.deny else met.allows).append((policy, found.statement))
    return met


def outcome(layers: Layers, request: Request) -> Outcome:
    """Decide one concrete request.

    Parameters
    ----------
    layers
        All documents that the request meets.
    request
        The request; its context is complete, and what it lacks is absent.

    Examples
    --------
    >>> from ses_audit.policy.types import Caller
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> found = outcome(Layers(), Request(user, "ses:SendEmail", "*", "111111111111"))
    >>> found.effect.value, [denial.layer.value for denial in found.denials]
    ('implicitDeny', ['identity_policy'])
    """
    subject = subject_of(layers, request)
    boundary, session = layers.permissions_boundary, layers.session_policies
    found = Outcome()
    has_identity = request.caller.kind not in WITHOUT_IDENTITY
    found.identity = _meet(layers.identity_policies if has_identity else (), subject)
    found.boundary = None if boundary is None else _meet((boundary,), subject)
    found.session = None if session is None else _meet(session, subject)
    found.service_control = [
        _meet(level, subject) for level in layers.service_control_policies or ()
    ]
    found.resource_control = [
        _meet(level, subject) for level in layers.resource_control_policies or ()
    ]
    found.resource = _meet(layers.resource_policies, subject)
    _decide(found, layers, request)
    return found


def _decide(found: Outcome, layers: Layers, request: Request) -> None:
    kind = request.caller.kind
    same = is_same_account(request)
    has_identity = kind not in WITHOUT_IDENTITY
    found.granted_by_identity = has_identity and (kind == "root" or bool(found.identity.allows))
    forms = found.resource.forms
    exempt, limited = bool(forms & EXEMPT), bool(forms & LIMITED)
    found.exempt = same and exempt
    found.needs_resource = not has_identity or not same
    denials: list[Denial] = []

    _explicit(denials, Layer.IDENTITY_POLICY, found.identity)
    if has_identity and not found.granted_by_identity and not (same and (exempt or limited)):
        denials.append(Denial(Layer.IDENTITY_POLICY, "implicit"))
    fenced = has_identity and not found.exempt
    if found.boundary is not None and layers.permissions_boundary is not None:
        _explicit(denials, Layer.PERMISSIONS_BOUNDARY, found.boundary)
        if fenced and not found.boundary.allows:
            denials.append(lack_of(Layer.PERMISSIONS_BOUNDARY, (layers.permissions_boundary,)))
    if found.session is not None:
        _explicit(denials, Layer.SESSION_POLICY, found.session)
        if fenced and not found.session.allows:
            denials.append(lack_of(Layer.SESSION_POLICY, layers.session_policies or ()))
    if found.service_control:
        targets = layers.service_control_targets
        levels = layers.service_control_policies or ()
        _levels(denials, Layer.SERVICE_CONTROL_POLICY, found.service_control, levels, targets)
    if found.resource_control:
        targets = layers.resource_control_targets
        levels = layers.resource_control_policies or ()
        _levels(denials, Layer.RESOURCE_CONTROL_POLICY, found.resource_control, levels, targets)
    _explicit(denials, Layer.SENDING_AUTHORIZATION_POLICY, found.resource)
    delegated = has_identity and bool(forms & DELEGATED)
    if found.needs_resource and not (exempt or limited or delegated):
        denials.append(Denial(Layer.SENDING_AUTHORIZATION_POLICY, "implicit"))

    found.denials = denials
    found.effect = Effect.IMPLICIT_DENY if denials else Effect.ALLOWED
    for denial in denials:
        if denial.kind == "explicit":
            found.effect = Effect.EXPLICIT_DENY
            break


def _explicit(denials: list[Denial], layer: Layer, met: Met) -> None:
    for policy, statement in met.denies:
        name = policy.arn or policy.name
        denials.append(
            Denial(layer, "explicit", name, statement.sid, statement.index, policy.target)
        )


def lack_of(layer: Layer, policies: Sequence[AttachedPolicy], target: str | None = None) -> Denial:
    """What an allow that doesn't come is called.

    A boundary is named, and a session policy that is the only one; of identity policies and of a
    level of the organization none is to blame more than the others.

    Examples
    --------
    >>> lack_of(Layer.SERVICE_CONTROL_POLICY, (), "ou-ab12-11111111").target
    'ou-ab12-11111111'
    """
    named = layer in (Layer.PERMISSIONS_BOUNDARY, Layer.SESSION_POLICY) and len(policies) == 1
    name = policies[0].arn or policies[0].name if named else None
    return Denial(layer, "implicit", name, target=target)


def _levels(
    denials: list[Denial],
    layer: Layer,
    mets: Sequence[Met],
    levels: Sequence[Sequence[AttachedPolicy]],
    targets: Sequence[str],
) -> None:
    """Every level must allow; one without a policy allows nothing."""
    for position, met in enumerate(mets):
        if met.denies:
            _explicit(denials, layer, met)
        if not met.allows:
            target = target_of(levels[position], targets, position)
            denials.append(Denial(layer, "implicit", target=target))


def target_of(
    policies: Sequence[AttachedPolicy], targets: Sequence[str], position: int
) -> str | None:
    """The root, OU or account of one level, where it is known.

    Examples
    --------
    >>> target_of((), ("r-ab12", "ou-ab12-11111111"), 1)
    'ou-ab12-11111111'
    """
    if position < len(targets):
        return targets[position]
    return next((policy.target for policy in policies if policy.target), None)
