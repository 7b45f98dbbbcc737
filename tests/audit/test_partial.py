"""One cell of a few accounts' model is the cell of the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

import ses_audit
from ses_audit.audit import reading as module
from ses_audit.audit.audit import ACTIONS
from ses_audit.audit.decide import Decider
from ses_audit.audit.model import load
from ses_audit.audit.partial import accounts_in, load_accounts
from ses_audit.snapshot.store import open_snapshot


def test_cells_of_two_accounts_are_those_of_the_whole(example_snapshot: Path) -> None:
    snapshot = open_snapshot(example_snapshot)
    whole = load(snapshot, ACTIONS)
    few = load_accounts(snapshot, ["222222222222", "666666666666"], ACTIONS)
    assert {s.account for s in few.senders.values()} == {"222222222222", "666666666666"}
    one, other = Decider(whole), Decider(few)
    compared = 0
    for identity in few.identities.values():
        for sender in few.senders.values():
            ruling = one.decide(sender, whole.identities[identity.arn], "ses:SendRawEmail")
            assert other.decide(sender, identity, "ses:SendRawEmail") == ruling
            compared += 1
    assert compared > 100


def test_a_large_snapshot_is_not_read_whole(
    example_snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = "arn:aws:ses:eu-west-1:222222222222:identity/example.com"
    principal = "arn:aws:iam::222222222222:root"
    expected = ses_audit.open(example_snapshot).explain(principal, "SendRawEmail", identity)
    monkeypatch.setattr(module, "LARGE", 1)
    audit = ses_audit.open(example_snapshot)
    found = audit.explain(principal, "SendRawEmail", identity)
    assert "model" not in audit.__dict__
    assert str(found) == str(expected)
    assert audit.explain("contractor", "SendRawEmail", identity).causes
    assert "model" in audit.__dict__


def test_accounts_of_arns() -> None:
    one, two = "arn:aws:sts::111111111111:assumed-role/a/b", "arn:aws:ses:x:222222222222:identity/y"
    assert accounts_in(one, two) == {"111111111111", "222222222222"}
    assert accounts_in(one, "example.com") is None
