"""How fast each operation may be called: token buckets at the documented rates, adapting.

Rates: data/rates.json. A throttle halves the rate, answers win it back.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from ses_audit.collect.reference import load_data
from ses_audit.snapshot.coverage import State

__all__ = ["Bucket", "Pace"]

_SLOWEST = 1 / 16
_GAIN = 1 / 20


@dataclass(slots=True)
class Bucket:
    """Calls per second and burst; times are seconds of any one clock.

    Examples
    --------
    >>> bucket = Bucket(2.0, 1.0)
    >>> [bucket.reserve(10.0) for _ in range(3)]
    [10.0, 10.5, 11.0]
    """

    documented: float
    burst: float
    rate: float = 0.0
    tokens: float = 0.0
    seen: float = float("-inf")

    def __post_init__(self) -> None:
        self.rate = self.documented
        self.tokens = self.burst

    def reserve(self, now: float) -> float:
        """Take a token; the time at which the call may be sent."""
        if now > self.seen:
            if self.seen > float("-inf"):
                self.tokens = min(self.burst, self.tokens + (now - self.seen) * self.rate)
            self.seen = now
        self.tokens -= 1
        return now if self.tokens >= 0 else now - self.tokens / self.rate

    def slower(self) -> None:
        """A throttle came: halve the rate, and empty the bucket."""
        self.rate = max(self.documented * _SLOWEST, self.rate / 2)
        self.tokens = min(self.tokens, 0.0)

    def faster(self) -> None:
        """An answer came: win back a part of the documented rate."""
        self.rate = min(self.documented, self.rate + self.documented * _GAIN)


class Pace:
    """The buckets of a run, by (account that asks, region, service, operation)."""

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        loaded = load_data("rates.json") if data is None else data
        self.data = loaded
        rates, attempts = loaded["rates"], loaded["attempts"]
        if not isinstance(rates, dict) or not isinstance(attempts, dict):
            raise TypeError("rates.json: rates and attempts are objects")
        self._rates = rates
        self._attempts = {State(state): int(count) for state, count in attempts.items()}
        self._first = float(str(loaded["first_wait"]))
        self._longest = float(str(loaded["longest_wait"]))
        self._buckets: dict[tuple[str, str, str, str], Bucket] = {}
        self._lock = threading.Lock()

    def shared(self, workers: int) -> dict[str, object]:
        """What it was made of, for each of so many workers that know nothing of each other.

        Each account is read by one of them, so its rates are that one's; STS counts the calls of
        all for the caller, so each has an equal part.
        """
        sts = {
            name: [float(rate) / workers, max(1.0, float(burst) / workers)]
            for name, (rate, burst) in self._rates["sts"].items()
        }
        return {**self.data, "rates": {**self._rates, "sts": sts}}

    def _bucket(self, key: tuple[str, str, str, str]) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            of_service = self._rates[key[2]]
            rate, burst = of_service.get(key[3]) or of_service["*"]
            # A token is kept in hand: calls do not arrive as evenly as they are sent.
            bucket = self._buckets[key] = Bucket(float(rate), max(1.0, float(burst) - 1))
        return bucket

    def reserve(self, key: tuple[str, str, str, str], now: float) -> float:
        """The time at which the next call of `key` may be sent; the place is taken."""
        with self._lock:
            return self._bucket(key).reserve(now)

    def answered(self, key: tuple[str, str, str, str], state: State) -> None:
        """How a call ended."""
        with self._lock:
            bucket = self._bucket(key)
            if state is State.THROTTLED:
                bucket.slower()
            else:
                bucket.faster()

    def again(self, state: State, attempts: int) -> float | None:
        """Seconds to wait before a call is sent once more; None when it is not.

        Parameters
        ----------
        state
            How it ended.
        attempts
            How often it was sent.
        """
        if attempts >= self._attempts.get(state, 1):
            return None
        return float(min(self._longest, self._first * 2 ** (attempts - 1)))
