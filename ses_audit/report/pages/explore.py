"""06_explore: one selection of the snapshot, as it stands; with controls in a live notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.escape import html as escape
from ses_audit.report.choices import select
from ses_audit.report.explain_html import (
    checklist_html,
    gates_html,
    headline_html,
    repairs_html,
)
from ses_audit.report.explore import Cell, Explorer
from ses_audit.report.glyphs import chip
from ses_audit.report.html_table import table
from ses_audit.report.labels import plural
from ses_audit.report.links import files_line
from ses_audit.report.page import Page, section
from ses_audit.report.scope_html import counts_list, scope_line
from ses_audit.report.unseen_html import unseen_body

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["NAME", "QUESTION", "page"]

NAME = "06_explore"
QUESTION = "What does one part of the organization look like?"

_SHOWN = 100
"""The most cells listed."""


def page(
    audit: Audit,
    *,
    ou: str = "",
    account: str = "",
    principal: str = "",
    identity: str = "",
    region: str = "",
    action: str = "",
    verdict: str = "",
    data: str = "",
) -> Page:
    """The page.

    Parameters
    ----------
    audit
        The snapshot.
    ou, account, principal, identity, region, action, verdict
        What to look at; "" for everything. See `ses_audit.report.choices.select`.
    data
        The folder of the whole tables, relative to the page.

    Raises
    ------
    UserError
        For a value that the snapshot does not hold.
    """
    explorer = Explorer(
        audit,
        select(
            audit,
            ou=ou,
            account=account,
            principal=principal,
            identity=identity,
            region=region,
            action=action,
            verdict=verdict,
        ),
    )
    cells = explorer.cells(_SHOWN)
    return Page(
        name=NAME,
        question=QUESTION,
        answer=section(NAME, "answer", "", _answer(explorer)),
        picture=section(NAME, "picture", "The matrix", explorer.matrix().markup),
        table=section(NAME, "table", "The cells", _table(explorer, cells, data)),
        unseen=section(NAME, "unseen", "What could not be seen", unseen_body(audit)),
        where_next=section(NAME, "next", "Where to go next", _NEXT),
    )


_NEXT = (
    "<ul><li>With controls that do this at a click: <code>make lab</code>, then this notebook; "
    "from a cell to its layers, to the statement, and back.</li>"
    "<li>One cell, layer by layer, in a report: 04_access_denied with its <code>principal</code>, "
    "<code>identity</code> and <code>action</code>.</li></ul>"
)


def _answer(explorer: Explorer) -> str:
    audit, selection = explorer.audit, explorer.selection
    principals, identities = audit.queries.ask(
        selection,
        """SELECT
          (SELECT coalesce(sum(senders), 0)::BIGINT FROM (
             SELECT DISTINCT sender_group, senders FROM chosen WHERE NOT unread)),
          (SELECT coalesce(sum(identities), 0)::BIGINT FROM (
             SELECT DISTINCT identity_group, identities FROM chosen WHERE listed))""",
    )[0]
    what = "The whole snapshot" if selection.all else "This choice"
    words = (
        f"<strong>{what}: {plural(principals, 'principal')} × "
        f"{plural(identities, 'identity', 'identities')}</strong>, "
        f"{explorer.count:,} of {audit.summary().cells:,} cells."
    )
    if not explorer.count:
        words = f"<strong>No cell</strong> of {audit.summary().cells:,} meets this choice."
    return (
        f'<p class="answer">{words}</p>\n{scope_line(audit, selection)}'
        f"{counts_list(audit, selection)}"
    )


def _table(explorer: Explorer, cells: list[Cell], data: str) -> str:
    total = explorer.count
    rows = [
        [
            cell.who,
            cell.where,
            escape(cell.action.removeprefix("ses:")),
            chip(cell.kind),
        ]
        for cell in cells
    ]
    listed = table(
        "Cells",
        ["Principal", "Identity", "Action", "Verdict"],
        rows,
        total=total,
        what="cells, the strongest verdicts first",
    ) + files_line(explorer.audit, data, "verdicts")
    if len({(cell.principal, cell.identity) for cell in cells}) != 1 or total > _SHOWN:
        return listed
    first = cells[0]
    found = explorer.audit.explain(first.principal, first.action, first.identity)
    explained = headline_html(found) + gates_html(found) + checklist_html(found)
    explained += repairs_html(found)
    return f"{explained}<h3>Its cells</h3>{listed}"
