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
    """The first `limit` rows, group by group.

    Examples
    --------
    >>> groups = [Group("first", (("a",), ("b",))), Group("second", (("c",),))]
    >>> [len(group.rows) for group in cut(groups, 1)]
    [1]
    """
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
    group: str = "",
    said: str = "",
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
    group
        The heading of a first column that holds the groups; "" gives each group a row.
    said
        Another "N of M" than that of the rows; plain text.

    Examples
    --------
    >>> "1 of 3 accounts" in table("Accounts", ["Name"], [["lab"]], total=3, what="accounts")
    True
    """
    grouped = [g if isinstance(g, Group) else Group("", [g]) for g in groups]
    shown = cut(grouped)
    count = sum(len(group.rows) for group in shown)
    of_all = said if said and count == total else f"{count:,} of {total:,} {what}"
    label = f"{caption}: {of_all}"
    numbers = frozenset(numeric)
    titles = [group, *columns] if group else list(columns)
    shift = len(titles) - len(columns)
    heads = "".join(
        f'<th scope="col"{_number(i - shift, numbers)}>{escape(title)}</th>'
        for i, title in enumerate(titles)
    )
    bodies = [_body(found, len(titles), numbers, beside=bool(group)) for found in _merged(shown)]
    if not bodies:
        bodies = [f'<tbody><tr><td colspan="{len(titles)}" class="quiet">none</td></tr></tbody>']
    of_kind = f' class="{kind}"' if kind else ""
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">'
        f"<table{of_kind}><caption><strong>{escape(caption)}</strong>: "
        f"{escape(of_all)}</caption>"
        f"<thead>{head}<tr>{heads}</tr></thead>{''.join(bodies)}</table></div>\n"
    )


def _merged(groups: Iterable[Group]) -> list[Group]:
    """Neighbours under the same heading, as one."""
    found: list[tuple[str, list[Sequence[str]]]] = []
    for group in groups:
        if not group.rows:
            continue
        if not found or found[-1][0] != group.heading:
            found.append((group.heading, []))
        found[-1][1].extend(group.rows)
    return [Group(heading, rows) for heading, rows in found]


def _body(group: Group, width: int, numbers: frozenset[int], *, beside: bool) -> str:
    rows = [_row(row, numbers) for row in group.rows]
    if beside:
        head = f'<th scope="rowgroup" rowspan="{len(rows)}">{group.heading}</th>'
        rows[0] = rows[0].replace("<tr>", f"<tr>{head}", 1)
    elif group.heading:
        rows.insert(
            0,
            f'<tr class="group"><th scope="rowgroup" colspan="{width}">{group.heading}</th></tr>\n',
        )
    return f"<tbody>{''.join(rows)}</tbody>"


def _number(position: int, numbers: frozenset[int]) -> str:
    return ' class="number"' if position in numbers else ""


def _row(cells: Sequence[str], numbers: frozenset[int]) -> str:
    first, *rest = cells
    body = "".join(f"<td{_number(i, numbers)}>{cell}</td>" for i, cell in enumerate(rest, 1))
    return f'<tr><th scope="row"{_number(0, numbers)}>{first}</th>{body}</tr>\n'
