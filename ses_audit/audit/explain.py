"""Why one send is refused, or would be: a cell or a message, explained against a snapshot."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from ses_audit.audit.cell import Cell, checklist_data
from ses_audit.audit.checklist import checklist
from ses_audit.audit.decide import Decider
from ses_audit.audit.explanation import Candidate, Explanation, Note
from ses_audit.audit.identities import Identity
from ses_audit.audit.model import Model
from ses_audit.audit.repairs import proved, repairs
from ses_audit.audit.resolve import FoundIdentity, FoundPrincipal, find_identity, find_principal
from ses_audit.audit.senders import Sender
from ses_audit.audit.tree import explained_check
from ses_audit.policy.types import Verdict
from ses_audit.ses.actions import SEND_ACTIONS, send_action
from ses_audit.ses.gates import GateFacts, gates
from ses_audit.ses.messages import Message
from ses_audit.ses.messages.advice import advise

__all__ = ["Explainer"]

_SMTP_ACTION = "ses:SendRawEmail"

_MESSAGE_LAYERS = {
    "identity_policy": "identity_policy",
    "permissions_boundary": "permissions_boundary",
    "scp": "service_control_policy",
    "resource_policy": "sending_authorization_policy",
}
"""The layer that a message names → the checklist's item."""

_SHOWN_RECIPIENTS = 20


class Explainer:
    """Explains cells and messages of one snapshot.

    Parameters
    ----------
    model, decider
        The snapshot, and what decides its cells.
    taken_at
        When it was taken, ISO 8601.
    configuration_sets
        (account, region, name) → whether sending is enabled for it; None where not read.
    """

    def __init__(
        self,
        model: Model,
        decider: Decider,
        taken_at: str,
        configuration_sets: dict[tuple[str, str, str], bool | None] | None = None,
    ) -> None:
        self._model = model
        self._decider = decider
        self._taken_at = taken_at
        self._sets = configuration_sets or {}

    @cached_property
    def _texts(self) -> dict[str, object]:
        return checklist_data()

    def explain(self, principal: str, action: str, identity: str) -> Explanation:
        """One cell; see `Audit.explain`."""
        return self._explain(principal, action, identity, None)

    def explain_message(self, message: Message) -> Explanation:
        """One message; see `Audit.explain_message`."""
        if message.kind != "access_denied":
            return self._not_permission(message)
        action = message.action
        notes: list[Note] = []
        if action is None and message.smtp_code is not None:
            action = _SMTP_ACTION
            said = f"The text names no action; by SMTP every message is checked as {action}."
            notes.append(Note("action_of_smtp", said))
        found = self._explain(
            message.principal or "", action or "", message.resource or "", message
        )
        return replace(found, notes=(*notes, *found.notes), message=message.to_json())

    def _not_permission(self, message: Message) -> Explanation:
        advice = advise(message)
        notes = [Note("not_permission", advice.means)]
        notes += [Note("step", step) for step in advice.steps]
        for name in message.identities:
            places = [i for i in self._model.identities.values() if i.known and i.name == name]
            if message.kind == "not_verified" and places:
                where = ", ".join(
                    f"{i.region} of account {i.account} ({_verified(i)})" for i in places
                )
                notes.append(Note("identity_places", f"{name} is an identity in {where}."))
        return Explanation(
            kind=message.kind,
            principal=message.principal or "",
            action=message.action or "",
            identity=message.resource or "",
            region=message.region or "",
            notes=tuple(notes),
            taken_at=self._taken_at,
            message=message.to_json(),
        )

    def _explain(
        self, principal: str, action: str, identity: str, message: Message | None
    ) -> Explanation:
        wanted = action if ":" in action or not action else f"ses:{action}"
        by_principal = find_principal(self._model, principal, None)
        account = by_principal.sender.account if by_principal.sender else None
        by_identity = find_identity(self._model, identity, account)
        if by_identity.identity is not None:
            by_principal = find_principal(self._model, principal, by_identity.identity)
        if by_principal.sender is None or by_identity.identity is None:
            return self._undecided(principal, wanted, identity, by_principal, by_identity)
        try:
            known = send_action(wanted)
        except KeyError:
            return self._no_send_action(by_principal.sender, wanted, by_identity.identity)
        return self._cell(
            by_principal.sender,
            by_identity.identity,
            known.name,
            by_principal,
            by_identity,
            message,
        )

    def _undecided(
        self,
        principal: str,
        action: str,
        identity: str,
        by_principal: FoundPrincipal,
        by_identity: FoundIdentity,
    ) -> Explanation:
        sender, found = by_principal.sender, by_identity.identity
        candidates: tuple[Candidate, ...] = ()
        if sender is None:
            candidates += by_principal.candidates
        if found is None:
            candidates += by_identity.candidates
        return Explanation(
            kind="candidates" if candidates else "unknown_to_snapshot",
            principal=sender.arn if sender else principal,
            action=action,
            identity=found.arn if found else identity,
            principal_account=(sender.account or "") if sender else "",
            identity_account=found.account if found else "",
            region=found.region if found else "",
            notes=(*by_principal.notes, *by_identity.notes),
            candidates=candidates,
            taken_at=self._taken_at,
        )

    def _no_send_action(self, sender: Sender, action: str, identity: Identity) -> Explanation:
        names = ", ".join(each.name for each in SEND_ACTIONS)
        said = (
            f"{action or 'No action'} is not one of the send actions, which alone are decided "
            f"here: {names}."
        )
        return Explanation(
            kind="no_send_action",
            principal=sender.arn,
            action=action,
            identity=identity.arn,
            principal_account=sender.account or "",
            identity_account=identity.account,
            region=identity.region,
            notes=(Note("no_send_action", said),),
            taken_at=self._taken_at,
        )

    def _cell(
        self,
        sender: Sender,
        identity: Identity,
        action: str,
        by_principal: FoundPrincipal,
        by_identity: FoundIdentity,
        message: Message | None,
    ) -> Explanation:
        decider = self._decider
        checks = decider.checks(sender, identity, action)
        ruling = decider.decide(sender, identity, action)
        # An example request: of a denied send the one that would pass if the denials were lifted.
        example = decider.solve(checks, without=frozenset(ruling.denials))[0].witness or {}
        shown = [c for c in checks if c.request.check.id != "recipients"]
        shown += [c for c in checks if c.request.check.id == "recipients"][:_SHOWN_RECIPIENTS]
        explained = tuple(
            explained_check(self._model, decider, sender, identity, check, example)
            for check in shown
        )
        cell = Cell(
            self._model,
            decider,
            sender,
            identity,
            action,
            checks,
            ruling,
            decider.missing(sender, identity),
            explained,
            by_identity.exists,
        )
        items = checklist(cell)
        notes = [*by_principal.notes, *by_identity.notes]
        if ruling.verdict in (Verdict.ALLOWED, Verdict.CONDITIONAL):
            text = str(self._texts["would_allow"]).format(taken_at=self._taken_at)
            notes.append(Note("would_allow", text))
        notes += self._gates(identity, action)
        causes = {item.id for item in items if item.status == "cause"}
        mended = repairs(cell, *by_identity.asked) if ruling.verdict is Verdict.DENIED else ()
        if message is not None:
            notes += self._against(message, sender, causes)
        return Explanation(
            kind="access_denied",
            principal=sender.arn,
            action=action,
            identity=identity.arn,
            verdict=ruling.verdict,
            verdict_without_scp=ruling.verdict_without_scp,
            principal_account=sender.account or "",
            identity_account=identity.account,
            region=identity.region,
            conditions=ruling.conditions,
            missing=ruling.missing,
            checklist=items,
            checks=explained,
            notes=tuple(notes),
            candidates=by_identity.candidates,
            taken_at=self._taken_at,
            rule_confidence=ruling.confidence,
            repairs=mended,
            verdict_repaired=proved(cell, mended) if mended else None,
        )

    def _gates(self, identity: Identity, action: str) -> list[Note]:
        """What stands behind IAM and is closed, or open for some sends only."""
        if not identity.known:
            return []
        state = self._model.account_regions.get((identity.account, identity.region))
        chosen = identity.configuration_set
        facts = GateFacts(
            verified=identity.verified,
            production_access=state.production_access if state else None,
            sending_enabled=state.sending_enabled if state else None,
            enforcement_status=state.enforcement_status if state else None,
            configuration_set=chosen,
            configuration_set_sending=self._sets.get(
                (identity.account, identity.region, chosen or "")
            ),
        )
        return [
            Note("gate", f"IAM is not the last gate: {gate.rule}. {gate.note}".strip())
            for gate in gates(facts, action)
            if gate.state in ("closed", "partly")
        ]

    def _against(self, message: Message, sender: Sender, causes: set[str]) -> list[Note]:
        """What the message says that the snapshot does not."""
        notes: list[Note] = []
        item = _MESSAGE_LAYERS.get(message.layer or "")
        if item is not None and item not in causes:
            said = (
                f"The message blames a layer ({message.layer}) that denies nothing in this "
                "snapshot: it changed since, or the request differed."
            )
            notes.append(Note("message_layer", said))
        if message.layer in ("session_policy", "vpc_endpoint_policy"):
            said = (
                f"The message names a {message.layer.replace('_', ' ')}: no snapshot holds those. "
                "Look at the call that made the session, or at the endpoint."
            )
            notes.append(Note(message.layer, said))
        if message.policy_arn is not None:
            name = self._model.organization.policy_name(message.policy_arn)
            said = f"The message names the policy {message.policy_arn}"
            said += f" ({name})." if name != message.policy_arn else "."
            notes.append(Note("message_policy", said))
        if message.smtp_code is not None and sender.type != "user":
            said = (
                "The text comes from SMTP, where only IAM users log in, with an active access key; "
                f"{sender.arn} is none. The text is about another principal, or of a relay that "
                "sends by the API."
            )
            notes.append(Note("smtp", said))
        elif message.smtp_code is not None and sender.smtp is False:
            said = (
                "The text comes from SMTP, but this principal has no active access key and so no "
                "SMTP credential: the message is older, or it is about another principal."
            )
            notes.append(Note("smtp", said))
        if message.authorization_id is not None:
            said = (
                f"Authorization id {message.authorization_id}: the account's administrators can "
                "look it up in AWS's access troubleshooter."
            )
            notes.append(Note("authorization_id", said))
        return notes


def _verified(identity: Identity) -> str:
    if identity.verified is None:
        return "verified or not: not read"
    return "verified" if identity.verified else "not verified"
