"""What a run says while it goes on."""

from __future__ import annotations

import io

from ses_audit.cli.progress import Lines


def test_an_account_that_refused_the_role_is_not_counted_as_read() -> None:
    said = io.StringIO()
    lines = Lines(said)
    lines.begin(2)
    lines.account("111111111111", 24, 0, refused=False)
    lines.account("222222222222", 9, 9, refused=True)
    lines.called()
    lines.end()
    assert said.getvalue().splitlines() == [
        "reading 2 accounts",
        "1 of 2: 111111111111: 24 cells",
        "2 of 2: 222222222222: 9 cells, 9 not read",
        "1 of 2 accounts read, 1 refused the audit role, 1 calls",
    ]


def test_all_accounts_read() -> None:
    said = io.StringIO()
    lines = Lines(said, few=0)
    lines.begin(1)
    lines.account("111111111111", 24, 1, refused=False)
    lines.end()
    assert said.getvalue().splitlines() == [
        "reading 1 account",
        "1 of 1 accounts read, 0 calls",
    ]


def test_a_note_reaches_no_terminal_raw() -> None:
    said = io.StringIO()
    Lines(said).note("a\x1b[31mb")
    assert said.getvalue() == "a\\u{1b}[31mb\n"
