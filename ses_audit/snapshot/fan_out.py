"""Calls given out to the workers of any executor, and their answers in the order of the calls.

A worker that dies takes its call with it: a new executor is made and the call given out again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar

from ses_audit.snapshot.errors import SnapshotError

__all__ = ["FanOut", "MakeExecutor"]

Answer = TypeVar("Answer")
Call = tuple[Any, ...]
MakeExecutor = Callable[[], Executor]
"""Makes an executor: threads, processes, or the workers of a cluster."""

_DEATHS = 3
"""How often workers may die over one call."""
_AHEAD = 3
"""Tasks in flight for each worker: an answer that waits for its turn keeps no worker waiting."""


class FanOut:
    """Workers for calls, used in a `with` block.

    Parameters
    ----------
    make_executor
        Makes the executor when it is first needed, and another where its workers died; None makes
        the calls here.
    workers
        How many workers it has.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with FanOut(lambda: ThreadPoolExecutor(2), 2) as workers:
    ...     list(workers.in_order(pow, [(2, 3), (3, 2)]))
    [8, 9]
    """

    def __init__(self, make_executor: MakeExecutor | None = None, workers: int = 1) -> None:
        self._make = make_executor
        self._workers = max(1, workers)
        self._ahead = self._workers * _AHEAD
        self._executor: Executor | None = None

    def prepare(self, function: Callable[..., object], *arguments: object) -> None:
        """Let each worker start, and make a call first, while the caller does something else.

        What the call answers is dropped; nothing waits for it. Without an executor it is not made.
        """
        if self._make is None:
            return
        try:
            for _ in range(self._workers):
                self._submit(function, [arguments])
        except BrokenExecutor:
            # The calls are given to another.
            self._shut(wait=False)

    def in_order(
        self,
        function: Callable[..., Answer],
        calls: Iterable[Call],
        lost: Callable[..., Answer] | None = None,
        together: int = 1,
    ) -> Iterator[Answer]:
        """The answers to calls of a function, in the order of the calls, however they come.

        Parameters
        ----------
        function
            Of a module, so that other processes find it.
        calls
            The arguments of each call; taken a few ahead of the answers.
        lost
            The answer for a call over which workers died again and again.
        together
            How many short calls make one task.

        Raises
        ------
        SnapshotError
            When workers die again and again, and `lost` is not given.
        """
        return self._answers(function, calls, lost, together, None, ordered=True)

    def as_done(
        self,
        function: Callable[..., Answer],
        calls: Iterable[Call],
        lost: Callable[..., Answer],
        stop: Future[None],
    ) -> Iterator[Answer]:
        """The answers to calls of a function as they come: a long one keeps none waiting.

        Parameters
        ----------
        function, calls, lost
            As for `in_order`.
        stop
            Once it is done no call is begun, none is waited for, and there are no more answers.
        """
        return self._answers(function, calls, lost, 1, stop, ordered=False)

    def _answers(
        self,
        function: Callable[..., Answer],
        calls: Iterable[Call],
        lost: Callable[..., Answer] | None,
        together: int,
        stop: Future[None] | None,
        *,
        ordered: bool,
    ) -> Iterator[Answer]:
        if self._make is None:
            for call in calls:
                if stop is not None and stop.done():
                    return
                yield function(*call)
            return
        coming = iter(calls)
        again: deque[Call] = deque()
        flying: deque[tuple[list[Call], Future[list[Answer]]]] = deque()
        deaths = 0
        # Calls of which one may have killed its worker: they fly alone, to know which one it is.
        alone = 0
        while True:
            try:
                while len(flying) < (1 if alone else self._ahead):
                    wanted = 1 if alone else together
                    again.extend(islice(coming, max(0, wanted - len(again))))
                    group = list(islice(again, wanted))
                    if not group:
                        break
                    flying.append((group, self._submit(function, group)))
                    for _ in group:
                        again.popleft()
                if not flying:
                    return
                futures = [future for _, future in flying]
                place = 0 if ordered else _first(futures, stop)
                if place is None:
                    self._shut(wait=False)
                    return
                answers = futures[place].result()
            except Exception as error:
                if not _died(error):
                    raise
                again.extendleft(call for group, _ in reversed(flying) for call in reversed(group))
                flying.clear()
                self._shut(wait=False)
                alone = max(alone, len(again))
                deaths += 1
                if deaths < _DEATHS:
                    continue
                if lost is None:
                    raise SnapshotError(
                        f"workers died {deaths} times: give them more memory, or take fewer "
                        "(--workers)"
                    ) from error
                answers = [lost(*again.popleft())]
            else:
                del flying[place]
            deaths, alone = 0, max(0, alone - len(answers))
            yield from answers

    def _submit(
        self, function: Callable[..., Answer], calls: Sequence[Call]
    ) -> Future[list[Answer]]:
        if self._executor is None:
            assert self._make is not None
            self._executor = self._make()
        return self._executor.submit(_several, function, calls)

    def _shut(self, *, wait: bool) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=wait, cancel_futures=True)
            self._executor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shut(wait=True)


def _several(function: Callable[..., Answer], calls: Iterable[Call]) -> list[Answer]:
    """The answers to some calls: the task of a worker."""
    return [function(*call) for call in calls]


def _first(futures: list[Future[Answer]], stop: Future[None] | None) -> int | None:
    """The place of one that is done, waited for; None where it is time to stop."""
    awaited: list[Future[Any]] = [*futures] if stop is None else [*futures, stop]
    done = wait(awaited, return_when=FIRST_COMPLETED).done
    if stop in done:
        return None
    return next(place for place, future in enumerate(futures) if future in done)


def _died(error: Exception) -> bool:
    """Whether an error says that a worker died; Dask has one of its own, and need not be there."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"
