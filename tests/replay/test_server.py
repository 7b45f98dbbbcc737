"""The server over real HTTP, asked by an unmodified boto3."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ses_audit.errors import USAGE, UserError
from ses_audit.replay import server as server_module
from ses_audit.replay.example.build import example_data
from ses_audit.replay.faults import Conditions, Fault
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import LOOPBACK, Server, environment, serve

Start = Callable[..., Server]
Client = Callable[..., Any]
WEB, SHARED_MAIL = "222222222222", "666666666666"
REFUSES = "121212121212"


def test_it_listens_on_loopback_and_nowhere_else(start: Start) -> None:
    server = start()
    assert server.url.startswith("http://127.0.0.1:")
    with pytest.raises(UserError, match="is not on loopback") as error:
        environment("http://192.0.2.1:80", "111111111111")
    assert error.value.exit_code == USAGE


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}") as error:
            serve(Recording([]), port)
    assert error.value.exit_code == USAGE


def test_query_xml(start: Start, client: Client) -> None:
    """sts and iam: lists, booleans, times, percent-encoded documents."""
    start()
    identity = client("sts").get_caller_identity()
    assert identity["Account"] == "111111111111"
    assert identity["Arn"] == "arn:aws:iam::111111111111:user/auditor"
    assumed = client("sts", SHARED_MAIL).get_caller_identity()
    assert assumed["Account"] == SHARED_MAIL
    assert assumed["Arn"] == f"arn:aws:sts::{SHARED_MAIL}:assumed-role/ses-audit/ses-audit"
    details = client("iam", WEB).get_account_authorization_details()
    user = details["UserDetailList"][0]
    assert user["Arn"].startswith(f"arn:aws:iam::{WEB}:user/")
    assert isinstance(user["CreateDate"], datetime)
    policy = next(p for p in details["Policies"] if p["PolicyVersionList"])
    assert policy["PolicyVersionList"][0]["Document"]["Version"] == "2012-10-17"


def test_ec2_xml(start: Start, client: Client) -> None:
    """ec2: its own wrapping of lists and errors; its regions are those of ListRegions."""
    fault = Fault("error", service="ec2", code="UnauthorizedOperation", status=403, times=1)
    start(Conditions(faults=[fault]))
    ec2 = client("ec2", WEB)
    with pytest.raises(ClientError, match="UnauthorizedOperation") as error:
        ec2.describe_regions(AllRegions=True)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    found = {r["RegionName"]: r["OptInStatus"] for r in ec2.describe_regions()["Regions"]}
    listed = client("account", WEB).list_regions()["Regions"]
    assert set(found) == {region["RegionName"] for region in listed}
    assert found["eu-west-1"] == "opt-in-not-required"
    assert found["af-south-1"] == "not-opted-in"


def test_json(start: Start, client: Client) -> None:
    """organizations: its own header names the call; times are seconds."""
    start()
    organizations = client("organizations")
    described = organizations.describe_organization()["Organization"]
    assert described["Id"] == example_data("organization")["id"]
    accounts = organizations.list_accounts()["Accounts"]
    assert len(accounts) == 12
    assert accounts[0]["JoinedTimestamp"].astimezone(UTC) == datetime(2020, 1, 15, 9, tzinfo=UTC)
    assert {a["State"] for a in accounts} == {"ACTIVE", "SUSPENDED"}


def test_rest_json(start: Start, client: Client) -> None:
    """account and sesv2: the path names the call, and holds an encoded argument."""
    start()
    regions = client("account").list_regions()["Regions"]
    assert {"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"} in regions
    ses = client("sesv2", SHARED_MAIL, "eu-west-1")
    names = [item["IdentityName"] for item in ses.list_email_identities()["EmailIdentities"]]
    assert names
    for name in names:
        answer = ses.get_email_identity(EmailIdentity=name)
        assert answer["IdentityType"] == ("EMAIL_ADDRESS" if "@" in name else "DOMAIN")
    assert ses.get_account()["EnforcementStatus"] == "HEALTHY"


@pytest.mark.parametrize("size", [1, 5, 100])
def test_lists_come_in_pages(start: Start, client: Client, size: int) -> None:
    server = start(Conditions(page_sizes={"ListAccounts": size}))
    pages = list(client("organizations").get_paginator("list_accounts").paginate())
    found = [account["Id"] for page in pages for account in page["Accounts"]]
    assert found == [a["id"] for a in example_data("organization")["accounts"]]
    assert len(pages) == server.calls["organizations.ListAccounts"] == -(-12 // size)


def test_a_page_is_filled_from_the_lists_in_their_order(start: Start, client: Client) -> None:
    """IAM counts users, groups, roles and policies together."""
    start(Conditions(page_sizes={"GetAccountAuthorizationDetails": 7}))
    iam = client("iam", WEB)
    whole: dict[str, list[str]] = {}
    names = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    for page in iam.get_paginator("get_account_authorization_details").paginate():
        items = [item["Arn"] for name in names for item in page[name]]
        assert len(items) == 7 or not page["IsTruncated"]
        for name in names:
            whole.setdefault(name, []).extend(item["Arn"] for item in page[name])
    start()
    at_once = client("iam", WEB).get_account_authorization_details(MaxItems=1000)
    for name in names:
        arns = [item["Arn"] for item in at_once[name]]
        # At most 100 come at once, whatever is asked for.
        assert arns == whole[name][: len(arns)]
    assert at_once["IsTruncated"] is (sum(map(len, whole.values())) > 100)


def test_the_caller_may_ask_for_smaller_pages(start: Start, client: Client) -> None:
    start()
    page = client("organizations").list_accounts(MaxResults=2)
    assert len(page["Accounts"]) == 2
    following = client("organizations").list_accounts(MaxResults=2, NextToken=page["NextToken"])
    assert following["Accounts"][0]["Id"] == "333333333333"
    with pytest.raises(ClientError, match="the token is not of this list"):
        client("organizations").list_accounts(NextToken="something")


def test_what_was_refused_is_refused(start: Start, client: Client) -> None:
    start()
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole") as error:
        client("sts", REFUSES)
    assert error.value.response["Error"]["Code"] == "AccessDenied"
    ses = client("sesv2", "888888888888", "ca-central-1")
    with pytest.raises(ClientError) as denied:
        ses.list_email_identities()
    assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_what_was_not_recorded_is_said(start: Start, client: Client) -> None:
    start()
    with pytest.raises(ClientError, match=r"nothing is recorded of sesv2\.GetEmailIdentity"):
        client("sesv2").get_email_identity(EmailIdentity="nobody.example")
    with pytest.raises(ClientError, match="nothing is recorded of account 000000000000"):
        client("sts", "000000000000")
    with pytest.raises(ClientError, match="no GetSessionToken here"):
        client("sts").get_session_token()


def raw(
    server: Server, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, str]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def signed(service: str, key: str = "AKIAREPLAY111111111111") -> str:
    scope = f"{key}/20260101/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def test_a_request_that_is_none(start: Start) -> None:
    server = start()
    assert raw(server, "GET", "/") == (403, "the request is not signed")
    stranger = signed("iam", "AKIASOMEBODYELSE0000")
    assert raw(server, "POST", "/", Authorization=stranger) == (
        403, "the access key is not one of this server's",
    )  # fmt: skip
    assert raw(server, "GET", "/", Authorization=signed("s3")) == (403, "s3 is not served here")
    assert raw(server, "GET", "/x", Authorization=signed("ses")) == (403, "sesv2 has no GET /x")
    assert raw(server, "POST", "/listRegions", b"{", Authorization=signed("account")) == (
        403, "the body is not JSON",
    )  # fmt: skip
    large = {"Authorization": signed("iam"), "Content-Length": str(1 << 21)}
    assert raw(server, "POST", "/", b"", **large) == (413, "too large")
    status, body = raw(server, "POST", "/", b"Action=Nothing", Authorization=signed("iam"))
    assert (status, "InvalidAction" in body) == (400, True)


def test_another_host_name_is_refused(start: Start) -> None:
    """A page in a browser that names this server by another name gets nothing."""
    server = start()
    status, body = raw(server, "GET", "/", Host="attacker.example", Authorization=signed("iam"))
    assert (status, body) == (403, "this server is asked by its loopback address only")


def test_latency_is_slept_before_each_answer(
    start: Start, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(server_module.time, "sleep", slept.append)
    start(Conditions(latency=0.15))
    client("organizations").list_roots()
    client("account").list_regions()
    assert slept == [0.15, 0.15]


def test_over_its_rate_a_call_is_throttled(start: Start, client: Client) -> None:
    """Two at once, then none for a very long time; other calls and regions go on."""
    start(Conditions(rates={"sesv2.GetAccount": (1e-9, 2), "iam.*": (1e-9, 1)}))
    ses = client("sesv2")
    ses.get_account()
    ses.get_account()
    with pytest.raises(ClientError, match="Rate exceeded") as error:
        ses.get_account()
    assert error.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    ses.list_email_identities()
    client("sesv2", region="us-east-1").get_account()
    client("iam").get_account_authorization_details()
    with pytest.raises(ClientError) as throttled:
        client("iam").get_account_authorization_details()
    assert throttled.value.response["Error"]["Code"] == "Throttling"


def test_every_call_is_counted(start: Start, client: Client) -> None:
    server = start()
    client("organizations").list_roots()
    client("organizations").list_roots()
    assert dict(server.calls) == {"organizations.ListRoots": 2}


def test_request_ids_differ(start: Start, client: Client) -> None:
    start()
    ids = {
        client(service).meta.service_model.service_name: call(client(service))
        for service, call in {
            "organizations": lambda c: c.list_roots()["ResponseMetadata"]["RequestId"],
            "iam": lambda c: c.get_account_authorization_details()["ResponseMetadata"]["RequestId"],
            "sesv2": lambda c: c.get_account()["ResponseMetadata"]["RequestId"],
        }.items()
    }
    assert len(set(ids.values())) == 3


def test_hostile_text_arrives_as_it_was(start: Start, client: Client) -> None:
    from ses_audit.snapshot.coverage import State
    from ses_audit.snapshot.evidence import Record

    path = "/</script><svg onload=alert(1)>&amp;]]>/"
    role = {
        "Arn": f"arn:aws:iam::111111111111:role{path}x",
        "RoleName": "x",
        "Path": path,
        "AssumeRolePolicyDocument": '{"Statement": "1+1 %2B <&>"}',
    }
    blank = ("OK", None)
    details = {"UserDetailList": [], "RoleDetailList": [role]}
    name = "\u202eexample\x1b[31m \ud83d\ude00"
    records = [
        Record("111111111111", "global", "iam", "GetAccountAuthorizationDetails", {},
               State(blank[0]), None, details, "", 1, "t"),
        Record("111111111111", "global", "organizations", "ListRoots", {},
               State.OK, None, {"Roots": [{"Id": "r-ab12", "Name": name}]}, "", 1, "t"),
    ]  # fmt: skip
    start(recording=Recording(records, "111111111111"))
    (found,) = client("iam").get_account_authorization_details()["RoleDetailList"]
    assert found["Path"] == path
    assert found["AssumeRolePolicyDocument"] == {"Statement": "1+1 %2B <&>"}
    (root,) = client("organizations").list_roots()["Roots"]
    assert json.dumps(root["Name"]) == json.dumps("\u202eexample\x1b[31m \U0001f600")
