"""One cell: may this principal perform this send action from this identity?

Each check of the send is the layers' rulings combined; the send is all of its checks in one
context. What was not read can be anything: a cell that is denied even so is DENIED, every other
cell with a gap is UNKNOWN (the monotone rule).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ses_audit.audit.identities import AccountRegion, Identity
from ses_audit.audit.layers import LayerRuling, Layers, ResourceRuling
from ses_audit.audit.organization import Chain, Organization
from ses_audit.audit.requests import CheckRequest, Requests
from ses_audit.audit.senders import Sender
from ses_audit.policy.formula import FALSE, TRUE, Formula, conjunction, disjunction
from ses_audit.policy.reduce import LayerFormula, ResourceFormula, combine
from ses_audit.policy.solve import OpenResult, decide
from ses_audit.policy.types import Denial, Layer, Verdict

__all__ = ["CheckRuling", "Decider", "Ruling"]

_ORDER = {layer: position for position, layer in enumerate(Layer)}
_CONFIDENCE = "DRIX"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on one cell, with its reasons. Equal reasons are one object."""

    verdict: Verdict
    verdict_without_scp: Verdict
    sender_verdict: Verdict
    denials: tuple[Denial, ...] = ()
    conditions: str = ""
    missing: tuple[str, ...] = ()
    confidence: str = "D"
    proven: bool = True
    failed_checks: tuple[str, ...] = ()
    """The checks that are denied by themselves."""

    @property
    def denied_by(self) -> str:
        """The denying layers in their order, joined by `;`."""
        layers = sorted({d.layer for d in self.denials}, key=_ORDER.__getitem__)
        return ";".join(layers)

    @property
    def denied_policies(self) -> str:
        """The denying policies, joined by `;`."""
        return ";".join(dict.fromkeys(d.policy for d in self.denials if d.policy))


@dataclass(frozen=True, slots=True)
class CheckRuling:
    """All layers' rulings for one check of a send."""

    request: CheckRequest
    identity: LayerRuling
    boundary: LayerRuling | None
    levels: tuple[LayerRuling, ...] | None
    resource: ResourceRuling | None
    same_account: bool
    identity_only: bool = False

    def formula(self, *, scp: bool, lifted: Layer | None = None) -> Formula:
        """When the check passes, with the SCP layer or without it, and with one layer lifted."""
        open_layer = LayerFormula(TRUE, FALSE)
        identity = open_layer if lifted is Layer.IDENTITY_POLICY else self.identity.formula
        boundary = None
        if self.boundary is not None and lifted is not Layer.PERMISSIONS_BOUNDARY:
            boundary = self.boundary.formula
        levels = None
        if scp and self.levels is not None and lifted is not Layer.SERVICE_CONTROL_POLICY:
            levels = tuple(level.formula for level in self.levels)
        resource = None if self.resource is None else self.resource.formula
        if lifted is Layer.SENDING_AUTHORIZATION_POLICY and resource is not None:
            resource = ResourceFormula(TRUE, TRUE, TRUE, FALSE)
        return combine(
            identity=identity,
            boundary=boundary,
            session=None,
            scp_levels=levels,
            rcp_levels=None,
            resource=resource,
            same_account=self.same_account,
            identity_side=not self.identity_only,
        )
