"""04_access_denied: why one mail was refused: a message, or a cell, against the snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.escape import html as escape
from ses_audit.report.choices import choose
from ses_audit.report.explain_html import (
    candidates_html,
    checklist_html,
    gates_html,
    headline_html,
    message_html,
    notes_html,
    repairs_html,
)
from ses_audit.report.labels import plural
from ses_audit.report.links import files_line
from ses_audit.report.page import Page, section
from ses_audit.report.refused_html import (
    SMTP_ACTION,
    Refused,
    denials_by_layer,
    refused,
    refused_table,
)
from ses_audit.report.scope_html import scope_line
from ses_audit.report.unseen_html import unseen_body
from ses_audit.ses.messages import parse_message

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.explanation import Explanation

__all__ = ["NAME", "QUESTION", "page"]

NAME = "04_access_denied"
QUESTION = "Why was this mail refused with “Access denied”?"


def page(
    audit: Audit,
    *,
    message: str = "",
    principal: str = "",
    identity: str = "",
    action: str = "",
    data: str = "",
) -> Page:
    """The page.

    Parameters
    ----------
    audit
        The snapshot.
    message
        The error as it was seen, in any wrapping; goes before the cell.
    principal, identity, action
        A cell: ARNs or names; the action "" is `ses:SendRawEmail`, what SMTP is checked as.
    data
        The folder of the whole tables, relative to the page.

    Raises
    ------
    UserError
        For a principal without an identity or the other way round, and an unknown action.
    """
    smtp = refused(audit)
    found = _explanation(audit, message, principal, identity, action, smtp)
    chosen = bool(message.strip() or principal.strip() or identity.strip())
    return Page(
        name=NAME,
        question=QUESTION,
        answer=section(NAME, "answer", "", _answer(audit, found, smtp, chosen=chosen)),
        picture=section(NAME, "picture", "Which gate is closed", _picture(found)),
        table=section(NAME, "table", "The checklist", _table(audit, found, smtp, chosen, data)),
        unseen=section(NAME, "unseen", "What could not be seen", _unseen(audit, found)),
        where_next=section(NAME, "next", "Where to go next", _NEXT),
    )


_NEXT = (
    "<ul><li>The same in a terminal: <code>ses-audit explain MESSAGE --snapshot SNAPSHOT</code>, "
    "or a whole log.</li>"
    "<li>Who else can send from this identity: 02_send_matrix with its <code>identity</code>.</li>"
    "<li>What else the SCP stops: 03_scp_denies.</li>"
    "<li>A message names neither layer nor policy; where the snapshot would let it pass, it is "
    "older than the change, or the caller was a session with a policy of its own.</li></ul>"
)


def _explanation(
    audit: Audit, message: str, principal: str, identity: str, action: str, smtp: Refused
) -> Explanation | None:
    """Of the message, of the cell, or of an example where nothing was chosen."""
    if message.strip():
        return audit.explain_message(parse_message(message))
    named = action.strip()
    named = f"ses:{named}" if named and ":" not in named else named
    wanted = choose("action", named, audit.queries.actions()) or SMTP_ACTION
    if principal.strip() or identity.strip():
        return audit.explain(principal.strip(), wanted, identity.strip())
    if smtp.example is None:
        return None
    who, what = smtp.example
    return audit.explain(who, SMTP_ACTION, what)


def _answer(audit: Audit, found: Explanation | None, smtp: Refused, *, chosen: bool) -> str:
    if chosen and found is not None:
        return "".join(
            (headline_html(found), notes_html(found), message_html(found), scope_line(audit))
        )
    users = (
        f"<strong>{smtp.refused:,} of {plural(smtp.users, 'user')} with an SMTP key would be "
        "refused</strong> from some identity of their own account."
        if smtp.users
        else "<strong>No user has an SMTP key</strong>, as far as was read."
    )
    if smtp.unknown:
        users += f" Of {plural(smtp.unknown, 'user')} the access keys were not read."
    example = (
        "<p>No message and no cell was chosen; below stands an example.</p>\n"
        + headline_html(found)
        if found is not None
        else "<p>No message and no cell was chosen, and no cell is denied.</p>\n"
    )
    return (
        f'<p class="answer">{users}</p>\n{scope_line(audit)}'
        "<p>To explain one refusal, set the parameter <code>message</code> to the error as it was "
        "seen, or <code>principal</code>, <code>identity</code> and <code>action</code> to a cell."
        f"</p>\n{example}"
    )


def _picture(found: Explanation | None) -> str:
    if found is None or not found.checks:
        return "<p>No cell is decided, so there is no gate to draw.</p>"
    return gates_html(found)


def _table(audit: Audit, found: Explanation | None, smtp: Refused, chosen: bool, data: str) -> str:
    pieces: list[str] = []
    if found is not None and found.candidates:
        pieces.append(candidates_html(found))
    if found is not None and found.checklist:
        pieces += [checklist_html(found), repairs_html(found)]
    elif chosen:
        pieces.append("<p>No cell is decided, so no question can be answered.</p>\n")
    if not chosen:
        pieces += [
            "<h3>Whom SES refuses today</h3>\n",
            refused_table(audit, smtp.pairs),
            denials_by_layer(audit),
            files_line(audit, data, "verdicts"),
        ]
    return "".join(pieces)


def _unseen(audit: Audit, found: Explanation | None) -> str:
    body = unseen_body(audit)
    if found is None or not found.missing:
        return body
    cells = "".join(f"<li><code>{escape(cell)}</code></li>" for cell in found.missing)
    return f"<p>Of this cell:</p><ul>{cells}</ul>\n{body}"
