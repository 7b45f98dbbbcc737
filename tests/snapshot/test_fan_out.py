"""Calls on any executor: answers in order, and workers that die."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from executors import Backwards, kill_once

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.fan_out import FanOut


def processes() -> Executor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


def square(number: int) -> int:
    return number * number


def square_unless_killed(number: int, mark: str) -> int:
    if number == 7:
        kill_once(mark)
    return number * number


def deadly(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("make", [None, lambda: ThreadPoolExecutor(3), Backwards, processes])
def test_answers_come_in_the_order_of_the_calls(make: Callable[[], Executor] | None) -> None:
    with FanOut(make, 3) as workers:
        assert list(workers.in_order(square, ((n,) for n in range(40)))) == [
            n * n for n in range(40)
        ]
        several = workers.in_order(square, ((n,) for n in range(41)), together=4)
        assert list(several) == [n * n for n in range(41)]
        # The same workers for the next calls.
        assert list(workers.in_order(square, [(3,)])) == [9]
        assert list(workers.in_order(square, [])) == []


def slow_unless(number: int, go_on: threading.Event) -> int:
    if number == 0:
        go_on.wait()
    return number


def test_as_they_are_done_a_long_one_keeps_none_waiting() -> None:
    go_on = threading.Event()
    with FanOut(lambda: ThreadPoolExecutor(2), 2) as workers:
        calls = ((n, go_on) for n in range(40))
        coming = workers.as_done(slow_unless, calls, slow_unless, Future())
        found = [next(coming) for _ in range(39)]
        assert sorted(found) == list(range(1, 40))
        go_on.set()
        assert list(coming) == [0]


def test_as_they_are_done_a_call_that_kills_its_workers_is_told_from_the_others() -> None:
    with FanOut(processes, 2) as workers:
        calls = ((n,) for n in range(12))
        answers = workers.as_done(deadly, calls, lambda number: -number, Future())
        assert sorted(answers) == [-5, *(n for n in range(12) if n != 5)]


@pytest.mark.parametrize("make", [None, lambda: ThreadPoolExecutor(1)])
def test_once_it_is_to_stop_there_are_no_more_answers(make: Callable[[], Executor] | None) -> None:
    stop: Future[None] = Future()
    with FanOut(make, 1) as workers:
        coming = workers.as_done(square, ((n,) for n in range(40)), square, stop)
        assert next(coming) == 0
        stop.set_result(None)
        assert list(coming) == []


def test_calls_are_taken_a_few_ahead() -> None:
    taken: list[int] = []

    def calls() -> object:
        for number in range(1_000):
            taken.append(number)
            yield (number,)

    with FanOut(lambda: ThreadPoolExecutor(2), 2) as workers:
        answers = workers.in_order(square, calls())  # type: ignore[arg-type]
        next(answers)
        assert len(taken) < 20


def test_an_error_of_a_call_is_raised() -> None:
    with (
        FanOut(lambda: ThreadPoolExecutor(1), 1) as workers,
        pytest.raises(TypeError),
    ):
        list(workers.in_order(square, [("a",)]))


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    mark = str(tmp_path / "killed")
    with FanOut(processes, 2) as workers:
        found = list(workers.in_order(square_unless_killed, [(n, mark) for n in range(12)]))
    assert found == [n * n for n in range(12)]
    assert Path(mark).exists()


@pytest.mark.parametrize("together", [1, 4])
def test_a_call_that_kills_its_workers_is_told_from_the_others(together: int) -> None:
    calls = [(n,) for n in range(9)]
    with FanOut(processes, 2) as workers:
        found = list(workers.in_order(deadly, calls, lambda number: -number, together))
    assert found == [0, 1, 2, 3, 4, -5, 6, 7, 8]


def test_workers_that_keep_dying_are_one_line() -> None:
    with FanOut(processes, 2) as workers, pytest.raises(SnapshotError, match="workers died 3"):
        list(workers.in_order(deadly, [(n,) for n in range(9)]))


def test_workers_are_made_ready_before_the_first_call() -> None:
    made: list[int] = []
    with FanOut(lambda: ThreadPoolExecutor(2), 2) as workers:
        workers.prepare(made.append, 1)
        assert list(workers.in_order(square, [(2,), (3,)])) == [4, 9]
    assert made == [1, 1]


def test_nothing_is_made_ready_without_workers() -> None:
    made: list[int] = []
    with FanOut() as workers:
        workers.prepare(made.append, 1)
    assert made == []


def test_what_goes_wrong_while_they_are_made_ready_is_for_the_calls_to_say() -> None:
    with FanOut(lambda: ThreadPoolExecutor(2), 2) as workers:
        workers.prepare(int, "no number")
        assert list(workers.in_order(square, [(2,)])) == [4]
