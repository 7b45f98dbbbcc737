"""Tables × policy × ses → verdicts, and the questions asked of them."""

from ses_audit.audit.audit import Audit

__all__ = ["Audit"]
