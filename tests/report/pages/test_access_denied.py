"""04_access_denied: a message or a cell, the checklist, the gates."""

from __future__ import annotations

import pytest
from report_worlds import ALICE, EAST, WEST

from ses_audit.audit import Audit
from ses_audit.errors import UserError
from ses_audit.report.pages.access_denied import page

MESSAGE = (
    f"554 Access denied: User `{ALICE}' is not authorized to perform `ses:SendRawEmail' "
    f"on resource `{EAST}'"
)


def test_a_message_is_read_and_explained(small: Audit) -> None:
    shown = page(small, message=f'smtplib said: (554, b"{MESSAGE}")')
    answer = shown.answer.text
    assert "⊘ SCP alone 1 cause; without the SCPs ● allowed." in answer
    assert "Denied by RegionLock on Workloads." in answer
    assert "statement 1 “Lock” · attached to Workloads (ou-work)" in answer
    assert f"principal  {ALICE}" in answer
    assert "RegionLock" in shown.picture.text
    assert "✗ closed" in shown.picture.text
    assert '"aws:RequestedRegion": "eu-west-1"' in shown.table.text
    # What would remove it, proved by deciding again.
    assert "1 change; decided again with all of them: ● allowed." in shown.table.text
    # The article's four come first.
    assert shown.table.text.count("the article’s") == 4


def test_a_cell_by_names(small: Audit) -> None:
    shown = page(small, principal="idle", identity=WEST)
    assert "○ denied 1 cause." in shown.answer.text
    assert "ses:SendRawEmail" in shown.answer.text
    assert "Checklist: 1 of " in shown.table.text


def test_an_allowed_cell_says_that_the_snapshot_would_let_it_pass(small: Audit) -> None:
    shown = page(small, principal="alice", identity=WEST, action="sendemail")
    assert "● allowed the snapshot would let it pass." in shown.answer.text
    assert "✓ passes" in shown.picture.text


def test_a_name_that_two_have_lists_candidates(small: Audit) -> None:
    shown = page(small, principal="alice", identity="example.com")
    assert "not told apart" in shown.answer.text
    assert "It may mean: 2 of 2 candidates" in shown.table.text
    assert "no gate to draw" in shown.picture.text


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("535 Authentication Credentials Invalid", "It is never a policy."),
        ("454 Throttling failure: Maximum sending rate exceeded.", "kind  throttling"),
        ("hello", "This text holds no refusal"),
    ],
)
def test_what_is_not_about_permission_says_what_to_do(
    small: Audit, message: str, words: str
) -> None:
    shown = page(small, message=message)
    assert words in shown.answer.text
    assert "No cell is decided" in shown.table.text


def test_without_a_choice_it_shows_whom_ses_refuses(small: Audit) -> None:
    shown = page(small)
    assert "1 of 1 user with an SMTP key would be refused" in shown.answer.text
    assert "below stands an example" in shown.answer.text
    table = shown.table.text
    assert "SMTP users that are refused: 1 of 1 pairs" in table
    assert "SCP RegionLock @ Workloads" in table
    # identity policy 13, SCP 15 and both 13 of the 41 denied.
    assert "service control policy  15  3" in table
    assert "identity policy  13  2" in table
    assert "3 combinations, 41 of 56 cells" in table


def test_an_unknown_action_is_refused(small: Audit) -> None:
    with pytest.raises(UserError, match="did you mean ses:SendRawEmail"):
        page(small, action="SendRawMail")


def test_what_is_missing_of_the_cell_is_named(example: Audit) -> None:
    found = example.queries.rows(
        "SELECT principal_arn, identity_arn FROM verdicts WHERE verdict = 'UNKNOWN' "
        "AND action = 'ses:SendRawEmail' AND identity_name <> '*' ORDER BY ALL LIMIT 1"
    )
    for principal, identity in found:
        shown = page(example, principal=principal, identity=identity)
        assert "Of this cell:" in shown.unseen.text
