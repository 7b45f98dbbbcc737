"""Which records answer: of each call, the pages of its newest complete reading.

Evidence is append-only, so a call may stand there several times: stopped half-way, resumed,
read again a month later. Nothing here depends on the order of the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

import orjson

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.ledger import continues
from ses_audit.snapshot.shapes import wrong_shape

__all__ = ["Answers", "complete_reading", "in_order"]

_TOKENS = ("NextToken", "Marker", "NextMarker")
_PAGING = frozenset({*_TOKENS, "MaxResults", "MaxItems", "PageSize"})


def _canonical(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)


def _tie(record: Record) -> bytes:
    try:
        return _canonical(record.response)
    except orjson.JSONEncodeError:
        return repr(record.response).encode("ascii", "backslashreplace")


def in_order(records: Iterable[Record]) -> list[Record]:
    """Sort records by time, whatever the order in which they come."""

    def key(record: Record) -> tuple[str, str, str]:
        return (record.time, record.request_id, repr(sorted(record.request.items())))

    ordered: list[Record] = []
    for _, same in groupby(sorted(records, key=key), key):
        tied = list(same)
        ordered += sorted(tied, key=_tie) if len(tied) > 1 else tied
    return ordered


class Answers:
    """The answers of one account, by operation.

    Parameters
    ----------
    records
        All records of one account, in any order. Those without an answer, or whose answer does
        not have the operation's shape, are left out; the ledger tells of them.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        groups: dict[tuple[str, str, str], dict[str, list[Record]]] = {}
        self.gone: set[tuple[str, str]] = set()
        """(region, identity) that a list named and that was deleted before it was read."""
        for record in in_order(records):
            if record.operation == "GetEmailIdentity":
                self._note_gone(record)
            # A truncated list is no evidence of what it lacks, but it is of what it holds.
            answered = record.status.is_evidence or record.status is State.TRUNCATED
            if not answered or record.response is None:
                continue
            if wrong_shape(record.operation, record.response) is not None:
                continue
            call = repr(sorted((k, v) for k, v in record.request.items() if k not in _PAGING))
            groups.setdefault((record.service, record.operation, record.region), {}).setdefault(
                call, []
            ).append(record)
        self._records: dict[tuple[str, str], list[Record]] = {}
        for (service, operation, _), calls in sorted(groups.items()):
            for _, readings in sorted(calls.items()):
                self._records.setdefault((service, operation), []).extend(_newest(readings))

    def _note_gone(self, record: Record) -> None:
        name = (record.region, str(record.request.get("EmailIdentity", "")))
        if (record.error or {}).get("code") == "NotFoundException":
            self.gone.add(name)
        elif record.response is not None:
            self.gone.discard(name)

    def of(self, service: str, operation: str) -> Iterator[tuple[Record, Mapping[str, object]]]:
        """Each answering record of an operation with its response."""
        for record in self._records.get((service, operation), ()):
            if record.response is not None:
                yield record, record.response

    def items(self, service: str, operation: str, name: str) -> Iterator[dict[str, object]]:
        """The entries of a list, over all pages and calls."""
        for _, response in self.of(service, operation):
            yield from entries(response, name)


def entries(response: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """A list of objects in an answer whose shape was checked; an absent one is empty."""
    value = response.get(name) or []
    return value if isinstance(value, list) else []


def complete_reading(records: list[Record]) -> list[Record] | None:
    """The pages of the newest complete reading of one call; None where none is complete.

    Parameters
    ----------
    records
        The answers to that call, in the order of their times.
    """
    starts = [place for place, record in enumerate(records) if _token(record) is None]
    for start in reversed(starts):
        chain = _chain(records, start)
        if chain is not None:
            return chain
    return None


def _newest(records: list[Record]) -> list[Record]:
    """The pages of the newest complete reading; if none is complete, every page there is."""
    return complete_reading(records) or records


def _chain(records: list[Record], start: int) -> list[Record] | None:
    chain, place = [records[start]], start
    while (token := continues(records[place].response or {})) is not None:
        following = (
            later for later in range(place + 1, len(records)) if _token(records[later]) == token
        )
        found = next(following, None)
        if found is None:
            return None
        chain.append(records[found])
        place = found
    return chain


def _token(record: Record) -> str | None:
    return next((str(record.request[name]) for name in _TOKENS if record.request.get(name)), None)
