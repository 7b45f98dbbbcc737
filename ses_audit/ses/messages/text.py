"""Take the wrapping off a text: escapes, entities, markup, quotes, folded and numbered lines.

Every expression here is bounded or starts at one place only, so that the time is linear in the
length of the text, whatever it holds.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote_plus

__all__ = ["LOG_PREFIX", "plain"]

# `\"`, `\\\"`, `\u0060`, `\x60`, `\n`: a run of backslashes counts as one, so that text escaped
# twice is read at once.
_ESCAPE = re.compile(r"(?<!\\)\\++(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrtbf\"'`/])")
_ENTITY = re.compile(
    r"&(?:amp;){0,5}(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,15});"
)
_COLOUR = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_SYSLOG_CONTROL = re.compile(r"#01[0-5](?![0-9])")
_URL = re.compile(r"authori[sz]ed(?:%20|\+)to(?:%20|\+)perform", re.IGNORECASE)
_SOFT_BREAK = re.compile(r"(?m)^(.{60,75})=\n")
_QUOTED_BYTE = re.compile(r"=([2-7][0-9A-F])")
_INLINE = re.compile(
    r"</?(?:code|b|i|em|strong|span|tt|kbd|a|u|mark|samp|font)(?:\s[^<>]{0,300})?/?>", re.IGNORECASE
)
_BLOCK = re.compile(
    r"</?(?:br|p|div|pre|td|tr|th|li|ul|ol|h[1-6]|blockquote)(?:\s[^<>]{0,300})?/?>", re.IGNORECASE
)
_MARGIN = re.compile(r"(?m)^[ \t]{0,40}(?:>[> \t]{0,40}|//+[ \t]|#+[ \t]|\|[ \t])")
_QUOTE_MARK = re.compile(r"(?<=\s)>{1,5}(?=\s)")
_CODED_LINE = re.compile(r"(?<![\w.])([45][0-9]{2})-(?=\D|[45]\.)")
LOG_PREFIX = (
    r"(?:(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}"
    r"|\[?[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9:.,+Z-]{5,30}\]?)"
    r"(?: [^\s:]{1,80}){0,3}:? |[\w.-]{1,60} {1,20}\| )"
)
_PREFIXED = re.compile(
    rf"\n{LOG_PREFIX}\s{{0,20}}(?=(?:[45][0-9]{{2}}[ -])?(?:is not auth|not auth|to perform"
    r"|on resource|because no|with an explicit|[`'\"]?[a-z-]{2,40}:[A-Z]|[`'\"]arn:))"
)
# A chat or a forum makes links of addresses and domains.
_LINKS = (
    re.compile(r"<(?:mailto|https?):[^<>|\s]{1,300}\|([^<>|\n]{1,300})>"),
    re.compile(r"<mailto:([^<>|\s]{1,300})>"),
    re.compile(r"\[([^\[\]\n]{1,300})\]\((?:mailto|https?):[^()\s]{1,300}\)"),
)

_CHARACTERS = {
    **dict.fromkeys(map(ord, "‘’‚‛′‵´＇ʼ"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″«»＂「」『』"), '"'),
    ord("｀"): "`",
    ord("："): ":",
    **dict.fromkeys(map(ord, "\u00a0\u2007\u202f\u3000\u2009\u200a\x0b\x0c\t"), " "),
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"), None),
    **dict.fromkeys(range(0x202A, 0x202F), None),
    **dict.fromkeys(range(0x2066, 0x206A), None),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    **dict.fromkeys((0x85, 0x2028, 0x2029), "\n"),
    0: None,
}
_MOJIBAKE = (("â€˜", "'"), ("â€™", "'"), ("â€œ", '"'), ("â€\x9d", '"'), ("Â´", "'"))
_SIMPLE = {"n": "\n", "r": "\r", "t": " ", "b": " ", "f": " "}


def plain(text: str) -> str:
    """The text without its wrapping; line breaks stay.

    Parameters
    ----------
    text
        Anything: a log, a traceback, JSON, XML, HTML, a quoted mail.

    Returns
    -------
    str
        With only the three ASCII quotes, and `\\n` between lines.

    Examples
    --------
    >>> plain(r"User \\u0060x&#39; is")
    "User `x' is"
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _unescape(text)
    if "%" in text or "+to+" in text:
        text = _decode_url(text)
    if "=\n" in text:
        text = _decode_quoted_printable(text)
    if "&" in text:
        # An entity can stand for what a backslash escapes.
        text = _unescape(_ENTITY.sub(lambda match: unescape(f"&{match[1]};"), text))
    for wrong, right in _MOJIBAKE:
        text = text.replace(wrong, right)
    text = text.translate(_CHARACTERS)
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    if "#01" in text:
        text = _SYSLOG_CONTROL.sub("\n", text)
    if "mailto:" in text or "](http" in text or "<http" in text:
        for link in _LINKS:
            text = link.sub(r"\1", text)
    if "<" in text:
        text = _BLOCK.sub("\n", _INLINE.sub("", text))
    if "\n" in text:
        text = _PREFIXED.sub("\n", _MARGIN.sub("", text))
    if ">" in text:
        # A quoted mail whose lines were joined again.
        text = _QUOTE_MARK.sub("", text)
    return _join_replies(text)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_escape, text).replace("\r\n", "\n").replace("\r", "\n")


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _SIMPLE.get(code, code)


def _decode_url(text: str) -> str:
    return unquote_plus(text, errors="replace") if _URL.search(text) else text


def _decode_quoted_printable(text: str) -> str:
    joined = _SOFT_BREAK.sub(r"\1", text)
    if joined == text:
        return text
    return _QUOTED_BYTE.sub(lambda match: chr(int(match[1], 16)), joined)


def _join_replies(text: str) -> str:
    """`554-Access denied: ...` and the lines after it with the same code, as one line."""
    pieces: list[str] = []
    position = 0
    while (found := _CODED_LINE.search(text, position)) is not None:
        code = found[1]
        again = re.compile(rf"\s+{code}(?:([ -])(?:[45]\.[0-9]{{1,3}}\.[0-9]{{1,3}} )?|$)")
        pieces += [text[position : found.start()], f"{code} "]
        position = found.end()
        for _ in range(20):
            line = again.search(text, position, position + 600)
            if line is None:
                break
            pieces += [text[position : line.start()], " "]
            position = line.end()
            if line[1] != "-":
                break
    return "".join((*pieces, text[position:]))
