"""What could not be read: it stands on every page, before where to go next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.escape import html as escape
from ses_audit.report.glyphs import chip
from ses_audit.report.html_table import table
from ses_audit.report.labels import account_label, plural

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["not_read_table", "unseen_body"]

_WORDS = {
    "DENIED": "AWS refused it",
    "ASSUME_FAILED": "the audit role could not be assumed",
    "EXPIRED": "the credentials expired",
    "THROTTLED": "AWS throttled it to the end",
    "TIMEOUT": "no answer in time",
    "SERVER_ERROR": "AWS failed",
    "TRUNCATED": "the list broke off",
    "MALFORMED": "the answer does not parse",
    "NOT_ATTEMPTED": "never asked",
    "EXCLUDED": "left out on request",
    "NOT_AUDITED": "the account is not audited",
}


def unseen_body(audit: Audit, *, details: bool = False) -> str:
    """What was not read and what follows, as safe HTML.

    Parameters
    ----------
    audit
        The snapshot.
    details
        Whether to list each missing call.
    """
    summary = audit.summary()
    planned, read = audit.overview.cells
    pieces: list[str] = []
    if not planned:
        pieces.append("<p>The snapshot lists no planned call: nothing is known to be missing.</p>")
    elif summary.complete and not summary.accounts_not_read:
        pieces.append(f"<p>Nothing: {read:,} of {planned:,} planned calls were answered.</p>")
    else:
        pieces.append(
            f"<p>{read:,} of {planned:,} planned calls were answered. What was not read is "
            f"never taken for nothing: {chip('unknown', count=summary.unknown)} "
            f"of {summary.cells:,} cells turn on it.</p>"
        )
    if summary.accounts_not_read:
        items = "".join(
            f"<li>{account_label(account, name)}: {escape(reason)}</li>"
            for account, name, reason in summary.accounts_not_read[:20]
        )
        more = len(summary.accounts_not_read) - 20
        rest = f"<p>and {more:,} more accounts</p>" if more > 0 else ""
        pieces.append(
            f"<p>{summary.accounts_total - summary.accounts_read:,} of "
            f"{plural(summary.accounts_total, 'account')} not read:</p><ul>{items}</ul>{rest}"
        )
    if details:
        pieces.append(not_read_table(audit))
    elif not summary.complete:
        pieces.append(
            f"<p>{plural(len(summary.gaps), 'call')} without an answer: page 01_inventory lists "
            "each.</p>"
        )
    for assumption in summary.assumptions:
        pieces.append(f'<p class="alert">Assumed, not read: {escape(assumption)}</p>')
    return "\n".join(pieces)


def not_read_table(audit: Audit) -> str:
    """Each planned call that has no answer, those of one account, region and state together."""
    rows = audit.overview.missing.to_pylist()
    accounts = audit.organization.accounts
    lost = {account for account, _, _ in audit.summary().accounts_not_read}
    together: dict[tuple[str, str, str, str], list[str]] = {}
    for row in rows:
        # Of an account that was never entered, its regions say nothing more.
        never = row["account_id"] in lost and row["service"] == "sesv2"
        region = "" if never else row["region"]
        key = (row["account_id"], region, row["state"], row["detail"] or "")
        name = f"{row['service']}.{row['operation']}"
        item = f"{name}[{row['argument']}]" if row["argument"] else name
        together.setdefault(key, []).append(item)
    body: list[list[str]] = []
    for (account, region, state, detail), operations in sorted(together.items()):
        known = accounts.get(account)
        names = dict.fromkeys(operations)
        shown = ", ".join(escape(name) for name in list(names)[:6])
        if len(names) > 6:
            shown += f" and {len(names) - 6:,} more"
        body.append(
            [
                account_label(account, known.name if known else ""),
                escape(region) if region else "every region",
                f"{len(operations):,}",
                shown,
                f"<code>{escape(state)}</code> {escape(_WORDS.get(state, ''))}",
                escape(detail),
            ]
        )
    return table(
        "Calls without an answer",
        ["Account", "Region", "Calls", "Which", "How it ended", "What AWS said"],
        body,
        total=len(body),
        what="rows",
        numeric=(2,),
    )
