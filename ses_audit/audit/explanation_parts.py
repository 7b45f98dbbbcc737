"""What an explanation is made of: answers with their evidence, layers as gates, repairs, notes."""

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
    "LayerGate",
    "Note",
    "Repair",
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
    def where(self) -> str:
        """The policy and its statement, and where it is attached."""
        which = "" if self.statement_index is None else f", statement {self.statement_index + 1}"
        sid = f" “{self.sid}”" if self.sid else ""
        return f"{self.name or self.policy}{which}{sid} on {self.attached_to}"

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
class Repair:
    """One change that removes causes.

    Parameters
    ----------
    items
        The items of the checklist that it removes.
    layer
        Whose policy it changes.
    how
        `add` a statement, or `narrow` one that denies, so that it leaves this send out.
    where
        The principal, boundary, SCP target or identity; for `narrow` the policy and statement.
    statement
        The statement to add, as JSON text.
    """

    items: tuple[str, ...]
    layer: str
    how: Literal["add", "narrow"]
    where: str
    statement: str | None = None

    def to_json(self) -> dict[str, object]:
        """All fields; the statement decoded."""
        return {
            "items": list(self.items),
            "layer": str(self.layer),
            "how": self.how,
            "where": self.where,
            "statement": None if self.statement is None else json.loads(self.statement),
        }

    @property
    def title(self) -> str:
        """One line: what to change, and where."""
        if self.how == "add":
            return f"{self.layer}: add a statement for {self.where}"
        return f"{self.layer}: let {self.where} leave this send out"
