"""Tables × policy × ses → verdicts, and the questions asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ses_audit.audit.audit import Audit

__all__ = ["Audit"]


def __getattr__(name: str) -> object:
    # Processes that decide do without what notebooks ask with.
    if name == "Audit":
        from ses_audit.audit.audit import Audit

        return Audit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
