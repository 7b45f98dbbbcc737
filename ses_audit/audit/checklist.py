"""The checklist of one cell: the published article's four causes first, then those it leaves out.

A lack is told once, by the item that says best how it comes about; so each cause is a defect of
its own, and removing all of them lets the send pass. The questions: `data/checklist.json`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ses_audit.audit.answers import Answer, numbers
from ses_audit.audit.article_answers import ArticleAnswers
from ses_audit.audit.cell import SECONDARY, Cell, checklist_data
from ses_audit.audit.explanation import ChecklistItem
from ses_audit.audit.other_answers import OtherAnswers

__all__ = ["checklist"]

_SHOWN = 3
"""How many statements that deny a repair names."""


def checklist(cell: Cell) -> tuple[ChecklistItem, ...]:
    """Every question, answered, in order."""
    return _Checklist(cell).items()


class _Checklist(ArticleAnswers, OtherAnswers):
    def items(self) -> tuple[ChecklistItem, ...]:
        """Every question, answered."""
        found: list[ChecklistItem] = []
        for entry in checklist_data()["items"]:
            answer: Answer = getattr(self, entry["id"])()
            names = self._names(entry["id"])
            found.append(
                ChecklistItem(
                    id=entry["id"],
                    number=numbers()[entry["id"]],
                    article=entry["article"],
                    question=entry["question"].format(**names),
                    answer=answer.text,
                    status=answer.status,
                    evidence=answer.evidence,
                    missing=answer.missing,
                    repair=self._repair(entry, names) if answer.status == "cause" else "",
                    confidence=entry["confidence"],
                    source=entry["source"],
                )
            )
        return tuple(found)

    def _repair(self, entry: Mapping[str, str], names: Mapping[str, str]) -> str:
        """What to do: of statements that deny another thing than of an allow that lacks."""
        denied = self.cell.denied.get(entry["id"], [])
        explicit = [denial for denial in denied if denial.kind == "explicit"]
        found: list[str] = []
        if not explicit or len(explicit) < len(denied) or "repair_deny" not in entry:
            found.append(entry["repair"].format(**names))
        if explicit and "repair_deny" in entry:
            evidence = self.statements.denials(explicit)
            denies = [f"the Deny of {each.where}" for each in evidence[:_SHOWN]]
            if len(evidence) > _SHOWN:
                denies.append(f"{len(evidence) - _SHOWN:,} more")
            found.append(entry["repair_deny"].format(denies=" and ".join(denies), **names))
        return " ".join(found)

    def _names(self, item: str) -> Mapping[str, str]:
        cell = self.cell
        resource = cell.identity.arn
        for check in cell.checks:
            if SECONDARY.get(check.request.check.id) == item:
                resource = check.request.check.resource
        return {
            "action": cell.action,
            "resource": resource,
            "name": cell.identity.name,
            "region": cell.identity.region,
            "account": cell.identity.account,
        }
