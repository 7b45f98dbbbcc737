"""A call → its answer: pages of what was recorded, and the sessions of STS."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ses_audit.replay.faults import Conditions, Fault
from ses_audit.replay.recording import Answer, Call, Paging, Recording, arguments_of, paging
from ses_audit.replay.requests import Asked, key_of_account

__all__ = ["Answers"]


class Answers:
    """Answers calls from a recording.

    Parameters
    ----------
    recording
        What was recorded.
    conditions
        Page sizes.
    now
        The wall clock, for the expiry of sessions.
    """

    def __init__(
        self, recording: Recording, conditions: Conditions, now: Callable[[], datetime]
    ) -> None:
        self._recording = recording
        self._conditions = conditions
        self._now = now

    def answer(self, asked: Asked, fault: Fault | None = None) -> Answer:
        """The answer to one call, one page of it where it is paged."""
        if asked.service == "sts":
            return self._sts(asked)
        call = Call(
            asked.account,
            asked.cell_region,
            asked.service,
            asked.operation,
            arguments_of(asked.parameters),
        )
        whole = self._recording.answer(call)
        how = paging(asked.service, asked.operation)
        if whole.response is None or how is None:
            return whole
        size = self._conditions.page_sizes.get(asked.operation, how.size)
        wanted = asked.parameters.get(how.limit)
        if wanted is not None:
            size = min(size, int(str(wanted)))
        return _page(whole.response, how, size, asked.parameters.get(how.token), fault)

    def _sts(self, asked: Asked) -> Answer:
        partition = self._recording.partition
        if asked.operation == "GetCallerIdentity":
            own = asked.account == self._recording.caller_account
            name = "user/auditor" if own else "assumed-role/ses-audit/ses-audit"
            service = "iam" if own else "sts"
            arn = f"arn:{partition}:{service}::{asked.account}:{name}"
            return Answer({"UserId": "AIDAREPLAY", "Account": asked.account, "Arn": arn})
        if asked.operation != "AssumeRole":
            return Answer(None, "InvalidAction", f"no {asked.operation} here", 400)
        arn, account = str(asked.parameters.get("RoleArn", "")), asked.cell_account
        refused = self._recording.refuses_role(account)
        if refused is not None:
            return refused
        session = str(asked.parameters.get("RoleSessionName", "ses-audit"))
        role = arn.rsplit("/", 1)[-1]
        seconds = int(str(asked.parameters.get("DurationSeconds", 3600)))
        return Answer(
            {
                "Credentials": {
                    "AccessKeyId": key_of_account(account, session=True),
                    "SecretAccessKey": "replay",
                    "SessionToken": "replay",
                    "Expiration": (self._now() + timedelta(seconds=seconds)).astimezone(UTC),
                },
                "AssumedRoleUser": {
                    "AssumedRoleId": f"AROAREPLAY:{session}",
                    "Arn": f"arn:{partition}:sts::{account}:assumed-role/{role}/{session}",
                },
            }
        )


def _page(
    response: Mapping[str, object], how: Paging, size: int, token: object, fault: Fault | None
) -> Answer:
    """One page; a page is filled from the lists in their order, as IAM does."""
    start = 0
    if token:
        try:
            start = int(base64.urlsafe_b64decode(str(token).encode()).decode())
        except ValueError:
            return Answer(None, "InvalidInputException", "the token is not of this list", 400)
    kind = fault.kind if fault is not None else ""
    if kind == "empty_page" and not token:
        size = 0
    page: dict[str, Any] = {k: v for k, v in response.items() if k not in how.lists}
    position = 0
    for name in how.lists:
        found = response.get(name)
        items = found if isinstance(found, list) else []
        low, high = max(start - position, 0), max(start + size - position, 0)
        page[name] = items[low:high]
        position += len(items)
    more = start + size < position
    following = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    if kind == "repeat_token":
        more, following = True, base64.urlsafe_b64encode(str(start).encode()).decode()
    if how.truncated:
        page[how.truncated] = more or kind == "no_marker"
    if more and kind != "no_marker":
        page[how.token] = following
    return Answer(page)
