"""What principals, accounts and identities are called, as safe markup."""

from __future__ import annotations

import re

from ses_audit.audit.queries import OUTSIDE
from ses_audit.escape import html as escape

__all__ = [
    "account_label",
    "actions_label",
    "arn",
    "identity_label",
    "number",
    "plural",
    "principal_label",
    "region_label",
    "tag",
    "type_word",
]

_TYPES = {
    "user": "user",
    "role": "role",
    "root": "root user",
    "service": "service",
    "account": "account",
    "anonymous": "anyone",
    "federated": "federated",
    "session": "session",
}
_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")


def number(count: int) -> str:
    """A count with separators.

    Examples
    --------
    >>> number(68796)
    '68,796'
    """
    return f"{count:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun.

    Examples
    --------
    >>> plural(1, "identity", "identities")
    '1 identity'
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def tag(text: str) -> str:
    """A word in a thin frame.

    Examples
    --------
    >>> tag("<b>")
    '<span class="tag">&lt;b&gt;</span>'
    """
    return f'<span class="tag">{escape(text)}</span>'


def arn(text: object) -> str:
    """An ARN that may break anywhere.

    Examples
    --------
    >>> arn("arn:aws:iam::111111111111:user/a")
    '<code class="arn">arn:aws:iam::111111111111:user/a</code>'
    """
    return f'<code class="arn">{escape(text)}</code>'


def type_word(kind: str) -> str:
    """A principal's type in words."""
    return _TYPES.get(kind, kind)


def account_label(account: object, name: str = "") -> str:
    """An account by name and id.

    Examples
    --------
    >>> account_label("222222222222", "web")
    'web <code>222222222222</code>'
    """
    if not account:
        return escape(name or OUTSIDE)
    shown = f"{escape(name)} " if name else ""
    return f"{shown}<code>{escape(account)}</code>"


def principal_label(
    arn_text: str, kind: str, name: str, *, smtp: bool = False, account: str = ""
) -> str:
    """A principal by type and name, with what a reader must know of it at once.

    Parameters
    ----------
    arn_text, kind, name
        As in the table `senders`.
    smtp
        Whether it can log in to SMTP.
    account
        Said behind the name, for principals of another account.
    """
    if kind == "anonymous":
        shown = "<strong>anyone</strong> <code>*</code>"
    elif kind == "account" and arn_text.endswith(":*"):
        shown = "principals that were not read"
    elif kind == "account":
        shown = f"any principal of account <code>{escape(account or name)}</code>"
    elif kind == "root":
        shown = "root user"
    else:
        found = _PERMISSION_SET.fullmatch(name)
        words = f"{escape(found[1])} {tag('Identity Center')}" if found else escape(name)
        shown = f'<span class="quiet">{escape(type_word(kind))}</span> {words}'
    if smtp:
        shown += f" {tag('SMTP key')}"
    return shown


def identity_label(name: str) -> str:
    """An identity by its name; one that stands for those not read says so.

    Examples
    --------
    >>> identity_label("*"), identity_label("example.com")
    ('(not read)', 'example.com')
    """
    return "(not read)" if name == "*" else escape(name)


def region_label(region: str) -> str:
    """A region in one line; one that stands for those not read says so.

    Examples
    --------
    >>> region_label("*")
    '<span class="one-line">(all)</span>'
    """
    return f'<span class="one-line">{"(all)" if region == "*" else escape(region)}</span>'


def actions_label(actions: list[str], total: int) -> str:
    """Which of the send actions, in plain text; nothing when it is all of them.

    Examples
    --------
    >>> actions_label(["ses:SendEmail", "ses:SendRawEmail"], 7)
    'SendEmail, SendRawEmail'
    """
    if len(actions) >= total:
        return ""
    names = [action.removeprefix("ses:") for action in actions]
    return ", ".join(names) if len(names) <= 2 else f"{len(names)} of {total} actions"
