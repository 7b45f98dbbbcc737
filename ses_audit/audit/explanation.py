"""What `explain` answers: a checklist, the layers behind it, and what else a person should know."""

from __future__ import annotations

from dataclasses import dataclass

from ses_audit.audit.explanation_parts import (
    Candidate,
    ChecklistItem,
    Evidence,
    ExplainedCheck,
    LayerGate,
    Note,
    Repair,
    Status,
)
from ses_audit.policy.types import Verdict

__all__ = [
    "Candidate",
    "ChecklistItem",
    "Evidence",
    "ExplainedCheck",
    "Explanation",
    "LayerGate",
    "Note",
    "Repair",
    "Status",
]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one send is refused, or would be.

    Parameters
    ----------
    kind
        `access_denied` for a cell of the snapshot; for a message that is about something else the
        message's kind (`smtp_auth`, `not_verified`, ...); `candidates` where the text leaves open
        whom or what it means.
    principal, action, identity
        As they were asked for, in full where the snapshot knows them.
    principal_account, identity_account, region
        Twelve digits, twelve digits, a region; "" where not known.
    verdict, verdict_without_scp
        Of the cell; None where there is none to decide.
    conditions, missing
        As in the long table.
    checklist
        The questions in order, the article's four first; empty where permission is not the matter.
    checks
        The checks of the send, each with its layers.
    notes
        What else to know: the snapshot's age, sessions, another region or account, gates after IAM.
    candidates
        Whom or what a cut text may mean. Nothing is guessed.
    taken_at
        When the snapshot was taken, ISO 8601.
    message
        The message that was explained, where there was one.
    repairs, verdict_repaired
        What removes the causes of a denied cell, and the verdict decided again with all of it.
    """

    kind: str
    principal: str
    action: str
    identity: str
    verdict: Verdict | None = None
    verdict_without_scp: Verdict | None = None
    principal_account: str = ""
    identity_account: str = ""
    region: str = ""
    conditions: str = ""
    missing: tuple[str, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    checks: tuple[ExplainedCheck, ...] = ()
    notes: tuple[Note, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    taken_at: str = ""
    rule_confidence: str = "D"
    message: dict[str, object] | None = None
    repairs: tuple[Repair, ...] = ()
    verdict_repaired: Verdict | None = None

    @property
    def causes(self) -> tuple[ChecklistItem, ...]:
        """Every cause, not the first: each has to be removed."""
        return tuple(item for item in self.checklist if item.status == "cause")

    @property
    def open_questions(self) -> tuple[ChecklistItem, ...]:
        """The items of which the snapshot cannot tell."""
        return tuple(item for item in self.checklist if item.status == "cannot_tell")

    @property
    def headline(self) -> str:
        """The answer in a sentence."""
        who = f"{self.principal or 'the principal'} · {self.action or 'a send'} · {self.identity}"
        if self.kind == "candidates":
            return f"{who}: not told apart; {len(self.candidates)} candidates"
        if self.verdict is None:
            return self.notes[0].text if self.notes else who
        return f"{who}: {self._result()}"

    def _result(self) -> str:
        if self.verdict is Verdict.DENIED:
            count = len(self.causes)
            return f"DENIED, {count} cause{'' if count == 1 else 's'}"
        if self.verdict is Verdict.CONDITIONAL:
            return f"CONDITIONAL, allowed if {self.conditions}"
        if self.verdict is Verdict.UNKNOWN:
            return f"UNKNOWN, {len(self.missing)} cells of evidence are missing"
        return "ALLOWED by this snapshot"

    def to_json(self) -> dict[str, object]:
        """Everything, as plain JSON values; `version` counts up with any change of shape."""
        return {
            "version": 1,
            "kind": self.kind,
            "principal": self.principal,
            "principal_account": self.principal_account,
            "action": self.action,
            "identity": self.identity,
            "identity_account": self.identity_account,
            "region": self.region,
            "taken_at": self.taken_at,
            "verdict": None if self.verdict is None else str(self.verdict),
            "verdict_without_scp": (
                None if self.verdict_without_scp is None else str(self.verdict_without_scp)
            ),
            "rule_confidence": self.rule_confidence,
            "conditions": self.conditions,
            "missing_evidence": list(self.missing),
            "causes": [item.id for item in self.causes],
            "checklist": [item.to_json() for item in self.checklist],
            "checks": [check.to_json() for check in self.checks],
            "notes": [note.to_json() for note in self.notes],
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "message": self.message,
            "repairs": [repair.to_json() for repair in self.repairs],
            "verdict_repaired": (
                None if self.verdict_repaired is None else str(self.verdict_repaired)
            ),
        }

    def to_text(self) -> str:
        """The explanation for a terminal; text from AWS is shown without control characters."""
        from ses_audit.audit.explanation_views import text_lines
        from ses_audit.escape import terminal

        return "\n".join(map(terminal, text_lines(self)))

    def _repr_html_(self) -> str:
        from ses_audit.audit.explanation_views import markup

        return markup(self)
