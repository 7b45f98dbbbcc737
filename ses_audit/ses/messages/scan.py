"""Read one part of a denial at a place of the text: principal, action, resource, layer.

The text is plain (`text.plain`). Every reader looks at a bounded stretch.
"""

from __future__ import annotations

import re
from typing import Literal

from ses_audit.ses.messages.types import layer_names, smtp_codes

__all__ = [
    "LONGEST",
    "read_action",
    "read_authorization_id",
    "read_code_after",
    "read_code_before",
    "read_layer",
    "read_principal",
    "read_resource",
]

LONGEST = 2048
"""The longest ARN that AWS has."""

_QUOTES = "'\"`"
_USER = re.compile(r"(?<![<{])\b(?:user|principal)\b(?=[\s:'\"`(*])", re.IGNORECASE)
_ARN = re.compile(r"(?<![A-Za-z0-9])arn:")
_ACTION = re.compile(r"[\s:'\"`*(]{0,40}([A-Za-z0-9_-]{1,64}:(?:\w{1,128}(?:\*(?!\*))?|\*))")
_ON_RESOURCE = re.compile(
    r"[\s'\"`*.,)]{0,40}(?:action\b|operation\b)?[\s'\"`]{0,20}"
    r"on\s{1,40}(?:the\s{1,40}|following\s{1,40}){0,2}resources?(?:\(s\))?(?![A-Za-z])",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[(\[][\s'\"`]{0,5}arn:")
_NO_RESOURCE = ("", "because", "with")
_PLACEHOLDER = re.compile(r"<[^<>\n/][^<>\n]{0,98}>|\$?\{[^{}\n]{1,100}\}")
_ORDINARY = re.compile(r"[A-Za-z0-9:/@._+=%~-]+")
_WRAPPED = re.compile(r"\s{0,5}\n\s{0,40}([^\s'\"`<]{1,300})['\"`]")
_IMPLICIT = re.compile(r"because\s{1,40}no\s{1,40}([A-Za-z][A-Za-z\s-]{1,60})", re.IGNORECASE)
_EXPLICIT = re.compile(
    r"explicit\s{1,40}deny(?:\s{1,40}in\s{1,40}(?:an?|the)\s{1,40}([A-Za-z][A-Za-z\s-]{1,60}))?",
    re.IGNORECASE,
)
_POLICY_ARN = re.compile(
    r"\s{0,20}(?:polic(?:y|ies))?[\s:'\"`(*]{1,40}(arn:[^\s'\"`<>]{5,2048})", re.IGNORECASE
)
_AUTHORIZATION = re.compile(
    r"authorization[\s_-]{0,3}id['\"]?[\s:=]{0,10}['\"`]?([A-Za-z0-9_-]{8,256})"
    r"|authorization-details/([A-Za-z0-9_-]{8,256})",
    re.IGNORECASE,
)
_CODE_BEFORE = re.compile(
    r"(?<![\w./-])(?<![0-9]:)([45][0-9]{2})(?:[\s\-,:;=()\[\]{}'\"`#>|*!]|b(?=['\"])"
    r"|[45]\.[0-9]{1,3}\.[0-9]{1,3}"
    r"|\b(?:response|with|message|msg|text|detail|details|reply|error|body|from|server|the|said|data"
    r"|transaction|failed|rejected|smtp|description|ses|sasl|authentication|source|reason|info|err"
    r"|enhanced|status|code|cause)\b){0,60}\Z",
    re.IGNORECASE,
)
_CODE_AFTER = re.compile(
    r"(?:smtp|response|reply|error|status)[\s_-]{0,2}(?:status)?[\s_-]{0,2}code"
    r"['\"]?\s{0,3}[:=]?\s{0,3}['\"(]?([45][0-9]{2})\b",
    re.IGNORECASE,
)


def read_principal(before: str) -> tuple[str | None, int]:
    """The principal in front of "not authorized", and where its part of the text begins.

    Parameters
    ----------
    before
        The text up to "not authorized".

    Returns
    -------
    (str or None, int)

    Examples
    --------
    >>> read_principal("554 Access denied: User `arn:aws:iam::1:user/a' is ")
    ('arn:aws:iam::1:user/a', 19)
    """
    end = len(before.rstrip())
    if before[:end].lower().endswith("is") and not before[: end - 2][-1:].isalnum():
        end = len(before[: end - 2].rstrip())
    head = before[:end]
    users = list(_USER.finditer(head))
    arns = list(_ARN.finditer(head))
    if users:
        start = users[-1].end()
        lead = len(head) - len(head[start:].lstrip(" \n:*(" + _QUOTES))
        found = _principal(head[lead:])
        if found is not None and (found.startswith("arn:") or not arns or arns[-1].start() <= lead):
            return found, users[-1].start()
    if arns:
        found = _principal(head[arns[-1].start() :])
        if found is not None:
            return found, arns[-1].start()
    if users and not head[users[-1].end() :].strip(" \n:.…" + _QUOTES):
        return None, users[-1].start()
    return None, end


def _principal(text: str) -> str | None:
    """The name that begins here; None where what stands here is no name."""
    quote = next((i for i, c in enumerate(text) if c in _QUOTES), None)
    if quote is not None and (
        text[quote + 1 : quote + 2].isspace() or not text[quote:].strip(_QUOTES + ")* \n.,:")
    ):
        text = text[:quote]
    # A line break inside the name: a terminal or a mailer wrapped the line.
    text = "".join(line.strip() for line in text.strip(" \n*" + _QUOTES).split("\n"))[:LONGEST]
    if text.startswith("arn:"):
        words = text.split(" ")
        # A user's name may hold a space in a redacted text, never a sentence.
        return text if len(words) <= 4 else words[0].rstrip(",;:)")
    text = text.rstrip(",;:)")
    if not text.strip(".…"):
        return None
    return None if " " in _PLACEHOLDER.sub("x", text) else text


def read_action(text: str, start: int) -> tuple[str | None, int]:
    """`service:Action` at this place, and where it ends.

    Examples
    --------
    >>> read_action("ses:SendEmail on", 0)
    ('ses:SendEmail', 13)
    """
    match = _ACTION.match(text, start)
    return (match[1], match.end()) if match else (None, start)


def read_resource(text: str, start: int) -> tuple[str | None, int]:
    """What follows "on resource" at this place, and where it ends.

    Examples
    --------
    >>> read_resource("on resource: arn:aws:ses:eu-west-1:1:identity/a.example, because", 0)[0]
    'arn:aws:ses:eu-west-1:1:identity/a.example'
    """
    match = _ON_RESOURCE.match(text, start)
    if match is None:
        return None, start
    position = match.end()
    quote = ""
    while position < len(text) and position < match.end() + 200 and text[position] in " \n:([*'\"`":
        if text[position] == "*" and not text.startswith("**", position):
            break
        if text[position] in "([" and _BRACKETED.match(text, position) is None:
            return None, position
        quote = text[position] if text[position] in _QUOTES else quote
        position += 2 if text.startswith("**", position) else 1
    value, end, closed = _resource(text, position, quote)
    value = _trim(value, closed=closed)
    named = value.strip(".…").lower() not in _NO_RESOURCE
    return (value, end) if named else (None, position)


def _resource(text: str, position: int, quote: str) -> tuple[str, int, bool]:
    """The characters of a resource: up to its closing quote, white space or the end of an element.

    `quote` is the opening one, "" for none. Returns the value, where it ends, and whether a quote
    closed it.
    """
    pieces: list[str] = []
    limit = min(len(text), position + LONGEST)
    while position < limit:
        ordinary = _ORDINARY.match(text, position, limit)
        if ordinary is not None:
            pieces.append(ordinary[0])
            position = ordinary.end()
            continue
        character = text[position]
        if character in "<{$" and (held := _PLACEHOLDER.match(text, position)) is not None:
            pieces.append(held[0])
            position = held.end()
            continue
        if text.startswith(("</", "<!", "]]>"), position):
            break
        if character.isspace():
            wrapped = _WRAPPED.match(text, position) if quote else None
            if wrapped is None:
                break
            # A line break inside the quotes: a terminal or a mailer wrapped the line.
            return "".join((*pieces, wrapped[1])), wrapped.end(), True
        if character in _QUOTES and _closes(text, position, quote):
            return "".join(pieces), position + 1, True
        if not quote and not character.isascii() and character != "…":
            # No name of SES holds it: it is the sentence around.
            break
        pieces.append(character)
        position += 1
    return "".join(pieces), position, False


def _closes(text: str, position: int, quote: str) -> bool:
    """Whether a quote ends the resource rather than stands in an address (`o'brien@...`)."""
    after = text[position + 1 : position + 2]
    if text[position] != "'" or not (after.isascii() and after.isalnum()):
        return True
    if quote in ("", '"'):
        return False
    rest = re.match(r"[^\s'\"`]{1,300}['`]", text[position + 1 : position + 302])
    return rest is None


def _trim(value: str, *, closed: bool) -> str:
    if not closed:
        value = value.rstrip(",;:!")
        for opening, closing in ("()", "[]", "{}", "<>"):
            while value.endswith(closing) and value.count(closing) > value.count(opening):
                value = value[:-1].rstrip(",;:!")
    if value.endswith(".") and not value.endswith(".."):
        value = value[:-1]
    return value.removesuffix("**") if len(value) > 2 else value


def read_layer(
    text: str, start: int, end: int
) -> tuple[str | None, Literal["explicit", "implicit"] | None, str | None]:
    """(layer, effect, policy ARN) as the standard IAM form names them after the resource.

    Examples
    --------
    >>> read_layer("with an explicit deny in a service control policy", 0, 100)
    ('scp', 'explicit', None)
    """
    end = min(end, start + 400)
    explicit = _EXPLICIT.search(text, start, end)
    implicit = _IMPLICIT.search(text, start, end)
    match = min(filter(None, (explicit, implicit)), key=lambda m: m.start(), default=None)
    if match is None:
        return None, None, None
    effect: Literal["explicit", "implicit"] = "explicit" if match is explicit else "implicit"
    if match[1] is None:
        return None, effect, None
    name, place = _layer(match[1])
    if name is None:
        return None, effect, None
    policy = _POLICY_ARN.match(text, match.start(1) + place)
    return name, effect, policy[1].rstrip(".,;:)]}") if policy else None


def _layer(words: str) -> tuple[str | None, int]:
    """The layer that these words begin with, and where its name ends in them."""
    for name, layer in layer_names():
        pattern = r"\s+".join(map(re.escape, name.split()))
        match = re.match(rf"{pattern}(?![A-Za-z-])", words, re.IGNORECASE)
        if match is not None:
            return layer, match.end()
    return None, 0


def read_authorization_id(text: str, start: int, end: int) -> str | None:
    """The id of AWS's access troubleshooter, in what follows a denial."""
    match = _AUTHORIZATION.search(text, start, end)
    return None if match is None else match[1] or match[2]


def read_code_before(text: str, end: int) -> int | None:
    """The SMTP code that stands right before this place, but for punctuation and a few words.

    Examples
    --------
    >>> read_code_before('got code "554", with message "', 30)
    554
    """
    match = _CODE_BEFORE.search(text[max(0, end - 160) : end])
    return _code(match)


def read_code_after(text: str, start: int, end: int) -> int | None:
    """The SMTP code that follows by name: `SMTP code: 554`, `responseCode: 554`.

    Examples
    --------
    >>> read_code_after("responseCode: 554", 0, 17)
    554
    """
    return _code(_CODE_AFTER.search(text, start, min(end, start + 400)))


def _code(match: re.Match[str] | None) -> int | None:
    if match is None:
        return None
    code = int(match[1])
    return code if code in smtp_codes() else None
