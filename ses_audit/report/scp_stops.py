"""What each SCP statement stops, counted: alone, with other SCPs, with other layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ses_audit.audit.stops import stops as counted
from ses_audit.report.reasons import policy_label, statement_label

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.organization import Organization
    from ses_audit.audit.queries import Selection

__all__ = ["BLOCKERS", "StatementKey", "Stop", "stops"]

BLOCKERS: Mapping[str, str] = {
    "sole": "this SCP alone",
    "several": "several SCPs",
    "layers": "other layers too",
    "narrows": "in some contexts",
}
"""How a cell is stopped by an SCP statement: the word for each."""


@dataclass(frozen=True, slots=True)
class StatementKey:
    """A statement of an SCP on one target, or a level on which no SCP allows."""

    policy: str
    sid: str
    index: int | None
    kind: str
    target: str

    def name(self, organization: Organization) -> str:
        """The SCP, or the level; plain text."""
        if self.policy:
            return policy_label(organization, self.policy)
        if not self.target:
            return "the SCPs together with other policies"
        on = [name for name, _ in organization.policies_on(self.target)]
        return ", ".join(on) if on else "no SCP"

    def statement(self, organization: Organization) -> str:
        """Which statement; plain text."""
        if self.kind == "explicit":
            return statement_label(self.sid, self.index)
        if not self.target:
            return "no context is left"
        if organization.may_allow(self.target):
            return "allows in other contexts only"
        return "no statement allows a send"


@dataclass(slots=True)
class Stop:
    """What one statement stops."""

    key: StatementKey
    cells: dict[str, int] = field(default_factory=dict)
    """By blocker."""
    principals: int = 0
    identities: int = 0

    @property
    def total(self) -> int:
        """Cells it denies, whatever else does."""
        return sum(n for name, n in self.cells.items() if name != "narrows")


def stops(audit: Audit, selection: Selection, scp: str = "") -> list[Stop]:
    """Each denying statement with its counts, the one that stops most alone first.

    Parameters
    ----------
    audit
        The snapshot.
    selection
        Which verdicts.
    scp
        Only this SCP, by its ARN.
    """
    found = []
    for row in counted(audit.queries, selection, scp).to_pylist():
        names = ("policy", "sid", "statement_index", "kind", "target")
        key = StatementKey(*(row[name] for name in names))
        cells = {name: row[name] for name in BLOCKERS if row[name]}
        found.append(Stop(key, cells, row["principals"], row["identities"]))
    return found
