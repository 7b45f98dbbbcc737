"""The published article's four causes: https://repost.aws/knowledge-center/ses-554-400-message-rejected-error."""

from __future__ import annotations

from collections.abc import Iterable

from ses_audit.audit.answers import Answer, Answers
from ses_audit.audit.cell import checklist_data
from ses_audit.audit.evidence import once
from ses_audit.audit.tree import ruled
from ses_audit.policy.types import Denial, Layer
from ses_audit.policy.wildcards import action_matches

__all__ = ["ArticleAnswers"]


class ArticleAnswers(Answers):
    """Items 1 to 4."""

    def identity_policy(self) -> Answer:
        """Item `identity_policy`."""
        cell, check = self.cell, self.check
        denied = self.cell.denied.get("identity_policy", [])
        if denied:
            explicit = [d for d in denied if d.kind == "explicit"]
            evidence = list(self.statements.denials(explicit))
            if len(explicit) < len(denied):
                evidence += self.statements.lack(Layer.IDENTITY_POLICY)
            what = "denies" if explicit else "allows none of this send:"
            text = (
                f"A policy of the principal {what} {cell.action}."
                if explicit
                else f"No policy of the principal allows {cell.action} on {cell.identity.arn}."
            )
            return Answer("cause", " ".join((text, *self._one_statement())), tuple(evidence))
        if not check.identity_side:
            text = "It has no policies here: those of the identity decide alone."
            return Answer("cleared", text)
        if cell.near is not None:
            text = f"What its policies allow misses this send: see {self.see(cell.near[0])}."
            return Answer("cleared", " ".join((text, *self._one_statement())))
        if self.unread is not None:
            return self.unread
        if check.identity.implicit:
            if cell.identity.missing:
                text = "No policy of its own allows it; a sending policy that was not read could."
                return Answer("cannot_tell", text, missing=cell.identity.missing)
            text = "No policy of its own allows it; a sending policy of the identity grants it."
            return Answer(
                "cleared", text, self.statements.allows(Layer.SENDING_AUTHORIZATION_POLICY)
            )
        partly = self.partly(ruled(check, check.identity))
        if partly is not None and not self.only_from(check):
            return Answer(
                "cannot_tell",
                f"Allowed if {partly[0]}.",
                self.statements.allows(Layer.IDENTITY_POLICY),
                partly[1],
            )
        text = f"{cell.action} is allowed, and nothing of its own denies it."
        allows = self.statements.allows(Layer.IDENTITY_POLICY)
        notes = self._one_statement()
        return Answer("cleared", " ".join((text, *notes)), allows)

    def _one_statement(self) -> list[str]:
        """Actions without a resource, in a statement that names one: they never match."""
        found: list[str] = []
        for policy in self.cell.sender.identity_policies:
            for statement in policy.document.statements:
                if statement.effect != "Allow" or "*" in (statement.resources or ("*",)):
                    continue
                lost = [
                    action
                    for action in checklist_data()["actions_without_resource"]
                    if not statement.actions_negated
                    and any(
                        action_matches(pattern, action) and "*" not in pattern
                        for pattern in statement.actions
                    )
                ]
                if lost:
                    sid = f" “{statement.sid}”" if statement.sid else ""
                    found.append(
                        f"Two statements are needed, though: in {policy.name}{sid} "
                        f"{', '.join(lost)} stand with a Resource, and never match there."
                    )
        return found

    def sending_authorization_policy(self) -> Answer:
        """Item `sending_authorization_policy`."""
        cell, check = self.cell, self.check
        denied = self.cell.denied.get("sending_authorization_policy", [])
        if denied:
            explicit = [d for d in denied if d.kind == "explicit"]
            if explicit:
                text = "A sending authorization policy of the identity denies the principal."
            else:
                text = f"No sending authorization policy of {cell.identity.name} lets it in."
            return Answer("cause", text, self.statements.denials(denied))
        if cell.identity.missing:
            return Answer(
                "cannot_tell",
                "The identity's sending policies were not read.",
                missing=cell.identity.missing,
            )
        partly = self.partly(ruled(check, check.resource))
        if partly is not None:
            return Answer("cannot_tell", f"It passes if {partly[0]}.", missing=partly[1])
        count = len(cell.identity.policies)
        if not count:
            return Answer("cleared", "The identity has none.")
        text = f"{count} attached; none of them denies the principal."
        return Answer("cleared", text, self.statements.allows(Layer.SENDING_AUTHORIZATION_POLICY))

    def address_identity(self) -> Answer:
        """Item `address_identity`."""
        text = f"{self.cell.identity.arn} is what is checked."
        return self.near_or("address_identity", text)

    def service_control_policy(self) -> Answer:
        """Item `service_control_policy`."""
        cell = self.cell
        denied = self.cell.denied.get("service_control_policy", [])
        chain = cell.decider.scp_chain(cell.sender)
        if denied:
            names = self._organization_names(denied)
            evidence = self.statements.denials(denied)
            text = f"Denied by {names}."
            if any("aws:requestedregion" in (e.statement or "").lower() for e in evidence):
                text += f" It turns on the region, {cell.identity.region}."
            return Answer("cause", text, evidence)
        if cell.missing.scp:
            return Answer("cannot_tell", "SCPs were not all read.", missing=cell.missing.scp)
        if not cell.sender.in_organization and self.unread is not None:
            return self.unread
        if chain.levels is None:
            return Answer("cleared", f"SCPs do not bind it: {self._unbound()}.")
        partly = [
            (level, found)
            for check in cell.checks
            for level in check.levels or ()
            if (found := self.partly(ruled(check, level))) is not None
        ]
        if partly:
            text = " and ".join(dict.fromkeys(found[0] for _, found in partly))
            keys = tuple(dict.fromkeys(key for _, found in partly for key in found[1]))
            evidence = self.statements.denials(
                d for level, _ in partly for d in (level.possible or (level.lack,))
            )
            return Answer("cannot_tell", f"It passes if {text}.", evidence, keys)
        names = ", ".join(cell.model.organization.target_name(t) for t in chain.targets)
        return Answer("cleared", f"Every level allows it, and none denies: {names}.")

    def _unbound(self) -> str:
        sender, organization = self.cell.sender, self.cell.model.organization
        if sender.service_linked:
            return "it is a service-linked role"
        if sender.account is None:
            return "it belongs to no account"
        if not sender.in_organization:
            return "its account is outside the organization"
        if organization.none:
            return "the snapshot states that no organization applies"
        known = organization.accounts.get(sender.account)
        if known is not None and known.is_management:
            return "it belongs to the management account"
        return "the organization has not enabled them"

    def _organization_names(self, denied: Iterable[Denial]) -> str:
        organization = self.cell.model.organization
        found: list[str] = []
        for denial in once(denied):
            target = organization.target_name(denial.target)
            if denial.kind == "explicit":
                found.append(f"{organization.policy_name(denial.policy)} on {target}")
            else:
                found.append(f"{target}, where no SCP allows it")
        return "; ".join(found)
