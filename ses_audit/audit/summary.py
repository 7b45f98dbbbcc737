"""The numbers at the top of every report."""

from __future__ import annotations

from dataclasses import dataclass

from ses_audit.escape import html as escape

__all__ = ["Summary"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a snapshot answers in one line, and what it did not see.

    The five kinds of cells add up to `cells`; `denied` leaves out `stopped_by_scp_alone`.
    """

    organization_id: str | None
    taken_at: str
    accounts_total: int
    accounts_read: int
    accounts_not_read: tuple[tuple[str, str, str], ...]
    """(id, name, reason)."""
    principals: int
    identities: int
    cells: int
    allowed: int
    conditional: int
    stopped_by_scp_alone: int
    denied: int
    unknown: int
    gaps: tuple[str, ...]
    """Cells that were planned and not read, as text."""
    assumptions: tuple[str, ...] = ()

    @property
    def taken(self) -> str:
        """When the snapshot was taken, to the minute, as pages say it."""
        if not self.taken_at:
            return "of an unknown time"
        return f"{self.taken_at[:16].replace('T', ' ')} UTC"

    @property
    def complete(self) -> bool:
        """Whether every planned cell was read."""
        return not self.gaps

    @property
    def headline(self) -> str:
        """The counts in one line; glyph and word together."""
        return (
            f"● {self.allowed:,} allowed   ◐ {self.conditional:,} conditional   "
            f"⊘ {self.stopped_by_scp_alone:,} stopped by an SCP alone   "
            f"○ {self.denied:,} denied   ? {self.unknown:,} unknown"
        )

    @property
    def scope(self) -> str:
        """How much was read: "11 of 12 accounts read"."""
        text = f"{self.accounts_read:,} of {self.accounts_total:,} accounts read"
        for account, name, reason in self.accounts_not_read[:3]:
            text += f", {name or account}: {reason}"
        if len(self.accounts_not_read) > 3:
            text += f", and {len(self.accounts_not_read) - 3} more"
        return text

    def __str__(self) -> str:
        return (
            f"Who can send · {self.organization_id or 'no organization'} · snapshot "
            f"{self.taken} · {self.scope}\n{self.headline}\n{self.cells:,} cells, "
            f"{self.principals:,} principals × {self.identities:,} identities"
        )

    def _repr_html_(self) -> str:
        lines = str(self).splitlines()
        return (
            f"<p><strong>{escape(lines[0])}</strong><br>{'<br>'.join(map(escape, lines[1:]))}</p>"
        )
