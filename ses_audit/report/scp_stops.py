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

__all__ = ["BLOCKERS", "StatementKey", "Stop", "blocked_cells", "denies", "stops"]

BLOCKERS: Mapping[str, str] = {
    "sole": "this SCP alone",
    "several": "several SCPs",
    "layers": "other layers too",
    "narrows": "in some contexts",
}
"""How a cell is stopped by an SCP statement: the word for each."""

_KEY = (
    "coalesce(policy, '') AS policy, coalesce(sid, '') AS sid, statement_index, denial_kind, "
    "coalesce(target, '') AS target"
)


def denies(columns: str, where: str, *, each: bool = False) -> str:
    """A common table expression `denies`: verdicts joined with the SCP statements that deny them.

    `verdict_without` is the verdict if this SCP were not attached to this target.

    Parameters
    ----------
    columns
        Of the view `verdicts`, or counts of it; `ruling` and the two verdicts come by themselves.
    where
        Which verdicts.
    each
        Whether each cell is a row; else what is alike is taken once, so that few columns make few.
    """
    grouped = "" if each else "GROUP BY ALL"
    return f"""denies AS (
      SELECT v.*, d.n AS denial, d.statement,
             d.policy, d.sid, d.statement_index, d.kind AS denial_kind, d.target,
             d.verdict_without,
             CASE WHEN v.verdict <> 'DENIED' THEN 'narrows'
                  WHEN d.verdict_without IN ('ALLOWED', 'CONDITIONAL') THEN 'sole'
                  WHEN v.verdict_without_scp IN ('ALLOWED', 'CONDITIONAL') THEN 'several'
                  ELSE 'layers' END AS blocker
      FROM (SELECT ruling, verdict, verdict_without_scp, {columns} FROM verdicts WHERE {where}
            {grouped}) v
      JOIN denials d ON d.ruling = v.ruling AND d.layer = 'service_control_policy'
      WHERE CASE WHEN v.verdict = 'DENIED' THEN d.certain
                 ELSE v.verdict <> v.verdict_without_scp END)
    """


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


def blocked_cells(audit: Audit, selection: Selection, scp: str = "") -> dict[str, int]:
    """How many cells SCPs deny, each counted once, under the blocker that says most.

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
    only, chosen = _only(scp)
    found = audit.queries.rows(
        f"WITH {denies('count(*) AS cells', where)} SELECT blocker, sum(cells) FROM ("
        "SELECT ruling, any_value(cells) AS cells, "
        "min_by(blocker, CASE blocker WHEN 'sole' THEN 0 WHEN 'several' THEN 1 "
        f"WHEN 'layers' THEN 2 ELSE 3 END) AS blocker FROM denies {only} GROUP BY ruling) "
        "GROUP BY blocker",
        [*values, *chosen],
    )
    return {blocker: int(cells) for blocker, cells in found}


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
    only, chosen = _only(scp)
    values = [*values, *chosen]
    found: dict[StatementKey, Stop] = {}
    for *parts, blocker, cells in audit.queries.rows(
        f"WITH {denies('count(*) AS cells', where)} SELECT {_KEY}, blocker, sum(cells) "
        f"FROM denies {only} GROUP BY ALL",
        values,
    ):
        named = StatementKey(*parts)
        found.setdefault(named, Stop(named)).cells[blocker] = int(cells)
    for column, field_name in (("principal_arn", "principals"), ("identity_arn", "identities")):
        for *parts, count in audit.queries.rows(
            f"WITH {denies(column, where)} SELECT {_KEY}, count(DISTINCT {column}) "
            f"FROM denies {only} GROUP BY ALL",
            values,
        ):
            setattr(found[StatementKey(*parts)], field_name, count)
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


def _only(scp: str) -> tuple[str, list[str]]:
    return ("WHERE policy = ?", [scp]) if scp else ("", [])
