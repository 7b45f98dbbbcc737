"""What is wrong with a snapshot, in one line."""

from __future__ import annotations

from ses_audit.errors import UserError

__all__ = ["SnapshotError"]


class SnapshotError(UserError):
    """A snapshot that cannot be read or written: not there, foreign, of another version, broken.

    Examples
    --------
    >>> str(SnapshotError("no snapshot at x: run `ses-audit collect x`"))
    'no snapshot at x: run `ses-audit collect x`'
    """
