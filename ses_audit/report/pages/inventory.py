"""01_inventory: what there is, and what was not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.audit.queries import Selection
from ses_audit.escape import html as escape
from ses_audit.report.choices import select
from ses_audit.report.inventory_html import Inventory
from ses_audit.report.labels import plural
from ses_audit.report.page import Page, section
from ses_audit.report.scope_html import scope_line
from ses_audit.report.unseen_html import unseen_body

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["NAME", "QUESTION", "page"]

NAME = "01_inventory"
QUESTION = "Which principals and identities are there, and what was not read?"


def page(audit: Audit, *, ou: str = "", account: str = "", data: str = "") -> Page:
    """The page.

    Parameters
    ----------
    audit
        The snapshot.
    ou, account
        What to look at; "" for everything.
    data
        The folder of the whole tables, relative to the page.

    Raises
    ------
    UserError
        For a value that the snapshot does not hold.
    """
    selection = select(audit, ou=ou, account=account)
    inventory = Inventory(audit, selection)
    return Page(
        name=NAME,
        question=QUESTION,
        answer=section(NAME, "answer", "", _answer(audit, inventory, selection)),
        picture=section(NAME, "picture", "The organization", inventory.tree()),
        table=section(NAME, "table", "What was read", inventory.tables(data)),
        unseen=section(NAME, "unseen", "What could not be seen", unseen_body(audit, details=True)),
        where_next=section(NAME, "next", "Where to go next", _NEXT),
    )


_NEXT = (
    "<ul><li>Who of these can send: 02_send_matrix.</li>"
    "<li>What the SCPs stop: 03_scp_denies.</li>"
    "<li>What is missing, call by call: <code>ses-audit status SNAPSHOT</code>; "
    "<code>ses-audit collect SNAPSHOT</code> again asks only for what has no answer.</li></ul>"
)


def _answer(audit: Audit, inventory: Inventory, selection: Selection) -> str:
    summary = audit.summary()
    types = inventory.types()
    parts = ", ".join(
        plural(types[kind], word)
        for kind, word in (("user", "user"), ("role", "role"))
        if types.get(kind)
    )
    if types.get("root"):
        parts += f"{' and ' if parts else ''}{plural(types['root'], 'root user')}"
    total = sum(types.values())
    words = (
        f"<strong>{plural(total, 'principal')}</strong>{f' ({parts})' if parts else ''} and "
        f"<strong>{plural(inventory.identity_count, 'identity', 'identities')}</strong> in "
        f"{plural(inventory.region_count, 'region')}; {inventory.smtp_count:,} of the users can "
        "log in to SMTP"
    )
    if inventory.smtp_unknown:
        words += f", and of {inventory.smtp_unknown:,} it is not known"
    words += "."
    if not total and not inventory.identity_count:
        words = "<strong>Nothing was read</strong>: no principal and no identity."
    lost = summary.accounts_total - summary.accounts_read
    missing = ""
    if lost:
        names = ", ".join(
            f"{escape(name or id)} ({escape(reason)})"
            for id, name, reason in summary.accounts_not_read[:5]
        )
        missing = (
            f'<p class="alert"><strong>{lost:,} of {plural(summary.accounts_total, "account")} '
            f"not read:</strong> {names}{', …' if lost > 5 else ''}</p>"
        )
    return f'<p class="answer">{words}</p>\n{scope_line(audit, selection)}{missing}'
