"""Which recorded answer is served: the newest complete one, else the error in its place."""

from __future__ import annotations

from typing import Any

import pytest

from ses_audit.replay.recording import Answer, Call, Recording, arguments_of, paging
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record

ACCOUNT = "222222222222"
LIST = Call(ACCOUNT, "global", "organizations", "ListAccounts")


def record(time: str, *ids: str, **changes: Any) -> Record:
    given: dict[str, Any] = {
        "account": ACCOUNT,
        "region": "global",
        "service": "organizations",
        "operation": "ListAccounts",
        "request": {},
        "status": State.OK,
        "error": None,
        "response": {"Accounts": [{"Id": id_} for id_ in ids]},
        "request_id": "",
        "attempts": 1,
        "time": time,
    }
    return Record(**{**given, **changes})


def page(time: str, *ids: str, token: str = "", following: str = "") -> Record:
    response: dict[str, object] = {"Accounts": [{"Id": id_} for id_ in ids]}
    if following:
        response["NextToken"] = following
    return record(time, request={"NextToken": token} if token else {}, response=response)


def ids(answer: Answer) -> list[str]:
    assert answer.response is not None, answer
    accounts = answer.response["Accounts"]
    assert isinstance(accounts, list)
    return [account["Id"] for account in accounts]


DENIED = record(
    "3", status=State.DENIED, response=None, error={"code": "AccessDenied", "message": "no"}
)


def test_pages_are_joined() -> None:
    pages = [page("1", "a", following="x"), page("2", "b", token="x", following="y")]
    recording = Recording([*pages, page("3", "c", token="y")])
    assert ids(recording.answer(LIST)) == ["a", "b", "c"]


def test_the_newest_complete_answer_is_served() -> None:
    older, newer = record("1", "a"), record("2", "b")
    assert ids(Recording([newer, older]).answer(LIST)) == ["b"]
    # One that stopped after its first page, or failed, does not hide it.
    assert ids(Recording([older, newer, page("3", "c", following="x")]).answer(LIST)) == ["b"]
    assert ids(Recording([older, newer, DENIED]).answer(LIST)) == ["b"]


def test_an_error_stands_where_nothing_is_complete() -> None:
    answer = Recording([page("1", "a", following="x"), DENIED]).answer(LIST)
    assert answer == Answer(None, "AccessDenied", "no", 403)
    # Pages without an end and without an error: what there is.
    assert ids(Recording([page("1", "a", following="x")]).answer(LIST)) == ["a"]


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [
        (State.DENIED, "AccessDeniedException", 403),
        (State.EXPIRED, "ExpiredTokenException", 403),
        (State.THROTTLED, "TooManyRequestsException", 429),
        (State.SERVER_ERROR, "InternalFailure", 500),
        (State.EMPTY, "NotFoundException", 404),
        (State.MALFORMED, "InternalFailure", 500),
    ],
)
def test_a_state_without_a_code_has_its_own(state: State, code: str, status: int) -> None:
    answer = Recording([record("1", status=state, response=None)]).answer(LIST)
    assert answer == Answer(None, code, state.value, status)


def test_a_role_is_refused_until_it_is_granted() -> None:
    refused = record(
        "1", service="sts", operation="AssumeRole", status=State.ASSUME_FAILED, response=None
    )
    answer = Recording([refused]).refuses_role(ACCOUNT)
    assert answer is not None
    assert answer.code == "AccessDenied"
    granted = record("2", service="sts", operation="AssumeRole", response={"AssumedRoleUser": {}})
    assert Recording([granted, refused]).refuses_role(ACCOUNT) is None
    other = Recording([granted]).refuses_role("333333333333")
    assert other is not None
    assert other.message == "nothing is recorded of account 333333333333"


def test_whose_credentials_the_caller_starts_with() -> None:
    member = record("1", account="111111111111", service="iam", operation="ListAccessKeys")
    assert Recording([member, record("1", "a")]).caller_account == ACCOUNT
    assert Recording([member]).caller_account == "111111111111"
    assert Recording([member], "333333333333").caller_account == "333333333333"


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_the_partition_of_the_recording(partition: str) -> None:
    role = {"Arn": f"arn:{partition}:iam::{ACCOUNT}:role/x"}
    details = record(
        "1", service="iam", operation="GetAccountAuthorizationDetails",
        response={"RoleDetailList": [role]},
    )  # fmt: skip
    assert Recording([details]).partition == partition
    assert Recording([]).partition == "aws"


def test_arguments_leave_paging_out() -> None:
    request = {"UserName": "a", "Marker": "m", "MaxItems": 3, "Tags": ["x"], "Flag": True}
    assert arguments_of(request) == (("Flag", "True"), ("UserName", "a"))


def test_how_operations_are_paged() -> None:
    details = paging("iam", "GetAccountAuthorizationDetails")
    assert details is not None
    assert (details.token, details.truncated, details.size) == ("Marker", "IsTruncated", 100)
    assert paging("organizations", "DescribePolicy") is None
