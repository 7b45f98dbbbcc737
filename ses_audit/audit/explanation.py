"""What `explain` answers: a checklist, the layers behind it, and what else a person should know."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from ses_audit.policy.types import Decision, Effect, Verdict

__all__ = [
    "Candidate",
    "ChecklistItem",
    "Evidence",
    "ExplainedCheck",
    "Explanation",
    "LayerGate",
    "Note",
    "Status",
]

Status = Literal["cleared", "cause", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement, or one lack, behind an item of the checklist.

    Parameters
    ----------
    layer
        `identity_policy`, `service_control_policy`, ...
    effect
        `allow`, `deny`, or `lack` where nothing allows.
    policy
        Its ARN, or its name where it has none; None for a lack that is no policy's.
    name
        The name by which a person finds it.
    sid, statement_index
        The statement; the index counts from 0.
    statement
        The statement as JSON text.
    attached_to
        The principal, group, OU (name and id), account or identity that it is attached to.
    note
        What about it matters here.
    """

    layer: str
    effect: Literal["allow", "deny", "lack"]
    policy: str | None = None
    name: str | None = None
    sid: str | None = None
    statement_index: int | None = None
    statement: str | None = None
    attached_to: str = ""
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields; the statement decoded."""
        return {
            "layer": self.layer,
            "effect": self.effect,
            "policy": self.policy,
            "name": self.name,
            "sid": self.sid,
            "statement_index": self.statement_index,
            "statement": None if self.statement is None else json.loads(self.statement),
            "attached_to": self.attached_to,
            "note": self.note,
        }

    @property
    def title(self) -> str:
        """One line: what it is and where it is attached."""
        place = f" · attached to {self.attached_to}" if self.attached_to else ""
        if self.effect == "lack" and self.name is None:
            return f"{self.layer}: no statement allows it{place}"
        which = "" if self.statement_index is None else f", statement {self.statement_index + 1}"
        sid = f" “{self.sid}”" if self.sid else ""
        word = {"allow": "allowed by", "deny": "denied by", "lack": "not allowed by"}[self.effect]
        return f"{self.layer}: {word} {self.name or self.policy}{which}{sid}{place}"


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One question of the checklist, answered.

    Parameters
    ----------
    id
        Stable: `identity_policy`, `service_control_policy`, ... (`data/checklist.json`).
    number
        Its place, from 1; the first four are the published article's.
    article
        Whether it is one of the article's four causes.
    question, answer
        A sentence each.
    status
        `cleared`, `cause` or `cannot_tell`.
    evidence
        The statements behind the answer.
    missing
        For `cannot_tell`: the cells of the snapshot, or the values of the request, that would tell.
    repair
        For a cause: what would remove it.
    confidence, source
        Of the rule: D, R, I or X, and the AWS page.
    """

    id: str
    number: int
    article: bool
    question: str
    answer: str
    status: Status
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    repair: str = ""
    confidence: str = "D"
    source: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "id": self.id,
            "number": self.number,
            "article": self.article,
            "question": self.question,
            "status": self.status,
            "answer": self.answer,
            "evidence": [each.to_json() for each in self.evidence],
            "missing": list(self.missing),
            "repair": self.repair,
            "confidence": self.confidence,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class LayerGate:
    """One layer of one check as a gate in a picture.

    `state`: `open`, `closed`, `partly` (open for some requests), `unknown` (evidence is missing) or
    `none` (it does not apply).
    """

    layer: str
    state: Literal["open", "closed", "partly", "unknown", "none"]
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"layer": self.layer, "state": self.state, "note": self.note}


@dataclass(frozen=True, slots=True)
class ExplainedCheck:
    """One check of the send, with its layers.

    Parameters
    ----------
    id
        `sender`, `configuration_set`, `template`, `recipients`, ...
    action, resource
        What IAM is asked.
    rule, confidence
        Why it is checked; D, R, I or X.
    verdict
        Of this check alone.
    gates
        Each layer: open, closed, unknown, or none.
    context
        The request that `decision` decides: what is known, and one example of what is open.
    decision
        The layers' tree: every policy and statement, and which element of it failed.
    """

    id: str
    action: str
    resource: str
    rule: str
    confidence: str
    verdict: Verdict
    gates: tuple[LayerGate, ...]
    context: dict[str, tuple[str, ...]]
    decision: Decision

    def to_json(self) -> dict[str, object]:
        """All fields; of the tree the statements that matched."""
        return {
            "id": self.id,
            "action": self.action,
            "resource": self.resource,
            "rule": self.rule,
            "confidence": self.confidence,
            "verdict": str(self.verdict),
            "gates": [gate.to_json() for gate in self.gates],
            "context": {key: list(values) for key, values in sorted(self.context.items())},
            "layers": [
                {
                    "layer": str(layer.layer),
                    "applies": layer.applies,
                    "effect": str(layer.effect),
                    "note": layer.note,
                    "levels": [
                        {
                            "target": level.target,
                            "effect": str(level.effect),
                            "matched": [
                                {
                                    "policy": result.policy.arn or result.policy.name,
                                    "sid": found.statement.sid,
                                    "statement_index": found.statement.index,
                                    "effect": found.statement.effect,
                                }
                                for result in level.policies
                                for found in result.statements
                                if found.matched
                            ],
                        }
                        for level in layer.levels
                    ],
                }
                for layer in self.decision.layers
            ],
        }

    @property
    def allowed(self) -> bool:
        """Whether the example request passes."""
        return self.decision.effect is Effect.ALLOWED


@dataclass(frozen=True, slots=True)
class Candidate:
    """A principal or identity that a cut or ambiguous text may mean."""

    kind: Literal["principal", "identity"]
    arn: str
    account_name: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"kind": self.kind, "arn": self.arn, "account_name": self.account_name}


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know beside the checklist.

    `id` is stable: `would_allow`, `other_region`, `other_account`, `session`, `principal_unknown`,
    `not_permission`, ...
    """

    id: str
    text: str

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"id": self.id, "text": self.text}


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
        }

    def to_text(self) -> str:
        """The explanation for a terminal; text from AWS is shown without control characters."""
        from ses_audit.audit.explanation_views import text_lines
        from ses_audit.escape import terminal

        return "\n".join(map(terminal, text_lines(self)))

    def _repr_html_(self) -> str:
        from ses_audit.audit.explanation_views import markup

        return markup(self)
