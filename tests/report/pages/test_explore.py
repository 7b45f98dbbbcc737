"""06_explore: one selection as a page."""

from __future__ import annotations

import pytest

from ses_audit.audit import Audit
from ses_audit.errors import UserError
from ses_audit.report.pages.explore import page


def test_without_a_choice_it_is_the_whole(small: Audit) -> None:
    shown = page(small)
    assert "The whole snapshot: 4 principals × 2 identities, 56 of 56 cells." in shown.answer.text
    assert "Cells: 56 of 56 cells" in shown.table.text
    assert "user alice (web)  example.com eu-west-1  SendBounce  ● allowed" in shown.table.text


def test_one_pair_is_explained(small: Audit) -> None:
    shown = page(small, principal="mailer", region="us-east-1", action="SendRawEmail")
    assert "This choice: 1 principal × 1 identity, 1 of 56 cells." in shown.answer.text
    assert "Denied by RegionLock on Workloads." in shown.table.text
    assert "Checklist: 1 of " in shown.table.text


def test_a_choice_that_nothing_meets_says_so(small: Audit) -> None:
    shown = page(small, principal="idle", verdict="allowed")
    assert "No cell of 56 meets this choice." in shown.answer.text
    assert "Cells: 0 of 0 cells" in shown.table.text


def test_a_mistyped_verdict_is_refused(small: Audit) -> None:
    with pytest.raises(UserError, match="did you mean conditional"):
        page(small, verdict="conditonal")
