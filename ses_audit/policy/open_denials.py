"""Every reason against an open request that no context lets pass.

A reason counts that belongs to a smallest set of reasons which together leave no context: alone
(a Deny that always holds, a layer whose allow never does), or with others (an Allow for one range
of addresses and a Deny of that range). So nobody is named without whom every other reason would do
the same, and nobody is left out who is needed in one of the sets.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ses_audit.policy.formula import TRUE, Formula, negate
from ses_audit.policy.open_layers import (
    NOTHING,
    OpenLayer,
    OpenResource,
    deny_statements,
    never,
)
from ses_audit.policy.outcome import WITHOUT_IDENTITY, is_same_account, lack_of, target_of
from ses_audit.policy.reduce import (
    LayerFormula,
    OpenRequest,
    combine,
    reduce_layer,
    reduce_resource_policies,
)
from ses_audit.policy.types import AttachedPolicy, Denial, Layer, Layers, Request

__all__ = ["open_denials", "refusing_together"]

_MOST = 400
"""How many sets one search may try; past it every reason that is left is named."""

_WORK = 30_000_000
"""Of many reasons fewer sets are tried: what one costs grows with the cube of their number."""

Refused = Callable[[frozenset[Denial]], bool]
"""Whether no context passes when these reasons are lifted."""


def refusing_together(reasons: Sequence[Denial], refused: Refused) -> tuple[Denial, ...]:
    """Each reason that belongs to a smallest set which refuses in every context.

    Parameters
    ----------
    reasons
        All that may have a part in it.
    refused
        Whether no context passes when some of them are lifted. Lifting more never refuses more.

    Returns
    -------
    tuple of Denial
        In the order of `reasons`.

    Examples
    --------
    Whoever is outside needs an allow, whoever is inside is denied twice:

    >>> lack = Denial(Layer.IDENTITY_POLICY, "implicit")
    >>> one, two, far = (Denial(Layer.IDENTITY_POLICY, "explicit", name) for name in "ABC")
    >>> named = refusing_together(
    ...     [one, two, lack, far], lambda lifted: lack not in lifted and not {one, two} <= lifted
    ... )
    >>> [denial.policy for denial in named]
    ['A', 'B', None]
    """
    search = _Search(tuple(dict.fromkeys(reasons)), refused)
    named: set[Denial] = set()
    waiting = [search.every]
    seen: set[tuple[Denial, ...]] = set()
    try:
        while waiting:
            active = waiting.pop()
            if active in seen or named.issuperset(active) or not search.refuses(active):
                continue
            seen.add(active)
            found = search.smallest(active)
            named |= found
            # Another set that does the same lacks at least one of these.
            waiting += [tuple(d for d in active if d != one) for one in active if one in found]
    except _Spent:
        return search.every
    return tuple(denial for denial in search.every if denial in named)


class _Spent(Exception):
    """More sets were tried than a search may try."""


class _Search:
    def __init__(self, every: tuple[Denial, ...], refused: Refused) -> None:
        self.every = every
        self._refused = refused
        self._known: dict[frozenset[Denial], bool] = {}
        self._most = min(_MOST, _WORK // (len(every) ** 3 or 1))

    def refuses(self, active: Sequence[Denial]) -> bool:
        """Whether these reasons leave no context, all others lifted."""
        kept = frozenset(active)
        if kept not in self._known:
            if len(self._known) >= self._most:
                raise _Spent
            self._known[kept] = self._refused(frozenset(self.every) - kept)
        return self._known[kept]

    def smallest(self, active: tuple[Denial, ...]) -> set[Denial]:
        """A set among those that refuse of which each is needed."""
        return set() if self.refuses(()) else {*self._needed((), active, changed=False)}

    def _needed(
        self, given: tuple[Denial, ...], among: tuple[Denial, ...], *, changed: bool
    ) -> tuple[Denial, ...]:
        """What is needed of some besides those given: by halves (QuickXplain, Junker 2004)."""
        if changed and self.refuses(given):
            return ()
        if len(among) == 1:
            return among
        middle = len(among) // 2
        first, second = among[:middle], among[middle:]
        later = self._needed((*given, *first), second, changed=True)
        earlier = self._needed((*given, *later), first, changed=bool(later))
        return (*earlier, *later)


@dataclass(frozen=True, slots=True)
class _OpenLayers:
    """All layers of one open request."""

    request: OpenRequest
    identity: OpenLayer | None
    boundary: OpenLayer | None
    session: OpenLayer | None
    service_control: tuple[OpenLayer, ...]
    resource_control: tuple[OpenLayer, ...]
    resource: OpenResource
    same_account: bool

    def apart(self) -> list[OpenLayer]:
        """Those without the resource's policies, in the order in which layers are named."""
        own = (self.identity, self.boundary, self.session)
        found = [layer for layer in own if layer is not None]
        return [*found, *self.service_control, *self.resource_control]

    def passing(self, without: frozenset[Denial] = NOTHING) -> Formula:
        """When the request passes, some reasons against it lifted."""

        def one(layer: OpenLayer | None) -> LayerFormula | None:
            return None if layer is None else layer.lifted(without)

        return combine(
            identity=one(self.identity),
            boundary=one(self.boundary),
            session=one(self.session),
            scp_levels=[layer.lifted(without) for layer in self.service_control],
            rcp_levels=[layer.lifted(without) for layer in self.resource_control],
            resource=self.resource.lifted(without),
            same_account=self.same_account,
        )

    def reasons(self) -> dict[Denial, Formula | None]:
        """What may refuse: each Deny statement and when it does; each allow that may not come."""
        found: dict[Denial, Formula | None] = {}
        for layer in self.apart():
            found |= dict(layer.statements)
            if layer.formula.allow is not TRUE:
                found[layer.lack] = None
        found |= dict(self.resource.statements)
        if self.identity is None or not self.same_account:
            found[self.resource.lack] = None
        return found


def _open_layers(layers: Layers, request: OpenRequest) -> _OpenLayers:
    if layers.permissions_boundary is not None:
        request = replace(request, has_boundary=True)

    def one(
        layer: Layer, policies: Sequence[AttachedPolicy], target: str | None = None
    ) -> OpenLayer:
        formula = reduce_layer(policies, request)
        if request.caller.kind == "root" and layer is Layer.IDENTITY_POLICY:
            formula = LayerFormula(TRUE, formula.deny)
        statements = deny_statements(layer, policies, request, formula.deny)
        return OpenLayer(formula, lack_of(layer, policies, target), statements)

    def levels(
        layer: Layer,
        found: Sequence[Sequence[AttachedPolicy]] | None,
        targets: Sequence[str],
    ) -> tuple[OpenLayer, ...]:
        return tuple(
            one(layer, level, target_of(level, targets, position))
            for position, level in enumerate(found or ())
        )

    boundary, session = layers.permissions_boundary, layers.session_policies
    resource = reduce_resource_policies(layers.resource_policies, request)
    concrete = Request(request.caller, request.action, request.resource, request.resource_account)
    return _OpenLayers(
        request,
        None
        if request.caller.kind in WITHOUT_IDENTITY
        else one(Layer.IDENTITY_POLICY, layers.identity_policies),
        None if boundary is None else one(Layer.PERMISSIONS_BOUNDARY, (boundary,)),
        None if session is None else one(Layer.SESSION_POLICY, session),
        levels(
            Layer.SERVICE_CONTROL_POLICY,
            layers.service_control_policies,
            layers.service_control_targets,
        ),
        levels(
            Layer.RESOURCE_CONTROL_POLICY,
            layers.resource_control_policies,
            layers.resource_control_targets,
        ),
        OpenResource(
            resource,
            deny_statements(
                Layer.SENDING_AUTHORIZATION_POLICY,
                layers.resource_policies,
                request,
                resource.deny,
            ),
        ),
        is_same_account(concrete),
    )


def open_denials(layers: Layers, request: OpenRequest) -> tuple[Denial, ...]:
    """Every reason against an open request that is DENIED.

    Parameters
    ----------
    layers
        All documents that the request meets.
    request
        The open request, of which `open_evaluate` says DENIED.

    Returns
    -------
    tuple of Denial
        By layer, in each the Deny statements before the allow that lacks; those of the resource's
        policies last. Empty where some context passes.

    Examples
    --------
    >>> from ses_audit.policy.parse import parse_document
    >>> from ses_audit.policy.types import Caller
    >>> near = '"Action": "ses:*", "Resource": "*", "Condition": {"Bool": {"k": "true"}}'
    >>> text = f'{{"Statement": [{{"Effect": "Allow", {near}}}, {{"Effect": "Deny", {near}}}]}}'
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> layers = Layers(identity_policies=(AttachedPolicy(parse_document(text), "send"),))
    >>> request = OpenRequest(user, "ses:SendEmail", "*", "111111111111")
    >>> [(denial.kind, denial.statement_index) for denial in open_denials(layers, request)]
    [('explicit', 1), ('implicit', None)]
    """
    opened = _open_layers(layers, request)

    def refused(lifted: frozenset[Denial]) -> bool:
        return never(opened.passing(lifted), opened.request)

    if not refused(NOTHING):
        return ()
    reasons = opened.reasons()

    def refuses(reason: Denial, formula: Formula | None) -> bool:
        if formula is not None:
            return never(negate(formula), opened.request)
        return refused(frozenset(reasons) - {reason})

    alone = frozenset(reason for reason, formula in reasons.items() if refuses(reason, formula))
    found = set(alone)
    if refused(alone):
        rest = [reason for reason in reasons if reason not in alone]
        found.update(refusing_together(rest, lambda lifted: refused(lifted | alone)))
    return tuple(reason for reason in reasons if reason in found)
