"""What a notebook needs beside its page: the snapshot, and the stylesheet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.errors import USAGE, UserError
from ses_audit.report.page import Html
from ses_audit.report.style import style_element

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["SNAPSHOT_VARIABLE", "begin", "first", "snapshot_path"]

SNAPSHOT_VARIABLE = "SES_AUDIT_SNAPSHOT"
"""The environment variable that names the snapshot where the parameter is empty."""


def snapshot_path(snapshot: str) -> Path:
    """The folder a notebook reads.

    Parameters
    ----------
    snapshot
        Its parameter; "" for the environment's.

    Raises
    ------
    UserError
        When neither says one.
    """
    named = snapshot.strip() or os.environ.get(SNAPSHOT_VARIABLE, "").strip()
    if not named:
        raise UserError(
            "no snapshot: set the parameter `snapshot` to a folder that `ses-audit collect` made, "
            f"or the environment variable {SNAPSHOT_VARIABLE} (`make lab` does)",
            USAGE,
        )
    return Path(named).expanduser()


def begin(snapshot: str = "") -> Audit:
    """Open the snapshot of a notebook.

    Parameters
    ----------
    snapshot
        The notebook's parameter.

    Raises
    ------
    UserError
        When there is no snapshot, or it can't be read.
    """
    import ses_audit

    return ses_audit.open(snapshot_path(snapshot))


def first(part: Html) -> Html:
    """The first part that a notebook shows, with the stylesheet for all of them."""
    return Html(f"{style_element()}\n{part.markup}", part.text)
