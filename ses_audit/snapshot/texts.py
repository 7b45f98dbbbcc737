"""Text for the tables: valid Unicode, times in one form, policy documents by their content."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

__all__ = ["Texts", "clean", "compact", "iso_time", "tags"]


def clean(value: object) -> str | None:
    r"""Text as a table can hold it; a lone surrogate becomes its JSON escape.

    Inside a JSON document that is the same text, so that the strict parser still refuses it.

    Examples
    --------
    >>> clean("a\ud800")
    'a\\ud800'
    """
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def compact(value: object) -> str:
    """The JSON text of an object that came without one: no spaces, keys in their order.

    Examples
    --------
    >>> compact({"Version": "2012-10-17", "Statement": []})
    '{"Version":"2012-10-17","Statement":[]}'
    """
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def iso_time(value: object) -> str | None:
    """A time in ISO 8601, UTC with `Z`; text that is no time stays as it is.

    Examples
    --------
    >>> iso_time("2023-03-09 10:41:45+00:00"), iso_time(0)
    ('2023-03-09T10:41:45Z', '1970-01-01T00:00:00Z')
    """
    if value is None:
        return None
    try:
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, int | float):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return clean(value)


def tags(value: object) -> str:
    """A list of `{Key, Value}` as the text of a JSON object, keys sorted.

    Examples
    --------
    >>> tags([{"Key": "team", "Value": "mail"}, {"Key": "env", "Value": "prod"}])
    '{"env":"prod","team":"mail"}'
    """
    pairs = value if isinstance(value, list) else []
    return (
        clean(
            json.dumps(
                {str(tag["Key"]): str(tag["Value"]) for tag in pairs},
                sort_keys=True,
                separators=(",", ":"),
                ensure_ascii=False,
            )
        )
        or "{}"
    )


class Texts:
    """Policy documents, each distinct text once.

    Examples
    --------
    >>> texts = Texts()
    >>> texts.add("{}") == texts.add({})
    True
    >>> len(texts.by_sha256)
    1
    """

    def __init__(self) -> None:
        self.by_sha256: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def add(self, document: object) -> str | None:
        """The SHA-256 of a document's text, which is kept; None when there is no document."""
        if document is None:
            return None
        raw = document if isinstance(document, str) else compact(document)
        digest = self._known.get(raw)
        if digest is None:
            text = clean(raw) or ""
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._known[raw] = digest
            self.by_sha256[digest] = text
        return digest
