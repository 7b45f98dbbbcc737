"""Any message in any of two wrappings, one inside the other: the parts stay the same."""

from __future__ import annotations

import html
import json
import random
import textwrap
from collections.abc import Callable

import pytest

from ses_audit.ses.messages import Message, parse_message, read_log

PRINCIPALS = [
    "arn:aws:iam::123456789012:user/mailer",
    "arn:aws:iam::123456789012:user/a/b/ses-smtp-user.20240101-101010",
    "arn:aws:sts::123456789012:assumed-role/r/s@example.com",
    "arn:aws-us-gov:iam::123456789012:root",
    "arn:aws-cn:sts::123456789012:federated-user/bob",
]
ACTIONS = ["ses:SendEmail", "ses:SendRawEmail", "ses:SendBulkTemplatedEmail"]
RESOURCES = [
    "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
    "arn:aws:ses:eu-west-1:123456789012:identity/jane.doe+x@example.com",
    "arn:aws-eusc:ses:eusc-de-east-1:123456789012:configuration-set/my_set-1",
    "arn:aws:ses:us-east-1:123456789012:identity/o'neil@example.com",
]
QUOTES = ["`'", "''", "``", "‘’", '""', "“”"]
LAYERS = [
    ("", None, None),
    (" because no identity-based policy allows the {} action", "identity_policy", "implicit"),
    (" with an explicit deny in a service control policy", "scp", "explicit"),
    (" because no permissions boundary allows the {} action", "permissions_boundary", "implicit"),
    (" with an explicit deny in a VPC endpoint policy", "vpc_endpoint_policy", "explicit"),
    (" because no resource control policy allows the {} action", "rcp", "implicit"),
]
BEFORE = [
    ("", None),
    ("554 Access denied: ", 554),
    ("554 5.7.1 Access denied: ", 554),
    ('Expected response code "250" but got code "554", with message "554 Access denied: ', 554),
    ('(554, b"Access denied: ', 554),
    ("An error occurred (AccessDenied) when calling the SendEmail operation: ", None),
    ("host x[192.0.2.1] said: 554 Access denied: ", 554),
    ("Ошибка: 554 Access denied: ", 554),
    ("SMTP error from remote mail server after end of data: 554 Access denied: ", 554),
]
BEHIND = [
    *("", ".", '")', " (in reply to end of DATA command))", "\n    at x.y.z(F.java:1)", '"}'),
    *("\nEND RequestId: 0", " (code AccessDenied).", "</Message>", "！", "\r\n"),
    " (Service: Ses, Status Code: 403, Request ID: 1)",
]


def folded(text: str, start: str) -> str:
    lines = textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False)
    return f"\n{start}".join(lines)


WRAPPINGS: list[Callable[[str], str]] = [
    lambda text: json.dumps({"errorMessage": text, "n": 1}),
    lambda text: json.dumps(json.dumps({"m": text})),
    lambda text: f"<p>{html.escape(text)}</p>",
    lambda text: f"<Error><Message>{html.escape(text)}</Message></Error>",
    repr,
    lambda text: folded(text, "    "),
    lambda text: "> " + folded(text, "> "),
    lambda text: f"Nov 24 06:12:01 mx1 app[33]: {text}",
    lambda text: f"2026-11-24T06:12:01.123Z\tERROR\t{text}",
    lambda text: f"メール送信エラー: {text} 管理者へ",
    lambda text: f"```\n{text}\n```",
    lambda text: text.replace("\n", "\r\n"),
]


def make(choice: random.Random) -> tuple[str, Message]:
    """A text, and what stands in it."""
    principal, action = choice.choice(PRINCIPALS), choice.choice(ACTIONS)
    resource = choice.choice(RESOURCES)
    because, layer, effect = choice.choice(LAYERS)
    if choice.random() < 0.5:
        said = f"User: {principal} is not authorized to perform: {action} on resource: {resource}"
    else:
        a, b = choice.choice(QUOTES)
        said = (
            f"User {a}{principal}{b} is not authorized to perform {a}{action}{b} on resource "
            f"{a}{resource}{b}"
        )
    before, code = choice.choice(BEFORE)
    text = before + said + because.format(action) + choice.choice(BEHIND)
    for wrap in choice.choices(WRAPPINGS, k=choice.randrange(3)):
        text = wrap(text)
    parts = (principal, action, resource, layer, effect)
    return text, Message("access_denied", *parts, smtp_code=code)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
def test_a_wrapped_message_is_read(seed: int) -> None:
    choice = random.Random(seed)
    for _ in range(60):
        text, expected = make(choice)
        assert parse_message(text) == expected, text
        rows = read_log(text.splitlines(keepends=True)).rows
        assert expected in [row.message for row in rows], text
