"""The causes that the published article leaves out."""

from __future__ import annotations

from dataclasses import replace

from ses_audit.audit.answers import Answer, Answers
from ses_audit.audit.cell import SECONDARY
from ses_audit.audit.evidence import once
from ses_audit.audit.rulings import CheckRuling
from ses_audit.audit.tree import ruled
from ses_audit.policy.formula import FALSE
from ses_audit.policy.types import Denial, Layer, Verdict
from ses_audit.ses.actions import send_action

__all__ = ["OtherAnswers"]


class OtherAnswers(Answers):
    """Items 5 and on."""

    def permissions_boundary(self) -> Answer:
        """Item `permissions_boundary`."""
        cell, check = self.cell, self.check
        denied = self.cell.denied.get("permissions_boundary", [])
        if denied:
            text = f"The boundary {cell.sender.boundary.name if cell.sender.boundary else ''}"
            word = "denies" if any(d.kind == "explicit" for d in denied) else "does not allow"
            return Answer("cause", f"{text} {word} {cell.action}.", self.statements.denials(denied))
        if cell.sender.boundary_missing:
            return Answer(
                "cannot_tell", "Its boundary was not read.", missing=cell.sender.boundary_missing
            )
        if cell.sender.boundary is None:
            if self.unread is not None and cell.sender.arn not in cell.model.senders:
                return replace(self.unread, text="Whether it has one is not known.")
            return Answer("cleared", "None is set.")
        partly = self.partly(ruled(check, check.boundary))
        if partly is not None:
            return Answer("cannot_tell", f"It passes if {partly[0]}.", missing=partly[1])
        if check.boundary is not None and check.boundary.implicit:
            return Answer("cleared", "It does not limit a grant to the principal's own ARN.")
        text = f"{cell.sender.boundary.name} allows it."
        return Answer("cleared", text, self.statements.allows(Layer.PERMISSIONS_BOUNDARY))

    def default_configuration_set(self) -> Answer:
        """Item `default_configuration_set`."""
        cell = self.cell
        if cell.identity.missing and not cell.of("configuration_set"):
            return Answer(
                "cannot_tell",
                "Whether it has a default configuration set was not read.",
                missing=cell.identity.missing,
            )
        if cell.sender.account != cell.identity.account and cell.identity.configuration_set:
            return Answer("cleared", "The owner's default set does not bind a delegate sender.")
        return self._secondary(
            "configuration_set",
            "The identity has no default configuration set.",
            "the configuration set",
        )

    def template(self) -> Answer:
        """Item `template`."""
        return self._secondary("template", "The action names no stored template.", "the template")

    def sandbox_recipient(self) -> Answer:
        """Item `sandbox_recipient`."""
        cell = self.cell
        if cell.missing.account or not cell.identity.known:
            missing = cell.missing.account or cell.identity.missing
            return Answer(
                "cannot_tell", "Whether the sandbox applies was not read.", missing=missing
            )
        return self._secondary(
            "recipients", "The account has left the sandbox in this region.", "a recipient"
        )

    def _secondary(self, check_id: str, none: str, what: str) -> Answer:
        """A check on something else than the identity."""
        cell = self.cell
        checks = cell.of(check_id)
        if not checks:
            return Answer("cleared", none)
        item = SECONDARY[check_id]
        names = ", ".join(check.request.check.resource for check in checks[:3])
        if item in self.cell.denied:
            denials = once(self.cell.denied[item])
            text = f"Nothing allows {cell.action} on {what} {names}."
            explicit = [d for d in denials if d.kind == "explicit"]
            evidence = list(self.statements.denials(explicit))
            if len(explicit) < len(denials):
                evidence += self.statements.lack(Layer.IDENTITY_POLICY, checks[0])
            return Answer("cause", text, tuple(evidence))
        if self.unread is not None:
            return self.unread
        found = [self.partly(ruled(check, check.identity)) for check in checks]
        failing = [c for c in checks if c.identity.implicit and not self._granted(c)]
        if failing and len(failing) < len(checks):
            passing = ", ".join(c.request.name for c in checks if c not in failing)
            return Answer(
                "cannot_tell", f"It passes for {passing} alone.", missing=("the recipient",)
            )
        partly = [each for each in found if each is not None]
        if partly:
            keys = tuple(dict.fromkeys(key for each in partly for key in each[1]))
            return Answer("cannot_tell", f"It passes if {partly[0][0]}.", missing=keys)
        return Answer("cleared", f"{cell.action} is allowed on {what} too: {names}.")

    @staticmethod
    def _granted(check: CheckRuling) -> bool:
        known = check.resource.formula if check.resource is not None else None
        return known is not None and (
            known.grant_exempt is not FALSE or known.grant_limited is not FALSE
        )

    def wrong_action(self) -> Answer:
        """Item `wrong_action`."""
        ways = ", ".join(send_action(self.cell.action).ways)
        return self.near_or("wrong_action", f"{self.cell.action} is what is checked for: {ways}.")

    def absent_key(self) -> Answer:
        """Item `absent_key`."""
        text = "No condition that matters asks for a key that this send lacks."
        return self.near_or("absent_key", text)

    def from_address(self) -> Answer:
        """Item `from_address`."""
        check = self.check
        partly = self.partly(ruled(check, check.identity))
        if partly is not None and self.only_from(check) and not check.identity.implicit:
            return Answer(
                "cannot_tell",
                f"Allowed if {partly[0]}.",
                self.statements.allows(Layer.IDENTITY_POLICY),
                partly[1],
            )
        return self.near_or("from_address", "No ses:FromAddress condition stands in the way.")

    def principal_attributes(self) -> Answer:
        """Item `principal_attributes`."""
        text = "No tag or attribute that is asked for is lacking."
        return self.near_or("principal_attributes", text)

    def conditions(self) -> Answer:
        """Item `conditions`."""
        if (cause := self.near_cause("conditions")) is not None:
            return cause
        joint = self.cell.joint
        if joint and self.cell.ruling.verdict is Verdict.DENIED:
            text = "No request meets these conditions together; each alone could be met."
            own = Denial(Layer.IDENTITY_POLICY, "implicit")
            evidence = self.statements.conditional_allows() if own in joint else []
            evidence += self.statements.denials(d for d in joint if d != own)
            return Answer("cause", text, tuple(evidence))
        return Answer("cleared", "No conditions exclude each other.")

    def place(self) -> Answer:
        """Item `place`."""
        cell = self.cell
        where = f"{cell.identity.region} of account {cell.place()}"
        if cell.exists is None:
            return Answer(
                "cannot_tell",
                f"The identities of {where} were not read.",
                missing=cell.identity.missing,
            )
        if not cell.exists:
            return Answer("cause", f"No identity in {where} covers {cell.identity.name}.")
        state = "verified" if cell.identity.verified else "not verified"
        if cell.identity.verified is None:
            state = "verified or not: that was not read"
        return Answer("cleared", f"{cell.identity.name} is in {where}, {state}.")
