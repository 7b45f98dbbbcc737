"""The pages by the name of their notebook.

Every page is `page(audit, **parameters) -> Page`; every parameter is text and may be left out.
`data` is the folder of the whole tables (`ses_audit.report.links.FILES`), relative to the page:
`data` in reports/<run>/, "" where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ses_audit.report.page import Page
from ses_audit.report.pages import access_denied, explore, inventory, scp_denies, send_matrix

__all__ = ["PAGES", "PageMaker"]


PageMaker = Callable[..., Page]
"""Makes a page of an audit and text parameters."""

PAGES: Mapping[str, PageMaker] = {
    inventory.NAME: inventory.page,
    send_matrix.NAME: send_matrix.page,
    scp_denies.NAME: scp_denies.page,
    access_denied.NAME: access_denied.page,
    explore.NAME: explore.page,
}
"""Notebook name → its page."""
