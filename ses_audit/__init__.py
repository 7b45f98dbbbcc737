"""Who in an AWS organization can send e-mail through Amazon SES, and what stops the others.

Examples
--------
>>> import ses_audit
>>> ses_audit.__version__.count(".")
2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["__version__", "open"]
__version__ = "0.1.0"

if TYPE_CHECKING:
    from pathlib import Path

    from ses_audit.audit import Audit


def open(path: str | Path) -> Audit:
    """Open a snapshot for questions.

    Parameters
    ----------
    path
        A snapshot folder, as `ses-audit collect` or `ses-audit import` leaves it.

    Returns
    -------
    Audit
        The notebook API; nothing is decided until it is asked.

    Raises
    ------
    ses_audit.snapshot.store.SnapshotError
        When the folder is no snapshot, of another version, or damaged.

    Examples
    --------
    >>> import ses_audit
    >>> audit = ses_audit.open(snapshot)  # of the example organization
    >>> print(audit.summary().scope)  # doctest: +NORMALIZE_WHITESPACE
    10 of 12 accounts read, partner-integration: refused the audit role,
    old-shop: its state is SUSPENDED
    """
    from ses_audit.audit import Audit

    return Audit(path)
