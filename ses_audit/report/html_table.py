"""Tables that a screen reader, a printer and a reader without colour can use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ses_audit.escape import html as escape

__all__ = ["LIMIT", "Group", "cut", "table"]

LIMIT = 2_000
"""The most rows of one table in a report; the files beside it hold all."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading.

    Parameters
    ----------
    heading
        Safe HTML; empty for no heading.
    rows
        Each a sequence of safe HTML, the first of them the row's header.
    """

    heading: str
    rows: Sequence[Sequence[str]]


def cut(groups: Iterable[Group], limit: int = LIMIT) -> list[Group]:
    """The first `limit` rows, group by group."""
    kept: list[Group] = []
    left = limit
    for group in groups:
        if left <= 0:
            break
        rows = group.rows[:left]
        left -= len(rows)
        kept.append(Group(group.heading, rows))
    return kept


def table(
    caption: str,
    columns: Sequence[str],
    groups: Sequence[Group] | Sequence[Sequence[str]],
    *,
    total: int,
    what: str = "rows",
    numeric: Iterable[int] = (),
    kind: str = "",
    head: str = "",
) -> str:
    """A table whose caption says "N of M".

    Parameters
    ----------
    caption
        What the table holds; plain text.
    columns
        Headings; plain text.
    groups
        Groups of rows, or rows; more than `LIMIT` rows are cut and the caption says so.
    total
        How many rows there are altogether.
    what
        What a row is, in the plural.
    numeric
        Positions of columns of numbers.
    kind
        A class for the stylesheet.
    head
        Safe HTML of a header row above the columns.

    Examples
    --------
    >>> "1 of 3 accounts" in table("Accounts", ["Name"], [["lab"]], total=3, what="accounts")
    True
    """
    grouped = [g if isinstance(g, Group) else Group("", [g]) for g in groups]
    shown = cut(grouped)
    count = sum(len(group.rows) for group in shown)
    label = f"{caption}: {count:,} of {total:,} {what}"
    numbers = frozenset(numeric)
    heads = "".join(
        f'<th scope="col"{_number(i, numbers)}>{escape(title)}</th>'
        for i, title in enumerate(columns)
    )
    bodies: list[str] = []
    body_open = False
    for group in shown:
        if group.heading or not body_open:
            bodies.append("</tbody><tbody>" if body_open else "<tbody>")
            body_open = True
        if group.heading:
            bodies.append(
                f'<tr class="group"><th scope="rowgroup" colspan="{len(columns)}">'
                f"{group.heading}</th></tr>\n"
            )
        bodies += [_row(row, numbers) for row in group.rows]
    if not body_open:
        nothing = f'<tr><td colspan="{len(columns)}" class="quiet">none</td></tr>'
        bodies.append(f"<tbody>{nothing}")
    of_kind = f' class="{kind}"' if kind else ""
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">'
        f"<table{of_kind}><caption><strong>{escape(caption)}</strong>: "
        f"{count:,} of {total:,} {escape(what)}</caption>"
        f"<thead>{head}<tr>{heads}</tr></thead>{''.join(bodies)}</tbody></table></div>\n"
    )


def _number(position: int, numbers: frozenset[int]) -> str:
    return ' class="number"' if position in numbers else ""


def _row(cells: Sequence[str], numbers: frozenset[int]) -> str:
    first, *rest = cells
    body = "".join(f"<td{_number(i, numbers)}>{cell}</td>" for i, cell in enumerate(rest, 1))
    return f'<tr><th scope="row"{_number(0, numbers)}>{first}</th>{body}</tr>\n'
