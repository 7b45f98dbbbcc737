"""The send matrix: verdicts counted by rows and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ses_audit.audit.frames import kinds
from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Matrix", "count"]

KINDS = ("allowed", "conditional", "scp_alone", "denied", "unknown")
"""The five kinds of a cell, in the order in which they are shown."""

OUTSIDE = "(outside)"

ROWS = ("principal", "account", "ou")
COLUMNS = ("identity", "region", "account")

_ROW_COLUMN = {"principal": "principal_arn", "account": "principal_account", "ou": "ou"}
_COLUMN_COLUMN = {"identity": "identity_arn", "region": "region", "account": "identity_account"}


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


def count(frame: pd.DataFrame, rows: str, columns: str, total: int) -> Matrix:
    """Count the rows of the long table.

    Parameters
    ----------
    frame
        Rows of the long table, with a column `ou` where rows are OUs.
    rows, columns
        One of `ROWS`, one of `COLUMNS`.
    total
        How many verdicts there are altogether.

    Raises
    ------
    UserError
        For other rows or columns.
    """
    import pandas as pd

    for chosen, allowed in ((rows, ROWS), (columns, COLUMNS)):
        if chosen not in allowed:
            raise UserError(f"no matrix by {chosen}; one of {', '.join(allowed)}", USAGE)
    marked = pd.DataFrame(
        {
            # A service and `*` belong to no account; they stay in view.
            "row": frame[_ROW_COLUMN[rows]].astype("str").fillna(OUTSIDE),
            "column": frame[_COLUMN_COLUMN[columns]].astype("str"),
            "kind": kinds(frame),
            "detail": _detail(frame),
        }
    )
    counted = marked.groupby(["row", "column", "kind"], observed=True).size().unstack(fill_value=0)
    counted = counted.reindex(columns=list(KINDS), fill_value=0)
    details = marked.groupby(["row", "column"], observed=True)["detail"].agg(_one)
    counted["detail"] = details
    result = counted.reset_index()
    result.columns.name = None
    return Matrix(
        rows,
        columns,
        tuple(sorted(result["row"].unique())),
        tuple(sorted(result["column"].unique())),
        result,
        len(frame),
        total,
    )


def _one(details: pd.Series[str]) -> str:
    found = details.unique()
    return str(found[0]) if len(found) == 1 else ""


def _detail(frame: pd.DataFrame) -> pd.Series[str]:
    """The reason in a few words: what denies, what remains, what is missing."""
    verdict = frame["verdict"].astype("str")
    denied = frame["denied_by"].astype("str")
    policies = frame["denied_policies"].astype("str")
    reason = denied.where(policies == "", denied + " · " + policies)
    text = frame["conditions"].astype("str").where(verdict == "CONDITIONAL", "")
    text = text.where(verdict != "DENIED", reason)
    return text.where(verdict != "UNKNOWN", frame["missing_evidence"].astype("str"))
