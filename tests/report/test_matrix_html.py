"""The matrix by principal: whole accounts while they fit, and what is left out is said."""

from __future__ import annotations

from ses_audit.audit import Audit
from ses_audit.audit.queries import Selection
from ses_audit.report.matrix_blocks import read_owners
from ses_audit.report.matrix_html import principal_matrix
from ses_audit.report.page import Html

ALL = Selection()


def text(audit: Audit, selection: Selection = ALL, limit: int = 600) -> str:
    return Html.of(principal_matrix(audit, selection, limit).markup).text


def test_accounts_are_whole_or_left_out_by_name(example: Audit) -> None:
    whole = read_owners(example, ALL, 600)
    assert not whole.cut
    first, *others = whole.shown.items()
    cut = read_owners(example, ALL, first[1])
    assert dict(cut.shown) == dict([first])
    assert list(cut.cut) == [account for account, _ in others]
    shown = principal_matrix(example, ALL, first[1])
    assert shown.shown == 1
    assert shown.total == len(whole.shown) + len(whole.quiet)
    assert f"{len(others)} accounts more with principals that are not denied everywhere" in (
        Html.of(shown.markup).text
    )


def test_a_block_too_large_for_the_page_says_so(small: Audit) -> None:
    # alice, the root user and mailer have rows; idle is denied everywhere.
    assert "(of the first 2 of 3 not denied everywhere)" in text(small, limit=2)
    assert "not denied everywhere" not in text(small)


def test_accounts_from_which_no_one_can_send_are_named(small: Audit) -> None:
    assert "1 account with identities from which no one can send: ○ denied web" in text(
        small, Selection(kind="denied")
    )


def test_the_chosen_account_comes_first(example: Audit) -> None:
    chosen = Selection(account="222222222222")
    assert next(iter(read_owners(example, chosen, 600).shown)) == "222222222222"


def test_alike_principals_share_a_row_and_keep_their_names(example: Audit) -> None:
    shown = text(example, Selection(account="888888888888"))
    assert "alike" in shown
    assert "user one-side" in shown


def test_a_principal_of_another_account_stands_under_it(example: Audit) -> None:
    shown = text(example, Selection(account="666666666666"))
    assert "from prod-web 222222222222" in shown
    assert "from outside any account" in shown
    assert "no grant" in shown
