"""01_inventory: counted by hand on a small world and on the example's data."""

from __future__ import annotations

from pathlib import Path

from report_worlds import WEB, save, two_regions

from ses_audit.audit import Audit
from ses_audit.report.pages.inventory import page


def test_the_answer_counts_what_was_read(small: Audit) -> None:
    answer = page(small).answer.text
    assert "5 principals (1 user, 2 roles and 2 root users) and 2 identities in 2 regions" in answer
    assert "1 of the users can log in to SMTP" in answer


def test_the_tree_holds_every_account(small: Audit) -> None:
    picture = page(small).picture.text
    assert "222222222222 · 4 principals · 2 identities · 1 SMTP user" in picture
    assert "111111111111 · 1 principal · management account" in picture


def test_accounts_smtp_users_identities_and_principals_are_listed(small: Audit) -> None:
    tables = page(small).table.text
    assert "Accounts: 2 of 2 accounts" in tables
    assert "Users that can log in to SMTP: 1 of 1 users" in tables
    assert "1 of 2" in tables  # alice's keys
    assert "Identities: 2 of 2 identities" in tables
    assert "Every principal, by OU, account and type: 5 of 5 principals" in tables
    lines = tables.splitlines()
    start = lines.index(next(line for line in lines if line.startswith("Every principal")))
    rest = [line.strip() for line in lines[start:]]
    assert rest.index("Workloads · web 222222222222") < next(
        i for i, line in enumerate(rest) if line.startswith("user alice")
    )


def test_an_ou_is_cut_out(example: Audit) -> None:
    chosen = page(example, ou="Workloads / Production")
    tables = chosen.table.text
    # prod-web, marketing and, below Production, prod-billing.
    assert "Accounts: 3 of 12 accounts" in tables
    assert "dev-web" not in tables


def test_what_was_not_read_is_listed_call_by_call(example: Audit) -> None:
    unseen = page(example).unseen.text
    assert "sts.AssumeRole" in unseen
    assert "the audit role could not be assumed" in unseen
    assert "ca-central-1" in unseen
    assert "no session policy allows" in unseen
    assert "2 of 12 accounts not read: " in page(example).answer.text


def test_access_keys_that_were_not_read_are_not_taken_for_none(tmp_path: Path) -> None:
    world = two_regions()
    world.cell(WEB, "global", "iam", "ListAccessKeys", "DENIED")
    world.rows["access_keys"].clear()
    shown = page(save(world, tmp_path / "snapshot"))
    assert "0 of the users can log in to SMTP, and of 1 it is not known." in shown.answer.text
    assert "? unknown of 1 user the access keys were not read." in shown.table.text


def test_an_account_that_was_not_read_has_no_counts(example: Audit) -> None:
    tables = page(example).table.text
    # Its root user is known to exist; of the rest nothing was seen.
    assert "partner-integration 121212121212  ACTIVE  ?  ?  1  ?  ?  ?  ?  not read" in tables
    # One of its regions did not say which identities it has.
    line = next(line for line in tables.splitlines() if "security-audit 888888888888" in line)
    assert line.endswith("at least 1  read")
