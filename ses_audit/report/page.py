"""A page: one question and its answer, as notebooks and reports both show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from html.parser import HTMLParser

from ses_audit.escape import html as escape

__all__ = ["Html", "Page", "section"]

_LINES = frozenset(
    {"p", "tr", "li", "h1", "h2", "h3", "caption", "pre", "summary", "section", "text", "dd"}
)
_HIDDEN = frozenset({"style", "title"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in _HIDDEN
        if tag == "br":
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN
        if tag in _LINES:
            self.pieces.append("\n")
        elif tag in ("td", "th", "dt"):
            self.pieces.append("  ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _words(markup: str) -> str:
    reader = _Text()
    reader.feed(markup)
    reader.close()
    lines = "".join(reader.pieces).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip())


@dataclass(frozen=True, slots=True)
class Html:
    """A piece of HTML whose every text from AWS has been escaped.

    Parameters
    ----------
    markup
        Safe HTML, readable without script, colour or network.
    text
        The same in plain words, for terminals and tests.

    Examples
    --------
    >>> Html("<p>3 of 4</p>", "3 of 4")._repr_html_()
    '<p>3 of 4</p>'
    """

    markup: str
    text: str = ""

    @classmethod
    def of(cls, markup: str) -> Html:
        """Markup with its own words as the text.

        Examples
        --------
        >>> Html.of("<p>3 of <b>4</b></p>").text
        '3 of 4'
        """
        return cls(markup, _words(markup))

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return self.text or "<Html>"


def section(page: str, name: str, heading: str, body: str) -> Html:
    """A part of a page under its heading.

    Parameters
    ----------
    page, name
        The page's and the part's name; together they make the id.
    heading
        Plain text; "" for a part that needs none.
    body
        Safe HTML.
    """
    key = escape(f"{page}-{name}".replace("_", "-"))
    if not heading:
        return Html.of(f'<section class="ses-audit" id="{key}">\n{body}</section>')
    return Html.of(
        f'<section class="ses-audit" aria-labelledby="{key}">'
        f'<h2 id="{key}">{escape(heading)}</h2>\n{body}</section>'
    )


@dataclass(frozen=True, slots=True)
class Page:
    """The parts of a page, in the order in which they are read.

    A notebook shows them a cell each; `report.html` shows them one below the other.
    """

    name: str
    """The notebook's name: `02_send_matrix`."""
    question: str
    answer: Html
    picture: Html
    table: Html
    unseen: Html
    """What could not be read."""
    where_next: Html

    def parts(self) -> Iterator[tuple[str, Html]]:
        """Each part under its name, in order."""
        for part in fields(self)[2:]:
            yield part.name, getattr(self, part.name)

    def _repr_html_(self) -> str:
        key = escape(self.name.replace("_", "-"))
        body = "\n".join(piece.markup for _, piece in self.parts())
        return (
            f'<article class="ses-audit" id="{key}" aria-labelledby="{key}-question">'
            f'<h1 id="{key}-question">{escape(self.question)}</h1>\n{body}\n</article>'
        )
