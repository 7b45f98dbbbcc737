"""`ses-audit collect`: what a person sees, and what is left when it cannot go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_aws import HTML, MANAGEMENT, MEMBER, REFUSING, FakeAws, ec2_error, error, query_error

from ses_audit.collect.pace import Pace

Command = Callable[..., Any]


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return tmp_path / "snapshot"


def test_a_run(command: Command, fake: FakeAws, fast: Pace, snapshot: Path) -> None:
    ended = command("collect", snapshot)
    assert ended.code == 0
    assert ended.out == f"{snapshot}\n"
    lines = ended.err.splitlines()
    assert lines[0] == "reading 3 accounts"
    counts = [line for line in lines if "accounts read" in line]
    assert counts[-1].startswith("2 of 3 accounts read, 1 refused the audit role, ")
    assert (
        f"not read: account {REFUSING}: its role ses-audit could not be assumed: not authorized "
        f"to perform sts:AssumeRole on arn:aws:iam::{REFUSING}:role/ses-audit"
    ) in lines
    assert lines[-2] == "9 principals, 2 identities"
    # 24 cells of the management account, 17 of the member; 9 of each of the two others.
    assert lines[-1] == "41 of 59 cells read: 9 ASSUME_FAILED, 9 NOT_AUDITED"


def test_an_incomplete_run_is_4_where_completeness_is_required(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    assert command("collect", snapshot, "--require-complete").code == 4
    other = snapshot.with_name("other")
    complete = command("collect", other, "--require-complete", "--exclude-account", REFUSING)
    assert complete.code == 0


def test_a_wrong_profile(command: Command, no_aws: None, snapshot: Path) -> None:
    ended = command("collect", snapshot, "--profile", "nobody")
    assert ended.code == 2
    assert ended.said == (
        "ses-audit: no AWS profile 'nobody': `aws configure list-profiles` lists those there are"
    )
    assert not snapshot.exists()


def test_a_wrong_profile_of_the_environment(
    command: Command, no_aws: None, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    ended = command("collect", snapshot)
    assert ended.code == 2
    assert ended.said == (
        "ses-audit: no AWS profile 'nobody': `aws configure list-profiles` lists those there are"
    )


def test_no_credentials(command: Command, no_aws: None, snapshot: Path) -> None:
    ended = command("collect", snapshot)
    assert ended.code == 1
    assert ended.said == (
        "ses-audit: no AWS credentials: name a --profile, log in (`aws sso login`), or set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )
    assert not snapshot.exists()


CALLER = (MANAGEMENT, "global", "GetCallerIdentity", "")


@pytest.mark.parametrize(
    ("code", "message", "says"),
    [
        (
            "ExpiredToken",
            "The security token included in the request is expired",
            (
                "ses-audit: the AWS credentials have expired (ExpiredToken: The security token "
                "included in the request is expired): log in again, then run this once more"
            ),
        ),
        (
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            (
                "ses-audit: AWS does not accept the credentials (InvalidClientTokenId: The "
                "security token included in the request is invalid.): name another --profile"
            ),
        ),
    ],
)
def test_credentials_that_do_not_work(
    command: Command, fake: FakeAws, snapshot: Path, code: str, message: str, says: str
) -> None:
    fake.faults[CALLER] = lambda _: query_error(code, message, 403)
    ended = command("collect", snapshot)
    assert ended.code == 1
    assert ended.said == says
    assert not snapshot.exists()


def test_a_proxys_page_in_the_place_of_sts(command: Command, fake: FakeAws, snapshot: Path) -> None:
    fake.faults[CALLER] = lambda _: HTML
    ended = command("collect", snapshot)
    assert ended.code == 1
    assert ended.said.startswith(
        "ses-audit: AWS STS cannot be asked who the caller is (Malformed: the answer cannot be read"
    )
    assert not snapshot.exists()


def test_a_network_that_is_away(command: Command, aws_environment: None, snapshot: Path,
                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ended = command("collect", snapshot)
    assert ended.code == 1
    assert ended.said == (
        "ses-audit: AWS STS cannot be asked who the caller is (EndpointConnectionError: Could not "
        'connect to the endpoint URL: "http://127.0.0.1:9/"): see to the network, or AWS_REGION'
    )
    assert not snapshot.exists()


def test_no_organization_access(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    said = "You don't have permissions to access this resource."
    for name in ("DescribeOrganization", "ListAccounts", "ListRoots", "ListPolicies"):
        fake.faults[MANAGEMENT, "global", name, ""] = lambda _: error("AccessDeniedException", said)
    ended = command("collect", snapshot)
    assert ended.code == 0
    assert (
        "the accounts of the organization are not known: ListAccounts ended as DENIED "
        f"({said}); the caller's account is read alone, and what service control policies could "
        "forbid is UNKNOWN"
    ) in ended.err.splitlines()
    assert "DENIED" in ended.err.splitlines()[-1]


def test_regions_that_no_list_proves(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    for account in (MANAGEMENT, MEMBER):
        fake.faults[account, "global", "ListRegions", ""] = lambda _: error("AccessDeniedException")
        fake.faults[account, "global", "DescribeRegions", ""] = lambda _: ec2_error(
            "UnauthorizedOperation"
        )
    said = (
        f"The enabled regions of accounts {MANAGEMENT}, {MEMBER} are not proven: neither "
        "account:ListRegions nor ec2:DescribeRegions was answered, so every region of SES was tried"
    )
    ended = command("collect", snapshot, "--region", "eu-west-1")
    assert ended.code == 0
    assert f"note: {said}" in ended.err.splitlines()
    shown = command("status", snapshot).out
    assert f"assumed: {said}" in shown.splitlines()
    assert (
        f"{MEMBER}/global/ec2.DescribeRegions=DENIED no; its regions are not proven: every region "
        "of SES is tried"
    ) in shown.splitlines()
    assert json.loads(command("status", snapshot, "--format", "json").out)["assumptions"] == [said]


def test_no_organization(command: Command, fake: FakeAws, fast: Pace, snapshot: Path) -> None:
    fake.faults[MANAGEMENT, "global", "DescribeOrganization", ""] = lambda _: error(
        "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
    )
    ended = command("collect", snapshot, "--require-complete")
    assert ended.code == 0
    assert ended.err.splitlines()[0] == ("no organization: the caller's account is read alone")


def test_a_role_that_does_not_exist(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    """AWS does not tell a role that is not there from one that does not trust the caller."""
    said = "User: arn:aws:iam::1:user/auditor is not authorized to perform: sts:AssumeRole"
    fake.faults[MANAGEMENT, "global", "AssumeRole", ""] = lambda _: query_error(
        "AccessDenied", said, 403
    )
    ended = command("collect", snapshot, "--role-name", "nobody")
    assert ended.code == 0
    assert (
        "not read: the role nobody could not be assumed in any of 2 accounts: it must exist there "
        "(deploy/stackset.yaml makes it) and trust the caller; the first: " + said
    ) in ended.err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--role-name", "arn:aws:iam::1:role/x"],
         "'arn:aws:iam::1:role/x' is not a role's name: give the name, not the ARN"),
        (["--account", "12345678901"], "'12345678901' is not an account id: twelve digits"),
        (["--account", "१२३४५६७८९०१२"], "'१२३४५६७८९०१२' is not an account id: twelve digits"),
        (["--region", "Ireland"], "'Ireland' is not a region, such as eu-west-1"),
        (["--account", MEMBER, "--exclude-account", MEMBER],
         f"account {MEMBER} is both named and excluded"),
        (["--external-id-env", "NOT_SET_HERE"],
         "--external-id-env: the environment variable NOT_SET_HERE is not set"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_before_anything_is_asked(
    command: Command, fake: FakeAws, snapshot: Path, arguments: list[str], says: str
) -> None:
    ended = command("collect", snapshot, *arguments)
    assert ended.code == 2
    assert ended.said == f"ses-audit: {says}"
    assert fake.asked == []
    assert not snapshot.exists()


@pytest.mark.parametrize("value", ["x", "between us", "a\nb", "€€", "x" * 1225])
def test_an_external_id_that_cannot_be_one_is_refused_and_not_shown(
    command: Command, fake: FakeAws, snapshot: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    monkeypatch.setenv("THE_ID", value)
    ended = command("collect", snapshot, "--external-id-env", "THE_ID")
    assert ended.code == 2
    assert ended.said == (
        "ses-audit: the external id cannot be one: 2 to 1,224 of letters, digits and _+=,.@:/-"
    )
    assert fake.asked == []


@pytest.mark.parametrize("option", ["--account", "--exclude-account"])
def test_a_filter_that_names_no_account_is_refused_before_an_account_is_read(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path, option: str
) -> None:
    ended = command("collect", snapshot, option, "999999999999")
    assert ended.code == 2
    assert ended.said == (
        f"ses-audit: {option} 999999999999: the organization has no such account; it has 4: "
        "`aws organizations list-accounts`"
    )
    assert not fake.calls("AssumeRole")
    assert not snapshot.exists()


def test_every_account_excluded(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    excluded = [a for id_ in (MANAGEMENT, MEMBER, REFUSING) for a in ("--exclude-account", id_)]
    ended = command("collect", snapshot, *excluded)
    assert ended.code == 2
    assert ended.said == (
        "ses-audit: no account is left to read: 4 known, all of them excluded or not active; see "
        "--account, --ou and --exclude-account"
    )
    assert not snapshot.exists()


def test_zero_accounts(command: Command, fake: FakeAws, fast: Pace, snapshot: Path) -> None:
    fake.faults[MANAGEMENT, "global", "ListAccounts", ""] = lambda _: {"Accounts": []}
    ended = command("collect", snapshot)
    assert ended.code == 3
    assert ended.said == (
        "ses-audit: AWS Organizations lists no account, not even the caller's: nothing was "
        "collected; run again, and compare `aws organizations list-accounts`"
    )
    assert not snapshot.exists()


def test_nothing_collected_at_all(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    refused = error("AccessDeniedException", "no")
    xml = query_error("AccessDenied", "no", 403)
    for account, region in ((MANAGEMENT, "global"), (MANAGEMENT, "eu-west-1")):
        for name in ("ListRegions", "GetAccount", "ListEmailIdentities", "ListConfigurationSets"):
            fake.faults[account, region, name, ""] = lambda _: refused
    fake.faults[MANAGEMENT, "global", "GetAccountAuthorizationDetails", ""] = lambda _: xml
    fake.faults[MANAGEMENT, "global", "AssumeRole", ""] = lambda _: xml
    ended = command("collect", snapshot, "--region", "eu-west-1")
    assert ended.code == 3
    assert ended.err.splitlines()[-1] == (
        "ses-audit: nothing was collected: no account could be read; "
        f"`ses-audit status {snapshot}` tells why"
    )
    assert command("status", snapshot).code == 0


def test_the_same_command_goes_on_and_another_is_refused(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    command("collect", snapshot, "--account", MANAGEMENT)
    asked = len(fake.asked)
    again = command("collect", snapshot, "--account", MANAGEMENT, "--role-name", "other")
    assert again.code == 0
    # Who the caller is, and the accounts a second time: nothing else was left to ask.
    assert sorted(a.operation for a in fake.asked[asked:]) == [
        "GetCallerIdentity", "ListAccounts", "ListAccounts", "ListAccountsForParent",
        "ListAccountsForParent",
    ]  # fmt: skip
    before = {path: path.read_bytes() for path in snapshot.rglob("*") if path.is_file()}
    ended = command("collect", snapshot)
    assert ended.code == 2
    assert ended.said == (
        f"ses-audit: {snapshot} was made with other accounts ({MANAGEMENT}, now none): the "
        "same command goes on with it, another needs a new folder"
    )
    assert {path: path.read_bytes() for path in snapshot.rglob("*") if path.is_file()} == before


def test_an_import_is_not_gone_on_with(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in" / MANAGEMENT / "global"
    folder.mkdir(parents=True)
    (folder / "organizations.list-accounts.json").write_text('{"Accounts": []}')
    assert command("import", tmp_path / "in", snapshot).code == 0
    ended = command("collect", snapshot)
    assert ended.code == 2
    assert ended.said == (
        f"ses-audit: {snapshot} was made with another command (import, now collect): the same "
        "command goes on with it, another needs a new folder"
    )


def test_other_credentials_do_not_go_on(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("collect", snapshot, "--account", MANAGEMENT)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"ASIA{MEMBER}0000")
    ended = command("collect", snapshot, "--account", MANAGEMENT)
    assert ended.code == 2
    assert (
        f"was made with credentials of another account ({MANAGEMENT}, now {MEMBER})" in ended.said
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.txt", "x", "{0} is not a ses-audit snapshot: it has no manifest.json"),
        ("manifest.json", "{}",
         "{0} is not a ses-audit snapshot: its manifest.json is another tool's"),
        ("manifest.json", "{",
         "{0}/manifest.json is truncated or corrupt: make the snapshot again"),
    ],
)  # fmt: skip
def test_a_folder_of_something_else_is_left_alone(
    command: Command, fake: FakeAws, snapshot: Path, name: str, content: str, says: str
) -> None:
    snapshot.mkdir()
    (snapshot / name).write_text(content)
    ended = command("collect", snapshot)
    assert ended.code == 1
    assert ended.said == f"ses-audit: {says.format(snapshot)}"
    assert [path.name for path in snapshot.iterdir()] == [name]
