"""The send matrix: verdicts counted by rows and columns."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ses_audit.audit.queries import RANKS, Selection
from ses_audit.audit.rollups import MOST_GROUPS
from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import pandas as pd

    from ses_audit.audit.queries import Queries

__all__ = ["KINDS", "Matrix", "count"]

KINDS = ("allowed", "conditional", "scp_alone", "denied", "unknown")
"""The five kinds of a cell, in the order in which they are shown."""

OUTSIDE = "(outside)"
"""A service and `*` belong to no account; they stay in view."""

ROWS = ("principal", "account", "ou")
COLUMNS = ("identity", "region", "account")

_ROW = {"principal": "principal_arn", "account": "principal_account", "ou": "principal_ou"}
_COLUMN = {"identity": "identity_arn", "region": "region", "account": "identity_account"}

_SIZE = {"sender": "senders", "identity": "identities"}

# The reason in a few words: what denies, what remains, what is missing.
_DETAIL = """CASE verdict WHEN 'CONDITIONAL' THEN conditions WHEN 'UNKNOWN' THEN missing_evidence
WHEN 'DENIED' THEN concat_ws(' · ', denied_by, nullif(denied_policies, '')) ELSE '' END"""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts of verdicts by row and column.

    Parameters
    ----------
    row_kind, column_kind
        What rows and columns are.
    rows, columns
        Their keys, sorted.
    frame
        One row a cell that is not empty: `row`, `column`, the five kinds, `detail` (of a cell of
        one verdict: its reason).
    cells
        How many verdicts are counted.
    total
        How many verdicts there are.
    """

    row_kind: str
    column_kind: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    frame: pd.DataFrame
    cells: int
    total: int

    def _repr_html_(self) -> str:
        table = self.frame.to_html(index=False, escape=True, border=0)
        return f"<p>{self.cells:,} of {self.total:,} cells</p>{table}"


def count(
    queries: Queries,
    rows: str,
    columns: str,
    *,
    action: str = "",
    accounts: Sequence[str] = (),
    total: int,
    most: int = MOST_GROUPS,
) -> Matrix:
    """Count verdicts by classes; by members where a row is one principal or a column one identity.

    Parameters
    ----------
    queries
        The verdict tables.
    rows
        One of `ROWS`.
    columns
        One of `COLUMNS`.
    action
        Only this.
    accounts
        Only principals of these.
    total
        How many verdicts there are altogether.
    most
        The most cells that are given.

    Raises
    ------
    UserError
        For other rows or columns, and for more cells than `most`.
    """
    for chosen, allowed in ((rows, ROWS), (columns, COLUMNS)):
        if chosen not in allowed:
            raise UserError(f"no matrix by {chosen}; one of {', '.join(allowed)}", USAGE)
    selection, values = Selection(action=action), {"accounts": list(accounts)}
    of = "WHERE list_contains($accounts, principal_account)" if accounts else ""
    each = {"sender": rows == "principal", "identity": columns == "identity"}
    size = " * ".join(["1", *(_SIZE[side] for side, single in each.items() if single)])
    asked = queries.ask(
        selection, f"SELECT coalesce(sum({size}), 0)::BIGINT FROM chosen {of}", values
    )[0][0]
    if any(each.values()) and asked > most:
        raise UserError(
            f"a matrix of up to {asked:,} cells is asked for, and at most {most:,} are given: "
            "narrow it by account=, or take rows account or ou and columns region or account",
            USAGE,
        )
    sums = ", ".join(
        f"coalesce(sum(n) FILTER (rank = {RANKS.index(name)}), 0)::BIGINT AS {name}"
        for name in KINDS
    )
    found = queries.arrow(
        selection,
        f""", details AS (SELECT n AS ruling, {_DETAIL} AS detail FROM rulings),
        numbered AS (SELECT detail, min(ruling) AS number FROM details GROUP BY detail),
        told AS (
          SELECT pattern, rank, number, count(*) AS actions
          FROM picked JOIN details USING (ruling) JOIN numbered USING (detail) GROUP BY ALL),
        counted AS (
          SELECT coalesce({_ROW[rows]}, '{OUTSIDE}') AS "row", {_COLUMN[columns]} AS "column",
                 rank, number, senders * identities * actions AS n
          FROM chosen JOIN told USING (pattern) {of}),
        summed AS (
          SELECT "row", "column", {sums},
                 CASE WHEN min(number) = max(number) THEN min(number) END AS number
          FROM counted GROUP BY ALL)
        SELECT "row", "column", {", ".join(KINDS)}, coalesce(detail, '') AS detail
        FROM summed LEFT JOIN numbered USING (number) ORDER BY "row", "column" """,
        values,
        each=tuple(side for side, single in each.items() if single),
    )
    keys = (sorted(set(found.column(name).to_pylist())) for name in ("row", "column"))
    shown_rows, shown_columns = map(tuple, keys)
    frame: pd.DataFrame = found.to_pandas()
    cells = int(frame[list(KINDS)].to_numpy().sum())
    return Matrix(rows, columns, shown_rows, shown_columns, frame, cells, total)
