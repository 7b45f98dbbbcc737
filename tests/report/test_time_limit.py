"""The time limit: raised where the work is, put back when it ends."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import pytest

from ses_audit.report.time_limit import TimeLimit, time_limit


def test_work_that_goes_on_is_ended() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TimeLimit), time_limit(time.monotonic() + 0.01):
        threading.Event().wait()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


class _Slow:
    """Takes its time to be freed; what is raised meanwhile is lost."""

    def __del__(self) -> None:
        with contextlib.suppress(TimeLimit):
            threading.Event().wait()


def test_it_is_raised_again_when_it_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ses_audit.report.time_limit.AGAIN", 0.01)
    with pytest.raises(TimeLimit), time_limit(time.monotonic() + 0.01):
        slow = _Slow()
        del slow
        threading.Event().wait()


def test_work_that_ends_is_left_alone() -> None:
    with time_limit(time.monotonic() + 3600):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 3000
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_one_that_is_over_already_ends_at_once() -> None:
    with pytest.raises(TimeLimit), time_limit(time.monotonic() - 5):
        threading.Event().wait()


def test_other_threads_have_no_alarm() -> None:
    seen: list[float] = []

    def work() -> None:
        with time_limit(time.monotonic() + 3600):
            seen.append(signal.getitimer(signal.ITIMER_REAL)[0])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [0.0]
