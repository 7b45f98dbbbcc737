"""One cell: may this principal perform this send action from this identity?

Each check of the send is the layers' rulings combined; the send is all of its checks in one
context. What was not read can be anything: a cell that is denied even so is DENIED, every other
cell with a gap is UNKNOWN (the monotone rule).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ses_audit.audit.identities import Identity
from ses_audit.audit.layers import LayerRuling, Layers, ResourceRuling, policies_key
from ses_audit.audit.model import Model
from ses_audit.audit.organization import Chain
from ses_audit.audit.requests import CheckRequest, Requests
from ses_audit.audit.senders import Sender
from ses_audit.policy.formula import FALSE, TRUE, Formula, conjunction, disjunction
from ses_audit.policy.reduce import LayerFormula, ResourceFormula, combine
from ses_audit.policy.solve import Domains, OpenResult, decide
from ses_audit.policy.types import AttachedPolicy, Denial, Layer, Verdict

__all__ = ["CheckRuling", "Decider", "Ruling"]

_ORDER = {layer.value: position for position, layer in enumerate(Layer)}
_CONFIDENCE = "DRIX"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on one cell, with its reasons."""

    verdict: Verdict
    verdict_without_scp: Verdict
    sender_verdict: Verdict
    denials: tuple[Denial, ...] = ()
    """Every reason of a DENIED verdict."""
    possible: tuple[Denial, ...] = ()
    """SCP statements that deny in some contexts only."""
    conditions: str = ""
    missing: tuple[str, ...] = ()
    confidence: str = "D"
    proven: bool = True
    failed_checks: tuple[str, ...] = ()
    """The checks that are denied by themselves."""

    @property
    def denied_by(self) -> str:
        """The denying layers in their order, joined by `;`."""
        return ";".join(sorted({d.layer for d in self.denials}, key=_ORDER.__getitem__))

    @property
    def denied_policies(self) -> str:
        """The denying policies, joined by `;`."""
        return ";".join(dict.fromkeys(d.policy for d in self.denials if d.policy))

    @property
    def ungranted(self) -> bool:
        """Whether a sending policy's grant is what lacks."""
        return any(
            d.layer is Layer.SENDING_AUTHORIZATION_POLICY and d.kind == "implicit"
            for d in self.denials
        )


@dataclass(frozen=True, slots=True)
class CheckRuling:
    """All layers' rulings for one check of a send."""

    request: CheckRequest
    identity: LayerRuling
    boundary: LayerRuling | None
    levels: tuple[LayerRuling, ...] | None
    resource: ResourceRuling | None
    same_account: bool
    identity_side: bool
    """False for callers that have no identity policies: services, anonymous."""

    def formula(self, *, scp: bool = True, lifted: Layer | None = None) -> Formula:
        """When the check passes; without the SCP layer, or with one layer lifted."""
        identity = self.identity.formula
        if lifted is Layer.IDENTITY_POLICY:
            identity = LayerFormula(TRUE, FALSE)
        boundary = self.boundary.formula if self.boundary is not None else None
        if lifted is Layer.PERMISSIONS_BOUNDARY:
            boundary = None
        levels = None
        if scp and self.levels is not None and lifted is not Layer.SERVICE_CONTROL_POLICY:
            levels = tuple(level.formula for level in self.levels)
        resource = self.resource.formula if self.resource is not None else None
        if lifted is Layer.SENDING_AUTHORIZATION_POLICY and resource is not None:
            resource = ResourceFormula(TRUE, TRUE, TRUE, FALSE)
        if not self.identity_side:
            identity = LayerFormula(FALSE, FALSE)
        return combine(
            identity=identity,
            boundary=boundary,
            session=None,
            scp_levels=levels,
            rcp_levels=None,
            resource=resource,
            same_account=self.same_account or not self.identity_side,
        )

    def rulings(self) -> tuple[LayerRuling | ResourceRuling, ...]:
        """Every layer's ruling that there is."""
        found: list[LayerRuling | ResourceRuling] = [self.identity]
        if self.boundary is not None:
            found.append(self.boundary)
        found += self.levels or ()
        if self.resource is not None:
            found.append(self.resource)
        return tuple(found)


class Decider:
    """Decides cells of one model; every layer once for what its documents can tell apart."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._requests = Requests(model)
        self._layers = Layers()
        self._rulings: dict[object, Ruling] = {}

    @property
    def layers(self) -> Layers:
        """The layers decided so far."""
        return self._layers

    def decide(self, sender: Sender, identity: Identity, action: str) -> Ruling:
        """The verdict on one cell.

        Parameters
        ----------
        sender
            Who sends.
        identity
            From which identity.
        action
            One of the send actions, `ses:SendRawEmail`.
        """
        checks = self._requests.checks(sender, identity, action)
        ruled = tuple(self._check(check, sender, identity) for check in checks)
        missing, missing_scp = self._missing(sender, identity)
        key = (
            tuple(self._identify(check) for check in ruled),
            missing,
            missing_scp,
            self._domains(ruled),
        )
        if key not in self._rulings:
            self._rulings[key] = self._rule(ruled, missing, missing_scp)
        return self._rulings[key]

    @staticmethod
    def _identify(check: CheckRuling) -> object:
        return (
            check.request.check.id,
            id(check.identity),
            id(check.boundary),
            tuple(map(id, check.levels)) if check.levels is not None else None,
            id(check.resource),
            check.same_account,
            check.identity_side,
            check.request.check.confidence,
        )

    @staticmethod
    def _domains(checks: tuple[CheckRuling, ...]) -> tuple[Domains, ...]:
        """What is known of the open keys on which the checks turn; one a check."""
        found: list[Domains] = []
        for check in checks:
            keys: set[str] = set()
            for ruling in check.rulings():
                keys |= ruling.open_keys
            request = check.request.ask(frozenset(keys)) if keys else None
            found.append(Domains() if request is None else request.all_domains())
        return tuple(found)

    def _missing(
        self, sender: Sender, identity: Identity
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The cells that could change the verdict: outside the SCP layer, and within it."""
        region = self._model.account_regions.get((identity.account, identity.region))
        found = [*sender.missing, *sender.boundary_missing, *identity.missing]
        if identity.known:
            if region is None:
                found += self._model.gaps.of(
                    identity.account, identity.region, "sesv2", "GetAccount"
                )
            else:
                found += region.missing
        return tuple(dict.fromkeys(found)), self._chain(sender).missing

    def _chain(self, sender: Sender) -> Chain:
        if sender.service_linked or not sender.in_organization or sender.account is None:
            return Chain(None)
        return self._model.organization.scp_chain(sender.account)

    def _check(self, request: CheckRequest, sender: Sender, identity: Identity) -> CheckRuling:
        ask = request.ask
        action, resource = request.check.action, request.check.resource
        own = self._layers.rule(
            Layer.IDENTITY_POLICY, sender.identity_policies, action, resource, ask
        )
        if sender.missing:
            own = self._unread(own)
        boundary = None
        if sender.boundary is not None:
            boundary = self._layers.rule(
                Layer.PERMISSIONS_BOUNDARY, (sender.boundary,), action, resource, ask
            )
        chain = self._chain(sender)
        levels = None
        if chain.levels is not None:
            levels = tuple(
                self._level(chain, position, level, request)
                for position, level in enumerate(chain.levels)
            )
        resource_ruling = None
        if request.check.on_identity and identity.policies:
            resource_ruling = self._layers.rule_resource(
                identity.policies,
                ask,
                (policies_key(identity.policies), action, identity.arn, sender.arn, sender.type),
            )
        same_account = sender.account == identity.account
        if request.check.on_identity and identity.missing:
            resource_ruling = self._unread_resource(resource_ruling)
        elif not same_account and resource_ruling is None:
            resource_ruling = self._no_grant
        return CheckRuling(
            request=request,
            identity=own,
            boundary=boundary,
            levels=levels,
            resource=resource_ruling,
            same_account=same_account,
            identity_side=sender.type not in ("service", "anonymous", "federated"),
        )

    _no_grant = ResourceRuling(ResourceFormula(FALSE, FALSE, FALSE, FALSE))

    def _level(
        self, chain: Chain, position: int, level: tuple[AttachedPolicy, ...], request: CheckRequest
    ) -> LayerRuling:
        target = chain.targets[position]
        ruling = self._layers.rule(
            Layer.SERVICE_CONTROL_POLICY,
            level,
            request.check.action,
            request.check.resource,
            request.ask,
            target,
        )
        return self._unread(ruling) if position in chain.open_levels else ruling

    def _unread(self, ruling: LayerRuling) -> LayerRuling:
        """What was not read may allow; what was read still denies."""
        return self._layers.shared(
            replace(ruling, formula=LayerFormula(TRUE, ruling.formula.deny), implicit=())
        )

    def _unread_resource(self, ruling: ResourceRuling | None) -> ResourceRuling:
        known = ruling if ruling is not None else self._no_grant
        formula = ResourceFormula(TRUE, TRUE, TRUE, known.formula.deny)
        return self._layers.shared(replace(known, formula=formula))

    def _rule(
        self,
        checks: tuple[CheckRuling, ...],
        missing: tuple[str, ...],
        missing_scp: tuple[str, ...],
    ) -> Ruling:
        result, recipients = self._solve(checks, scp=True)
        without, _ = self._solve(checks, scp=False)
        sender_checks = tuple(c for c in checks if c.request.check.id == "sender")
        sender, _ = self._solve(sender_checks, scp=True)
        every_gap = tuple(dict.fromkeys((*missing, *missing_scp)))
        verdict = _with_gaps(result.verdict, every_gap)
        denials: tuple[Denial, ...] = ()
        failed: tuple[str, ...] = ()
        if verdict is Verdict.DENIED:
            failed = tuple(
                check.request.check.id
                for group in _by_check(checks)
                for check in group[:1]
                if self._solve(group, scp=True)[0].verdict is Verdict.DENIED
            )
            denials = self._denials(checks, failed)
        conditions = ""
        if verdict is Verdict.CONDITIONAL:
            conditions = " and ".join(filter(None, (str(result.conditions or ""), recipients)))
        return Ruling(
            verdict=verdict,
            verdict_without_scp=_with_gaps(without.verdict, missing),
            sender_verdict=_with_gaps(sender.verdict, every_gap),
            denials=denials,
            possible=_possible(checks) if verdict is Verdict.CONDITIONAL else (),
            conditions=conditions,
            missing=every_gap if verdict is Verdict.UNKNOWN else (),
            confidence=_confidence(checks, failed),
            proven=result.proven,
            failed_checks=failed,
        )

    def _solve(
        self, checks: tuple[CheckRuling, ...], *, scp: bool, lifted: Layer | None = None
    ) -> tuple[OpenResult, str]:
        """All checks in one context; of the recipients one has to pass."""
        fixed = [
            check.formula(scp=scp, lifted=lifted)
            for check in checks
            if check.request.check.id != "recipients"
        ]
        recipients = [c for c in checks if c.request.check.id == "recipients"]
        choices = [check.formula(scp=scp, lifted=lifted) for check in recipients]
        domains = _joined(self._domains(checks))
        best = decide(
            conjunction(*fixed, disjunction(*choices)) if choices else conjunction(*fixed), domains
        )
        if not choices or best.verdict is Verdict.DENIED:
            return best, ""
        if decide(conjunction(*fixed, *choices), domains).verdict is Verdict.ALLOWED:
            return best, ""
        passing = [
            check.request.name
            for check, choice in zip(recipients, choices, strict=True)
            if decide(conjunction(*fixed, choice), domains).verdict is not Verdict.DENIED
        ]
        text = "" if len(passing) == len(choices) else f"recipient within {', '.join(passing)}"
        if best.verdict is Verdict.ALLOWED:
            best = replace(best, verdict=Verdict.CONDITIONAL)
        return best, text

    def _denials(
        self, checks: tuple[CheckRuling, ...], failed: tuple[str, ...]
    ) -> tuple[Denial, ...]:
        """Every layer that stops a check by itself; where none does, those that do together."""
        blamed = [c for c in checks if c.request.check.id in failed] or list(checks)
        found: list[Denial] = []
        for check in blamed:
            found += _certain(check)
        if not found:
            for layer in Layer:
                if self._solve(checks, scp=True, lifted=layer)[0].verdict is not Verdict.DENIED:
                    found += _blame(blamed, layer)
        if not found:
            for layer in Layer:
                found += _blame(blamed, layer, only_open=True)
        return tuple(dict.fromkeys(found))


def _joined(parts: tuple[Domains, ...]) -> Domains:
    """The domains of all checks: they share one context, but for the resource."""
    if len(parts) == 1:
        return parts[0]
    known = {key: values for part in parts for key, values in part.known}
    opened = {key: domain for part in parts for key, domain in part.open}
    for key in opened:
        known.pop(key, None)
    return Domains(
        tuple(sorted(known.items())),
        frozenset().union(*(part.absent for part in parts)),
        tuple(sorted(opened.items(), key=lambda item: item[0])),
        frozenset().union(*(part.multivalued for part in parts)),
    )


def _with_gaps(verdict: Verdict, missing: tuple[str, ...]) -> Verdict:
    return Verdict.UNKNOWN if missing and verdict is not Verdict.DENIED else verdict


def _by_check(checks: tuple[CheckRuling, ...]) -> list[tuple[CheckRuling, ...]]:
    grouped: dict[str, list[CheckRuling]] = {}
    for check in checks:
        grouped.setdefault(check.request.check.id, []).append(check)
    return [tuple(group) for group in grouped.values()]


def _certain(check: CheckRuling) -> list[Denial]:
    found: list[Denial] = []
    for ruling in check.rulings():
        found += ruling.explicit
    granted = check.resource.formula if check.resource is not None else None
    direct = granted is not None and granted.grant_exempt is TRUE
    if check.boundary is not None and not (direct and check.same_account):
        found += check.boundary.implicit
    for level in check.levels or ():
        found += level.implicit
    by_resource = granted is not None and (
        granted.grant_exempt is not FALSE or granted.grant_limited is not FALSE
    )
    delegated = granted is not None and granted.delegate is not FALSE
    if not check.identity_side:
        if not by_resource and not delegated:
            found.append(Denial(Layer.SENDING_AUTHORIZATION_POLICY, "implicit"))
    elif check.same_account:
        if not by_resource:
            found += check.identity.implicit
    else:
        found += check.identity.implicit
        if not by_resource and not delegated:
            found.append(Denial(Layer.SENDING_AUTHORIZATION_POLICY, "implicit"))
    return found


def _blame(checks: list[CheckRuling], layer: Layer, *, only_open: bool = False) -> list[Denial]:
    """Name what a layer contributes to a denial that no layer makes alone."""
    found: list[Denial] = []
    for check in checks:
        for ruling in check.rulings():
            found += [d for d in ruling.possible if d.layer is layer]
    if not found and not only_open:
        found.append(Denial(layer, "implicit"))
    return found


def _possible(checks: tuple[CheckRuling, ...]) -> tuple[Denial, ...]:
    found: list[Denial] = []
    for check in checks:
        for level in check.levels or ():
            found += level.possible
    return tuple(dict.fromkeys(found))


def _confidence(checks: tuple[CheckRuling, ...], failed: tuple[str, ...]) -> str:
    """The weakest rule that the verdict turns on."""
    deciding = [c for c in checks if c.request.check.id in failed] if failed else list(checks)
    if failed:
        # One well documented check that fails is enough for the denial.
        return min((c.request.check.confidence for c in deciding), key=_CONFIDENCE.index)
    return max((c.request.check.confidence for c in deciding), key=_CONFIDENCE.index)
