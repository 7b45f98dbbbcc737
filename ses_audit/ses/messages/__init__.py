"""The text of a refused send, in any wrapping, read into its parts.

Shapes and words: `data/messages.json`.
"""

from __future__ import annotations

from ses_audit.ses.messages.advice import Advice, advise
from ses_audit.ses.messages.log import LogTable, Seen, read_log
from ses_audit.ses.messages.parse import parse_message, parse_messages
from ses_audit.ses.messages.types import KINDS, Message

__all__ = [
    "KINDS",
    "Advice",
    "LogTable",
    "Message",
    "Seen",
    "advise",
    "parse_message",
    "parse_messages",
    "read_log",
]
