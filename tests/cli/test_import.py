"""`ses-audit import`: every file form, what is absent, what is broken, and what follows of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ses_audit
from ses_audit.snapshot.store import open_snapshot

Command = Callable[..., Any]
REAL = Path(__file__).parents[2].parent / "shared/data/real/account-authorization-details"
ACCOUNT = "222222222222"
IDENTITY = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com"
GAP = f"{ACCOUNT}/global/organizations.DescribeOrganization=NOT_ATTEMPTED"


def allow(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def user(name: str, document: object) -> dict[str, Any]:
    return {
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "UserName": name,
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": document}],
    }


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """One account dump: a user who may send, one who may not, one whose policy is no JSON."""
    path = tmp_path / "get-account-authorization-details.json"
    users = [user("mailer", allow("ses:*")), user("reader", allow("s3:*")),
             user("broken", '{"Version": "2012-10-17", "Statement": [')]  # fmt: skip
    path.write_text(json.dumps({"UserDetailList": users}))
    return path


def verdicts(snapshot: Path, action: str = "ses:SendRawEmail") -> dict[str, tuple[str, str]]:
    """User → (verdict, missing evidence)."""
    frame = ses_audit.open(snapshot).verdicts(action=action)
    return {
        row.principal_arn.rpartition("/")[2]: (row.verdict, row.missing_evidence)
        for row in frame.itertuples()
        if row.principal_type == "user"
    }


def test_a_lone_dump_answers_nothing_of_what_it_does_not_know(
    command: Command, dump: Path, tmp_path: Path
) -> None:
    ended = command("import", dump, tmp_path / "s")
    assert ended.code == 0
    assert ended.out == f"{tmp_path / 's'}\n"
    found = verdicts(tmp_path / "s")
    assert found["mailer"][0] == "UNKNOWN"
    assert GAP in found["mailer"][1]
    # No policy of the user's allows it, but a sending authorization policy of the account could.
    assert found["reader"][0] == "UNKNOWN"
    assert f"{ACCOUNT}/*/sesv2.ListEmailIdentities=NOT_ATTEMPTED" in found["reader"][1]


def test_identities_named_by_hand(command: Command, dump: Path, tmp_path: Path) -> None:
    second = IDENTITY.replace("example.com", "news@example.com")
    ended = command("import", dump, tmp_path / "s", "--identity", IDENTITY, "--identity", second)
    assert ended.code == 0
    assert "4 principals, 2 identities" in ended.err.splitlines()
    assert verdicts(tmp_path / "s")["mailer"] == ("UNKNOWN", GAP)


def test_no_organization(command: Command, dump: Path, tmp_path: Path) -> None:
    arguments = ["--no-organization", "--identity", IDENTITY]
    assert command("import", dump, tmp_path / "s", *arguments).code == 0
    found = verdicts(tmp_path / "s")
    assert found["mailer"] == ("ALLOWED", "")
    assert found["reader"] == ("DENIED", "")
    # A policy that is no JSON could hold anything.
    assert found["broken"][0] == "UNKNOWN"
    assert "p" in found["broken"][1]
    assumptions = open_snapshot(tmp_path / "s").manifest["assumptions"]
    assert isinstance(assumptions, list)
    assert any("--no-organization" in text for text in assumptions)
    assert any(text.startswith("example.com in eu-west-1") for text in assumptions)


def test_a_folder_with_nothing_but_the_dump(command: Command, dump: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    dump.rename(folder / dump.name)
    assert command("import", folder, tmp_path / "s").code == 0
    assert verdicts(tmp_path / "s")["mailer"][0] == "UNKNOWN"


def test_what_is_not_used_and_what_is_malformed_is_said(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "in" / ACCOUNT / "global"
    folder.mkdir(parents=True)
    (folder / "iam.get-account-authorization-details.json").write_text('{"UserDetailList": [')
    (folder / "iam.list-users.json").write_text("{}")
    (folder / "\x1b[31mred.json").write_text("{}")
    ended = command("import", tmp_path / "in", tmp_path / "s")
    assert ended.code == 0
    assert "\x1b" not in ended.err
    lines = ended.err.splitlines()
    path = folder / "iam.list-users.json"
    assert f"not used: {path}: a call that the audit does not use" in lines
    details = f"{ACCOUNT}/global/iam.GetAccountAuthorizationDetails=MALFORMED"
    assert f"malformed: {details}: not JSON at line 1, column 21: Expecting value" in lines
    assert command("import", tmp_path / "in", tmp_path / "t", "--require-complete").code == 4


OTHER = "999999999999"
EMPTY = (
    "nothing to import in empty: it holds neither ACCOUNT/REGION/SERVICE.OPERATION.json files nor "
    "one get-account-authorization-details.json"
)
CUT = (
    "cut.json is no output of `aws iam get-account-authorization-details`: not JSON at line 1, "
    "column 21: Expecting value"
)
NO_ARN = "'example.com' is not an identity's ARN: write arn:aws:ses:REGION:ACCOUNT:identity/NAME"
STRANGER = (
    f"--identity arn:aws:ses:eu-west-1:{OTHER}:identity/x: dump.json holds nothing of account "
    f"{OTHER}; it holds {ACCOUNT}"
)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["none"], 2, "nothing to import: none does not exist"),
        (["empty"], 3, EMPTY),
        (["cut.json"], 3, CUT),
        (["dump.json", "--identity", "example.com"], 2, NO_ARN),
        (["dump.json", "--identity", f"arn:aws:ses:eu-west-1:{OTHER}:identity/x"], 2, STRANGER),
    ],
)  # fmt: skip
def test_what_cannot_be_imported(
    command: Command, dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], code: int, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    dump.rename(tmp_path / "dump.json")
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.json").write_text('{"UserDetailList": [')
    ended = command("import", arguments[0], "snapshot", *arguments[1:])
    assert ended.code == code
    assert ended.said == f"ses-audit: {says}"
    assert not (tmp_path / "snapshot").exists()


def test_an_import_into_a_snapshot_is_refused(command: Command, dump: Path, tmp_path: Path) -> None:
    command("import", dump, tmp_path / "s")
    before = (tmp_path / "s/manifest.json").read_bytes()
    ended = command("import", dump, tmp_path / "s")
    assert ended.code == 2
    assert ended.said == f"ses-audit: {tmp_path / 's'} is a snapshot already: name a new folder"
    assert (tmp_path / "s/manifest.json").read_bytes() == before


@pytest.mark.skipif(not REAL.exists(), reason="the real dumps are not here")
@pytest.mark.parametrize("file", ["examples__files__example.json",
                                  "test__files__example-authz-details.json"])  # fmt: skip
def test_the_real_dumps_allow_nothing_while_the_scps_are_unknown(
    command: Command, tmp_path: Path, file: str
) -> None:
    assert command("import", REAL / file, tmp_path / "s").code == 0
    frame = ses_audit.open(tmp_path / "s").verdicts()
    assert len(frame) > 0
    assert set(frame["verdict"]) <= {"UNKNOWN", "DENIED"}
    unknown = frame[frame["verdict"] == "UNKNOWN"]
    assert (unknown["missing_evidence"] != "").all()
    # Whoever is allowed by a policy in hand could still be stopped by an SCP.
    names_it = unknown["missing_evidence"].str.contains("organizations.DescribeOrganization")
    assert names_it.any()
    assert not (unknown["sender_verdict"][~names_it] == "ALLOWED").any()
