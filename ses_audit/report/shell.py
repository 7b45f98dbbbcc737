"""What every page of a report stands in: one document that needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ses_audit.escape import html as escape
from ses_audit.report.style import stylesheet

__all__ = ["Link", "document", "linked", "navigation", "page_style", "policy"]

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; {scripts}img-src data:; font-src data:; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)
_SCRIPTS = "script-src 'unsafe-inline' blob: data:; "


@dataclass(frozen=True, slots=True)
class Link:
    """A page of the report."""

    file: str
    title: str


def policy(scripts: bool = False) -> str:
    """The content security policy: no network; scripts only where a table sorts and searches.

    Parameters
    ----------
    scripts
        Whether scripts of the page itself may run.

    Examples
    --------
    >>> "script-src" in policy()
    False
    """
    return _POLICY.format(scripts=_SCRIPTS if scripts else "")


@cache
def page_style() -> str:
    """The stylesheet of a whole page: that of its parts, and what stands around them."""
    shell = (resources.files("ses_audit.report") / "data" / "shell.css").read_text("utf-8")
    return stylesheet() + shell


def navigation(links: Sequence[Link], current: str) -> str:
    """The pages of the report, as a list of links.

    Parameters
    ----------
    links
        The pages.
    current
        The file of this one.

    Examples
    --------
    >>> links = [Link("index.html", "Index"), Link("02.html", "Send matrix")]
    >>> '<a href="02.html" aria-current="page">' in navigation(links, "02.html")
    True
    """
    items: list[str] = []
    for link in links:
        here = ' aria-current="page"' if link.file == current else ""
        items.append(f'<li><a href="{escape(link.file)}"{here}>{escape(link.title)}</a></li>')
    return (
        '<a class="skip" href="#main">To the content</a>'
        f'<nav aria-label="Report"><ul>{"".join(items)}</ul></nav>'
    )


_TAGS = re.compile(r"(<[^>]*>)")
_UNLINKED = ("a", "code", "pre", "style", "svg", "title")


def linked(markup: str, targets: Mapping[str, str]) -> str:
    """Turn names of pages that stand in plain text into links.

    A page is shown in notebooks, in reports and in one piece: only here it is known where the
    others are.

    Parameters
    ----------
    markup
        Safe HTML.
    targets
        Name → address.

    Examples
    --------
    >>> linked("<p>Next: 02_x.</p><code>02_x</code>", {"02_x": "02_x.html"})
    '<p>Next: <a href="02_x.html">02_x</a>.</p><code>02_x</code>'
    """
    if not targets:
        return markup
    names = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, targets))})(?!\w)")

    def link(name: re.Match[str]) -> str:
        return f'<a href="{escape(targets[name[1]])}">{name[1]}</a>'

    inside: list[str] = []
    pieces: list[str] = []
    for piece in _TAGS.split(markup):
        if piece.startswith("<"):
            name = re.match(r"</?(\w*)", piece)
            tag = name[1].lower() if name else ""
            if tag in _UNLINKED:
                if piece.startswith("</"):
                    del inside[-1:]
                else:
                    inside.append(tag)
        text = not inside and not piece.startswith("<")
        pieces.append(names.sub(link, piece) if text else piece)
    return "".join(pieces)


def document(title: str, before: str, body: str) -> str:
    """A whole page without scripts.

    Parameters
    ----------
    title
        Plain text.
    before
        Safe HTML above the content: the navigation.
    body
        Safe HTML.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>\n{page_style()}</style>\n</head>\n"
        f'<body class="ses-audit">\n{before}\n<main id="main">\n{body}</main>\n</body>\n</html>\n'
    )
