"""Machines for the texts of numbers, booleans and dates: what the operators read as one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ses_audit.policy.sweeps import plain_number, written_instant
from ses_audit.policy.text_search import State, TextMachine

__all__ = ["BooleanMachine", "DateMachine", "InstantMachine", "NumberMachine"]

_DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class _Bound:
    """A number that others are compared with digit by digit."""

    negative: bool
    whole: str
    part: str

    @classmethod
    def of(cls, value: Fraction) -> _Bound:
        whole, _, part = (plain_number(abs(value)) or "0").partition(".")
        return cls(value < 0, whole.lstrip("0"), part.rstrip("0"))

    def after_digit(self, progress: tuple[int, int], digit: str) -> tuple[int, int]:
        """How many digits that count were read before the point, and how they compare."""
        count, order = progress
        if count == 0 and digit == "0":
            return progress
        if count >= len(self.whole):
            return len(self.whole) + 1, 1
        return count + 1, order or _order(digit, self.whole[count])

    def at_point(self, progress: tuple[int, int]) -> tuple[int, int]:
        count, order = progress
        return 0, order if count == len(self.whole) else 1 if count > len(self.whole) else -1

    def after_part(self, progress: tuple[int, int], digit: str) -> tuple[int, int]:
        """How many digits were read after the point, and how all compare."""
        count, order = progress
        expected = self.part[count] if count < len(self.part) else "0"
        return min(count + 1, len(self.part)), order or _order(digit, expected)

    def order(self, progress: tuple[int, int], negative: bool) -> int:
        """How a number that ends here compares."""
        count, order = progress
        size = order or (-1 if count < len(self.part) else 0)
        if negative is not self.negative:
            return -1 if negative else 1
        return -size if negative else size


def _order(one: str, other: str) -> int:
    return (one > other) - (one < other)


_BEGIN, _SIGN, _WHOLE, _POINT, _PART, _END = range(6)


class NumberMachine(TextMachine):
    """Numbers between two (neither is one of them), or the one number that both are.

    Parameters
    ----------
    low, high
        None for no bound.
    padded
        Whether white space may stand around it.
    """

    def __init__(self, low: Fraction | None, high: Fraction | None, *, padded: bool = True) -> None:
        self._wanted = 0 if low is not None and low == high else 1
        self._bounds = tuple(None if each is None else _Bound.of(each) for each in (low, high))
        self._padded = padded
        # The phase, whether there is a minus, whether a digit is not 0, and each bound's progress.
        self.start = (_BEGIN, False, False, (0, 0), (0, 0))
        self.alphabet = _DIGITS + "+-. \t"

    def step(self, state: State, character: str) -> State | None:
        phase, minus, filled, *progress = state
        if character.isspace():
            if not self._padded or phase in (_SIGN, _POINT):
                return None
            if phase == _WHOLE:
                progress = self._each(progress, _Bound.at_point)
            return (phase if phase == _BEGIN else _END, minus, filled, *progress)
        if phase == _END:
            return None
        if character in _DIGITS:
            filled = filled or character != "0"
            if phase in (_POINT, _PART):
                progress = self._each(progress, _Bound.after_part, character)
                return (_PART, minus, filled, *progress)
            progress = self._each(progress, _Bound.after_digit, character)
            return (_WHOLE, minus, filled, *progress)
        if character == "." and phase <= _WHOLE:
            progress = self._each(progress, _Bound.at_point)
            return (_PART if phase == _WHOLE else _POINT, minus, filled, *progress)
        if character in "+-" and phase == _BEGIN:
            return (_SIGN, character == "-", filled, *progress)
        return None

    def _each(self, progress: Any, change: Any, *digit: str) -> list[tuple[int, int]]:
        return [
            each if bound is None else change(bound, each, *digit)
            for bound, each in zip(self._bounds, progress, strict=True)
        ]

    def accepts(self, state: State) -> bool:
        phase, minus, filled, *progress = state
        if phase not in (_WHOLE, _PART, _END):
            return False
        if phase == _WHOLE:
            progress = self._each(progress, _Bound.at_point)
        low, high = (
            None if bound is None else bound.order(each, minus and filled)
            for bound, each in zip(self._bounds, progress, strict=True)
        )
        return low in (None, self._wanted) and high in (None, -self._wanted)


class BooleanMachine(TextMachine):
    """Some of `true` and `false`, as `Bool` reads them; `exact`: as AWS writes them."""

    def __init__(self, *words: str, exact: bool = False) -> None:
        self._words = words
        self._exact = exact
        self.start = ""
        self.alphabet = "aeflrstu" if exact else "aeflrstuAEFLRSTU \t"

    def step(self, state: State, character: str) -> State | None:
        if character.isspace():
            if self._exact:
                return None
            return state if state == "" else self._ended(state)
        following = state + (character if self._exact else character.lower())
        return following if any(word.startswith(following) for word in self._words) else None

    def _ended(self, state: State) -> State | None:
        return state.strip() + " " if state.strip() in self._words else None

    def accepts(self, state: State) -> bool:
        return state.strip() in self._words


class InstantMachine(TextMachine):
    """Whole seconds between two instants as AWS writes them: `2026-01-01T00:00:00Z`.

    A date has other spellings too: what this does not accept may be a date as well.
    """

    def __init__(self, low: Fraction | None, high: Fraction | None) -> None:
        self._low, self._high = _FIRST, _LAST
        point = low is not None and low == high
        if low is not None:
            first = low if point else Fraction(low.__floor__() + 1)
            self._low = max(self._low, _in_seconds(first, _FIRST))
        if high is not None:
            last = high if point else Fraction(high.__ceil__() - 1)
            self._high = min(self._high, _in_seconds(last, _LAST))
        # The place, the last digit of a field begun, whether all is as the bounds' so far.
        self.start = (0, "", True, True)
        self.alphabet = _DIGITS + "-T:Z"

    def step(self, state: State, character: str) -> State | None:
        place, tens, at_low, at_high = state
        if place == len(_SHAPE):
            return None
        low, high = self._low[place], self._high[place]
        if (at_low and character < low) or (at_high and character > high):
            return None
        at_low, at_high = at_low and character == low, at_high and character == high
        shape = _SHAPE[place]
        if shape not in _FIELDS:
            return (place + 1, "", at_low, at_high) if character == shape else None
        if character not in _DIGITS:
            return None
        if shape == "y":
            return (place + 1, "", at_low, at_high)
        if not tens:
            return (place + 1, character, at_low, at_high)
        least, most = _FIELDS[shape]
        # A day that every month has, or a bound's own.
        if not least <= int(tens + character) <= most and not (
            shape == "d" and (at_low or at_high)
        ):
            return None
        return (place + 1, "", at_low, at_high)

    def accepts(self, state: State) -> bool:
        return bool(state[0] == len(_SHAPE))


class DateMachine(TextMachine):
    """All that may be a date between two instants, its fields set apart by dashes or not.

    A text names a local time, and its zone moves it by less than a day: so what the machine accepts
    lies between the two give or take a day, and what it does not accept is no such date.

    Parameters
    ----------
    low, high
        None for no bound.
    dashes
        Whether the fields are set apart.
    """

    def __init__(self, low: Fraction | None, high: Fraction | None, *, dashes: bool) -> None:
        first = _FIRST if low is None else _in_seconds(Fraction(low.__floor__() - _DAY), _FIRST)
        last = _LAST if high is None else _in_seconds(Fraction(high.__ceil__() + _DAY), _LAST)
        texts = [first, last, _FIRST, _SHAPE]
        if not dashes:
            texts = [text.replace("-", "").replace(":", "") for text in texts]
        self._low, self._high, self._least, self._shape = texts
        # Where the text may end, and where its zone may begin.
        self._ends = (4, 7, 10, 16, 19) if dashes else (15,)
        self._zones = self._ends[-2:]
        self._parts = dashes
        # The place, what was read of the zone, whether all is as the bounds' so far.
        self.start = (0, "", True, True)
        self.alphabet = _DIGITS + "+-.:TtZz \t"

    def step(self, state: State, character: str) -> State | None:
        place, tail, at_low, at_high = state
        if character.isspace():
            if place == 0 or tail == _SPACE:
                return state
            return (place, _SPACE, at_low, at_high) if self.accepts(state) else None
        following = self._zone(place, tail, character)
        if following is not None or tail:
            return None if following is None else (place, following, at_low, at_high)
        shape, low, high = self._shape[place], self._low[place], self._high[place]
        character = character.upper()
        if not (character in _DIGITS if shape in _FIELDS else character == shape):
            return None
        if (at_low and character < low) or (at_high and character > high) or shape == "Z":
            return None
        return (place + 1, "", at_low and character == low, at_high and character == high)

    def _zone(self, place: int, tail: str, character: str) -> str | None:
        if place not in self._zones or (
            character == "." and not (self._parts and place == self._ends[-1])
        ):
            return None
        name = "digit" if character in _DIGITS else "sign" if character in "+-" else character
        return _TAILS.get(tail, {}).get(name.upper())

    def accepts(self, state: State) -> bool:
        place, tail, at_low, _ = state
        if place not in self._ends or tail not in _ENDED:
            return False
        return not at_low or self._low[:place] + self._least[place:] >= self._low


_SPACE = " "
_ENDED = ("", ".0", "Z", _SPACE)
_TAILS = {
    "": {"Z": "Z", "SIGN": "+", ".": "."},
    ".": {"DIGIT": ".0"},
    ".0": {"DIGIT": ".0", "Z": "Z", "SIGN": "+"},
    "+": {"DIGIT": "+h"},
    "+h": {"DIGIT": "+hh"},
    "+hh": {"DIGIT": "+hh:m", ":": "+hh:"},
    "+hh:": {"DIGIT": "+hh:m"},
    "+hh:m": {"DIGIT": "Z"},
}
"""What is kept of the parts of a second and of the zone, and what it becomes."""
_DAY = 86_400
_SHAPE = "yyyy-mm-ddThh:ii:ssZ"
_FIELDS = {"y": (0, 9999), "m": (1, 12), "d": (1, 28), "h": (0, 23), "i": (0, 59), "s": (0, 59)}
_FIRST, _LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"


def _in_seconds(value: Fraction, otherwise: str) -> str:
    """An instant in whole seconds, or `otherwise` where no year has four digits."""
    text = written_instant(value)
    if text is None or len(text) != len(_SHAPE) or not text.endswith("Z"):
        return otherwise
    return text
