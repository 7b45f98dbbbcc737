"""What could not be read, and what follows."""

from __future__ import annotations

from pathlib import Path

from report_worlds import WEB, save, two_regions

from ses_audit.audit import Audit
from ses_audit.report.page import Html
from ses_audit.report.unseen_html import unseen_body


def test_everything_read_is_said(small: Audit) -> None:
    body = Html.of(unseen_body(small)).text
    assert body.startswith("Nothing: ")
    assert "planned calls were answered" in body


def test_a_call_without_an_answer_has_its_state_in_words(tmp_path: Path) -> None:
    world = two_regions()
    world.cell(WEB, "us-east-1", "sesv2", "GetAccount", "THROTTLED")
    audit = save(world, tmp_path / "snapshot")
    body = Html.of(unseen_body(audit, details=True)).text
    assert "Calls without an answer: 1 of 1 rows" in body
    assert "sesv2.GetAccount" in body
    assert "THROTTLED AWS throttled it to the end" in body
    # The region lock denies there whatever is missing, so nothing is unknown for it.
    assert audit.summary().unknown == 0
    assert "? 0 unknown of 56 cells turn on it" in body


def test_an_account_that_was_not_entered_is_one_line(example: Audit) -> None:
    body = Html.of(unseen_body(example, details=True)).text
    lines = [line for line in body.splitlines() if "121212121212" in line]
    assert len([line for line in lines if "every region" in line]) == 1
