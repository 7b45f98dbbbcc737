"""One cell: may this principal perform this send action from this identity?

Each check of the send is the layers' rulings combined; the send is all of its checks in one
context. What was not read can be anything: a cell that is denied even so is DENIED, every other
cell with a gap is UNKNOWN (the monotone rule).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from ses_audit.audit.identities import Identity
from ses_audit.audit.layers import LayerRuling, Layers, ResourceRuling, policies_key
from ses_audit.audit.model import Model
from ses_audit.audit.organization import Chain
from ses_audit.audit.requests import CheckRequest, Requests
from ses_audit.audit.rulings import (
    CheckRuling,
    Ruling,
    candidates,
    certain,
    joined,
    possible_by_scp,
)
from ses_audit.audit.senders import Sender
from ses_audit.policy.formula import FALSE, TRUE, Formula, conjunction, disjunction
from ses_audit.policy.open_denials import refusing_together
from ses_audit.policy.reduce import LayerFormula, ResourceFormula
from ses_audit.policy.solve import Domains, OpenResult, decide, never_holds
from ses_audit.policy.types import AttachedPolicy, Denial, Layer, Verdict

__all__ = ["Decider", "Missing", "Ruling"]

_CONFIDENCE = "DRIX"


@dataclass(frozen=True, slots=True)
class Missing:
    """The cells of evidence that a cell lacks, by what they could change."""

    sender: tuple[str, ...] = ()
    """The principal's policies and boundary, the identity's sending policies."""
    account: tuple[str, ...] = ()
    """The SES account's state, and the recipients it could reach in the sandbox."""
    scp: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    """Where the accounts stand, for keys that are left open though they have one value."""

    def all(self, *, scp: bool = True, sender_check: bool = False) -> tuple[str, ...]:
        """Those that matter for the whole send, or for its sender check; each once."""
        account = () if sender_check else self.account
        return tuple(dict.fromkeys((*self.sender, *account, *(self.scp if scp else ()))))


class Decider:
    """Decides cells of one model; every layer once for what its documents can tell apart.

    Parameters
    ----------
    model
        The snapshot.
    undocumented
        False takes the global keys that AWS doesn't document for SES for absent.
    """

    def __init__(self, model: Model, *, undocumented: bool = True) -> None:
        self._model = model
        self._requests = Requests(model, undocumented=undocumented)
        self._layers = Layers()
        self._rulings: dict[object, Ruling] = {}
        self._all_keys = undocumented

    @cached_property
    def _without_undocumented(self) -> Decider:
        return Decider(self._model, undocumented=False)

    @property
    def requests(self) -> Requests:
        """Makes the checks of this model's cells."""
        return self._requests

    def checks(self, sender: Sender, identity: Identity, action: str) -> tuple[CheckRuling, ...]:
        """What each layer says of each check of a send; the sender check first."""
        return tuple(
            self._check(check, sender, identity)
            for check in self._requests.checks(sender, identity, action)
        )

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
        ruled = self.checks(sender, identity, action)
        missing = self.missing(sender, identity)
        turning = frozenset().union(*(r.open_keys for c in ruled for r in c.rulings()))
        if turning & self._requests.unread_keys(sender, identity):
            missing = replace(missing, place=self._model.organization.place_gaps())
        doubtful = self._all_keys and any(r.undocumented for c in ruled for r in c.rulings())
        otherwise = (
            self._without_undocumented.decide(sender, identity, action).verdict
            if doubtful
            else None
        )
        key = (
            tuple(check.key for check in ruled),
            missing,
            tuple(check.domains() for check in ruled),
            otherwise,
        )
        if key not in self._rulings:
            self._rulings[key] = self.rule(ruled, missing, otherwise)
        return self._rulings[key]

    def missing(self, sender: Sender, identity: Identity) -> Missing:
        """The cells of evidence that could change the verdict."""
        account: tuple[str, ...] = ()
        if identity.known and sender.account == identity.account:
            state = self._model.account_regions.get((identity.account, identity.region))
            if state is None:
                account = self._model.gaps.of(
                    identity.account, identity.region, "sesv2", "GetAccount"
                )
            else:
                account = (*state.missing, *self._requests.unseen_recipients(identity))
        return Missing(
            tuple(dict.fromkeys((*sender.missing, *sender.boundary_missing, *identity.missing))),
            account,
            self.scp_chain(sender).missing,
        )

    def scp_chain(self, sender: Sender) -> Chain:
        """The SCP levels that bind a sender: those of its own account, wherever it sends from.

        Service-linked roles, services and principals of other organizations are not bound.
        Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
        """
        if sender.service_linked or not sender.in_organization or sender.account is None:
            return Chain(None)
        return self._model.organization.scp_chain(sender.account)

    def _check(self, request: CheckRequest, sender: Sender, identity: Identity) -> CheckRuling:
        check = request.check
        own = self._layer(Layer.IDENTITY_POLICY, sender.identity_policies, request)
        if sender.missing:
            own = self._unread(own)
        boundary = None
        if sender.boundary is not None:
            boundary = self._layer(Layer.PERMISSIONS_BOUNDARY, (sender.boundary,), request)
        chain = self.scp_chain(sender)
        levels = None
        if chain.levels is not None:
            levels = tuple(
                self._level(chain, position, level, request)
                for position, level in enumerate(chain.levels)
            )
        same_account = sender.account == identity.account
        resource = None
        if check.on_identity:
            # In the sandbox the recipient's own identity is asked, by its own policies.
            asked = identity
            if check.id != "sender":
                asked = self._model.identities.get(check.resource, identity)
            if asked.policies:
                resource = self._layers.rule_resource(
                    asked.policies,
                    request.ask,
                    (
                        policies_key(asked.policies),
                        check.action,
                        check.resource,
                        identity.arn,
                        sender.caller,
                    ),
                )
            if asked.missing:
                resource = self._unread_resource(resource)
        if not same_account and resource is None:
            resource = self._no_grant
        return CheckRuling(
            request=request,
            identity=own,
            boundary=boundary,
            levels=levels,
            resource=resource,
            same_account=same_account,
            identity_side=sender.type not in ("service", "anonymous", "federated"),
        )

    _no_grant = ResourceRuling(ResourceFormula(FALSE, FALSE, FALSE, FALSE))

    def _layer(
        self,
        layer: Layer,
        policies: tuple[AttachedPolicy, ...],
        request: CheckRequest,
        target: str | None = None,
    ) -> LayerRuling:
        check = request.check
        return self._layers.rule(
            layer,
            policies,
            check.action,
            check.resource,
            request.ask,
            target,
            open_resource=check.open_resource,
        )

    def _level(
        self, chain: Chain, position: int, level: tuple[AttachedPolicy, ...], request: CheckRequest
    ) -> LayerRuling:
        ruling = self._layer(Layer.SERVICE_CONTROL_POLICY, level, request, chain.targets[position])
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

    def rule(
        self, checks: tuple[CheckRuling, ...], missing: Missing, otherwise: Verdict | None = None
    ) -> Ruling:
        """The verdict on a send of which the checks are ruled.

        Parameters
        ----------
        checks
            All of them, the sender check first.
        missing
            What was not read.
        otherwise
            The verdict without the keys of which AWS doesn't say that SES carries them, where
            documents name some.
        """
        ruling = self._rule(checks, missing)
        if otherwise is not None and otherwise is not ruling.verdict:
            # The verdict turns on a key of which AWS doesn't say that SES carries it.
            ruling = replace(ruling, confidence="X")
        return ruling

    def _rule(self, checks: tuple[CheckRuling, ...], missing: Missing) -> Ruling:
        result, recipients = self.solve(checks)
        without, _ = self.solve(checks, scp=False)
        sender, _ = self.solve(tuple(c for c in checks if c.request.check.id == "sender"))
        gaps = missing.all()
        if result.verdict is Verdict.CONDITIONAL:
            gaps = tuple(dict.fromkeys((*gaps, *missing.place)))
        verdict = with_gaps(result.verdict, gaps)
        denials: tuple[Denial, ...] = ()
        failed: tuple[str, ...] = ()
        if verdict is Verdict.DENIED:
            failed = self.failed(checks)
            denials = self._denials(checks, failed)
        possible = possible_by_scp(checks) if verdict is Verdict.CONDITIONAL else ()
        conditions = ""
        if verdict is Verdict.CONDITIONAL:
            conditions = " and ".join(filter(None, (str(result.conditions or ""), recipients)))
        return Ruling(
            verdict=verdict,
            verdict_without_scp=_told(without.verdict, missing.all(scp=False), missing),
            sender_verdict=_told(sender.verdict, missing.all(sender_check=True), missing),
            denials=denials,
            possible=possible,
            without=tuple(self._without(checks, (*denials, *possible), missing)),
            conditions=conditions,
            missing=gaps if verdict is Verdict.UNKNOWN else (),
            confidence=_confidence(checks, failed),
            proven=result.proven,
            failed_checks=failed,
        )

    def failed(self, checks: tuple[CheckRuling, ...]) -> tuple[str, ...]:
        """The checks that are denied by themselves."""
        grouped: dict[str, list[CheckRuling]] = {}
        for check in checks:
            grouped.setdefault(check.request.check.id, []).append(check)
        return tuple(
            name
            for name, group in grouped.items()
            if self.solve(tuple(group))[0].verdict is Verdict.DENIED
        )

    def _without(
        self, checks: tuple[CheckRuling, ...], denials: tuple[Denial, ...], missing: Missing
    ) -> list[tuple[Denial, Verdict]]:
        """For each SCP denial: the verdict if that SCP were not attached there."""
        found: list[tuple[Denial, Verdict]] = []
        scp = [d for d in dict.fromkeys(denials) if d.layer is Layer.SERVICE_CONTROL_POLICY]
        for denial in scp:
            attached = {
                statement
                for check in checks
                for level in check.levels or ()
                for statement, _ in level.statements
                if (statement.policy, statement.target) == (denial.policy, denial.target)
            }
            verdict = self.solve(checks, without=frozenset({denial, *attached}))[0].verdict
            found.append((denial, _told(verdict, missing.all(), missing)))
        return found

    @staticmethod
    def _formulas(
        checks: tuple[CheckRuling, ...], *, scp: bool = True, without: frozenset[Denial]
    ) -> tuple[list[Formula], list[Formula]]:
        """The checks that all have to pass, and the recipients of which one has to."""
        fixed: list[Formula] = []
        recipients: list[Formula] = []
        for check in checks:
            formula = check.formula(scp=scp, without=without)
            (recipients if check.request.check.id == "recipients" else fixed).append(formula)
        return fixed, recipients

    def solve(
        self,
        checks: tuple[CheckRuling, ...],
        *,
        scp: bool = True,
        without: frozenset[Denial] = frozenset(),
    ) -> tuple[OpenResult, str]:
        """All checks in one context; of the recipients one has to pass."""
        fixed, choices = self._formulas(checks, scp=scp, without=without)
        recipients = [c for c in checks if c.request.check.id == "recipients"]
        whole = conjunction(*fixed, disjunction(*choices)) if choices else conjunction(*fixed)
        if whole is FALSE or (whole is TRUE and not choices):
            return decide(whole, Domains()), ""
        domains = joined([check.domains() for check in checks])
        best = decide(whole, domains)
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
            text = text or "each recipient by its own conditions"
        return best, text

    def _refused(self, checks: tuple[CheckRuling, ...], without: frozenset[Denial]) -> bool:
        """Whether no context lets the checks pass together, as `solve` says, and no more."""
        fixed, choices = self._formulas(checks, without=without)
        whole = conjunction(*fixed, *((disjunction(*choices),) if choices else ()))
        if whole is TRUE or whole is FALSE:
            return whole is FALSE
        return never_holds(whole, joined([check.domains() for check in checks]))

    def _denials(
        self, checks: tuple[CheckRuling, ...], failed: tuple[str, ...]
    ) -> tuple[Denial, ...]:
        """Every layer that stops a check by itself, and those that stop it together.

        Those that act together are looked for with the others lifted, so that none hides another.
        """
        blamed = [c for c in checks if c.request.check.id in failed] or list(checks)
        found = list(dict.fromkeys(denial for check in blamed for denial in certain(check)))

        def refused(lifted: Iterable[Denial]) -> bool:
            return self._refused(checks, frozenset((*found, *lifted)))

        if not refused(()):
            return tuple(found)
        rest = [denial for denial in candidates(blamed) if denial not in found]
        if refused(rest):
            # A check that fails alone is not all: others fail together.
            rest = [denial for denial in candidates(checks) if denial not in found]
        return (*found, *refusing_together(rest, refused))


def with_gaps(verdict: Verdict, missing: tuple[str, ...]) -> Verdict:
    """The monotone rule: what was not read leaves only a denial certain."""
    return Verdict.UNKNOWN if missing and verdict is not Verdict.DENIED else verdict


def _told(verdict: Verdict, gaps: tuple[str, ...], missing: Missing) -> Verdict:
    """The monotone rule, also for keys that have one value, which was not read."""
    return with_gaps(verdict, (*gaps, *(missing.place if verdict is Verdict.CONDITIONAL else ())))


def _confidence(checks: tuple[CheckRuling, ...], failed: tuple[str, ...]) -> str:
    """The weakest rule that the verdict turns on."""
    deciding = [c for c in checks if c.request.check.id in failed] if failed else list(checks)
    if failed:
        # One well documented check that fails is enough for the denial.
        return min((c.request.check.confidence for c in deciding), key=_CONFIDENCE.index)
    return max((c.request.check.passing_confidence for c in deciding), key=_CONFIDENCE.index)
