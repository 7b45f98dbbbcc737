"""The five kinds of a cell as a reader sees them: a glyph and a word, and a colour besides."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ses_audit.escape import html as escape

__all__ = ["KINDS", "Kind", "chip", "kind", "legend", "strongest", "verdict_kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of a cell.

    Parameters
    ----------
    name
        As `ses_audit.audit.frames.kinds` spells it.
    glyph, word
        Always shown together, so that colour carries nothing alone.
    meaning
        One line for the legend.
    light, dark
        Background and text colour.
    """

    name: str
    glyph: str
    word: str
    meaning: str
    light: tuple[str, str]
    dark: tuple[str, str]

    @property
    def style(self) -> str:
        """Inline colours: they survive where a stylesheet does not (an untrusted notebook)."""
        background, text = self.light
        return f"background:{background};color:{text}"


@cache
def _load() -> tuple[Kind, ...]:
    text = (resources.files("ses_audit.report") / "data" / "kinds.json").read_text("utf-8")
    return tuple(
        Kind(
            row["name"],
            row["glyph"],
            row["word"],
            row["meaning"],
            (row["light"][0], row["light"][1]),
            (row["dark"][0], row["dark"][1]),
        )
        for row in json.loads(text)["kinds"]
    )


KINDS = _load()
"""The five kinds, strongest first: what a reader must not miss comes first."""

_BY_NAME = {found.name: found for found in KINDS}
_RANK = {found.name: position for position, found in enumerate(KINDS)}


def kind(name: str) -> Kind:
    """The kind of this name.

    Examples
    --------
    >>> kind("scp_alone").glyph
    '⊘'
    """
    return _BY_NAME[name]


def verdict_kind(verdict: str) -> Kind:
    """The kind that shows a verdict (`DENIED` → denied).

    Examples
    --------
    >>> verdict_kind("DENIED").name
    'denied'
    """
    return _BY_NAME[verdict.lower()]


def strongest(names: object) -> str:
    """The strongest of several kinds.

    Examples
    --------
    >>> strongest(["denied", "conditional"])
    'conditional'
    """
    return min(names, key=_RANK.__getitem__)  # type: ignore[call-overload, no-any-return]


def chip(name: str, note: object = "", count: int | None = None, word: str | None = None) -> str:
    """A kind as inline markup: glyph, count where there is one, word, note.

    Parameters
    ----------
    name
        Of the kind.
    note
        What stands behind it, in plain text; it is escaped here.
    count
        How many there are.
    word
        Another word than the kind's own.

    Examples
    --------
    >>> chip("denied", "no policy allows").count("○ denied")
    1
    """
    found = kind(name)
    number = f"{count:,} " if count is not None else ""
    after = f' <span class="note">{escape(note)}</span>' if note else ""
    return (
        f'<span class="chip {found.name}" style="{found.style}">'
        f"{found.glyph} {number}{escape(word or found.word)}</span>{after}"
    )


def legend() -> str:
    """What each glyph means, as a list."""
    items = "".join(f"<li>{chip(k.name)} {escape(k.meaning)}</li>" for k in KINDS)
    return f'<ul class="legend" aria-label="What the signs mean">{items}</ul>'
