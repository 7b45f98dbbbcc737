"""One cell, decided, and its denials sorted by the checklist's items."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from ses_audit.audit.decide import Decider, Missing
from ses_audit.audit.explanation import ExplainedCheck
from ses_audit.audit.identities import Identity
from ses_audit.audit.model import Model
from ses_audit.audit.near_miss import NearMiss, near_misses, nearest
from ses_audit.audit.rulings import CheckRuling, Ruling, certain
from ses_audit.audit.senders import Sender
from ses_audit.policy.types import Denial, Layer

__all__ = ["SECONDARY", "Cell", "checklist_data"]

SECONDARY = {
    "configuration_set": "default_configuration_set",
    "template": "template",
    "recipients": "sandbox_recipient",
}
"""Check → the item that a lack of it belongs to."""


_LAYERS = {
    Layer.SERVICE_CONTROL_POLICY: "service_control_policy",
    Layer.PERMISSIONS_BOUNDARY: "permissions_boundary",
    Layer.SENDING_AUTHORIZATION_POLICY: "sending_authorization_policy",
    Layer.IDENTITY_POLICY: "identity_policy",
}


@cache
def checklist_data() -> dict[str, Any]:
    """The checklist's questions and texts, decoded."""
    text = files("ses_audit.audit").joinpath("data/checklist.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@dataclass(frozen=True)
class Cell:
    """One cell, decided, with what an answer needs. `exists`: whether the identity does."""

    model: Model
    decider: Decider
    sender: Sender
    identity: Identity
    action: str
    checks: tuple[CheckRuling, ...]
    ruling: Ruling
    missing: Missing
    explained: tuple[ExplainedCheck, ...]
    exists: bool | None = True

    def of(self, id: str) -> tuple[CheckRuling, ...]:
        """The checks of one id."""
        return tuple(check for check in self.checks if check.request.check.id == id)

    @cached_property
    def failing(self) -> tuple[CheckRuling, ...]:
        """The checks that are denied by themselves."""
        failed = self.decider.failed(self.checks)
        return tuple(check for check in self.checks if check.request.check.id in failed)

    @cached_property
    def certain(self) -> tuple[tuple[CheckRuling, Denial], ...]:
        """Each denial that no context lifts, with its check."""
        return tuple((check, denial) for check in self.failing for denial in certain(check))

    @cached_property
    def near(self) -> tuple[str, tuple[NearMiss, ...]] | None:
        """Where nothing allows the sender check: the item that says why not."""
        (check,) = self.of("sender")
        lack = check.identity.lack
        if not any(c is check and d == lack for c, d in self.certain):
            return None
        verified = [
            other.name
            for other in self.model.identities.values()
            if (other.account, other.region) == (self.identity.account, self.identity.region)
            and other.verified
        ]
        requests = self.decider.requests

        def ask_for(action: str) -> Any:
            return requests.checks(self.sender, self.identity, action)[0].ask

        return nearest(
            near_misses(
                self.sender.identity_policies, check.request.ask, ask_for, self.identity, verified
            )
        )

    @property
    def joint(self) -> tuple[Denial, ...]:
        """Denials that stop the send only together."""
        alone = {denial for _, denial in self.certain}
        return tuple(denial for denial in self.ruling.denials if denial not in alone)

    @property
    def holder(self) -> str:
        """The ARN that policies are attached to: of a session its role's."""
        return self.sender.role_arn or self.sender.arn

    def place(self) -> str:
        """The account's name and id."""
        known = self.model.organization.accounts.get(self.identity.account)
        return f"{known.name} {known.id}" if known and known.name else self.identity.account

    @cached_property
    def denied(self) -> dict[str, list[Denial]]:
        """The certain denials by the item that each belongs to."""
        found: dict[str, list[Denial]] = {}
        for check, denial in self.certain:
            found.setdefault(self.item_of(check, denial), []).append(denial)
        return found

    def item_of(self, check: CheckRuling, denial: Denial) -> str:
        """The item that a certain denial belongs to."""
        secondary = SECONDARY.get(check.request.check.id)
        if denial.layer is Layer.IDENTITY_POLICY and denial.kind == "implicit":
            if secondary is not None:
                return secondary
            return self.near[0] if self.near is not None else "identity_policy"
        if denial.layer is Layer.SENDING_AUTHORIZATION_POLICY and secondary is not None:
            return secondary
        return _LAYERS[denial.layer]
