"""A file of AWS CLI output as an answer, with each policy document as text.

The CLI prints IAM's policy documents as objects. They become text again, in the file's order and
with the file's numbers; a key that stands twice in a document stands twice in its text, so that
the strict policy parser refuses it instead of a reader losing half of it.
"""

from __future__ import annotations

import codecs
import json
from urllib.parse import unquote

__all__ = ["MalformedFile", "read_answer"]

_DOCUMENTS = frozenset({"PolicyDocument", "AssumeRolePolicyDocument", "Document", "Content"})
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class MalformedFile(ValueError):
    """A file that is no answer of AWS; the message is one line."""


class _Pairs(list[tuple[str, object]]):
    """An object with every key, doubled ones included."""


class _Number(float):
    """A number that remembers how it was written."""

    text: str


def _number(text: str) -> _Number:
    number = _Number(text)
    number.text = text
    return number


def read_answer(content: bytes) -> dict[str, object]:
    """Parse one file.

    Parameters
    ----------
    content
        UTF-8, or UTF-16 with a byte order mark, as some shells write it.

    Raises
    ------
    MalformedFile
        When it is not one JSON object, or holds a key twice outside a policy document.

    Examples
    --------
    >>> read_answer(b'{"PolicyDocument": {"Version": "1", "Version": "2", "x": 1.50}}')
    {'PolicyDocument': '{"Version":"1","Version":"2","x":1.50}'}
    """
    if not content.strip():
        raise MalformedFile("the file is empty")
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        loaded = json.loads(
            content.decode(encoding),
            object_pairs_hook=_Pairs,
            parse_float=_number,
            parse_constant=_number,
        )
        answer = _plain(loaded, "")
    except UnicodeDecodeError as error:
        raise MalformedFile(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise MalformedFile(
            f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except RecursionError as error:
        raise MalformedFile("nested too deeply") from error
    except MalformedFile:
        raise
    except ValueError as error:
        raise MalformedFile(f"not JSON: {error}") from error
    if not isinstance(answer, dict):
        raise MalformedFile("not a JSON object")
    return answer


def _plain(value: object, key: str) -> object:
    if key in _DOCUMENTS and isinstance(value, list):
        return _text(value)
    if key in _DOCUMENTS and isinstance(value, str) and value.startswith("%7B"):
        # IAM's API gives documents percent-encoded; some tools keep them so.
        return unquote(value)
    if isinstance(value, _Pairs):
        plain: dict[str, object] = {}
        for name, inner in value:
            if name in plain:
                raise MalformedFile(f"the key {name[:80]!r} stands twice")
            if key == "Policies" and isinstance(inner, list):
                # The sending authorization policies of an identity, by name.
                plain[name] = _text(inner)
            else:
                plain[name] = _plain(inner, name)
        return plain
    if isinstance(value, list):
        return [_plain(item, "") for item in value]
    if isinstance(value, _Number):
        if not float("-inf") < value < float("inf"):
            raise MalformedFile(f"a number that JSON does not have: {value.text[:20]}")
        return float(value)
    return value


def _text(value: object) -> str:
    """The compact JSON text of a parsed value, as it was written but for spaces and escapes."""
    if isinstance(value, _Pairs):
        return "{" + ",".join(f"{_text(name)}:{_text(inner)}" for name, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, _Number):
        return value.text
    return json.dumps(value, ensure_ascii=False)
