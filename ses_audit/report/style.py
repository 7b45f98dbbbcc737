"""The one stylesheet of pages, notebooks, reports and the index, inlined wherever it is used."""

from __future__ import annotations

from functools import cache
from importlib import resources

from ses_audit.report.glyphs import KINDS

__all__ = ["style_element", "stylesheet"]

# JupyterLab says its theme on `body`; elsewhere the reader's system says it.
_DARK_SYSTEM = (
    "@media screen and (prefers-color-scheme: dark) {{ "
    ":root:not(:has(> body[data-jp-theme-light])) {0} }}"
)
_DARK_LAB = 'body[data-jp-theme-light="false"] {0}'


@cache
def stylesheet() -> str:
    """CSS as text: light, dark and print; nothing from a network."""
    text = (resources.files("ses_audit.report") / "data" / "style.css").read_text("utf-8")
    light, _, dark = text.partition("/* dark */")
    variables = dark.strip()
    rules = [light.rstrip()]
    for template in (_DARK_SYSTEM, _DARK_LAB):
        rules += [template.format(line) for line in variables.splitlines()]
        rules += [
            template.format(
                f".ses-audit .{k.name} {{ background: {k.dark[0]} !important; "
                f"color: {k.dark[1]} !important; }}"
            )
            for k in KINDS
        ]
    return "\n".join(rules) + "\n"


def style_element() -> str:
    """The stylesheet as a `<style>` element.

    Examples
    --------
    >>> style_element().startswith("<style>"), style_element().endswith("</style>")
    (True, True)
    """
    return f"<style>\n{stylesheet()}</style>"
