from __future__ import annotations

import os
from pathlib import Path

import pytest

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.import_files import Call, call_of, found_files, record_of

ROOTS = Call("111111111111", "global", "organizations", "ListRoots", {})


@pytest.mark.parametrize(
    ("path", "operation", "request_"),
    [
        ("1/global/organizations.list-roots", "ListRoots", {}),
        ("1/global/organizations.list-policies.SERVICE_CONTROL_POLICY", "ListPolicies",
         {"Filter": "SERVICE_CONTROL_POLICY"}),
        ("1/global/organizations.list-organizational-units-for-parent.r-ab12",
         "ListOrganizationalUnitsForParent", {"ParentId": "r-ab12"}),
        ("1/global/organizations.list-policies-for-target.r-ab12", "ListPoliciesForTarget",
         {"TargetId": "r-ab12", "Filter": "SERVICE_CONTROL_POLICY"}),
        ("1/global/organizations.list-policies-for-target.r-ab12.RESOURCE_CONTROL_POLICY",
         "ListPoliciesForTarget", {"TargetId": "r-ab12", "Filter": "RESOURCE_CONTROL_POLICY"}),
        ("1/global/iam.get-account-authorization-details", "GetAccountAuthorizationDetails", {}),
        ("1/global/iam.list-access-keys.ses-smtp-user.20240101-120000", "ListAccessKeys",
         {"UserName": "ses-smtp-user.20240101-120000"}),
        ("1/global/iam.list-access-keys.%2E%2E%2Fx%3D1", "ListAccessKeys", {"UserName": "../x=1"}),
        ("1/global/account.list-regions", "ListRegions", {}),
        ("1/eu-west-1/sesv2.get-email-identity.news%40example.com", "GetEmailIdentity",
         {"EmailIdentity": "news@example.com"}),
        ("1/us-gov-west-1/sesv2.get-account", "GetAccount", {}),
    ],
)  # fmt: skip
def test_names(path: str, operation: str, request_: dict[str, str]) -> None:
    account, region, file = path.split("/")
    call = call_of((account * 12, region, f"{file}.json"))
    assert isinstance(call, Call)
    assert (call.operation, call.request) == (operation, request_)
    assert (call.account, call.region) == ("1" * 12, region)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("notes.txt", "not ACCOUNT/REGION/FILE"),
        ("123/global/iam.list-access-keys.a.json", "not ACCOUNT/REGION/FILE"),
        ("111111111111/global/deep/iam.x.json", "not ACCOUNT/REGION/FILE"),
        ("111111111111/global/notes.txt", "not SERVICE.OPERATION"),
        ("111111111111/global/iam.list-users.json", "does not use"),
        ("111111111111/global/s3.list-buckets.json", "does not use"),
        ("111111111111/global/sesv2.get-account.json", "does not stand in a folder global"),
        ("111111111111/eu-west-1/organizations.list-roots.json", "does not stand"),
        ("111111111111/EU/sesv2.get-account.json", "does not stand"),
        ("111111111111/global/organizations.describe-policy.json", "lacks the argument"),
        ("111111111111/global/organizations.list-roots.x.json", "an argument too many"),
    ],
)
def test_files_that_are_not_used(path: str, why: str) -> None:
    said = call_of(tuple(path.split("/")))
    assert isinstance(said, str)
    assert why in said


def read(tmp_path: Path, content: str, call: Call = ROOTS) -> Record:
    (tmp_path / "f.json").write_text(content)
    return record_of(tmp_path / "f.json", call)


@pytest.mark.parametrize(
    ("content", "state", "says"),
    [
        ('{"Roots": [{"Id": "r"}]}', State.OK, ""),
        ('{"Roots": []}', State.EMPTY, ""),
        ('{"Roots": [], "NextToken": "x"}', State.TRUNCATED, "names a next"),
        ("", State.MALFORMED, "the file is empty"),
        ("{", State.MALFORMED, "not JSON"),
        ('{"Accounts": []}', State.MALFORMED, "not its answer: Roots is absent"),
        ("\nAn error occurred (AccessDeniedException) when calling the X operation: You\nhave",
         State.DENIED, "You have"),
        ("An error occurred (Throttling) when calling the X operation (reached max retries: 4): S",
         State.THROTTLED, "S"),
        ("An error occurred (ExpiredToken) when calling the X operation: x", State.EXPIRED, "x"),
        ("aws: [ERROR]: An error occurred (Strange) when calling the X operation: x",
         State.SERVER_ERROR, "x"),
    ],
)  # fmt: skip
def test_contents(tmp_path: Path, content: str, state: State, says: str) -> None:
    record = read(tmp_path, content)
    assert record.status is state
    message = (record.error or {}).get("message", "")
    assert says in message
    assert "\n" not in message


def test_the_time_of_a_record_is_the_time_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"Roots": []}')
    os.utime(tmp_path / "f.json", (0, 0))
    assert record_of(tmp_path / "f.json", ROOTS).time == "1970-01-01T00:00:00Z"


def test_no_organization_in_the_words_of_the_cli(tmp_path: Path) -> None:
    call = Call("111111111111", "global", "organizations", "DescribeOrganization", {})
    record = read(
        tmp_path,
        "An error occurred (AWSOrganizationsNotInUseException) when calling the "
        "DescribeOrganization operation: Your account is not a member of an organization.",
        call,
    )
    assert record.status is State.EMPTY
    assert (record.error or {})["code"] == "AWSOrganizationsNotInUseException"


def test_links_and_folders_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"Roots": []}')
    (tmp_path / "link.json").symlink_to(tmp_path / "secret")
    record = record_of(tmp_path / "link.json", ROOTS)
    assert (record.status, record.response) == (State.MALFORMED, None)
    (tmp_path / "folder.json").mkdir()
    assert record_of(tmp_path / "folder.json", ROOTS).status is State.MALFORMED
    (tmp_path / "loop").symlink_to(tmp_path)
    found = [parts for _, parts in found_files(tmp_path)]
    assert found == [("link.json",), ("loop",), ("secret",)]
