"""Links to the whole tables beside a report."""

from __future__ import annotations

from ses_audit.escape import html as escape

__all__ = ["FILES", "files_line"]

FILES = {
    "accounts": ("csv",),
    "principals": ("csv",),
    "identities": ("csv",),
    "coverage": ("csv",),
    "verdicts": ("parquet", "csv"),
    "scp_denies": ("parquet", "csv"),
}
"""Each table of `reports/<run>/data/` and the formats it is written in."""


def files_line(data: str, *names: str) -> str:
    """A line that says where the whole tables are.

    Parameters
    ----------
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
    links = [
        f'<a href="{escape(f"{folder}/{name}.{suffix}")}">{name}.{suffix}</a>'
        for name in names
        for suffix in FILES[name]
    ]
    return f'<p class="quiet">The whole table: {", ".join(links)}.</p>\n'
