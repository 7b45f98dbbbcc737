"""The errors a person can cause and mend: one line that says what, where and what next."""

from __future__ import annotations

from ses_audit.escape import terminal

TOOL_FAILURE = 1
USAGE = 2
NOTHING_COLLECTED = 3
INCOMPLETE = 4


class UserError(Exception):
    """An error that the command line prints as one line.

    Parameters
    ----------
    message
        What went wrong, where, and what to do next; no line break.
    exit_code
        See the exit codes above.

    Examples
    --------
    >>> UserError("no snapshot at x: run `ses-audit collect x`", USAGE).exit_code
    2
    """

    def __init__(self, message: str, exit_code: int = TOOL_FAILURE) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a notebook: the line, and no traceback."""
        return [terminal(self)]
