"""A page: one question and its answer, as notebooks and reports both show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

__all__ = ["Html", "Page"]


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

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return self.text or "<Html>"


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
        return "\n".join(piece.markup for _, piece in self.parts())
