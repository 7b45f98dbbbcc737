"""What a page speaks of: the snapshot, how much of it was read, and the counts of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.audit.queries import Selection
from ses_audit.escape import html as escape
from ses_audit.report.glyphs import KINDS, chip

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["counts_list", "scope_line"]


def scope_line(audit: Audit, selection: Selection | None = None) -> str:
    """The organization, the time of the snapshot, the accounts read, and what was chosen."""
    summary = audit.summary()
    organization = summary.organization_id or "no organization known"
    chosen = ""
    if selection is not None and not selection.all:
        names = ("ou", "account", "principal", "identity", "region", "action", "kind")
        given = [f"{name} {getattr(selection, name)}" for name in names if getattr(selection, name)]
        chosen = f"<br>Only: {escape(', '.join(given))}."
    return (
        f'<p class="scope">{escape(organization)} · snapshot {escape(summary.taken)} · '
        f"{escape(summary.scope)}{chosen}</p>\n"
    )


def counts_list(audit: Audit, selection: Selection) -> str:
    """The five kinds of cells, counted; they add up to the total that follows."""
    counted = audit.queries.counts(selection)
    total = sum(counted.values())
    every = audit.summary().cells
    words = {"scp_alone": "stopped by SCPs alone"}
    items = "".join(
        f"<li>{chip(kind.name, count=counted[kind.name], word=words.get(kind.name))}</li>"
        for kind in KINDS
    )
    return (
        f'<ul class="counts" aria-label="Cells by verdict">{items}'
        f'<li class="quiet">{total:,} of {every:,} cells</li></ul>\n'
    )
