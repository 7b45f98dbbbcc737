"""The statements behind an answer: which, in what policy, attached where, with their text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ses_audit.audit.cell import Cell
from ses_audit.audit.explanation import Evidence
from ses_audit.audit.model import Model
from ses_audit.audit.near_miss import NearMiss
from ses_audit.audit.rulings import CheckRuling
from ses_audit.policy.types import AttachedPolicy, Denial, Layer

__all__ = ["Statements", "once"]

_SHOWN = 5
"""Statements that are shown of a level or boundary that allows something else."""


@dataclass(frozen=True)
class Statements:
    """Finds the statements of one cell."""

    cell: Cell

    def miss(self, miss: NearMiss) -> Evidence:
        """An Allow that came near."""
        return self._evidence(
            Layer.IDENTITY_POLICY, "lack", miss.policy, miss.statement.index, miss.note
        )

    def lack(self, layer: Layer, check: CheckRuling | None = None) -> list[Evidence]:
        """That nothing allows, and the statements that allow something near."""
        near = self.cell.near
        misses = near[1] if near is not None and check is None else ()
        return [self.miss(miss) for miss in misses] or [
            Evidence(str(layer), "lack", attached_to=self.cell.holder)
        ]

    def _policies(self) -> Iterable[tuple[Layer, AttachedPolicy]]:
        cell = self.cell
        for policy in cell.sender.identity_policies:
            yield Layer.IDENTITY_POLICY, policy
        if cell.sender.boundary is not None:
            yield Layer.PERMISSIONS_BOUNDARY, cell.sender.boundary
        for level in cell.decider.scp_chain(cell.sender).levels or ():
            for policy in level:
                yield Layer.SERVICE_CONTROL_POLICY, policy
        asked = [cell.identity]
        for check in cell.of("recipients"):
            found = cell.model.identities.get(check.request.check.resource)
            asked += [] if found is None or found in asked else [found]
        for identity in asked:
            for policy in identity.policies:
                yield Layer.SENDING_AUTHORIZATION_POLICY, policy

    def denials(self, denials: Iterable[Denial]) -> tuple[Evidence, ...]:
        """What denies, each once."""
        return tuple(each for denial in once(denials) for each in self._denial(denial))

    def _denial(self, denial: Denial) -> list[Evidence]:
        """The statement that denies; of a lack the statements that allow something else."""
        if denial.kind == "explicit":
            return [
                self._evidence(layer, "deny", policy, denial.statement_index)
                for layer, policy in self._policies()
                if layer is denial.layer
                and denial.policy == (policy.arn or policy.name)
                and (layer is Layer.IDENTITY_POLICY or denial.target == policy.target)
                and any(
                    s.index == denial.statement_index and s.effect == "Deny"
                    for s in policy.document.statements
                )
            ]
        fence = denial.layer in (Layer.SERVICE_CONTROL_POLICY, Layer.PERMISSIONS_BOUNDARY)
        others = [
            self._evidence(layer, "lack", policy, index)
            for layer, policy in (self._policies() if fence else ())
            if layer is denial.layer and policy.target == denial.target
            for index in _allows_of(self.cell.model, policy)
        ]
        if others:
            return others[:_SHOWN]
        attached = self.cell.holder
        if denial.layer is Layer.SERVICE_CONTROL_POLICY:
            attached = self.target(denial.target)
        elif denial.layer is Layer.SENDING_AUTHORIZATION_POLICY:
            attached = self.cell.identity.arn
        name = None if denial.policy is None else denial.policy.rsplit("/", 1)[-1]
        return [Evidence(str(denial.layer), "lack", denial.policy, name, attached_to=attached)]

    def target(self, target: str | None) -> str:
        """A root, OU or account by name and id."""
        name = self.cell.model.organization.target_name(target)
        return f"{name} ({target})" if target and name != target else name

    def _evidence(
        self,
        layer: Layer,
        effect: Any,
        policy: AttachedPolicy,
        index: int | None,
        note: str = "",
    ) -> Evidence:
        attached = self.cell.holder
        if layer is Layer.IDENTITY_POLICY and policy.target:
            attached = f"group {policy.target}"
        elif layer is Layer.SERVICE_CONTROL_POLICY:
            attached = self.target(policy.target)
        elif layer is Layer.SENDING_AUTHORIZATION_POLICY:
            attached = policy.target or self.cell.identity.arn
        statements = _statements(self.cell.model, policy)
        sid = next((s.sid for s in policy.document.statements if s.index == index), None)
        if sid is None and index is not None and index < len(statements):
            # A statement that no send can meet is left out of the parsed document.
            sid = statements[index].get("Sid")
        return Evidence(
            str(layer),
            effect,
            policy.arn or policy.name,
            policy.name,
            sid,
            index,
            statement_text(statements, index),
            attached,
            note,
        )

    def allows(self, layer: Layer) -> tuple[Evidence, ...]:
        """The statements that allow the sender check, in the example request."""
        tree = next(check for check in self.cell.explained if check.id == "sender").decision
        found = next(result for result in tree.layers if result.layer is layer)
        return tuple(
            self._evidence(layer, "allow", result.policy, each.statement.index)
            for level in found.levels
            for result in level.policies
            for each in result.statements
            if each.matched and each.statement.effect == "Allow"
        )

    def conditional_allows(self) -> list[Evidence]:
        """The principal's Allow statements that have a condition."""
        return [
            self._evidence(Layer.IDENTITY_POLICY, "allow", policy, statement.index)
            for policy in self.cell.sender.identity_policies
            for statement in policy.document.statements
            if statement.effect == "Allow" and statement.conditions
        ]


def once(denials: Iterable[Denial]) -> list[Denial]:
    """Each denial once, in order."""
    return list(dict.fromkeys(denials))


def _statements(model: Model, policy: AttachedPolicy) -> list[Any]:
    """The statements as the document holds them; none where its text was not kept."""
    text = model.documents.text(policy.document.digest)
    if text is None:
        return []
    found = json.loads(text)["Statement"]
    return found if isinstance(found, list) else [found]


def _allows_of(model: Model, policy: AttachedPolicy) -> list[int]:
    return [
        index
        for index, statement in enumerate(_statements(model, policy))
        if statement["Effect"] == "Allow"
    ]


def statement_text(statements: list[Any], index: int | None) -> str | None:
    """One statement as JSON text; None where it was not kept."""
    if index is None or index >= len(statements):
        return None
    return json.dumps(statements[index], indent=1, ensure_ascii=False)
