"""Verdicts counted by OU, account, region, action or policy: from classes, no cell is made."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ses_audit.audit.queries import RANKS, Selection
from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import pyarrow as pa

    from ses_audit.audit.queries import Queries

__all__ = ["COLUMNS", "MOST_GROUPS", "ROWS", "counts"]

MOST_GROUPS = 200_000
"""The most groups that one answer may have."""

ROWS = ("ou", "account", "region", "policy", "action")
COLUMNS = ("", "region", "account", "action")

_OF_PAIRS = {"ou": "principal_ou", "account": "principal_account", "region": "region"}
_OF_PATTERNS = {
    "action": "action",
    "policy": "unnest(string_split(nullif(r.denied_policies, ''), ';'))",
}


def counts(
    queries: Queries,
    rows: str = "ou",
    columns: str = "region",
    *,
    action: str = "",
    accounts: Sequence[str] = (),
    most: int = MOST_GROUPS,
) -> pa.Table:
    """Count verdicts.

    Parameters
    ----------
    queries
        The verdict tables.
    rows
        `ou` or `account` (of the principal), `region`, `action`, or `policy` (each policy that
        denies; a cell that several deny is counted under each).
    columns
        `region`, `account` (of the principal), `action`, or "" for one column.
    action
        Only this.
    accounts
        Only principals of these.
    most
        The most groups that are given.

    Returns
    -------
    Table
        `row`, `column` and how many cells are `allowed`, `conditional`, `unknown`, `scp_alone`
        and `denied`; cross-account cells without a grant are left out.

    Raises
    ------
    UserError
        For other rows or columns, and where there are more groups than `most`.
    """
    for chosen, allowed in ((rows, ROWS), (columns, COLUMNS)):
        if chosen not in allowed:
            raise UserError(f"no roll-up by {chosen!r}; one of {', '.join(allowed)}", USAGE)
    asked = {"row": rows, "column": columns}
    of_pairs = [f'{_OF_PAIRS[v]} AS "{k}"' for k, v in asked.items() if v in _OF_PAIRS]
    of_patterns = [f'{_OF_PATTERNS[v]} AS "{k}"' for k, v in asked.items() if v in _OF_PATTERNS]
    sums = ", ".join(
        f"coalesce(sum(n * actions) FILTER (rank = {rank}), 0)::BIGINT AS {name}"
        for rank, name in enumerate(RANKS)
    )
    of = "WHERE list_contains($accounts, principal_account)" if accounts else ""
    empty = "" if columns else ", '' AS \"column\""
    found = queries.arrow(
        Selection(action=action),
        f""", sized AS (
          SELECT {", ".join(["pattern", *of_pairs])}, sum(senders * identities) AS n
          FROM chosen {of} GROUP BY ALL),
        told AS (
          SELECT {", ".join(["pattern", "p.rank", *of_patterns])}
          FROM picked p JOIN rulings r ON r.n = p.ruling),
        kinds AS (SELECT *, count(*) AS actions FROM told GROUP BY ALL)
        SELECT "row", "column", {sums}
        FROM (SELECT *{empty} FROM sized JOIN kinds USING (pattern))
        GROUP BY ALL ORDER BY ALL LIMIT {int(most) + 1}""",
        {"accounts": list(accounts)},
    )
    if len(found) > most:
        raise UserError(
            f"more than {most:,} groups: narrow them by account= or action=, or count by ou", USAGE
        )
    return found
