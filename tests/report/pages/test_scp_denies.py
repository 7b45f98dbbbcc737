"""03_scp_denies: counted by hand on a small world; the example's special cells."""

from __future__ import annotations

import pytest

from ses_audit.audit import Audit
from ses_audit.errors import UserError
from ses_audit.report.pages.scp_denies import page


def test_the_first_lines_say_what_the_scps_stop(small: Audit) -> None:
    answer = page(small).answer.text
    assert "SCPs deny 28 of 56 cells; for 15 nothing else does" in answer
    assert "15 of them hang on one SCP alone, 0 on several at once. The other 13" in answer
    assert "RegionLock on Workloads (15)" in answer


def test_the_statement_stands_with_its_text_and_its_place(small: Audit) -> None:
    picture = page(small).picture.text
    assert "RegionLock: statement 1, Lock — denies 28, 15 of them alone" in picture
    assert "SCP statements that stop a send: 1 of 1 statements" in picture
    assert "Workloads (OU ou-work)" in picture
    assert '"aws:RequestedRegion": "eu-west-1"' in picture


def test_each_cell_says_what_it_would_be_without(small: Audit) -> None:
    lines = page(small).table.text.splitlines()
    assert any(line.startswith("this SCP alone: RegionLock, statement 1, Lock") for line in lines)
    alice = next(line for line in lines if line.startswith("user alice"))
    assert alice.count("● allowed") == 2
    mailer = next(line for line in lines if "SendRawEmail" in line)
    assert mailer.count("◐ conditional") == 2
    idle = next(line for line in lines if line.startswith("role idle"))
    assert "no identity policy allows" in idle
    assert idle.count("○ denied") == 2
    # alice, root user, mailer (SendRawEmail), mailer (the rest), idle
    assert "Cells that an SCP denies: 28 of 28 denials, in 5 rows" in page(small).table.text


def test_one_scp_by_its_name(example: Audit) -> None:
    chosen = page(example, scp="DenySES")
    assert "1 of 1 statements" in chosen.picture.text
    assert "RegionLock" not in chosen.table.text.split("Also denied by")[0]
    with pytest.raises(UserError, match="did you mean DenySES"):
        page(example, scp="DenySE")


def test_a_cell_that_two_scps_deny_names_both(example: Audit) -> None:
    # us-west-2 is outside RegionLock's regions, and prod-billing is in Regulated as well.
    table = page(example, account="prod-billing", region="us-west-2").table.text
    assert "several SCPs: RegionLock, statement 1, OutsideOurRegions" in table
    assert "several SCPs: NoMailFromRegulated, statement 1, NoSending" in table
    assert "SCP NoMailFromRegulated @ Regulated" in table


def test_a_level_on_which_nothing_allows_names_what_is_attached(example: Audit) -> None:
    # Contained has AllowedServices alone, without ses:Send*.
    picture = page(example, account="contained").picture.text
    assert "AllowedServices: no statement allows a send" in picture


def test_an_scp_that_allows_elsewhere_is_no_scp_that_never_allows(example: Audit) -> None:
    # promo-remote may send from 198.51.100.0/24, the SCP lets it from 203.0.113.0/24 only.
    table = page(example, principal="promo-remote").table.text
    assert "MailFromTheOffice, allows in other contexts only @ marketing" in table
    assert "the identity policies allow in other contexts only" in table


def test_the_management_account_is_not_bound(example: Audit) -> None:
    assert "do not bind the management account (example-corp)" in page(example).answer.text
    assert "The SCPs deny nothing" in page(example, account="example-corp").answer.text
