"""What the layers say together of one check of a send, and whom a denial names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ses_audit.audit.layers import LayerRuling, ResourceRuling
from ses_audit.audit.requests import CheckRequest
from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    conjunction,
    disjunction,
    keys_of,
    negate,
)
from ses_audit.policy.open_layers import NOTHING
from ses_audit.policy.reduce import RESOURCE_KEY, LayerFormula, combine
from ses_audit.policy.solve import Domains, decide
from ses_audit.policy.types import Denial, Layer, Verdict

__all__ = ["CheckRuling", "Ruling", "candidates", "certain", "joined", "possible_by_scp"]

AnyValue = TypeVar("AnyValue")

_ORDER = {layer.value: position for position, layer in enumerate(Layer)}


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
    without: tuple[tuple[Denial, Verdict], ...] = ()
    """For each SCP denial: the verdict if that SCP were not attached there."""
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
    _known: dict[object, Formula] = field(default_factory=dict, compare=False, repr=False)
    """The formula with the SCP layer or without it, and without some denials."""
    _denials: list[frozenset[Denial]] = field(default_factory=list, compare=False, repr=False)
    """Once they are asked for, those that can be lifted."""
    _asked: dict[frozenset[str], Domains] = field(
        default_factory=dict, compare=False, repr=False, init=False
    )
    """What is known of keys: the request's own."""

    @property
    def key(self) -> object:
        """Equal for checks on which every question has the same answer."""
        check = self.request.check
        return (
            check.id,
            check.resource if check.id == "recipients" else "",
            id(self.identity),
            id(self.boundary),
            tuple(map(id, self.levels)) if self.levels is not None else None,
            id(self.resource),
            self.same_account,
            self.identity_side,
            check.confidence,
            check.passing_confidence,
        )

    def formula(self, *, scp: bool = True, without: frozenset[Denial] = NOTHING) -> Formula:
        """When the check passes.

        Parameters
        ----------
        scp
            False leaves the SCP layer out.
        without
            Denials that are lifted: a statement that denies is left out, a layer or level that
            lacks an allow allows.
        """
        lifted = without & self._liftable() if without else NOTHING
        found = self._known.get((scp, lifted))
        if found is None:
            found = self._known[scp, lifted] = self._formula(scp, lifted)
        return found

    def _liftable(self) -> frozenset[Denial]:
        """Every denial that can be lifted."""
        if not self._denials:
            rulings = self.rulings()
            lacks = [ruling.lack for ruling in rulings]
            self._denials.append(
                frozenset((*lacks, *(d for ruling in rulings for d, _ in ruling.statements)))
            )
        return self._denials[0]

    def _formula(self, scp: bool, without: frozenset[Denial]) -> Formula:
        identity = self.identity.lifted(without)
        if not self.identity_side:
            identity = LayerFormula(FALSE, FALSE)
        levels = None
        if scp and self.levels is not None:
            levels = tuple(level.lifted(without) for level in self.levels)
        formula = combine(
            identity=identity,
            boundary=None if self.boundary is None else self.boundary.lifted(without),
            session=None,
            scp_levels=levels,
            rcp_levels=None,
            resource=None if self.resource is None else self.resource.lifted(without),
            same_account=self.same_account or not self.identity_side,
        )
        return _named(formula, self.resource_key)

    def known_of(self, keys: frozenset[str]) -> Domains:
        """What is known of some keys, the resource among them under its own name."""
        found = self._asked.get(keys)
        if found is None:
            found = self._asked[keys] = self.request.ask(keys - {RESOURCE_KEY}).all_domains()
        return found

    def domains(self) -> Domains:
        """What is known of the open keys on which the check turns."""
        keys: set[str] = set()
        for ruling in self.rulings():
            keys |= ruling.open_keys
        if not keys:
            return Domains()
        found = self.known_of(frozenset(keys))
        # A check's resource is a key of its own: the checks share all others.
        name = self.resource_key if RESOURCE_KEY in keys else None
        return replace(found, known=_renamed(found.known, name), open=_renamed(found.open, name))

    @property
    def resource_key(self) -> str:
        """The key under which the check's resource stands in formulas."""
        check = self.request.check
        return f"({check.id})" if check.id != "recipients" else f"(recipient {self.request.name})"

    def rulings(self) -> tuple[LayerRuling | ResourceRuling, ...]:
        """Every layer's ruling that there is."""
        found: list[LayerRuling | ResourceRuling] = [self.identity]
        if self.boundary is not None:
            found.append(self.boundary)
        found += self.levels or ()
        if self.resource is not None:
            found.append(self.resource)
        return tuple(found)


def _named(formula: Formula, name: str) -> Formula:
    """Give the resource of a check its own key."""
    if RESOURCE_KEY not in keys_of(formula):
        return formula
    if formula.atom is not None:
        atom = formula.atom
        return Formula.of(Atom(replace(atom.clause, key=name), atom.version))
    parts = tuple(_named(part, name) for part in formula.parts)
    if formula.kind == "not":
        return negate(parts[0])
    return conjunction(*parts) if formula.kind == "and" else disjunction(*parts)


def _renamed(
    pairs: tuple[tuple[str, AnyValue], ...], name: str | None
) -> tuple[tuple[str, AnyValue], ...]:
    return tuple(
        sorted(
            (
                ((name or key) if key == RESOURCE_KEY else key, value)
                for key, value in pairs
                if key != RESOURCE_KEY or name is not None
            ),
            key=lambda pair: pair[0],
        )
    )


def joined(parts: Sequence[Domains]) -> Domains:
    """The domains of all checks: they share one context, but for the resource."""
    if len(parts) == 1:
        return parts[0]
    known = {key: values for part in parts for key, values in part.known}
    opened = {key: domain for part in parts for key, domain in part.open}
    return Domains(
        tuple(sorted(known.items())),
        frozenset().union(*(part.absent for part in parts)),
        tuple(sorted(opened.items(), key=lambda item: item[0])),
        frozenset().union(*(part.multivalued for part in parts)),
    )


def certain(check: CheckRuling) -> list[Denial]:
    """Every layer that stops the check by itself, whatever the context."""
    found: list[Denial] = []
    for ruling in check.rulings():
        found += ruling.explicit
    granted = check.resource.formula if check.resource is not None else None
    exempt = granted is not None and _possible(check, granted.grant_exempt)
    passes = exempt and check.same_account
    if check.boundary is not None and not passes:
        found += check.boundary.implicit
    for level in check.levels or ():
        found += level.implicit
    by_resource = exempt or (granted is not None and _possible(check, granted.grant_limited))
    delegated = granted is not None and _possible(check, granted.delegate)
    if check.identity_side and not (check.same_account and by_resource):
        found += check.identity.implicit
    if not check.same_account and not by_resource and not (check.identity_side and delegated):
        found.append(Denial(Layer.SENDING_AUTHORIZATION_POLICY, "implicit"))
    return found


def _possible(check: CheckRuling, formula: Formula) -> bool:
    """Whether a grant can come about at all."""
    if formula is FALSE or formula is TRUE:
        return formula is TRUE
    return decide(formula, check.known_of(keys_of(formula))).verdict is not Verdict.DENIED


def candidates(checks: Sequence[CheckRuling]) -> list[Denial]:
    """What may have a part in a denial that no layer makes alone."""
    found: list[Denial] = []
    for check in checks:
        for ruling in check.rulings():
            found += ruling.possible
            if isinstance(ruling, ResourceRuling):
                if not check.same_account:
                    found.append(ruling.lack)
            elif ruling.formula.allow is not TRUE and (
                check.identity_side or ruling is not check.identity
            ):
                found.append(ruling.lack)
    return list(dict.fromkeys(found))


def possible_by_scp(checks: Sequence[CheckRuling]) -> tuple[Denial, ...]:
    """The SCP statements that deny in some contexts."""
    levels = [level for check in checks for level in check.levels or ()]
    return tuple(dict.fromkeys(denial for level in levels for denial in level.possible))
