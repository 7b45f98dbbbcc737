"""The states in which a planned cell (account, region, operation) can end."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """How the reading of one cell ended. Only `OK` and `EMPTY` are evidence."""

    OK = "OK"
    EMPTY = "EMPTY"
    DENIED = "DENIED"
    ASSUME_FAILED = "ASSUME_FAILED"
    EXPIRED = "EXPIRED"
    THROTTLED = "THROTTLED"
    REGION_DISABLED = "REGION_DISABLED"
    NO_ENDPOINT = "NO_ENDPOINT"
    TIMEOUT = "TIMEOUT"
    SERVER_ERROR = "SERVER_ERROR"
    TRUNCATED = "TRUNCATED"
    MALFORMED = "MALFORMED"
    NOT_ATTEMPTED = "NOT_ATTEMPTED"
    EXCLUDED = "EXCLUDED"
    NOT_AUDITED = "NOT_AUDITED"

    @property
    def is_evidence(self) -> bool:
        """Whether the cell's content is known: read, or known to be nothing."""
        return self in (State.OK, State.EMPTY, State.REGION_DISABLED, State.NO_ENDPOINT)

    @property
    def is_missing(self) -> bool:
        """Whether the cell should be known and is not: neither evidence nor left out on purpose."""
        return not self.is_evidence and self not in (State.EXCLUDED, State.NOT_AUDITED)
