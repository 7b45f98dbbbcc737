"""Policy documents by content: each distinct text parsed once, cut to what a send can meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ses_audit.policy import MalformedPolicy, parse_document
from ses_audit.policy.types import Document, Statement
from ses_audit.policy.wildcards import action_matches

__all__ = ["Documents", "check_document", "full_access", "relevant"]


def check_document(text: str) -> str | None:
    """Say why a policy text is malformed, or None when it parses.

    Examples
    --------
    >>> check_document('{"Version": "2012-10-17", "Statement": []}') is None
    False
    """
    try:
        parse_document(text)
    except MalformedPolicy as error:
        return str(error)
    return None


def _meets(statement: Statement, actions: Iterable[str]) -> bool:
    for action in actions:
        named = any(action_matches(pattern, action) for pattern in statement.actions)
        if named is not statement.actions_negated:
            return True
    return False


def relevant(document: Document, actions: Iterable[str]) -> Document:
    """Leave out the statements that none of `actions` can match.

    A statement keeps its index, so that what is reported still points into the whole document.
    """
    wanted = tuple(actions)
    kept = tuple(s for s in document.statements if _meets(s, wanted))
    return document if len(kept) == len(document.statements) else replace(document, statements=kept)


class Documents:
    """The documents of a snapshot, by the SHA-256 of their text.

    Parameters
    ----------
    texts
        SHA-256 → the text, verbatim.
    actions
        The actions that matter; statements about others are left out.
    """

    def __init__(self, texts: Mapping[str, str], actions: Iterable[str]) -> None:
        self._texts = texts
        self._actions = tuple(actions)
        self._parsed: dict[str, Document | None] = {}

    def text(self, digest: str) -> str | None:
        """The document's text as AWS gave it, or None when it was not seen."""
        return self._texts.get(digest)

    def get(self, digest: str | None) -> Document | None:
        """The parsed document, or None when it was not seen or is malformed."""
        if digest is None:
            return None
        if digest not in self._parsed:
            self._parsed[digest] = self._parse(digest)
        return self._parsed[digest]

    def forget(self) -> None:
        """Drop what was parsed; it is parsed again when it is asked for."""
        self._parsed.clear()

    def _parse(self, digest: str) -> Document | None:
        text = self._texts.get(digest)
        if text is None:
            return None
        try:
            return relevant(parse_document(text), self._actions)
        except MalformedPolicy:
            return None


def full_access() -> Document:
    """What a root user may do in its own account: everything, without any policy.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html
    """
    return parse_document(
        '{"Version":"2012-10-17","Statement":[{"Sid":"RootUser","Effect":"Allow",'
        '"Action":"*","Resource":"*"}]}'
    )
