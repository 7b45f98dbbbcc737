"""Profiles of the AWS configuration, as a person has them: SSO, a process, a role, a chain.

Each is read by the command in a process of its own, with a home of its own, on loopback.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from collect_cases import CALLER, command
from sso_portal import START, Portal, log_in, portal

from ses_audit.replay.example import example_records
from ses_audit.replay.recording import Recording
from ses_audit.replay.requests import key_of_account
from ses_audit.replay.server import Server, serve
from ses_audit.snapshot.store import open_snapshot

Collect = Callable[..., tuple[int, list[str]]]
OWN = f"aws_access_key_id = {key_of_account(CALLER)}\naws_secret_access_key = replay\n"
SSO = f"sso_account_id = {CALLER}\nsso_role_name = Auditor\nregion = eu-west-1\n"
CONFIG = f"""
[profile legacy]
sso_start_url = {START}
sso_region = eu-west-1
{SSO}
[sso-session corp]
sso_start_url = {START}
sso_region = eu-west-1
[profile session]
sso_session = corp
{SSO}
[profile keys]
{OWN}
[profile role]
role_arn = arn:aws:iam::{CALLER}:role/auditor
source_profile = keys
region = eu-west-1
[profile chain]
role_arn = arn:aws:iam::{CALLER}:role/second
source_profile = role
region = eu-west-1
[profile sso-role]
role_arn = arn:aws:iam::{CALLER}:role/auditor
source_profile = legacy
region = eu-west-1
[profile environment]
role_arn = arn:aws:iam::{CALLER}:role/auditor
credential_source = Environment
[profile process]
credential_process = {sys.executable} {{home}}/process.py
[profile broken]
credential_process = {sys.executable} -c "import sys; sys.exit('no\\nluck')"
[profile half]
sso_session = elsewhere
{SSO}
"""
PROCESS = f"""
import json
print(json.dumps({{"Version": 1, "AccessKeyId": "{key_of_account(CALLER)}",
                  "SecretAccessKey": "replay"}}))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(Recording(example_records(), CALLER)) as running:
        yield running


@pytest.fixture
def sso() -> Iterator[Portal]:
    with portal() as running:
        yield running


@pytest.fixture
def collect(server: Server, sso: Portal, tmp_path: Path) -> Collect:
    (tmp_path / "config").write_text(CONFIG.replace("{home}", str(tmp_path)))
    (tmp_path / "process.py").write_text(PROCESS)

    def run(profile: str) -> tuple[int, list[str]]:
        more = {
            "HOME": str(tmp_path),
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_ENDPOINT_URL_SSO": sso.url,
        }
        if profile != "environment":
            # Nothing but the profile can sign.
            more |= {"AWS_ACCESS_KEY_ID": "AKIANOBODY", "AWS_SECRET_ACCESS_KEY": "x"}
        options = ("--profile", profile, "--dry-run")
        process = command(server, tmp_path / "s", *options, more=more)
        out, err = process.communicate(timeout=120)
        return process.returncode, [*out.splitlines(), *err.splitlines()]

    return run


@pytest.mark.parametrize(
    "profile", ["legacy", "session", "keys", "role", "chain", "sso-role", "environment", "process"]
)
def test_a_profile_is_the_caller(
    collect: Collect, sso: Portal, tmp_path: Path, profile: str
) -> None:
    log_in(tmp_path, START, hours=1)
    log_in(tmp_path, "corp", hours=1)
    code, lines = collect(profile)
    assert code == 0, lines
    assert lines[0].startswith("caller: arn:aws:")
    assert f"::{CALLER}:" in lines[0]
    assert sso.asked == (
        [(CALLER, "Auditor")] if profile in ("legacy", "session", "sso-role") else []
    )


EXPIRED = (
    "UnauthorizedSSOTokenError: The SSO session associated with this profile has expired or is "
    "otherwise invalid. To refresh this SSO session run aws sso login with the corresponding "
    "profile."
)


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("legacy", EXPIRED),
        ("sso-role", EXPIRED),
        ("session",
         ("TokenRetrievalError: Error when retrieving token from sso: Token has expired and "
          "refresh failed")),
    ],
)  # fmt: skip
def test_an_sso_session_that_has_expired_is_one_line(
    collect: Collect, sso: Portal, tmp_path: Path, profile: str, said: str
) -> None:
    log_in(tmp_path, START, hours=-1)
    log_in(tmp_path, "corp", hours=-1)
    assert collect(profile) == (
        1,
        [(f"ses-audit: the SSO session of the profile {profile} has expired ({said}): "
         f"`aws sso login --profile {profile}`, then run this once more")],
    )  # fmt: skip
    assert sso.asked == []
    assert not (tmp_path / "s").exists()


def test_who_never_logged_in_or_was_logged_out_is_told_the_same(
    collect: Collect, tmp_path: Path
) -> None:
    for log in (lambda: None, lambda: log_in(tmp_path, START, hours=1, token="revoked")):
        log()
        code, (line,) = collect("legacy")
        assert code == 1
        assert line.endswith("`aws sso login --profile legacy`, then run this once more")


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        ("broken", ("ses-audit: the AWS configuration cannot be used: Error when retrieving "
         "credentials from custom-process: no luck")),
        ("half", ("ses-audit: the AWS configuration cannot be used: The specified sso-session does "
         'not exist: "elsewhere"')),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_used_is_one_line(
    collect: Collect, profile: str, says: str
) -> None:
    assert collect(profile) == (1, [says])


def test_a_run_with_workers_signs_by_sso(server: Server, sso: Portal, tmp_path: Path) -> None:
    """Worker processes borrow the keys; none of them, nor the token, is kept."""
    (tmp_path / "config").write_text(CONFIG.replace("{home}", str(tmp_path)))
    log_in(tmp_path, START, hours=1)
    more = {
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL_SSO": sso.url,
        "AWS_ACCESS_KEY_ID": "AKIANOBODY",
    }
    options = ("--profile", "legacy", "--processes", "2")
    process = command(server, tmp_path / "s", *options, more=more)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    made = open_snapshot(tmp_path / "s")
    assert len(made.accounts()) > 3
    assert sso.asked == [(CALLER, "Auditor")]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file())
    texts = [repr(record) for name in made.accounts() for record in made.evidence(name)]
    for secret in ("the-access-token", key_of_account(CALLER)):
        assert secret.encode() not in kept
        assert not [text for text in texts if secret in text]
