"""The one place where text from AWS is made harmless for HTML, CSV, a terminal, a file name."""

from __future__ import annotations

import hashlib
import html as _html
import unicodedata

__all__ = ["csv_cell", "file_name", "html", "terminal"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Categories that can move, hide or colour what a terminal or a page shows.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _visible(text: str, keep: str = "") -> str:
    """Show control, format and unassigned characters by their code."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _HIDDEN
        else f"\\u{{{ord(character):x}}}"
        for character in text
    )


def html(value: object) -> str:
    """Text for an element's content or a quoted attribute.

    Examples
    --------
    >>> html("</script><svg/onload=x>")
    '&lt;/script&gt;&lt;svg/onload=x&gt;'
    """
    return _html.escape(_visible("" if value is None else str(value), keep="\n\t"), quote=True)


def csv_cell(value: object) -> str:
    """Text that a spreadsheet does not take for a formula.

    Examples
    --------
    >>> csv_cell("=1+1")
    "'=1+1"
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def terminal(value: object) -> str:
    """Text without anything a terminal would obey; what is taken out is shown.

    Examples
    --------
    >>> terminal("a" + chr(27) + "[31mb")
    'a\\\\u{1b}[31mb'
    """
    return _visible("" if value is None else str(value))


def file_name(value: object) -> str:
    """A file name that holds nothing of the text but its digest.

    Examples
    --------
    >>> len(file_name("../../etc/passwd"))
    16
    """
    return hashlib.sha256(str(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
