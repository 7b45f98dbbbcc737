"""Whole logs: entries over several lines, counts, constant memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from ses_audit.ses.messages import LogTable, Message, read_log

U = "arn:aws:iam::123456789012:user/{}"
R = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"


def message(user: str = "a", code: int | None = 554) -> Message:
    return Message("access_denied", U.format(user), "ses:SendRawEmail", R, smtp_code=code)


def line(user: str = "a", prefix: str = "Nov 24 06:12:01 mx1 postfix/smtp[7]: 4A3F: said: ") -> str:
    return (
        f"{prefix}554 Access denied: User `{U.format(user)}' is not authorized to perform "
        f"`ses:SendRawEmail' on resource `{R}' (in reply to end of DATA command))\n"
    )


def counts(table: LogTable) -> list[tuple[Message, int]]:
    return [(row.message, row.count) for row in table.rows]


def test_distinct_refusals_and_how_often() -> None:
    noise = "Nov 24 06:12:01 mx1 postfix/qmgr[9]: 77AA: removed\n"
    table = read_log([line("a"), noise, line("b"), line("a"), noise, line("a")])
    assert counts(table) == [(message("a"), 3), (message("b"), 1)]
    assert [(row.first_line, row.last_line) for row in table.rows] == [(1, 6), (3, 3)]
    assert (table.lines, table.messages, table.not_listed) == (6, 4, 0)


@pytest.mark.parametrize(
    "prefix", ["", "    ", "\t", "[2026-11-24] ERROR ", "2026-11-24 06:12:01 ", "x: "]
)
def test_lines_that_follow_each_other_are_not_glued(prefix: str) -> None:
    table = read_log([line("a", prefix)] * 7)
    assert counts(table) == [(message("a"), 7)]


def test_a_message_over_several_lines() -> None:
    text = (
        f"554-Access denied: User `{U.format('a')}'\n"
        "554-is not authorized to perform `ses:SendRawEmail'\n"
        f"554 on resource `{R}'\n"
    )
    table = read_log((text * 3).splitlines(keepends=True))
    assert counts(table) == [(message("a"), 3)]


def test_folded_lines_and_prefixed_lines() -> None:
    folded = (
        "<x@y.example>: host email-smtp.eu-west-1.amazonaws.com[192.0.2.10] said: 554\n"
        f"    Access denied: User `{U.format('a')}' is\n"
        "    not authorized to perform `ses:SendRawEmail' on resource\n"
        f"    `{R}' (in reply to end of DATA command)\n"
        "\n"
    )
    prefix = "2026-11-24T06:12:01Z app[1]: "
    prefixed = (
        f"{prefix}554 Access denied: User `{U.format('a')}' is not authorized to perform\n"
        f"{prefix}`ses:SendRawEmail' on resource\n"
        f"{prefix}`{R}'\n"
        f"{prefix}next\n"
    )
    table = read_log((folded + prefixed).splitlines(keepends=True))
    assert counts(table) == [(message("a"), 2)]


def test_a_refusal_told_twice_in_one_entry_counts_once() -> None:
    text = (
        f"Error: Message failed: 554 Access denied: User `{U.format('a')}' is not authorized to "
        f"perform `ses:SendRawEmail' on resource `{R}'\n"
        "    at SMTPConnection._formatError (/app/index.js:809:19) {\n"
        f"  response: \"554 Access denied: User `{U.format('a')}' is not authorized to perform "
        f"`ses:SendRawEmail' on resource `{R}'\",\n"
        "  responseCode: 554,\n"
    )
    assert counts(read_log(text.splitlines(keepends=True))) == [(message("a"), 1)]


def test_a_blank_line_inside_a_message() -> None:
    text = (
        f"User: {U.format('a')} is not authorized to perform: ses:SendRawEmail on resource:\n\n"
        f"{R} because no identity-based policy allows the ses:SendRawEmail action\n"
    )
    (row,) = read_log(text.splitlines(keepends=True)).rows
    assert (row.message.resource, row.message.layer) == (R, "identity_policy")


def test_authorization_ids_do_not_make_refusals_distinct() -> None:
    lines = [f"{line('a', '').rstrip()} authorization id: ABCDEFGH{i:04}\n" for i in range(5)]
    (row,) = read_log(lines).rows
    assert row.count == 5
    assert row.message.authorization_id == "ABCDEFGH0000"


def test_a_full_table_says_what_it_does_not_list() -> None:
    lines = [line(f"u{i}") for i in range(10)] + [line("u0")]
    table = read_log(lines, limit=4)
    assert len(table.rows) == 4
    assert (table.messages, table.not_listed) == (11, 6)
    assert sum(row.count for row in table.rows) + table.not_listed == table.messages
    assert table.rows[0].count == 2


def test_one_line_of_any_length_in_pieces() -> None:
    record = f'{{"n": 1, "error": "{line("a", "").strip()}"}}, '
    text = record * 2000 + line("last", "")
    pieces = [text[i : i + 10_000] for i in range(0, len(text), 10_000)]
    table = read_log(pieces)
    assert {row.message for row in table.rows} == {message("a"), message("last")}
    assert (table.lines, table.rows[-1].first_line) == (1, 1)


@pytest.mark.parametrize("size", [7, 100, 1000, 4096])
def test_pieces_tear_no_message(size: int) -> None:
    text = "x" * 150_000 + " " + line("a", "").rstrip() + " " + "y" * 150_000
    table = read_log([text[i : i + size] for i in range(0, len(text), size)])
    assert counts(table) == [(message("a"), 1)]


def test_the_last_line_may_lack_its_end() -> None:
    table = read_log([line("a"), line("a").rstrip()])
    assert (table.lines, table.rows[0].count) == (2, 2)
    assert read_log([]) == LogTable((), 0, 0, 0)


def test_long_entries_end() -> None:
    table = read_log([line("a"), *(["    at x.y.z(File.java:1)\n"] * 500), line("a")])
    assert counts(table) == [(message("a"), 2)]


def test_memory_does_not_grow_with_the_log() -> None:
    def log(count: int) -> Iterator[str]:
        for number in range(count):
            yield line(f"u{number % 40}") if number % 5 == 0 else f"line {number}\n"

    def peak(count: int) -> int:
        tracemalloc.start()
        read_log(log(count), limit=20)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(500)
    assert peak(5_000) < 2 * peak(500)
