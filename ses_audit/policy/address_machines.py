"""Machines for the texts of IPv4 and IPv6 addresses: what `ipaddress` of Python reads as one.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
"""

from __future__ import annotations

from collections.abc import Sequence

from ses_audit.policy.text_search import State, TextMachine

__all__ = ["VersionFourMachine", "VersionSixMachine", "version_six_machines"]

_DIGITS = "0123456789"
_HEXADECIMAL = _DIGITS + "abcdef"
_GROUPS = 8
_FREE = "x"
"""Stands for any digit of a group that lies between the bounds, however it goes on."""


class VersionFourMachine(TextMachine):
    """IPv4 addresses from one to another."""

    def __init__(self, low: int, high: int, *, padded: bool = True) -> None:
        self._low, self._high = (n.to_bytes(4, "big") for n in (low, high))
        self._padded = padded
        # How many bytes are read, the digits of the next, whether all are as the bounds' so far.
        self.start = (0, "", *_bounded(self._low, self._high, 0, 255))
        self.alphabet = _DIGITS + ". "

    def step(self, state: State, character: str) -> State | None:
        count, digits, at_low, at_high = state
        if character.isspace():
            if not self._padded or (count, digits) == (0, "") or count == 4:
                return state if self._padded else None
            return self._next(state) if count == 3 else None
        if count == 4:
            return None
        if character == ".":
            return self._next(state) if count < 3 else None
        if character not in _DIGITS or digits == "0" or int(digits + character) > 255:
            return None
        return (count, digits + character, at_low, at_high)

    def _next(self, state: State) -> State | None:
        count, digits, at_low, at_high = state
        if not digits:
            return None
        value = int(digits)
        if (at_low and value < self._low[count]) or (at_high and value > self._high[count]):
            return None
        below, above = _bounded(self._low, self._high, count + 1, 255)
        at_low = at_low and below and value == self._low[count]
        return (count + 1, "", at_low, at_high and above and value == self._high[count])

    def accepts(self, state: State) -> bool:
        return state[0] == 4 or (state[0] == 3 and self._next(state) is not None)


def _bounded(low: Sequence[int], high: Sequence[int], place: int, most: int) -> tuple[bool, bool]:
    """Whether something of what follows a place lies below one bound, or above the other."""
    return any(low[place:]), any(part != most for part in high[place:])


def version_six_machines(
    low: int, high: int, *, padded: bool = True
) -> tuple[VersionSixMachine, ...]:
    """IPv6 addresses from one to another: by how many groups stand behind `::`, and without it."""
    return tuple(
        VersionSixMachine(low, high, behind, padded=padded) for behind in (*range(8), None)
    )


class VersionSixMachine(TextMachine):
    """IPv6 addresses from one to another, written in one of nine ways.

    Parameters
    ----------
    low, high
        The first and the last.
    behind
        How many groups stand behind `::`; None for a text without it.
    padded
        Whether white space may stand around it.
    """

    def __init__(self, low: int, high: int, behind: int | None, *, padded: bool = True) -> None:
        shifts = range(112, -1, -16)
        self._low, self._high = ([n >> shift & 0xFFFF for shift in shifts] for n in (low, high))
        self._behind = behind
        self._padded = padded
        # What was read: "" (nothing), ":" (one at the start), "g:" or "::" (before a group), "g"
        # (in a group), "." (in the bytes of an IPv4 address), "end"; the group's number, its text;
        # the bytes; whether `::` is past; whether all are as the bounds' so far.
        self.start = ("", 0, "", (), behind is None, *_bounded(self._low, self._high, 0, 0xFFFF))
        self.alphabet = _HEXADECIMAL + "ABCDEF:. "

    def step(self, state: State, character: str) -> State | None:
        before, group, text, octets, past, at_low, at_high = state
        if character.isspace():
            if not self._padded:
                return None
            if before in ("", "end"):
                return state
            return ("end", 0, "", (), True, True, True) if self.accepts(state) else None
        if before == "end":
            return None
        if character == ":":
            return self._colon(state)
        if character == ".":
            if before not in ("g", ".") or group != 6 or len(octets) == 3:
                return None
            octet = _octet(text)
            if octet is None:
                return None
            # Within the bounds it does not matter which.
            read = (*octets, octet if at_low or at_high else 0)
            return (".", 6, "", read, past, at_low, at_high)
        if character not in self.alphabet or before == ":" or group >= _GROUPS:
            return None
        text += character.lower()
        if before == ".":
            return None if _octet(text) is None else (".", 6, text, octets, past, at_low, at_high)
        if len(text) > 4 or not self._reaches(text, group, at_low, at_high):
            return None
        if self._is_free(text, group, at_low, at_high):
            text = _FREE * len(text)
        return ("g", group, text, octets, past, at_low, at_high)

    def _reaches(self, text: str, group: int, at_low: bool, at_high: bool) -> bool:
        """Whether a group that begins so can lie within the bounds, or is a byte of IPv4 as yet."""
        if _FREE in text or (group == 6 and _octet(text) is not None):
            return True
        low = self._low[group] if at_low else 0
        high = self._high[group] if at_high else 0xFFFF
        return any(first <= high and last >= low for first, last in _completed(text))

    def _is_free(self, text: str, group: int, at_low: bool, at_high: bool) -> bool:
        """Whether every group that begins so is as good as another, and no byte of IPv4."""
        if _FREE in text or (group == 6 and _octet(text) is not None):
            return _FREE in text
        low = self._low[group] if at_low else -1
        high = self._high[group] if at_high else 0x10000
        return all(low < first and last < high for first, last in _completed(text))

    def _colon(self, state: State) -> State | None:
        before, group, text, _, past, at_low, at_high = state
        if before == "" and not past:
            return (":", group, "", (), past, at_low, at_high)
        if before == "g":
            bounds = self._after(group, _value(text), at_low, at_high)
            if bounds is None or group + 1 >= _GROUPS:
                return None
            return ("g:", group + 1, "", (), past, *bounds)
        if before in ("g:", ":") and not past and self._behind is not None:
            return self._compressed(group, at_low, at_high)
        return None

    def _compressed(self, group: int, at_low: bool, at_high: bool) -> State | None:
        """After `::`: one group at least stands for zeros."""
        first = _GROUPS - (self._behind or 0)
        if group >= first:
            return None
        while group < first:
            bounds = self._after(group, 0, at_low, at_high)
            if bounds is None:
                return None
            at_low, at_high = bounds
            group += 1
        return ("::", group, "", (), True, at_low, at_high)

    def _after(
        self, group: int, value: int | None, at_low: bool, at_high: bool
    ) -> tuple[bool, bool] | None:
        """Whether all is as the bounds' after a group too; None where it lies outside."""
        if value is None:
            return False, False
        low, high = self._low[group], self._high[group]
        if (at_low and value < low) or (at_high and value > high):
            return None
        below, above = _bounded(self._low, self._high, group + 1, 0xFFFF)
        return at_low and below and value == low, at_high and above and value == high

    def accepts(self, state: State) -> bool:
        before, group, text, octets, past, at_low, at_high = state
        if before == "end" or (before == "::" and group == _GROUPS):
            return True
        if not past:
            return False
        if before == "g":
            last = self._after(group, _value(text), at_low, at_high)
            return group == _GROUPS - 1 and last is not None
        octet = _octet(text) if before == "." and len(octets) == 3 else None
        if octet is None:
            return False
        bounds = self._after(6, octets[0] << 8 | octets[1], at_low, at_high)
        return bounds is not None and self._after(7, octets[2] << 8 | octet, *bounds) is not None


def _value(text: str) -> int | None:
    return None if _FREE in text else int(text, 16)


def _completed(text: str) -> list[tuple[int, int]]:
    """The first and the last group that begins so, for each number of digits."""
    value = int(text, 16)
    shifts = [4 * more for more in range(5 - len(text))]
    return [(value << shift, (value + 1 << shift) - 1) for shift in shifts]


def _octet(text: str) -> int | None:
    """A byte of an IPv4 address, or None; no zero stands before other digits."""
    if not text.isdecimal() or (text[0] == "0" and text != "0"):
        return None
    return int(text) if int(text) <= 255 else None
