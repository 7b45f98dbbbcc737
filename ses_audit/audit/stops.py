"""What each SCP statement stops, counted by classes: no cell is made."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from ses_audit.audit.queries import Queries, Selection

__all__ = ["BLOCKERS", "blocked", "denial_rows", "stops"]

BLOCKERS = ("sole", "several", "layers", "narrows")
"""How a cell is stopped by an SCP statement, what says most first.

`sole`: without this SCP on this target it would be allowed; `several`: without all SCPs; `layers`:
other layers deny it too; `narrows`: it is denied in some contexts only.
"""

# What a pattern has of each statement: how many of its actions, by blocker.
_STATED = """, stated AS (
  SELECT p.pattern, d.statement, d.blocker, count(*) AS actions
  FROM picked p JOIN scp_denials d USING (ruling) {only} GROUP BY ALL)
"""
_ONLY = "WHERE d.statement IN (SELECT statement FROM statements WHERE policy = $scp)"


def _stated(scp: str) -> str:
    return _STATED.format(only=_ONLY if scp else "")


def blocked(queries: Queries, selection: Selection, scp: str = "") -> dict[str, int]:
    """How many cells SCPs deny, each counted once, under the blocker that says most.

    Parameters
    ----------
    queries
        The verdict tables.
    selection
        Which verdicts.
    scp
        Only this SCP, by its ARN.
    """
    order = " ".join(f"WHEN '{name}' THEN {n}" for n, name in enumerate(BLOCKERS))
    found = queries.ask(
        selection,
        f""", told AS (
          SELECT ruling, min_by(blocker, CASE blocker {order} END) AS blocker
          FROM scp_denials d {_ONLY if scp else ""} GROUP BY ruling),
        sized AS (SELECT pattern, sum(senders * identities) AS cells FROM chosen GROUP BY pattern)
        SELECT blocker, sum(cells)::BIGINT
        FROM picked JOIN told USING (ruling) JOIN sized USING (pattern) GROUP BY blocker""",
        {"scp": scp},
    )
    return dict(found)


def stops(queries: Queries, selection: Selection, scp: str = "") -> pa.Table:
    """Each statement of an SCP that denies, with what it stops; that which stops most alone first.

    Parameters
    ----------
    queries
        The verdict tables.
    selection
        Which verdicts.
    scp
        Only this SCP, by its ARN.

    Returns
    -------
    Table
        `policy`, `sid`, `statement_index`, `kind`, `target`; cells by blocker; `principals` and
        `identities`: how many have such a cell.
    """
    sums = ", ".join(
        f"coalesce(sum(cells * actions) FILTER (blocker = '{name}'), 0)::BIGINT AS {name}"
        for name in BLOCKERS
    )
    return queries.arrow(
        selection,
        _stated(scp)
        + f""", sized AS (
          SELECT pattern, sum(senders * identities) AS cells FROM chosen GROUP BY pattern),
        touched AS (SELECT DISTINCT pattern, statement FROM stated),
        counted AS (
          SELECT statement, {sums} FROM stated JOIN sized USING (pattern) GROUP BY statement),
        people AS (
          SELECT statement, sum(senders)::BIGINT AS principals FROM (
            SELECT DISTINCT sender_group, senders, statement
            FROM (SELECT DISTINCT sender_group, senders, pattern FROM chosen)
            JOIN touched USING (pattern)) GROUP BY statement),
        things AS (
          SELECT statement, sum(identities)::BIGINT AS identities FROM (
            SELECT DISTINCT identity_group, identities, statement
            FROM (SELECT DISTINCT identity_group, identities, pattern FROM chosen)
            JOIN touched USING (pattern)) GROUP BY statement)
        SELECT coalesce(policy, '') AS policy, coalesce(sid, '') AS sid, statement_index, kind,
               coalesce(target, '') AS target, {", ".join(BLOCKERS)}, principals, identities
        FROM counted JOIN people USING (statement) JOIN things USING (statement)
        JOIN statements USING (statement)
        ORDER BY sole DESC, sole + several + layers DESC, policy,
                 coalesce(statement_index, 0), target, sid, kind""",
        {"scp": scp},
    )


def denial_rows(queries: Queries, selection: Selection, scp: str = "") -> int:
    """How many rows `scp_denies` has of a selection: a cell counts once a denying statement."""
    found = queries.ask(
        selection,
        _stated(scp)
        + """, sized AS (
          SELECT pattern, sum(senders * identities) AS cells FROM chosen GROUP BY pattern)
        SELECT coalesce(sum(cells * actions), 0)::BIGINT
        FROM stated JOIN sized USING (pattern)""",
        {"scp": scp},
    )
    return int(found[0][0])
