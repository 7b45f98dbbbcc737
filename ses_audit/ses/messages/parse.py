"""Find the refusals in a text: denials of IAM, and SES's other answers to a send."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from ses_audit.ses.messages import scan
from ses_audit.ses.messages.text import plain
from ses_audit.ses.messages.types import Kind, Message, Phrase, phrases, smtp_codes

__all__ = ["Found", "distinct", "find", "parse_message", "parse_messages"]

_NOT_AUTHORIZED = re.compile(
    r"not\s{1,40}authori[sz]ed(\s{1,40}to\s{1,40}perform\b)?", re.IGNORECASE
)
_ACCESS_DENIED = re.compile(r"access\s{0,40}denied", re.IGNORECASE)
_CUT = re.compile(
    r"(?:exception)?[\s:'\"`,()-]{0,20}user[\s:]{1,10}['\"`]{0,3}(arn:[^\s'\"`]{1,2048})",
    re.IGNORECASE,
)
_OF_SES = re.compile(r"\bses\b|amazonses|Send\w{0,30}Email|SimpleEmail|email-smtp", re.IGNORECASE)
_REGION = re.compile(r"\s{1,40}([a-z]{2,5}(?:-[a-z]{2,10}){1,3}-[0-9]{1,2})\b", re.IGNORECASE)
_LIST_START = re.compile(r"\s{0,5}:\s{0,40}")
_COMMA = re.compile(r"[ \t]{0,5},\s{0,40}")
_AFTERWORD = re.compile(r"status code|request ?id|host ?id|proxy|service:", re.IGNORECASE)
# `"Doe, Jane" <jane@example.com>`, `Jane <jane@example.com>`, `jane@example.com`.
_ITEM = re.compile(
    r"('?\"[^\"\n]{1,200}\"\s{0,40}<[^<>\n/][^<>\n]{0,320}>"
    r"|[^,<>\"\n();:]{0,200}(?:\n[ \t]{1,20})?<[^<>\n/][^<>\n]{0,320}>"
    r"|[^\s,<>\"`;()]{1,320})"
)
_FAILED_CHECK = "identities failed the check in region"
_PARTS = (
    *("principal", "action", "resource", "layer", "effect"),
    *("policy_arn", "region", "identities"),
)
_MOST_COMPARED = 200
_NEAR = 600
_BACK = 2300
_MOST_NAMES = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A message, and the stretch of plain text it was read from."""

    start: int
    end: int
    message: Message


def parse_message(text: str) -> Message:
    """The first refusal of a text.

    Parameters
    ----------
    text
        An error in any wrapping: a log line, a traceback, JSON, XML, HTML, a quoted mail.

    Returns
    -------
    Message
        Of the kind `unknown` where the text holds no refusal that SES is known to give.

    Examples
    --------
    >>> found = parse_message(
    ...     "554 Access denied: User `arn:aws:iam::123456789012:user/a' is not authorized to "
    ...     "perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:123456789012:"
    ...     "identity/example.com'"
    ... )
    >>> found.kind, found.smtp_code, found.resource
    ('access_denied', 554, 'arn:aws:ses:eu-west-1:123456789012:identity/example.com')
    """
    content = plain(text)
    found = distinct(find(content))
    return found[0] if found else Message("unknown", smtp_code=_first_code(content))


def parse_messages(text: str) -> tuple[Message, ...]:
    """Every distinct refusal of a text, in its order; none where there is none.

    Examples
    --------
    >>> [m.kind for m in parse_messages("454 Throttling failure\\n535 Account not subscribed")]
    ['throttling', 'account_not_subscribed']
    """
    return tuple(distinct(find(plain(text))))


def find(content: str) -> list[Found]:
    """Every refusal of a plain text, in its order; the same one can stand there twice.

    Examples
    --------
    >>> text = "User `arn:aws:iam::1:user/a' is not authorized to perform `ses:SendEmail'"
    >>> [(found.message.kind, found.message.action) for found in find(text)]
    [('access_denied', 'ses:SendEmail')]
    """
    denials = _denials(content)
    found = [*denials, *_cut_denials(content, denials), *_others(content)]
    return sorted(found, key=lambda item: item.start)


def distinct(found: list[Found]) -> list[Message]:
    """Without repetitions; what one telling lacks another fills in.

    Examples
    --------
    >>> text = "535 Authentication Credentials Invalid"
    >>> len(find(f"{text}\\n\\n{text}")), len(distinct(find(f"{text}\\n\\n{text}")))
    (2, 1)
    """
    messages: dict[Message, Message] = {}
    for item in found:
        key = replace(item.message, smtp_code=None, authorization_id=None)
        messages[key] = _lend(messages.get(key, item.message), item.message)
    kept = _fullest(list(messages))
    for key, message in messages.items():
        if key not in kept:
            fuller = next(other for other in kept if _tells(other, key))
            messages[fuller] = _lend(messages[fuller], message)
    return [message for key, message in messages.items() if key in kept]


def _lend(to: Message, other: Message) -> Message:
    return replace(
        to,
        smtp_code=to.smtp_code or other.smtp_code,
        authorization_id=to.authorization_id or other.authorization_id,
    )


def _fullest(keys: list[Message]) -> list[Message]:
    """Without those that another tells with more: a cut or a bare one beside the whole."""
    if len(keys) > _MOST_COMPARED:
        return keys
    return [key for key in keys if not any(other != key and _tells(other, key) for other in keys)]


def _tells(fuller: Message, poorer: Message) -> bool:
    """Whether all that one message holds stands in the other."""
    if fuller.kind != poorer.kind:
        return False
    return all(
        not value or value == getattr(fuller, name)
        for name in _PARTS
        if (value := getattr(poorer, name)) is not None
    )


def _denials(content: str) -> list[Found]:
    anchors = [
        match
        for match in _NOT_AUTHORIZED.finditer(content)
        if match[1] or "to perform".startswith(_tail(content, match.end()))
    ]
    found: list[Found] = []
    done = 0
    for position, anchor in enumerate(anchors):
        after = anchors[position + 1].start() if position + 1 < len(anchors) else len(content)
        item = _denial(content, anchor, done, after)
        if item is not None:
            found.append(item)
        done = max(anchor.end(), item.end if item is not None else 0)
    return found


def _tail(content: str, start: int) -> str:
    """What is left of a text that is cut inside "not authorized to perform"."""
    rest = content[start : start + 60]
    return " ".join(rest.lower().split()).rstrip(".…") if start + 60 > len(content) else "-"


def _denial(content: str, anchor: re.Match[str], done: int, after: int) -> Found | None:
    back = max(done, anchor.start() - _BACK)
    principal, start = scan.read_principal(content[back : anchor.start()])
    start += back
    action, end = scan.read_action(content, anchor.end())
    resource, end = scan.read_resource(content, end)
    if principal is None and action is None:
        return None
    layer, effect, policy = scan.read_layer(content, end, after)
    message = Message(
        "access_denied",
        principal,
        action,
        resource,
        layer,
        effect,
        policy,
        _code_around(content, start, end, back, after),
        scan.read_authorization_id(content, end, min(after, end + 1500)),
    )
    return Found(start, end, message)


def _code_around(content: str, start: int, end: int, back: int, after: int) -> int | None:
    head = content[back:start].rstrip(" \n:*'\"`(-")
    if head.lower().endswith("exception"):
        head = head[: -len("exception")]
    denied = list(_ACCESS_DENIED.finditer(head, max(0, len(head) - 60)))
    if denied and denied[-1].end() == len(head):
        head = head[: denied[-1].start()]
    else:
        head = content[back:start]
    code = scan.read_code_before(head, len(head))
    return code if code is not None else scan.read_code_after(content, end, after)


def _cut_denials(content: str, denials: list[Found]) -> list[Found]:
    """ "Access denied" that is cut before its verb, or has no more to say."""
    found: list[Found] = []
    near = [(item.start - _NEAR, item.end + _NEAR) for item in denials]
    position = 0
    for match in _ACCESS_DENIED.finditer(content):
        while position < len(near) and near[position][1] < match.start():
            position += 1
        if position < len(near) and near[position][0] <= match.start():
            continue
        code = scan.read_code_before(content, match.start())
        cut = _CUT.match(content, match.end())
        if cut is not None:
            message = Message("access_denied", principal=cut[1], smtp_code=code)
            found.append(Found(match.start(), cut.end(), message))
        elif code == 554 or _bare(content, match):
            message = Message("access_denied", smtp_code=code)
            found.append(Found(match.start(), match.end(), message))
    return found


def _bare(content: str, match: re.Match[str]) -> bool:
    """Whether an "Access denied" with nothing behind it is SES's."""
    around = content[max(0, match.start() - 200) : match.end() + 200]
    return (
        re.match(r"\s{0,3}for\s{1,3}user", content[match.end() : match.end() + 20], re.I) is None
        and _OF_SES.search(around) is not None
    )


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str], Phrase], ...]:
    """(a word of the phrase, its pattern, the phrase)."""
    return tuple(
        (
            max(phrase.words.split(), key=len),
            re.compile(r"\s{1,40}".join(map(re.escape, phrase.words.split())), re.IGNORECASE),
            phrase,
        )
        for phrase in phrases()
    )


def _others(content: str) -> list[Found]:
    lower = content.lower()
    found: list[Found] = []
    for word, pattern, phrase in _patterns():
        if word not in lower:
            continue
        for match in pattern.finditer(content):
            code = scan.read_code_before(content, match.start())
            if phrase.codes and code not in phrase.codes:
                continue
            if code is None:
                code = scan.read_code_after(content, match.end(), len(content))
            found.append(_other(content, match, phrase, code))
    return found


def _other(content: str, match: re.Match[str], phrase: Phrase, code: int | None) -> Found:
    kind: Kind = phrase.kind
    if kind != "not_verified":
        return Found(match.start(), match.end(), Message(kind, smtp_code=code))
    end = match.end()
    if phrase.words != _FAILED_CHECK:
        return Found(match.start(), end, Message(kind, smtp_code=code))
    region = _REGION.match(content, end)
    names: tuple[str, ...] = ()
    if region is not None:
        names, end = _names(content, region.end())
    return Found(
        match.start(),
        end,
        Message(
            kind,
            smtp_code=code if code is not None else _code_of_sentence(content, match.start()),
            region=region[1].lower() if region else None,
            identities=names,
        ),
    )


def _code_of_sentence(content: str, end: int) -> int | None:
    """The code in front of "Email address is not verified. The following ..."."""
    back = max(0, end - 80)
    start = content[back:end].lower().rfind("email address")
    return scan.read_code_before(content, back + start) if start >= 0 else None


def _names(content: str, start: int) -> tuple[tuple[str, ...], int]:
    """The identities listed after the region; commas inside a display name do not part them."""
    lead = _LIST_START.match(content, start)
    if lead is None:
        return (), start
    names: list[str] = []
    position = lead.end()
    for _ in range(_MOST_NAMES):
        item = None if _AFTERWORD.match(content, position) else _ITEM.match(content, position)
        if item is None:
            break
        name = " ".join(item[1].split())
        names.append(name if name.endswith(">") else name.rstrip(".;:'`)]}"))
        position = item.end()
        comma = _COMMA.match(content, position)
        if comma is None:
            break
        position = comma.end()
    return tuple(filter(None, names)), position


_FIRST_CODE = re.compile(
    r"(?:^|[\n(>'\"`]|said:\s{0,3}|code\W{1,4}|smtp\W{1,3}|error\W{1,3}|server\W{1,3})"
    r"([45][0-9]{2})(?=[\s,:\"')-]|\Z)",
    re.IGNORECASE,
)


def _first_code(content: str) -> int | None:
    for match in _FIRST_CODE.finditer(content):
        if int(match[1]) in smtp_codes():
            return int(match[1])
    return None
