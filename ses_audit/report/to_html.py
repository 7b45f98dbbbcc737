"""An executed notebook as a page of the report, by our own nbconvert template."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.escape import html as escape
from ses_audit.report.shell import linked, page_style, policy

if TYPE_CHECKING:
    from nbconvert import HTMLExporter
    from nbformat import NotebookNode

__all__ = ["INTERACTIVE", "TEMPLATES", "to_html"]

TEMPLATES = Path(__file__).parent / "templates"
"""Passed on by path: an editable install has nothing in share/jupyter."""

INTERACTIVE = "interactive-only"
"""The tag of cells that only a live kernel can show; the report leaves them out."""


@cache
def _exporter() -> HTMLExporter:
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = {INTERACTIVE}
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        config=config,
        template_name="ses_audit",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        exclude_anchor_links=True,
        embed_images=False,
    )
    exporter.register_filter("escape_html", escape)  # type: ignore[no-untyped-call]
    return exporter


def to_html(
    notebook: NotebookNode,
    title: str,
    before: str = "",
    after: str = "",
    targets: Mapping[str, str] | None = None,
) -> str:
    """A page of one notebook: its text and its outputs, no input.

    Parameters
    ----------
    notebook
        An executed notebook; it stays as it is. Its metadata `ses_audit.scripts` says whether
        its outputs bring scripts of their own, which no other page may run.
    title
        Plain text.
    before, after
        Safe HTML around the content.
    targets
        Other pages → their addresses: their names become links.
    """
    declared = notebook.metadata.get("ses_audit", {})
    page = {
        "title": title,
        "style": page_style(),
        "policy": policy(scripts=declared.get("scripts") is True),
        "before": before,
        "after": after,
    }
    text, _ = _exporter().from_notebook_node(
        copy.deepcopy(notebook), resources={"ses_audit": page, "metadata": {"name": title}}
    )
    head, begin, body = str(text).partition('<main id="main">')
    return head + begin + linked(body, targets or {})
