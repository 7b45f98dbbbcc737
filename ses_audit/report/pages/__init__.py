"""The pages by the name of their notebook.

Every page is `page(audit, **parameters) -> Page`; every parameter is text and may be left out.
`data` is the folder of the whole tables (`ses_audit.report.links.FILES`), relative to the page:
`data` in reports/<run>/, "" where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ses_audit.report.pages import inventory, scp_denies, send_matrix

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.report.page import Page

__all__ = ["PAGES", "PageMaker"]


class PageMaker(Protocol):
    """Makes a page of a snapshot."""

    def __call__(self, audit: Audit, **parameters: Any) -> Page: ...


PAGES: Mapping[str, PageMaker] = {
    inventory.NAME: inventory.page,
    send_matrix.NAME: send_matrix.page,
    scp_denies.NAME: scp_denies.page,
}
"""Notebook name → its page."""
