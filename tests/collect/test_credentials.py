"""Whose credentials sign: never another account's; both links of a chain renewed; partitions."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from botocore.credentials import Credentials
from fake_aws import MANAGEMENT, MEMBER, Asked, FakeAws, assumed
from fake_cells import Make, cells, expected, run

from ses_audit.collect.aws import Aws
from ses_audit.collect.credentials import Keys
from ses_audit.collect.pace import Pace
from ses_audit.snapshot.plan import GLOBAL


@pytest.mark.parametrize("seed", range(3))
def test_64_threads_each_sign_with_their_own(seed: int) -> None:
    """Whatever the order in which accounts are entered, used, nested and left."""
    keys = Keys()
    accounts = [f"{number:012}" for number in range(50)]
    for account in accounts:
        keys.set(account, Credentials(f"key-{account}", f"secret-{account}", f"token-{account}"))
    start = threading.Barrier(64)

    def sign(worker: int) -> list[tuple[str, str, str]]:
        random = Random(seed * 1000 + worker)
        start.wait()
        wrong = []
        for _ in range(200):
            outer, inner = random.choice(accounts), random.choice(accounts)
            with keys.using(outer):
                for account in (outer, inner, outer):
                    with keys.using(account):
                        time.sleep(0)
                        frozen = keys.frozen()
                        if tuple(frozen)[:3] != (
                            f"key-{account}",
                            f"secret-{account}",
                            f"token-{account}",
                        ):
                            wrong.append((account, str(frozen.access_key), outer))
                if keys.frozen().access_key != f"key-{outer}":
                    wrong.append((outer, "after", inner))
            fresh = random.choice(accounts)
            keys.set(fresh, Credentials(f"key-{fresh}", f"secret-{fresh}", f"token-{fresh}"))
        return wrong

    with ThreadPoolExecutor(64) as pool:
        found = [wrong for wrongs in pool.map(sign, range(64)) for wrong in wrongs]
    assert found == []


def test_without_an_account_nothing_is_signed() -> None:
    keys = Keys()
    keys.set(MEMBER, Credentials("a", "b"))
    with pytest.raises(LookupError):
        keys.frozen()


def test_no_answer_reaches_another_account_under_64_workers(
    fake: FakeAws, options: Make, fast: Pace
) -> None:
    """Sixty members; each answer names the account whose key signed, each file's own."""
    members = [f"{number:012}" for number in range(500_000_000_000, 500_000_000_060)]
    random, lock = Random(7), threading.Lock()

    def pause() -> None:
        with lock:
            seconds = random.random() / 500
        time.sleep(seconds)

    def accounts(_: Asked) -> Any:
        listed = [{"Id": id_, "State": "ACTIVE"} for id_ in (MANAGEMENT, *members)]
        return {"Accounts": listed}

    def identities(asked: Asked) -> Any:
        pause()
        return {"EmailIdentities": [{"IdentityName": f"{asked.account}.example"}]}

    fake.faults[MANAGEMENT, "global", "ListAccounts", ""] = accounts
    for account in (MANAGEMENT, *members):
        fake.faults[account, "eu-west-1", "ListEmailIdentities", ""] = identities
    made = run(options, fast, workers=64, processes=0)
    for account in (MANAGEMENT, *members):
        for record in made.evidence(account):
            assert record.account == account
            text = repr(record.response)
            if record.operation == "ListEmailIdentities" and record.region == "eu-west-1":
                assert f"'{account}.example'" in text
            if record.operation == "GetAccountAuthorizationDetails":
                assert f"arn:aws:iam::{account}:" in text
                assert not [m for m in members if m != account and f"::{m}:" in text]
    # And each was asked with its own key.
    asked = {a.item for a in fake.calls("GetEmailIdentity") if a.account in members}
    assert asked == {f"{account}.example" for account in members}


def soon() -> str:
    """Ten minutes from now: botocore renews from a quarter of an hour before the end."""
    return (datetime.now(UTC) + timedelta(minutes=10)).isoformat()


def test_both_links_of_a_chain_are_renewed(
    fake: FakeAws, options: Make, fast: Pace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile assumes a role with the user's keys; that role assumes the audit roles."""
    config = tmp_path / "config"
    config.write_text(
        "[profile user]\nregion = eu-west-1\n"
        f"aws_access_key_id = {'AKIAEXAMPLEEXAMPLE00'}\naws_secret_access_key = x\n"
        "[profile chain]\nregion = eu-west-1\nsource_profile = user\n"
        f"role_arn = arn:aws:iam::{MANAGEMENT}:role/auditor\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assumed_roles: list[str] = []

    def assume(asked: Asked) -> Any:
        role = str(asked.parameters["RoleArn"])
        assumed_roles.append(role)
        account = role.split(":")[4]
        if account not in (MANAGEMENT, MEMBER):
            return fake.answer(asked)
        return assumed(account, expires=soon())

    fake.faults[MANAGEMENT, "global", "AssumeRole", ""] = assume
    assert cells(run(options, fast, profile="chain")) == expected()
    assert assumed_roles.count(f"arn:aws:iam::{MANAGEMENT}:role/auditor") > 2
    assert assumed_roles.count(f"arn:aws:iam::{MEMBER}:role/ses-audit") > 2


def test_the_first_link_is_the_profiles_and_the_second_is_cut(
    fake: FakeAws, options: Make, fast: Pace
) -> None:
    """Whatever the role may do, the session may only read what the audit reads."""
    run(options, fast)
    (first, *_) = fake.calls("AssumeRole")
    assert (
        '"Action":["account:ListRegions","ec2:DescribeRegions","iam:GetAccessKeyLastUsed"'
        in first.parameters["Policy"]
    )
    # After each role that was assumed: whose session is it?
    asked = [a.account for a in fake.calls("GetCallerIdentity")]
    assert sorted(asked) == [MANAGEMENT, MEMBER]


@pytest.mark.parametrize(
    ("partition", "region", "sts", "iam"),
    [
        ("aws", "eu-central-1", "sts.eu-central-1.amazonaws.com", "iam.amazonaws.com"),
        ("aws-us-gov", "us-gov-east-1", "sts.us-gov-east-1.amazonaws.com",
         "iam.us-gov.amazonaws.com"),
        ("aws-eusc", "eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu",
         "iam.eusc-de-east-1.amazonaws.eu"),
    ],
)  # fmt: skip
def test_endpoints_are_the_partitions_and_sts_is_regional(
    fake: FakeAws, options: Make, monkeypatch: pytest.MonkeyPatch,
    partition: str, region: str, sts: str, iam: str,
) -> None:  # fmt: skip
    from fake_aws import _xml

    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    fake.faults[MANAGEMENT, "global", "GetCallerIdentity", ""] = lambda _: _xml(
        "GetCallerIdentity",
        f"<Account>{MANAGEMENT}</Account><Arn>arn:{partition}:iam::{MANAGEMENT}:user/a</Arn>",
    )
    aws = Aws(options())
    assert aws.caller.partition == partition
    assert aws.role_arn(MEMBER) == f"arn:{partition}:iam::{MEMBER}:role/ses-audit"
    assert aws.client("sts", GLOBAL).meta.endpoint_url == f"https://{sts}"
    assert aws.client("iam", GLOBAL).meta.endpoint_url == f"https://{iam}"


def test_a_login_elsewhere_is_found(
    fake: FakeAws, options: Make, fast: Pace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller's own token expires mid-run; the configuration has a newer one by then."""
    file = tmp_path / "credentials"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))

    def login(key: str) -> None:
        file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = x\n")

    login("AKIAEXAMPLEEXAMPLE00")
    from fake_aws import query_error

    seen: list[str] = []

    def details(asked: Asked) -> Any:
        seen.append(asked.account)
        if len(seen) == 1:
            login(f"ASIA{MANAGEMENT}0000")
            return query_error("ExpiredToken", "expired", 403)
        return fake.answer(asked)

    fake.faults[MANAGEMENT, "global", "GetAccountAuthorizationDetails", ""] = details
    assert cells(run(options, fast)) == expected()


def test_nothing_secret_shows_itself(fake: FakeAws, options: Make) -> None:
    made = options(external_id="external-1234")
    aws = Aws(made)
    keys = Keys()
    keys.set(MEMBER, Credentials("AKIASECRETKEY0000000", "secret", "token"))
    for thing in (made, aws, keys, aws.client("sts", GLOBAL)):
        for secret in ("external-1234", "AKIASECRETKEY0000000", "a-secret-of-the-test"):
            assert secret not in repr(thing)
