"""What goes wrong, as data: each kind of fault as boto3 sees it, and the reading of conditions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, HTTPClientError
from botocore.parsers import ResponseParserError

from ses_audit.errors import USAGE, UserError
from ses_audit.replay import server as server_module
from ses_audit.replay.faults import KINDS, Conditions, Fault, Limiter, read_conditions
from ses_audit.replay.requests import Asked
from ses_audit.replay.server import Server

Start = Callable[..., Server]
Client = Callable[..., Any]


def asked(**changes: object) -> Asked:
    given: dict[str, Any] = {
        "account": "222222222222",
        "region": "eu-west-1",
        "service": "sesv2",
        "operation": "GetEmailIdentity",
        "parameters": {"EmailIdentity": "example.com"},
    }
    return Asked(**{**given, **changes})


def test_an_error_has_its_code_message_and_status(start: Start, client: Client) -> None:
    fault = Fault("error", service="sesv2", code="BadRequestException", message="no", status=400)
    start(Conditions(faults=[fault]))
    with pytest.raises(ClientError, match="no") as error:
        client("sesv2").get_account()
    assert error.value.response["Error"]["Code"] == "BadRequestException"
    client("organizations").list_roots()


def test_an_expired_token(start: Start, client: Client) -> None:
    start(Conditions(faults=[Fault("expired", operation="ListRegions", times=1)]))
    with pytest.raises(ClientError, match="is expired") as error:
        client("account").list_regions()
    assert error.value.response["Error"]["Code"] == "ExpiredTokenException"
    assert client("account").list_regions()["Regions"]


def test_a_proxys_page_is_no_answer(start: Start, client: Client) -> None:
    """botocore reads a page as an answer without content; the collector must not."""
    start(Conditions(faults=[Fault("html", operation="ListRegions")]))
    answer = client("account").list_regions()
    assert "Regions" not in answer
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "text/html"


def test_a_connection_that_is_cut(start: Start, client: Client) -> None:
    """botocore does not compare the length: half of JSON is an answer without content to it."""
    start(Conditions(faults=[Fault("cut")]))
    session = botocore.session.get_session()
    own = session.create_client("account", region_name="eu-west-1")
    assert set(own.list_regions()) == {"ResponseMetadata"}
    with pytest.raises(ResponseParserError):
        session.create_client("iam").get_account_authorization_details()


def test_a_token_that_comes_again(start: Start, client: Client) -> None:
    start(Conditions(faults=[Fault("repeat_token", operation="ListAccounts")]))
    first = client("organizations").list_accounts()
    second = client("organizations").list_accounts(NextToken=first["NextToken"])
    assert second["NextToken"] == first["NextToken"]


def test_truncated_without_a_marker(start: Start, client: Client) -> None:
    start(Conditions(faults=[Fault("no_marker", service="iam")]))
    answer = client("iam").get_account_authorization_details()
    assert answer["IsTruncated"] is True
    assert "Marker" not in answer


def test_an_empty_page_with_a_token_hides_nothing(start: Start, client: Client) -> None:
    start(Conditions(faults=[Fault("empty_page", operation="ListAccounts", times=1)]))
    pages = list(client("organizations").get_paginator("list_accounts").paginate())
    assert [len(page["Accounts"]) for page in pages] == [0, 12]


def test_a_connection_that_is_reset(start: Start, client: Client) -> None:
    start(Conditions(faults=[Fault("reset", times=1)]))
    with pytest.raises(HTTPClientError):
        client("organizations").list_roots()
    assert client("organizations").list_roots()["Roots"]


def test_a_body_as_it_is_given(start: Start, client: Client) -> None:
    texts = ['{"Roots": []}', "{", "<AssumeRoleRes"]
    faults = [Fault("body", times=1, text=text) for text in texts]
    start(Conditions(faults=[*faults, Fault("body", status=503, text="<html>away</html>")]))
    assert client("organizations").list_roots()["Roots"] == []
    # botocore reads what is no JSON as an answer without content.
    assert "Roots" not in client("organizations").list_roots()
    with pytest.raises(ResponseParserError):
        client("sts").get_caller_identity()
    with pytest.raises(ClientError) as error:
        client("account").list_regions()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_an_answer_in_the_place_of_the_recorded_one(start: Start, client: Client) -> None:
    """The second look at the accounts finds others."""
    accounts = [{"Id": "999999999998", "State": "ACTIVE"}]
    fault = Fault("answer", operation="ListAccounts", skip=1, response={"Accounts": accounts})
    start(Conditions(faults=[fault]))
    assert len(client("organizations").list_accounts()["Accounts"]) == 12
    assert client("organizations").list_accounts()["Accounts"] == accounts


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        (Fault("error", region="global"), True),
        (Fault("error", region="us-east-1"), True),
        (Fault("error", region="eu-west-1"), False),
    ],
)
def test_a_service_without_a_region_is_global_too(fault: Fault, hit: bool) -> None:
    iam = asked(service="iam", operation="ListAccessKeys", region="us-east-1", parameters={})
    assert fault.matches(iam) is hit


def test_a_role_is_assumed_in_its_account() -> None:
    arn = "arn:aws:iam::222222222222:role/ses-audit"
    given = asked(account="111111111111", service="sts", operation="AssumeRole",
                  parameters={"RoleArn": arn})  # fmt: skip
    for account, hit in (("111111111111", True), ("222222222222", True), ("333333333333", False)):
        assert Fault("error", account=account, operation="AssumeRole").matches(given) is hit


def test_a_delay_is_slept(start: Start, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(server_module.time, "sleep", slept.append)
    start(Conditions(faults=[Fault("delay", operation="ListRoots", seconds=90)]))
    assert client("organizations").list_roots()["Roots"]
    assert slept == [90]


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        (Fault("error"), True),
        (Fault("error", account="222222222222", region="eu-west-1"), True),
        (Fault("error", account="333333333333"), False),
        (Fault("error", region="us-east-1"), False),
        (Fault("error", service="iam"), False),
        (Fault("error", operation="GetAccount"), False),
        (Fault("error", argument="example.com"), True),
        (Fault("error", argument="example.org"), False),
    ],
)
def test_which_calls_a_fault_is_meant_for(fault: Fault, hit: bool) -> None:
    assert fault.matches(asked()) is hit


def test_a_fault_skips_and_ends() -> None:
    limiter = Limiter(Conditions(faults=[Fault("html", skip=1, times=2)]), lambda: 0.0)
    assert [limiter.fault(asked()) is not None for _ in range(4)] == [False, True, True, False]


def test_faults_count_apart() -> None:
    first, second = Fault("html", times=1), Fault("cut", times=1)
    limiter = Limiter(Conditions(faults=[first, second]), lambda: 0.0)
    assert [limiter.fault(asked()) for _ in range(3)] == [first, second, None]


def test_a_bucket_fills_at_its_rate() -> None:
    now = [0.0]
    limiter = Limiter(Conditions(rates={"sesv2.GetEmailIdentity": (2, 1)}), lambda: now[0])
    assert not limiter.over_rate(asked())
    assert limiter.over_rate(asked())
    assert not limiter.over_rate(asked(region="us-east-1"))
    assert not limiter.over_rate(asked(account="333333333333"))
    assert not limiter.over_rate(asked(operation="GetAccount"))
    now[0] = 0.5
    assert not limiter.over_rate(asked())
    now[0] = 100.0
    assert [limiter.over_rate(asked()) for _ in range(2)] == [False, True]


def test_conditions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "conditions.json"
    path.write_text(
        json.dumps(
            {
                "page_sizes": {"ListAccounts": 3},
                "latency": 0.15,
                "rates": {"organizations.ListAccounts": [8, 12]},
                "faults": [{"kind": kind} for kind in KINDS],
            }
        )
    )
    found = read_conditions(path)
    assert found.page_sizes == {"ListAccounts": 3}
    assert found.latency == 0.15
    assert found.rates == {"organizations.ListAccounts": (8.0, 12.0)}
    assert [fault.kind for fault in found.faults] == list(KINDS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "does not describe conditions"),
        ("[]", "an object of faults, latency, page_sizes, rates"),
        ('{"weather": 1}', "an object of faults, latency, page_sizes, rates"),
        ('{"faults": [{"kind": "rain"}]}', "no fault 'rain'"),
        ('{"faults": [{"kind": "html", "who": "x"}]}', "does not describe conditions"),
        ('{"faults": [{"kind": "delay", "seconds": "long"}]}', "seconds of a fault is not 'long'"),
        ('{"faults": [{"kind": "answer", "response": []}]}', r"response of a fault is not \[\]"),
        ('{"rates": {"a.b": [1]}}', "does not describe conditions"),
        ('{"latency": "long"}', "does not describe conditions"),
    ],
)
def test_conditions_that_are_none(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "conditions.json"
    path.write_text(text)
    with pytest.raises(UserError, match=says) as error:
        read_conditions(path)
    assert error.value.exit_code == USAGE
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="cannot read"):
        read_conditions(tmp_path / "none")
