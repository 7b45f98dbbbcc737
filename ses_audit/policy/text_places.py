"""All places of a text at once, as one whole number: bit i is the place before character i.

What a pattern does to one place it does to all by a shift and a mask, so that a match costs a few
steps for each character of the pattern, however the text repeats itself. The width of the numbers
is the text's length: 64 places a machine word.
"""

from __future__ import annotations

from ses_audit.policy.kept import kept

__all__ = ["TextPlaces", "text_places"]


class TextPlaces:
    """Where each character stands in a text.

    Parameters
    ----------
    text
        The text.

    Examples
    --------
    >>> bin(TextPlaces("abca").of("a"))
    '0b1001'
    """

    __slots__ = ("_apart", "_known", "_text", "every")

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[str, int] = {}
        self._apart: int | None = None
        self.every = (1 << len(text)) - 1
        """The places before any character."""

    def of(self, character: str) -> int:
        """The places before a character."""
        found = self._known.get(character)
        if found is None:
            text = self._text
            bits = bytearray(len(text) // 8 + 1)
            place = text.find(character)
            while place >= 0:
                bits[place >> 3] |= 1 << (place & 7)
                place = text.find(character, place + 1)
            found = self._known[character] = int.from_bytes(bits, "little")
        return found

    @property
    def apart_from_colons(self) -> int:
        """The places before any character but a colon."""
        if self._apart is None:
            self._apart = self.every & ~self.of(":")
        return self._apart

    def later(self, places: int) -> int:
        """The places and all after them, the end of the text included.

        Examples
        --------
        >>> bin(TextPlaces("abca").later(0b100))
        '0b11100'
        """
        return (self.every << 1 | 1) & -(places & -places)

    def later_in_segment(self, places: int) -> int:
        """The places and those after them that are reached without passing a colon.

        Examples
        --------
        >>> bin(TextPlaces("a:bc:d").later_in_segment(0b100))
        '0b11100'
        """
        apart = self.apart_from_colons
        # The carry of the sum runs through what holds no colon, and stops before one.
        return (((places & apart) + apart) ^ apart) | places


@kept(16)
def text_places(text: str) -> TextPlaces:
    """The places of a text; a text is tried at many patterns, one after the other."""
    return TextPlaces(text)
