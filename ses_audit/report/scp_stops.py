"""What each SCP statement stops, counted: alone, with other SCPs, with other layers."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ses_audit.report.reasons import policy_label, statement_label

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.organization import Organization
    from ses_audit.audit.queries import Selection

__all__ = ["BLOCKERS", "DENIES", "StatementKey", "Stop", "blocked_cells", "stops"]

BLOCKERS: Mapping[str, str] = {
    "sole": "this SCP alone",
    "several": "several SCPs",
    "layers": "other layers too",
    "narrows": "in some contexts",
}
"""How a cell is stopped by an SCP statement: the word for each."""

# `verdict_without` is the verdict if this SCP were not attached to this target.
DENIES = """
denies AS (
  SELECT v.*, d.policy, d.sid, d.statement_index, d.kind AS denial_kind, d.target,
         d.verdict_without,
         CASE WHEN v.verdict <> 'DENIED' THEN 'narrows'
              WHEN d.verdict_without IN ('ALLOWED', 'CONDITIONAL') THEN 'sole'
              WHEN v.verdict_without_scp IN ('ALLOWED', 'CONDITIONAL') THEN 'several'
              ELSE 'layers' END AS blocker
  FROM (SELECT * FROM verdicts WHERE {where}) v
  JOIN denials d ON d.ruling = v.ruling AND d.layer = 'service_control_policy'
  WHERE CASE WHEN v.verdict = 'DENIED' THEN d.certain
             ELSE v.verdict <> v.verdict_without_scp END)
"""
"""A common table expression: one row a cell and denying SCP statement."""


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


def blocked_cells(audit: Audit, selection: Selection) -> dict[str, int]:
    """How many cells SCPs deny, each counted once, under the blocker that says most."""
    where, values = selection.where()
    return dict(
        audit.queries.rows(
            f"WITH {DENIES.format(where=where)} SELECT blocker, count(*) FROM ("
            "SELECT principal_arn, principal_type, identity_arn, action, "
            "min_by(blocker, CASE blocker WHEN 'sole' THEN 0 WHEN 'several' THEN 1 "
            "WHEN 'layers' THEN 2 ELSE 3 END) AS blocker FROM denies GROUP BY ALL) "
            "GROUP BY blocker",
            values,
        )
    )


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
    where, values = selection.where()
    found: dict[StatementKey, Stop] = {}
    prefix = f"WITH {DENIES.format(where=where)}"
    key = (
        "coalesce(policy, '') AS policy, coalesce(sid, '') AS sid, statement_index, denial_kind, "
        "coalesce(target, '') AS target"
    )
    only = " WHERE policy = ?" if scp else ""
    values = [*values, scp] if scp else values
    for *parts, principals, identities in audit.queries.rows(
        f"{prefix} SELECT {key}, count(DISTINCT principal_arn), count(DISTINCT identity_arn) "
        f"FROM denies{only} GROUP BY ALL",
        values,
    ):
        named = StatementKey(*parts)
        found[named] = Stop(named, {}, principals, identities)
    for *parts, blocker, count in audit.queries.rows(
        f"{prefix} SELECT {key}, blocker, count(*) FROM denies{only} GROUP BY ALL", values
    ):
        found[StatementKey(*parts)].cells[blocker] = count
    return sorted(
        found.values(),
        key=lambda stop: (
            -stop.cells.get("sole", 0),
            -stop.total,
            stop.key.policy,
            stop.key.index or 0,
            stop.key.target,
        ),
    )
