"""A time limit on what runs in the main thread: an organization may take hours to read."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

__all__ = ["TimeLimit", "time_limit"]

AGAIN = 10.0
"""Seconds until it is raised once more: Python drops what is raised while it frees an object."""


class TimeLimit(Exception):
    """The time is over."""


@contextlib.contextmanager
def time_limit(deadline: float | None) -> Iterator[None]:
    """Raise `TimeLimit` in the main thread at the deadline; elsewhere there is no such signal.

    Parameters
    ----------
    deadline
        Of `time.monotonic`, in seconds; None for none.

    Examples
    --------
    >>> with time_limit(None):
    ...     print("as long as it takes")
    as long as it takes
    """
    if deadline is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: FrameType | None) -> None:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, max(deadline - time.monotonic(), 0.001), AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
