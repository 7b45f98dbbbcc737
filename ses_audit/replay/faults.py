"""What goes wrong, as data: page sizes, latency, rate limits and faults of the replay server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from ses_audit.errors import USAGE, UserError
from ses_audit.replay.requests import Asked

__all__ = ["Conditions", "Fault", "Limiter", "read_conditions", "read_fault"]

KINDS = (
    "error",  # `code`, `message`, `status`
    "html",  # a proxy's page, status 200
    "cut",  # the connection closes in the middle of the body
    "repeat_token",  # the next page names the same token again
    "no_marker",  # IsTruncated without a Marker
    "empty_page",  # an empty page with a token, before the first item
    "delay",  # the answer comes after `seconds`
    "reset",  # the connection is reset, without an answer
    "body",  # `text` in the place of the answer's body, with `status`
    "answer",  # `response`, one page, in the place of what is recorded
    "expired",  # the session's token has expired
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, and for which calls; an empty field matches any.

    `account` is who asks, or whose role is assumed; `region` the signature's, or `global` where
    the service has none; `argument` any parameter's value. `status` is by default 400 of an error
    and 200 of a body.
    `skip` calls pass first, then `times` calls are hit; 0 hits all.
    """

    kind: str
    account: str = ""
    region: str = ""
    service: str = ""
    operation: str = ""
    argument: str = ""
    skip: int = 0
    times: int = 0
    code: str = "AccessDenied"
    message: str = ""
    status: int = 0
    seconds: float = 0.0
    text: str = ""
    response: Mapping[str, object] = field(default_factory=dict)

    def matches(self, asked: Asked) -> bool:
        """Whether the fault is meant for a call."""
        return (
            self.account in ("", asked.account, asked.cell_account)
            and self.region in ("", asked.region, asked.cell_region)
            and self.service in ("", asked.service)
            and self.operation in ("", asked.operation)
            and (not self.argument or self.argument in map(str, asked.parameters.values()))
        )


@dataclass(frozen=True, slots=True)
class Conditions:
    """The weather: `page_sizes` by operation, `latency` in seconds a call, `rates` by
    `service.operation` as (calls a second, burst) for each account and region, `faults`."""

    page_sizes: Mapping[str, int] = field(default_factory=dict)
    latency: float = 0.0
    rates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    faults: Sequence[Fault] = ()


def read_fault(entry: Mapping[str, object]) -> Fault:
    """A fault of a JSON file.

    Raises
    ------
    ValueError, TypeError
        When it is none.

    Examples
    --------
    >>> read_fault({"kind": "delay", "operation": "ListRoots", "seconds": 2}).seconds
    2
    """
    fault = Fault(**entry)  # type: ignore[arg-type]
    if fault.kind not in KINDS:
        raise ValueError(f"no fault {fault.kind!r}; one of {', '.join(KINDS)}")
    for each in fields(Fault):
        value = getattr(fault, each.name)
        kinds: tuple[type, ...] = {"int": (int,), "float": (int, float), "str": (str,)}.get(
            str(each.type), (dict,)
        )
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise TypeError(f"{each.name} of a fault is not {value!r}")
    return fault


def read_conditions(path: Path) -> Conditions:
    """Read conditions from a JSON file.

    Raises
    ------
    UserError
        When it is not there, or is not what `Conditions` describes.
    """
    try:
        loaded = json.loads(path.read_text("utf-8"))
        known = {f.name for f in fields(Conditions)}
        if not isinstance(loaded, dict) or not set(loaded) <= known:
            raise ValueError(f"an object of {', '.join(sorted(known))}")
        faults = tuple(read_fault(entry) for entry in loaded.get("faults", ()))
        return Conditions(
            page_sizes={str(k): int(v) for k, v in loaded.get("page_sizes", {}).items()},
            latency=float(loaded.get("latency", 0.0)),
            rates={k: (float(v[0]), float(v[1])) for k, v in loaded.get("rates", {}).items()},
            faults=faults,
        )
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}", USAGE) from error
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise UserError(f"{path} does not describe conditions: {error}", USAGE) from error


class Limiter:
    """Counts calls: which fault hits, and which call is over its rate."""

    def __init__(self, conditions: Conditions, clock: Callable[[], float]) -> None:
        self._conditions = conditions
        self._clock = clock
        self._seen = [0] * len(conditions.faults)
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def fault(self, asked: Asked) -> Fault | None:
        """The first fault that hits this call; each counts the calls meant for it."""
        with self._lock:
            for place, fault in enumerate(self._conditions.faults):
                if not fault.matches(asked):
                    continue
                self._seen[place] += 1
                number = self._seen[place] - fault.skip
                if number >= 1 and (fault.times == 0 or number <= fault.times):
                    return fault
        return None

    def over_rate(self, asked: Asked) -> bool:
        """Whether the call finds its token bucket empty."""
        name = f"{asked.service}.{asked.operation}"
        rate = self._conditions.rates.get(name) or self._conditions.rates.get(f"{asked.service}.*")
        if rate is None:
            return False
        key = (asked.account, asked.region, name)
        with self._lock:
            now = self._clock()
            tokens, last = self._buckets.get(key, (rate[1], now))
            tokens = min(rate[1], tokens + (now - last) * rate[0])
            allowed = tokens >= 1
            self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        return not allowed
