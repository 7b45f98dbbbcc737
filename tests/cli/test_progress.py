"""What a run tells on standard error: plain lines where nobody looks, a bar on a terminal."""

from __future__ import annotations

import io

import pytest

from ses_audit.cli.progress import Lines, shown_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_few_accounts_have_a_line_each() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.begin(2)
    lines.called()
    lines.account("111111111111", 24, 0, refused=False)
    lines.account("222222222222", 9, 9, refused=True)
    lines.end()
    assert stream.getvalue().splitlines() == [
        "reading 2 accounts",
        "1 of 2: 111111111111: 24 cells",
        "2 of 2: 222222222222: 9 cells, 9 not read",
        "1 of 2 accounts read, 1 refused the audit role, 1 calls",
    ]


def test_many_accounts_are_counted_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("ses_audit.cli.progress.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    lines = Lines(stream, few=2)
    lines.begin(3)
    for number in range(3):
        lines.called()
        lines.account(f"{number:012}", 8, 0, refused=False)
    now[0] = 11.0
    lines.called()
    lines.called()
    lines.end()
    assert stream.getvalue().splitlines() == [
        "reading 3 accounts",
        "3 of 3 accounts read, 4 calls",
        "3 of 3 accounts read, 5 calls",
    ]


def test_nothing_is_counted_of_a_run_that_read_no_account() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.called()
    lines.end()
    assert stream.getvalue() == ""


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_what_aws_says_is_shown_escaped(stream: io.StringIO) -> None:
    progress = shown_progress(stream)
    progress.begin(1)
    progress.note("\x1b[31mred\u202e")
    progress.called()
    progress.account("111111111111", 24, 2, refused=False)
    progress.end()
    shown = stream.getvalue()
    assert "\x1b[31mred" not in shown
    assert "\u202e" not in shown
    assert "\\u{1b}[31mred\\u{202e}" in shown
    assert "111111111111" in shown
