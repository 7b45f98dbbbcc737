"""Whole logs: lines joined to entries, distinct refusals counted, in constant memory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ses_audit.ses.messages.parse import distinct, find
from ses_audit.ses.messages.text import LOG_PREFIX, plain
from ses_audit.ses.messages.types import Message, phrases, smtp_codes

__all__ = ["LogTable", "Seen", "read_log"]

_ENTRY = 64 * 1024
"""An entry longer than this is read in pieces."""
_LINES = 64
_OVERLAP = 5000
"""What two pieces share, so that no message is torn; longer than any message that is read."""
_PREFIX = re.compile(
    LOG_PREFIX + r"|\[[0-9A-Z][^\]\n]{3,60}\] |[0-9]{1,3}(?:\.[0-9]{1,3}){3} |<[0-9]{1,3}>|\{\"",
)
# What a line begins with that goes on with a message of the line before.
_GOES_ON = re.compile(
    r"(?:[\s>|/#]|&gt;){0,40}(?:[45][0-9]{2}[ -](?:[45]\.[0-9.]{3,7} )?)?"
    r"(?:is not auth|not auth|authori[sz]ed to|to perform|on resource|because no"
    r"|with an explicit|explicit deny|deny in an?\b|control policy|endpoint policy|policy allows"
    r"|boundary allows|transitively|Go to https|or call the Get)",
    re.IGNORECASE,
)
_COULD_GO_ON = re.compile(r"(?:[\s>|/#]|&gt;){0,40}['\"`]?(?:arn:|[A-Za-z-]{2,40}:[A-Z])")
# What a line ends in that is in the middle of a message.
_OPEN_END = re.compile(
    r"(?:\buser[\s:'\"`]{0,10}|\bis|\bis\s{1,9}not|not\s{1,9}authori[sz]ed|authori[sz]ed\s{1,9}to"
    r"|\bperform:?(?:\s{1,9}['\"`]?[A-Za-z-]{2,40}:\w{2,80}['\"`]?)?|\bon|\bresource:?"
    r"|operation(?:\s\([^()\n]{1,60}\))?:|\bregion(?:\s{1,9}[A-Za-z0-9-]{5,30}:)?"
    r"|\bbecause|\bbecause\s{1,9}no|\bwith|\bwith\s{1,9}an|\bexplicit|explicit\s{1,9}deny"
    r"|deny\s{1,9}in|deny\s{1,9}in\s{1,9}an?|-based|\bcontrol|policy:|boundary:"
    r"|\baccess|access denied:?"
    r"|\b(?:an?|no)\s{1,9}(?:service|resource|session|permissions|vpc(?:\s{1,9}endpoint)?)"
    r"|message rejected:|verified\.|(?<![\w.])[45][0-9]{2})\Z",
    re.IGNORECASE,
)
_OPEN_ARN = re.compile(
    r"(?:\buser[\s:'\"`]{0,10}['\"`]?arn:\S{0,2048}|['\"`]arn:[^\s'\"`]{0,2048})\Z", re.IGNORECASE
)
_OPEN_LIST = re.compile(r"\bregion\s{1,9}[A-Za-z0-9-]{5,30}:.{0,600},\Z", re.IGNORECASE)
_OPEN_REPLY = re.compile(r"(?<![\w.])[45][0-9]{2}-(?:[A-Za-z]|[45]\.).{0,600}\Z")
_FIELD = re.compile(
    r"\s{1,40}['\"]?(?:response|message|reply|error|errormessage|detail|body|stack)['\"]?\s?[:=]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One distinct refusal: how often, and on which lines of the log first and last."""

    message: Message
    count: int
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class LogTable:
    """The distinct refusals of a log, most frequent first.

    Parameters
    ----------
    rows
        At most the limit that was asked for.
    lines
        Lines read.
    messages
        Refusals found, repetitions included.
    not_listed
        Refusals that are in no row, because the table was full when they first came; distinct
        ones among them are not known.
    """

    rows: tuple[Seen, ...]
    lines: int
    messages: int
    not_listed: int


def read_log(lines: Iterable[str], limit: int = 10_000) -> LogTable:
    """Count the distinct refusals of a log.

    Two refusals are one when all but their authorization id is the same. What one entry of the
    log tells twice counts once. Memory is bounded by
    `limit` and by the longest piece that `lines` yields; a line may come in several pieces.

    Parameters
    ----------
    lines
        The log, line by line; only the last piece of a line ends in a line break.
    limit
        How many distinct refusals are kept.

    Returns
    -------
    LogTable

    Examples
    --------
    >>> table = read_log(["535 Authentication Credentials Invalid\\n"] * 3)
    >>> [(row.message.kind, row.count) for row in table.rows], table.not_listed
    ([('smtp_auth', 3)], 0)
    """
    counter = _Counter(limit)
    entry = _Entry(counter)
    complete, whole = 0, True
    for piece in lines:
        entry.add(piece, complete + 1)
        whole = piece.endswith("\n")
        complete += whole
    entry.close()
    return counter.table(complete + (not whole))


class _Counter:
    """The distinct refusals so far."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: dict[Message, Seen] = {}
        self._messages = 0
        self._not_listed = 0

    def count(self, message: Message, line: int) -> None:
        self._messages += 1
        key = replace(message, authorization_id=None)
        known = self._rows.get(key)
        if known is not None:
            self._rows[key] = replace(known, count=known.count + 1, last_line=line)
        elif len(self._rows) < self._limit:
            self._rows[key] = Seen(message, 1, line, line)
        else:
            self._not_listed += 1

    def table(self, lines: int) -> LogTable:
        rows = sorted(self._rows.values(), key=lambda row: (-row.count, row.first_line))
        return LogTable(tuple(rows), lines, self._messages, self._not_listed)


class _Entry:
    """The entry being read: a line and those that go on with it."""

    def __init__(self, counter: _Counter) -> None:
        self._counter = counter
        self._pieces: list[str] = []
        self._size = 0
        self._lines = 0
        self._number = 1
        self._open_line = False
        self._looked_at = False

    def add(self, piece: str, number: int) -> None:
        """Take the next piece of line `number`."""
        # A hint can be torn between two pieces of one line.
        torn = self._pieces[-1][-40:] if self._open_line and self._pieces else ""
        promising = _promising(torn + piece)
        if not self._open_line and not self._goes_on(piece, promising=promising):
            self.close()
        if not self._pieces:
            self._number = number
        self._pieces.append(piece)
        self._looked_at = self._looked_at or promising
        self._size += len(piece)
        self._lines += 1
        self._open_line = not piece.endswith("\n")
        if self._size > _ENTRY:
            self._cut()

    def _goes_on(self, line: str, *, promising: bool) -> bool:
        """Whether a line belongs to the entry before it."""
        if not self._looked_at or self._lines >= _LINES:
            return False
        prefix = _PREFIX.match(line)
        body = line[prefix.end() :] if prefix is not None else line
        if _GOES_ON.match(body):
            return True
        unfinished = self._unfinished()
        if prefix is not None:
            return unfinished and _COULD_GO_ON.match(body) is not None
        if unfinished:
            return True
        if line[:1] not in " \t":
            return False
        return not promising or _FIELD.match(line) is not None

    def _unfinished(self) -> bool:
        """Whether the last line that is not blank ends in the middle of a message."""
        for piece in reversed(self._pieces):
            last = piece[-2100:].rstrip()
            if not last.strip(" >|/#"):
                continue
            if _is_open(last.rstrip(" >")) or (last.endswith("=") and 60 < len(last) < 80):
                return True
            return last[-1] in _WRAPPED and _is_open(plain(last).rstrip())
        return False

    def close(self) -> None:
        """Read what the entry holds."""
        if self._looked_at:
            self._read("".join(self._pieces), whole=True)
        self._pieces, self._size, self._lines, self._looked_at = [], 0, 0, False

    def _cut(self) -> None:
        """Read a long entry up to what the next piece may still change."""
        text = "".join(self._pieces)
        rest = self._read(text, whole=False) if self._looked_at else text[-_OVERLAP:]
        self._pieces, self._size, self._looked_at = [rest], len(rest), True

    def _read(self, text: str, *, whole: bool) -> str:
        content = plain(text)
        bound = len(content) if whole else max(0, len(content) - _OVERLAP)
        kept = [item for item in find(content) if item.start < bound]
        for message in distinct(kept):
            self._counter.count(message, self._number)
        end = max((item.end for item in kept), default=0)
        return "" if whole else content[max(bound, end) :]


def _is_open(line: str) -> bool:
    """Whether a line ends in the middle of a message."""
    if line[-1:] in (")", "]", "}", ""):
        return False
    if _OPEN_END.search(line[-200:]):
        return True
    arn = line.rfind("arn:")
    if arn >= 0 and _OPEN_ARN.search(line, max(0, arn - 30)):
        return True
    if line.endswith(",") and _OPEN_LIST.search(line):
        return True
    return _OPEN_REPLY.search(line) is not None


def _promising(text: str) -> bool:
    """Whether a refusal can begin here: a few plain searches, for most lines hold none."""
    lower = text.lower()
    end = lower[-9:].rstrip()
    return any(hint in lower for hint in _HINTS) or end[-3:] in _CODES or end[-6:] == "access"


def _hints() -> tuple[str, ...]:
    """Words of which every refusal holds one, whatever its line breaks."""
    words = {max(phrase.words.split(), key=len).strip("(): ") for phrase in phrases()}
    words -= {word for word in words if len(word) < 5}
    return tuple(sorted({"authori", "denied", "arn:", "user", "too many", *words}))


# What a line can end in whose true end is hidden by escapes or entities.
_WRAPPED = "\\nr;>"
_HINTS = _hints()
_CODES = frozenset(map(str, smtp_codes()))
