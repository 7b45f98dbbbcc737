"""What a live notebook shows beside its page; a report leaves these cells out.

Each takes the notebook's parameters as its beginning, so that one notebook serves both.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ses_audit.report.page import Html

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.queries import Selection

__all__ = ["asker", "explorer"]

_MISSING = Html.of(
    '<p class="ses-audit">Controls need ipywidgets: <code>pip install '
    "'ses-audit[interactive]'</code>. The page is the same without.</p>"
)


def explorer(audit: Audit, selection: Selection) -> object:
    """Controls that choose what the matrix shows.

    Parameters
    ----------
    audit
        The snapshot.
    selection
        Where to begin.

    Returns
    -------
    object
        What a notebook shows: the controls, or a line where ipywidgets is not installed.
    """
    if find_spec("ipywidgets") is None:
        return _MISSING
    from ses_audit.report.controls import Controls
    from ses_audit.report.explore import Explorer

    return Controls(Explorer(audit, selection)).box


def asker(
    audit: Audit, *, message: str = "", principal: str = "", identity: str = "", action: str = ""
) -> object:
    """A field for a message and fields for a cell.

    Parameters
    ----------
    audit
        The snapshot.
    message, principal, identity, action
        Where to begin.

    Returns
    -------
    object
        What a notebook shows: the fields, or a line where ipywidgets is not installed.
    """
    if find_spec("ipywidgets") is None:
        return _MISSING
    from ses_audit.report.asker import Asker

    return Asker(audit, message, principal, identity, action).box
