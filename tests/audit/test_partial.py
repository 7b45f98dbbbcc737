"""One cell of a few accounts' model is the cell of the whole."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

import ses_audit
from ses_audit.audit import reading as module
from ses_audit.audit.audit import ACTIONS
from ses_audit.audit.decide import Decider
from ses_audit.audit.model import load
from ses_audit.audit.partial import About, about, load_accounts
from ses_audit.ses.messages import parse_message
from ses_audit.snapshot.store import open_snapshot

WEB, OWNER = "222222222222", "666666666666"
MAIL = f"arn:aws:ses:eu-west-1:{WEB}:identity/example.com"


def test_cells_of_two_accounts_are_those_of_the_whole(example_snapshot: Path) -> None:
    snapshot = open_snapshot(example_snapshot)
    whole = load(snapshot, ACTIONS)
    both = frozenset({WEB, OWNER})
    few = load_accounts(snapshot, About(both, both), ACTIONS)
    assert {s.account for s in few.senders.values()} == both
    one, other = Decider(whole), Decider(few)
    compared = 0
    for identity in few.identities.values():
        for sender in few.senders.values():
            ruling = one.decide(sender, whole.identities[identity.arn], "ses:SendRawEmail")
            assert other.decide(sender, identity, "ses:SendRawEmail") == ruling
            compared += 1
    assert compared > 100


REFUSED = (
    f"554 Access denied: User `arn:aws:iam::{WEB}:user/contractor' is not authorized to perform "
    f"`ses:SendRawEmail' on resource `{MAIL}'"
)
UNVERIFIED = (
    "554 Message rejected: Email address is not verified. The following identities failed the "
    "check in region EU-WEST-1: open.example"
)
PRINCIPALS = (
    f"arn:aws:iam::{WEB}:role/deploy",
    f"arn:aws:sts::{WEB}:assumed-role/deploy/session",
    f"arn:aws:iam::{WEB}:user/nobody",
    "arn:aws:iam::999999999990:role/elsewhere",
    "arn:aws:iam::121212121212:role/unread",
    "contractor",
    "OrganizationAccountAccessRole",
    "mailer",
    "AIDAEXAMPLE1234567890",
    "*",
    "",
    "...",
)
IDENTITIES = (
    MAIL,
    "example.com",
    "open.example",
    "shop.example",
    f"arn:aws:ses:us-east-1:{OWNER}:identity/open.example",
    f"arn:aws:ses:eu-west-1:{WEB}:identity/someone@example.com",
    f"arn:aws:ses:eu-west-1:{WEB}:identity/open.example",
    f"arn:aws:ses:eu-west-1:{WEB}:identity/exam",
    f"arn:aws:ses:eu-west-1:{WEB}:configuration-set/default",
    "arn:aws:ses:eu-west-1:999999999990:identity/nowhere.example",
    "exam",
    "",
)


def test_a_large_snapshot_is_explained_without_being_read_whole(
    example_snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ses_audit.open(example_snapshot)
    _ = whole.model
    monkeypatch.setattr(module, "LARGE", 1)
    audit = ses_audit.open(example_snapshot)
    for principal, identity in product(PRINCIPALS, IDENTITIES):
        found = audit.explain(principal, "SendRawEmail", identity)
        expected = whole.explain(principal, "SendRawEmail", identity)
        assert found.to_json() == expected.to_json(), (principal, identity)
    assert "model" not in audit.__dict__


@pytest.mark.parametrize(
    "text",
    [
        REFUSED,
        UNVERIFIED,
        "535 Authentication Credentials Invalid",
    ],
)
def test_messages_too(example_snapshot: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    message = parse_message(text)
    expected = ses_audit.open(example_snapshot).explain_message(message)
    monkeypatch.setattr(module, "LARGE", 1)
    audit = ses_audit.open(example_snapshot)
    assert audit.explain_message(message).to_json() == expected.to_json()
    assert "model" not in audit.__dict__


def test_accounts_that_texts_are_about(example_snapshot: Path) -> None:
    snapshot = open_snapshot(example_snapshot)
    session = f"arn:aws:sts::{WEB}:assumed-role/a/b"
    asked = about(snapshot, session, [f"arn:aws:ses:x:{OWNER}:identity/y"])
    assert asked == About(frozenset({WEB}), frozenset({WEB, OWNER}))
    assert about(snapshot, "contractor", []).principals == {WEB}
    assert about(snapshot, "", ["open.example"]).identities == {OWNER}
    assert about(snapshot, "", [""]) == About(frozenset(), frozenset())


def test_a_command_that_explains_one_cell_imports_no_more_than_it_needs(
    example_snapshot: Path,
) -> None:
    program = (
        "import sys; from ses_audit.audit import reading; reading.LARGE = 1\n"
        "from ses_audit.cli import main\n"
        f"sys.argv = ['', 'explain', {REFUSED!r}, '--snapshot', {str(example_snapshot)!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "found = {'pandas', 'duckdb', 'boto3', 'jupyterlab', 'distributed'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ContractorsDoNotSend" in done.stdout
