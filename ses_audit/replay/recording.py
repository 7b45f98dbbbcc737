"""What was recorded, by call: the newest complete answer, or the error that stood in its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.readings import complete_reading, in_order

__all__ = ["Answer", "Call", "Paging", "Recording", "paging"]

_ERRORS = {
    State.DENIED: ("AccessDeniedException", 403),
    State.ASSUME_FAILED: ("AccessDenied", 403),
    State.EXPIRED: ("ExpiredTokenException", 403),
    State.THROTTLED: ("TooManyRequestsException", 429),
    State.SERVER_ERROR: ("InternalFailure", 500),
    State.REGION_DISABLED: ("UnrecognizedClientException", 403),
    State.EMPTY: ("NotFoundException", 404),
}


@dataclass(frozen=True, slots=True)
class Paging:
    """How an operation is paged: its lists, the most items of a page, the names of its fields."""

    lists: tuple[str, ...]
    size: int
    limit: str = "MaxResults"
    token: str = "NextToken"  # noqa: S105
    truncated: str | None = None


@cache
def _pagings() -> Mapping[str, Paging]:
    text = files("ses_audit.replay").joinpath("data/paging.json").read_text("utf-8")
    return {
        name: Paging(**{**entry, "lists": tuple(entry["lists"])})
        for name, entry in json.loads(text)["operations"].items()
    }


def paging(service: str, operation: str) -> Paging | None:
    """How an operation is paged; None where it is not.

    Examples
    --------
    >>> paging("organizations", "ListAccounts").size
    20
    >>> paging("sesv2", "GetAccount") is None
    True
    """
    return _pagings().get(f"{service}.{operation}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call, without its page."""

    account: str
    region: str
    service: str
    operation: str
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer over all pages, or an error."""

    response: Mapping[str, object] | None
    code: str = ""
    message: str = ""
    status: int = 200


# EC2's names of the states of ListRegions.
_BY_EC2 = {
    "ENABLED_BY_DEFAULT": "opt-in-not-required",
    "ENABLED": "opted-in",
    "DISABLING": "opted-in",
}
_PAGE_FIELDS = frozenset(
    {"NextToken", "Marker", "NextMarker", "MaxItems", "MaxResults", "PageSize", "IsTruncated"}
)


def arguments_of(request: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """The arguments that tell calls of an operation apart: simple values, no paging."""
    return tuple(
        sorted(
            (name, str(value))
            for name, value in request.items()
            # EC2's regions are the same, however much of them is asked for.
            if name not in _PAGE_FIELDS
            and name != "AllRegions"
            and isinstance(value, str | int | bool)
        )
    )


class Recording:
    """Answers by call.

    Parameters
    ----------
    records
        Evidence of any number of accounts, in any order.
    caller_account
        The account whose credentials the caller starts with; by default the one that read the
        organization, else the first.
    """

    def __init__(self, records: Iterable[Record], caller_account: str | None = None) -> None:
        self._records: dict[Call, list[Record]] = {}
        self._refusals: dict[str, Record] = {}
        self.accounts: set[str] = set()
        readers: list[str] = []
        for record in in_order(records):
            call = Call(
                record.account,
                record.region,
                record.service,
                record.operation,
                arguments_of(record.request),
            )
            self._records.setdefault(call, []).append(record)
            if record.operation == "AssumeRole":
                self._refusals.pop(record.account, None)
                if not record.status.is_evidence:
                    self._refusals[record.account] = record
            self.accounts.add(record.account)
            if record.service == "organizations":
                readers.append(record.account)
        self.caller_account = caller_account or (
            readers[0] if readers else min(self.accounts, default="111111111111")
        )

    @property
    def partition(self) -> str:
        """The partition of the recorded ARNs."""
        for call, records in self._records.items():
            if call.operation == "GetAccountAuthorizationDetails" and records[0].response:
                for name in ("RoleDetailList", "UserDetailList"):
                    items = records[0].response.get(name)
                    if isinstance(items, list) and items:
                        return str(items[0]["Arn"]).split(":")[1]
        return "aws"

    def calls(self) -> list[Call]:
        """Every recorded call."""
        return list(self._records)

    def refuses_role(self, account: str) -> Answer | None:
        """The recorded refusal of AssumeRole in an account; None where it was granted."""
        if account in self._refusals:
            return self._error(self._refusals[account])
        if account not in self.accounts:
            return Answer(None, "AccessDenied", f"nothing is recorded of account {account}", 403)
        return None

    def answer(self, call: Call) -> Answer:
        """The answer to a call: whole lists, to be paged by the server."""
        records = self._records.get(call)
        if not records and call.operation == "DescribeRegions":
            return self._regions(call)
        if not records:
            text = f"{call.service}.{call.operation} of {call.account}/{call.region}"
            return Answer(None, "ReplayNotRecorded", f"nothing is recorded of {text}", 400)
        answered = [r for r in records if r.response is not None]
        pages = complete_reading(answered)
        if pages is None:
            failed = [record for record in records if record.response is None]
            if failed:
                return self._error(failed[-1])
            pages = answered
        merged: dict[str, object] = {}
        how = paging(call.service, call.operation)
        for page in pages:
            for name, value in (page.response or {}).items():
                if name in _PAGE_FIELDS:
                    continue
                if how is not None and name in how.lists and isinstance(value, list):
                    before = merged.get(name)
                    merged[name] = [*(before if isinstance(before, list) else []), *value]
                else:
                    merged.setdefault(name, value)
        return Answer(merged)

    def _regions(self, call: Call) -> Answer:
        """What EC2 says of the regions, where what Account Management says of them is recorded."""
        listed = self.answer(replace(call, service="account", operation="ListRegions"))
        items = (listed.response or {}).get("Regions")
        if not isinstance(items, list):
            text = f"nothing is recorded of the regions of {call.account}"
            return Answer(None, "ReplayNotRecorded", text, 400)
        regions = [
            {
                "RegionName": item["RegionName"],
                "Endpoint": f"ec2.{item['RegionName']}.amazonaws.com",
                "OptInStatus": _BY_EC2.get(
                    str(item.get("RegionOptStatus") or "ENABLED"), "not-opted-in"
                ),
            }
            for item in items
        ]
        return Answer({"Regions": regions})

    @staticmethod
    def _error(record: Record) -> Answer:
        code, status = _ERRORS.get(record.status, ("InternalFailure", 500))
        error = record.error or {}
        return Answer(
            None, error.get("code") or code, error.get("message") or record.status.value, status
        )
