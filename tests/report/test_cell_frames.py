"""The first cells of a choice: counted by hand on the small world."""

from __future__ import annotations

from report_worlds import ALICE, MAILER, WEB

from ses_audit.audit import Audit
from ses_audit.report.cell_frames import can_send, stopped


def test_cells_that_are_not_denied(small: Audit) -> None:
    # In eu-west-1 alice and the root user 7 each, and mailer's SendRawEmail under conditions.
    frame, total = can_send(small)
    assert (len(frame), total) == (15, 15)
    assert frame["verdict"].tolist() == ["ALLOWED"] * 14 + ["CONDITIONAL"]
    assert frame["principal_arn"].iloc[-1] == MAILER
    few, total = can_send(small, limit=3, principal="alice")
    assert (len(few), total) == (3, 7)
    assert set(few["principal_arn"]) == {ALICE}
    assert can_send(small, region="us-east-1")[1] == 0


def test_cells_that_an_scp_denies(small: Audit) -> None:
    frame, total = stopped(small)
    assert (len(frame), total) == (28, 28)
    # Those that it alone stops come first.
    assert set(frame["verdict_without"].iloc[:15]) == {"ALLOWED", "CONDITIONAL"}
    assert set(frame["scp"]) == {"RegionLock"}
    assert set(frame["attached_to"]) == {"Workloads"}
    few, total = stopped(small, limit=2, scp="RegionLock", account=WEB, action="SendRawEmail")
    assert (len(few), total) == (2, 4)
    assert stopped(small, region="eu-west-1")[1] == 0
