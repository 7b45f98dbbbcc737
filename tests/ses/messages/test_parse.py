"""Several refusals in one text, and what is no refusal."""

from __future__ import annotations

import pytest

from ses_audit.ses.messages import Message, parse_message, parse_messages


def denied(user: str, code: int | None = None) -> Message:
    return Message(
        "access_denied",
        f"arn:aws:iam::123456789012:user/{user}",
        "ses:SendRawEmail",
        "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        smtp_code=code,
    )


def text(user: str) -> str:
    found = denied(user)
    return (
        f"Access denied: User `{found.principal}' is not authorized to perform "
        f"`{found.action}' on resource `{found.resource}'"
    )


def test_several_refusals_of_one_text_in_its_order() -> None:
    log = (
        f"06:12 454 Throttling failure: Maximum sending rate exceeded.\n"
        f"06:13 554 {text('a')}\n"
        f"06:14 535 Authentication Credentials Invalid\n"
        f"06:15 554 {text('b')}\n"
        f"06:16 554 {text('a')}\n"
    )
    assert parse_messages(log) == (
        Message("throttling", smtp_code=454),
        denied("a", 554),
        Message("smtp_auth", smtp_code=535),
        denied("b", 554),
    )
    assert parse_message(log).kind == "throttling"


def test_several_principals_in_one_line() -> None:
    line = f"{text('a')}; {text('b')}; {text('c')}"
    assert parse_messages(line) == (denied("a"), denied("b"), denied("c"))


def test_one_refusal_told_twice_is_one_and_lends_its_code() -> None:
    told = f'{{"message": "{text("a")}", "response": "554 {text("a")}"}}'
    assert parse_messages(told) == (denied("a", 554),)


def test_the_ids_of_two_denials_do_not_mix() -> None:
    first = f"{text('a')} authorization id: FIRSTFIRST1"
    second = f"{text('b')} authorization id: SECONDSECOND2"
    found = parse_messages(f"{first}\n{second}")
    assert [m.authorization_id for m in found] == ["FIRSTFIRST1", "SECONDSECOND2"]


def test_a_bare_code_beside_a_full_denial_adds_nothing() -> None:
    filler = "    at x.y.z\n" * 100
    assert parse_messages(f"ses AccessDenied\n{filler}554 {text('a')}") == (denied("a", 554),)


def test_a_bare_access_denied_of_ses() -> None:
    found = parse_message("An error occurred (AccessDenied) when calling the SendEmail operation")
    assert found == Message("access_denied")


def test_not_verified_with_and_without_its_list_is_one() -> None:
    found = parse_messages(
        "554 Message rejected: Email address is not verified.\n"
        "554 Message rejected: Email address is not verified. The following identities failed "
        "the check in region EU-WEST-1: a@b.example\n"
    )
    assert found == (
        Message("not_verified", smtp_code=554, region="eu-west-1", identities=("a@b.example",)),
    )


@pytest.mark.parametrize(
    ("tail", "region", "identities"),
    [
        ("", None, ()),
        (" EU-WEST-1", "eu-west-1", ()),
        (" EU-WEST-1:", "eu-west-1", ()),
        (" EU-WEST-1: ", "eu-west-1", ()),
        (" EU-WEST-1: (Service: x)", "eu-west-1", ()),
        (" EU-WEST-1: a@b.example, Request ID: 7", "eu-west-1", ("a@b.example",)),
        (" EU-WEST-1: a@b.example,", "eu-west-1", ("a@b.example",)),
        (" EU-WEST-1: '.'", "eu-west-1", ()),
    ],
)
def test_a_list_of_identities_that_is_cut(
    tail: str, region: str | None, identities: tuple[str, ...]
) -> None:
    found = parse_message(
        f"Email address is not verified. The following identities failed the check in region{tail}"
    )
    assert found == Message("not_verified", region=region, identities=identities)


@pytest.mark.parametrize(
    "line",
    [
        "Authentication failed",
        "535 mailbox busy",
        "HTTP 407 Proxy authentication required",
        "421 go away",
        "Email address is verified",
        "user is not authorized to view this",
        "Access denied for user 'ses'@'localhost'",
        "this is not authorized",
        "not authorized to perform this action",
    ],
)
def test_other_errors_are_unknown(line: str) -> None:
    assert parse_message(line).kind == "unknown"
    assert parse_messages(line) == ()


def test_words_that_need_their_code() -> None:
    assert parse_message("535 5.7.8 Authentication failed") == Message("smtp_auth", smtp_code=535)
    assert parse_message("421 Too many errors") == Message("throttling", smtp_code=421)


def test_hostile_text_is_read_in_linear_time_and_lengths_are_capped() -> None:
    name = "x" * 5000
    found = parse_message(
        f"User `arn:aws:iam::1:user/{name}' is not authorized to perform `ses:A' on resource "
        f"`arn:aws:ses:::{name}'"
    )
    assert found.kind == "access_denied"
    assert found.principal is None or len(found.principal) <= 2048
    assert found.resource is not None and len(found.resource) <= 2048


@pytest.mark.parametrize(
    "unit",
    ["\\", "'", "`", "\n", " ", "&amp;", "<a ", "{", "user ", "arn:", "554-x\n", "a,", "=\n", ">"],
)
def test_floods_do_not_break_it(unit: str) -> None:
    flood = unit * 20_000
    assert parse_message(flood).kind == "unknown"
    assert parse_message(f"{flood}\n554 {text('a')}\n{flood}").kind == "access_denied"
