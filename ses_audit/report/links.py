"""Links to the whole tables beside a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.audit.spread import MOST_ROWS
from ses_audit.escape import html as escape

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["FILES", "MOST_STREAMED", "files_line", "formats", "left_out", "length"]

MOST_STREAMED = 200_000_000
"""The most rows that a run writes of one table: some two minutes of a processor."""

FILES = {
    "accounts": ("csv",),
    "principals": ("csv",),
    "identities": ("csv",),
    "coverage": ("csv",),
    "verdicts": ("parquet", "csv"),
    "scp_denies": ("parquet", "csv"),
}
"""Each table of `reports/<run>/data/` and the formats it is written in."""


def length(audit: Audit, name: str) -> int:
    """How many rows a table of `FILES` has."""
    match name:
        case "verdicts":
            return audit.summary().cells
        case "scp_denies":
            return audit.denial_rows
        case "accounts":
            return len(audit.organization.accounts)
    return audit.rows_of(name)


def formats(audit: Audit, name: str) -> tuple[str, ...]:
    """The formats in which a table is written: long ones as Parquet alone, longer ones not."""
    rows = length(audit, name)
    if rows <= MOST_ROWS:
        return FILES[name]
    return tuple(kind for kind in FILES[name] if kind == "parquet" and rows <= MOST_STREAMED)


def left_out(audit: Audit, name: str, kind: str) -> str:
    """Why a file is not written, and how to have it; plain text."""
    rows = length(audit, name)
    if kind == "parquet":
        return (
            f"not written: its {rows:,} rows are more than the {MOST_STREAMED:,} that a run "
            f"writes; ses_audit.open(SNAPSHOT).{name}(account=...) gives it part by part"
        )
    beside = f"; {name}.parquet holds them all" if "parquet" in formats(audit, name) else ""
    command = (
        "ses-audit verdicts SNAPSHOT --format csv --account ID"
        if name == "verdicts"
        else f"ses_audit.open(SNAPSHOT).{name}(account=...)"
    )
    return (
        f"not written: text of its {rows:,} rows would be many times as long{beside}; "
        f"{command} gives it part by part"
    )


def files_line(audit: Audit, data: str, *names: str) -> str:
    """A line that says where the whole tables are.

    Parameters
    ----------
    audit
        The snapshot.
    data
        The folder, relative to the page; "" when there is none beside it.
    names
        Of `FILES`.
    """
    if not data:
        return (
            '<p class="quiet">The whole table: <code>ses-audit verdicts SNAPSHOT --format csv'
            "</code>, or the methods of <code>ses_audit.open(SNAPSHOT)</code>.</p>\n"
        )
    folder = data.rstrip("/")
    links, missing = [], []
    for name in names:
        kinds = formats(audit, name)
        links += [
            f'<a href="{escape(f"{folder}/{name}.{kind}")}">{name}.{kind}</a>' for kind in kinds
        ]
        missing += [
            f"{name}.{kind} is {left_out(audit, name, kind)}"
            for kind in FILES[name]
            if kind not in kinds
        ]
    whole = f"The whole table: {', '.join(links)}. " if links else ""
    rest = "".join(f"{escape(words)}. " for words in missing)
    return f'<p class="quiet">{(whole + rest).rstrip()}</p>\n'
