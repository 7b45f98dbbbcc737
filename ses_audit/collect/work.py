"""Many pieces of work, few threads, and nobody sleeps: calls wait in a queue for their time.

A piece of work is a generator: it yields the next `Call` and is sent the `Record` of its answer.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

from ses_audit.collect.call import Call
from ses_audit.collect.pace import Pace
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record

__all__ = ["Steps", "Work"]

Steps = Generator[Call, Record, None]


@dataclass(order=True)
class _Piece:
    rank: tuple[int, int]
    steps: Steps = field(compare=False)
    done: Callable[[], None] = field(compare=False)
    call: Call | None = field(default=None, compare=False)
    attempts: int = field(default=0, compare=False)
    renewed: bool = field(default=False, compare=False)


class Work:
    """Runs pieces of work; the largest that may go on goes on first.

    Parameters
    ----------
    ask
        Sends a call once.
    settle
        Told of the record in which a call ended, before its work goes on.
    renew
        Renews the credentials of an account, as far as it can.
    pace
        When a call may be sent, and whether once more.
    workers
        Threads.
    feed
        Asked for more when a thread has nothing to do (True), or soon may have (False): it may
        `add` now or later, from any thread; False once there will be no more.
    clock
        Seconds.
    """

    def __init__(
        self,
        ask: Callable[[Call], Record],
        settle: Callable[[Call, Record], Record],
        renew: Callable[[str], object],
        pace: Pace,
        workers: int,
        feed: Callable[[bool], bool] = lambda idle: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._settle = settle
        self._renew = renew
        self._pace = pace
        self._workers = workers
        self._feed = feed
        self._clock = clock
        self._changed = threading.Condition()
        self._ready: list[_Piece] = []
        self._waiting: list[tuple[float, int, _Piece]] = []
        self._busy = 0
        self._numbers = itertools.count()
        self._error: BaseException | None = None
        self._stopped = False
        self._more = True

    def add(self, steps: Steps, size: int, done: Callable[[], None]) -> None:
        """Add a piece of work.

        Parameters
        ----------
        steps
            Its calls.
        size
            How many calls it will be, as far as is known.
        done
            Called once it ends.
        """
        piece = _Piece((-size, next(self._numbers)), steps, done)
        with self._changed:
            heapq.heappush(self._ready, piece)
            self._changed.notify()

    def run(self) -> None:
        """Do all work, that which is added meanwhile included.

        An error that is no answer of AWS (a full disk) ends it, and is raised; so does Ctrl-C.
        """
        self._more = True
        threads = [
            threading.Thread(target=self._loop, name=f"collect-{number}", daemon=True)
            for number in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException:
            self.stop()
            for thread in threads:
                thread.join()
            raise
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Begin no other call; those under way end, and their answers are kept."""
        self._stop(None)

    def wake(self) -> None:
        """Ask `feed` again."""
        with self._changed:
            self._changed.notify_all()

    def _stop(self, error: BaseException | None) -> None:
        with self._changed:
            self._stopped = True
            self._error = self._error or error
            self._changed.notify_all()

    def _take(self) -> _Piece | None:
        """The next piece that may go on; None when there is no more work."""
        with self._changed:
            while True:
                if self._stopped:
                    return None
                now = self._clock()
                while self._waiting and self._waiting[0][0] <= now:
                    heapq.heappush(self._ready, heapq.heappop(self._waiting)[2])
                if len(self._ready) < self._workers and self._more:
                    self._more = self._feed(not self._ready)
                if self._ready:
                    self._busy += 1
                    return heapq.heappop(self._ready)
                if not self._waiting and not self._busy and not self._more:
                    self._changed.notify_all()
                    return None
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)

    def _loop(self) -> None:
        while (piece := self._take()) is not None:
            try:
                self._advance(piece)
            except BaseException as error:  # noqa: BLE001  (raised again by run)
                self._stop(error)
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()

    def _advance(self, piece: _Piece) -> None:
        record: Record | None = None
        if piece.call is not None:
            record = self._send(piece, piece.call)
            if record is None:
                return
        try:
            piece.call = next(piece.steps) if record is None else piece.steps.send(record)
        except StopIteration:
            piece.done()
            return
        piece.attempts, piece.renewed = 0, False
        self._wait(piece, self._pace.reserve(piece.call.pace_key, self._clock()))

    def _send(self, piece: _Piece, call: Call) -> Record | None:
        """The record in which the call ended; None when it is sent once more."""
        record = self._ask(call)
        piece.attempts += 1
        self._pace.answered(call.pace_key, record.status)
        if record.status is State.EXPIRED and not piece.renewed:
            # Asked once more even with the same keys: a clock that was off is right again.
            piece.renewed = True
            self._renew(call.signer)
            self._wait(piece, self._clock())
            return None
        pause = self._pace.again(record.status, piece.attempts)
        if pause is not None:
            ready = self._pace.reserve(call.pace_key, self._clock())
            self._wait(piece, max(ready, self._clock() + pause))
            return None
        return self._settle(call, replace(record, attempts=piece.attempts))

    def _wait(self, piece: _Piece, ready: float) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (ready, piece.rank[1], piece))
            self._changed.notify()
