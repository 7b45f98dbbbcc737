"""`ses-audit collect`: which accounts are read, the plan without reading, and refreshing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_aws import MANAGEMENT, MEMBER, REFUSING, SUSPENDED, FakeAws, error

from ses_audit.collect.pace import Pace
from ses_audit.collect.reference import session_policy
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.store import open_snapshot

Command = Callable[..., Any]


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return tmp_path / "snapshot"


def reasons(snapshot: Path) -> dict[str, str]:
    rows = open_snapshot(snapshot).table("accounts").to_pylist()
    return {row["account_id"]: row["not_audited_reason"] for row in rows}


def test_only_below_an_ou(command: Command, fake: FakeAws, fast: Pace, snapshot: Path) -> None:
    assert command("collect", snapshot, "--ou", "ou-ab12-11111111").code == 0
    assert reasons(snapshot) == {
        MANAGEMENT: "not below the OUs that were asked for",
        MEMBER: "",
        REFUSING: "",
        SUSPENDED: "its state is SUSPENDED",
    }
    # The root holds everything below it.
    assert command("collect", snapshot.with_name("root"), "--ou", "r-ab12").code == 0
    assert reasons(snapshot.with_name("root"))[MANAGEMENT] == ""


def test_an_ou_that_is_not_there(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    ended = command("collect", snapshot, "--ou", "ou-ab12-99999999")
    assert ended.code == 2
    assert ended.said.startswith("ses-audit: --ou ou-ab12-99999999: no such OU is known; 2 are:")
    assert not snapshot.exists()


def test_an_ou_that_cannot_be_read(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    """Part of a tree would silently leave accounts out."""
    fake.faults[MANAGEMENT, "global", "ListAccountsForParent", "ou-ab12-11111111"] = lambda _: (
        error("AccessDeniedException", "no")
    )
    ended = command("collect", snapshot, "--ou", "ou-ab12-11111111")
    assert ended.code == 2
    assert ended.said == (
        "ses-audit: --ou: what is below ou-ab12-11111111 could not be read: name accounts "
        "(--account)"
    )
    assert not snapshot.exists()


def test_ids_from_a_file(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path, tmp_path: Path
) -> None:
    file = tmp_path / "ids.txt"
    # As spreadsheets save it: a byte order mark, and CR LF.
    file.write_bytes(f"\ufeff# production\r\n{MEMBER}  # the shop\r\n\r\n".encode())
    assert command("collect", snapshot, "--accounts-file", file).code == 0
    assert {a for a, reason in reasons(snapshot).items() if not reason} == {MEMBER}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("12345678901\n", "line 1 of ids.txt is not an account id: '12345678901'"),
        (f"{MEMBER}\nshop\n", "line 2 of ids.txt is not an account id: 'shop'"),
        ("# none\n", "ids.txt names no account"),
        (None, "cannot read ids.txt: No such file or directory"),
    ],
)
def test_a_file_of_ids_that_is_none(
    command: Command, fake: FakeAws, snapshot: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, text: str | None, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("ids.txt").write_text(text)
    ended = command("collect", snapshot, "--accounts-file", "ids.txt")
    assert (ended.code, ended.said) == (2, f"ses-audit: --accounts-file: {says}")
    assert fake.asked == []


def test_an_exclusion_keeps_its_reason(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    excluded = f"{REFUSING}=managed by a partner"
    assert command("collect", snapshot, "--exclude-account", excluded).code == 0
    assert reasons(snapshot)[REFUSING] == "managed by a partner"
    rows = read_coverage(open_snapshot(snapshot).table("coverage"))
    details = {row.detail for row in rows if row.account_id == REFUSING}
    assert details == {"managed by a partner"}
    assert "managed by a partner" in command("status", snapshot).out


def test_a_dry_run_lists_accounts_and_nothing_else(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    ended = command(
        "collect", snapshot, "--dry-run", "--region", "eu-west-1", "--region", "us-east-1",
        "--exclude-account", f"{REFUSING}=a partner's",
    )  # fmt: skip
    assert ended.code == 0
    # By hand: 9 of the organization, 1 role, 2 sessions, 2 x (regions, principals), 3 x 2 x 2.
    assert ended.out.splitlines() == [
        f"caller: arn:aws:iam::{MANAGEMENT}:user/auditor",
        "accounts: 2 to read, 2 not",
        f"  {REFUSING}: a partner's",
        f"  {SUSPENDED}: its state is SUSPENDED",
        "regions: 2: eu-west-1, us-east-1",
        (
            "calls: 28 at least; one more for each identity, user, access key and OU, two for each "
            "policy"
        ),
        "time: 1 s at least, at the documented rates and 150 ms a call",
        "role in each account: ses-audit",
        f"its policy: {session_policy()}",
    ]
    asked = {asked.operation for asked in fake.asked}
    assert asked == {"GetCallerIdentity", "ListAccounts"}
    assert not snapshot.exists()


def test_a_dry_run_counts_regions_that_may_be_off_apart(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    """By hand: 9 of the organization, 2 roles, 3 sessions, 3 x 2, then 3 x 3 a region."""
    given = ["--region", "eu-west-1", "--region", "af-south-1", "--region", "me-south-1"]
    said = command("collect", snapshot, "--dry-run", *given).out
    assert "calls: 29 at least, 47 where every opt-in region is on; one more" in said


def test_a_dry_run_of_a_lone_account(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    """By hand: is there an organization, who am I, regions, principals, 3 in the region."""
    none = error(
        "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
    )
    for name in ("ListAccounts", "DescribeOrganization"):
        fake.faults[MANAGEMENT, "global", name, ""] = lambda _: none
    lines = command("collect", snapshot, "--dry-run", "--region", "eu-west-1").out.splitlines()
    assert lines[1:3] == [
        "no organization: the caller's account is read alone",
        "accounts: 1 to read, 0 not",
    ]
    assert lines[4].startswith("calls: 7 at least; one more")


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_region_without_ses_is_refused_before_anything_is_read(
    command: Command, fake: FakeAws, snapshot: Path, dry: list[str]
) -> None:
    ended = command("collect", snapshot, "--region", "us-north-9", *dry)
    assert ended.code == 2
    assert ended.said.startswith(
        "ses-audit: --region us-north-9: Amazon SES is not there in the partition aws; it is in "
        "af-south-1, "
    )
    assert {asked.operation for asked in fake.asked} == {"GetCallerIdentity"}
    assert not snapshot.exists()


def test_a_dry_run_below_an_ou(command: Command, fake: FakeAws, fast: Pace, snapshot: Path) -> None:
    ended = command("collect", snapshot, "--dry-run", "--ou", "ou-ab12-11111111")
    assert ended.code == 0
    assert "accounts: 2 to read, 2 not" in ended.out.splitlines()
    assert {asked.operation for asked in fake.asked} == {
        "GetCallerIdentity", "ListAccounts", "ListAccountsForParent",
        "ListOrganizationalUnitsForParent",
    }  # fmt: skip


def test_a_dry_run_refuses_what_a_run_refuses(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path
) -> None:
    ended = command("collect", snapshot, "--dry-run", "--account", "999999999999")
    assert ended.code == 2
    assert "the organization has no such account" in ended.said
    fake.faults[MANAGEMENT, "global", "ListAccounts", ""] = lambda _: {"Accounts": []}
    assert command("collect", snapshot, "--dry-run").code == 3


@pytest.mark.parametrize(
    ("partition", "arn"),
    [("aws-cn", f"arn:aws-cn:iam::{MANAGEMENT}:user/a"),
     ("aws-iso", f"arn:aws-iso:iam::{MANAGEMENT}:user/a")],
)  # fmt: skip
def test_a_partition_without_ses(
    command: Command, fake: FakeAws, snapshot: Path, partition: str, arn: str
) -> None:
    from fake_aws import _xml

    fake.faults[MANAGEMENT, "global", "GetCallerIdentity", ""] = lambda _: _xml(
        "GetCallerIdentity", f"<Account>{MANAGEMENT}</Account><Arn>{arn}</Arn>"
    )
    ended = command("collect", snapshot)
    assert ended.code == 2
    assert ended.said == (
        f"ses-audit: Amazon SES is not in the partition {partition}: there is nothing to audit for "
        f"{arn}"
    )
    assert not snapshot.exists()


def test_what_is_old_is_read_again_and_keeps_its_age(
    command: Command, fake: FakeAws, fast: Pace, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("collect", snapshot)
    first = {
        tuple(r.values())[:5]: r["read_at"] for r in open_snapshot(snapshot).times().to_pylist()
    }
    fake.asked.clear()
    command("collect", snapshot, "--refresh-older-than", "1h")
    assert not fake.calls("GetEmailIdentity")
    # As if it were two hours later.
    later = datetime.now(UTC) + timedelta(hours=2)

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return later

    monkeypatch.setattr("ses_audit.cli.collect.datetime", Later)
    command("collect", snapshot, "--refresh-older-than", "1h")
    assert len(fake.calls("GetEmailIdentity")) == 2
    second = {
        tuple(r.values())[:5]: r["read_at"] for r in open_snapshot(snapshot).times().to_pylist()
    }
    assert set(first) == set(second)
    grown = {key[3] for key in first if first[key] and second[key] > first[key]}
    assert "GetEmailIdentity" in grown


def test_an_age_that_is_none(command: Command, fake: FakeAws, snapshot: Path) -> None:
    ended = command("collect", snapshot, "--refresh-older-than", "yesterday")
    assert (ended.code, ended.said) == (
        2, "ses-audit: --refresh-older-than yesterday: a number and d, h or m, such as 7d",
    )  # fmt: skip


def test_the_session_is_named(command: Command, fake: FakeAws, fast: Pace, snapshot: Path) -> None:
    names = ["--session-name", "audit-2026", "--source-identity", "alice"]
    assert command("collect", snapshot, *names).code == 0
    for asked in fake.calls("AssumeRole"):
        assert asked.parameters["RoleSessionName"] == "audit-2026"
        assert asked.parameters["SourceIdentity"] == "alice"
        assert asked.parameters["Policy"] == session_policy()
    ended = command("collect", snapshot, "--session-name", "a b")
    assert ended.code == 2
    assert "'a b' is no session name" in ended.said
