"""Text patterns as machines, and the kinds of text that several of them tell apart.

A machine is a set of states in one integer; a set of machines is walked over all texts at once,
breadth first, so that the shortest text of each kind is found. Texts of one kind are accepted by
the same machines.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from ses_audit.policy.wildcards import ANY, STAR, Token, fold, resource_segments, segments_of

__all__ = [
    "Joined",
    "Machine",
    "arn_machine",
    "bits_of",
    "character_apart",
    "kinds_of_text",
    "literal_machine",
    "pattern_machine",
    "resource_machine",
    "variants",
]


@dataclass(frozen=True, slots=True)
class Machine:
    """A pattern: state j says that j single characters are matched."""

    takes: tuple[tuple[str, int], ...]
    takes_any: int
    """States from which any character but a colon leads on."""
    takes_all: int
    """States from which any character leads on."""
    stays: int
    """States that any character but a colon leaves."""
    stays_all: int
    """States that any character leaves."""
    finals: int
    """The states in which a text may end."""

    def step(self, states: int, character: str, taken: dict[str, int]) -> int:
        """The states after one more character."""
        takes = taken.get(character, 0) | self.takes_all
        stays = self.stays_all
        if character != ":":
            takes |= self.takes_any
            stays |= self.stays
        return ((states & takes) << 1) | (states & stays)


class _Maker:
    def __init__(self, *, fold: bool) -> None:
        self.takes: dict[str, int] = {}
        self.takes_any = self.takes_all = self.stays = self.stays_all = 0
        self.state = 0
        self._fold = fold

    def text(self, text: str) -> None:
        for character in text:
            for variant in variants(character) if self._fold else (character,):
                self.takes[variant] = self.takes.get(variant, 0) | 1 << self.state
            self.state += 1

    def tokens(self, tokens: Iterable[Token], *, crossing: bool) -> None:
        for token in tokens:
            bit = 1 << self.state
            if token is STAR:
                if crossing:
                    self.stays_all |= bit
                else:
                    self.stays |= bit
            elif token is ANY:
                if crossing:
                    self.takes_all |= bit
                else:
                    self.takes_any |= bit
                self.state += 1
            else:
                self.text(str(token))

    def machine(self, finals: int = 0) -> Machine:
        return Machine(
            tuple(sorted(self.takes.items())),
            self.takes_any,
            self.takes_all,
            self.stays,
            self.stays_all,
            finals or 1 << self.state,
        )


@lru_cache(maxsize=1)
def _all_variants() -> dict[str, tuple[str, ...]]:
    """Each folded character with all that fold to it."""
    found: dict[str, list[str]] = {}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        folded = fold(character)
        if folded != character:
            found.setdefault(folded, [folded]).append(character)
    return {folded: tuple(characters) for folded, characters in found.items()}


def variants(character: str) -> tuple[str, ...]:
    """A character in every case.

    Examples
    --------
    >>> sorted(variants("A"))
    ['A', 'a']
    """
    folded = fold(character)
    if folded == "k":
        return ("k", "K", "\u212a")  # the sign of kelvin
    if folded.isascii():
        return tuple({folded, folded.upper()})
    return _all_variants().get(folded, (folded,))


def literal_machine(text: str, *, fold: bool = False) -> Machine:
    """Accept one text; with `fold` in any case."""
    maker = _Maker(fold=fold)
    maker.text(text)
    return maker.machine()


def pattern_machine(tokens: Sequence[Token], *, fold: bool = False) -> Machine:
    """Accept what `*` and `?` match."""
    maker = _Maker(fold=fold)
    maker.tokens(tokens, crossing=True)
    return maker.machine()


def arn_machine(tokens: Sequence[Token]) -> Machine:
    """Accept what an ARN operator matches: six segments, each apart."""
    maker = _Maker(fold=False)
    for number, segment in enumerate(segments_of(tokens)):
        if number:
            maker.text(":")
        maker.tokens(segment, crossing=number == 5)
    return maker.machine()


def resource_machine(tokens: Sequence[Token]) -> Machine:
    """Accept what a `Resource` pattern matches."""
    segments, ends = resource_segments(tokens)
    if len(segments) == 1:
        return pattern_machine(tokens)
    maker = _Maker(fold=False)
    finals = 0
    for number, segment in enumerate(segments):
        if number:
            maker.text(":")
        last = number == 5
        if segment and segment[-1] is STAR:
            maker.tokens(segment[:-1], crossing=last)
            maker.tokens(segment[-1:], crossing=True)
        else:
            maker.tokens(segment, crossing=last)
        if number + 1 in ends:
            finals |= 1 << maker.state
    return maker.machine(finals)


def kinds_of_text(machines: Sequence[Machine], limit: int) -> tuple[dict[int, str], bool]:
    """Every set of machines that accepts some text together, with the shortest such text.

    Parameters
    ----------
    machines
        The patterns in play.
    limit
        How many sets of states may be walked.

    Returns
    -------
    dict
        Bit mask of accepting machines → the shortest text that exactly these accept.
    bool
        False when the limit was met and a kind may be missing.

    Examples
    --------
    >>> from ses_audit.policy.wildcards import tokens_of
    >>> kinds_of_text([pattern_machine(tokens_of("a*")), literal_machine("ab")], 100)
    ({0: 'x', 1: 'a', 3: 'ab'}, True)
    """
    joined = Joined(machines)
    # A colon is told from other characters where a wildcard stays within its segment.
    apart = (":",) if joined.machine.takes_any or joined.machine.stays else ()
    other = character_apart(joined.takes.keys() | {":"})
    # Without the start: some text that is not empty may lead back to it.
    seen: set[int] = set()
    found: dict[int, str] = {}
    waiting = [(joined.start, "")]
    for states, text in waiting:
        if text:
            found.setdefault(joined.accepting(states), text)
            if len(found) == 1 << len(machines):
                break
        for character in (other, *sorted({*joined.leading(states), *apart})):
            following = joined.step(states, character)
            if following not in seen:
                if len(seen) >= limit:
                    return found, False
                seen.add(following)
                waiting.append((following, text + character))
    # Empty text only where nothing longer is of its kind.
    found.setdefault(joined.accepting(joined.start), "")
    return found, True


class Joined:
    """Several machines as one, their states side by side in one integer.

    Parameters
    ----------
    machines
        In the order of their bits.
    """

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.takes: dict[str, int] = {}
        self.start = takes_any = takes_all = stays = stays_all = finals = place = 0
        self._number: dict[int, int] = {}
        for number, machine in enumerate(machines):
            for character, leads in machine.takes:
                self.takes[character] = self.takes.get(character, 0) | leads << place
            self.start |= 1 << place
            takes_any |= machine.takes_any << place
            takes_all |= machine.takes_all << place
            stays |= machine.stays << place
            stays_all |= machine.stays_all << place
            finals |= machine.finals << place
            self._number |= {bit << place: number for bit in bits_of(machine.finals)}
            place += machine.finals.bit_length()
        self.size = place
        """How many states there are."""
        takes = tuple(self.takes.items())
        self.machine = Machine(takes, takes_any, takes_all, stays, stays_all, finals)

    def step(self, states: int, character: str) -> int:
        """The states after one more character."""
        return self.machine.step(states, character, self.takes)

    def leading(self, states: int) -> Iterator[str]:
        """The characters that lead on by name."""
        return (character for character, leads in self.takes.items() if leads & states)

    def accepting(self, states: int) -> int:
        """A bit for each machine that accepts."""
        mask = 0
        for bit in bits_of(states & self.machine.finals):
            mask |= 1 << self._number[bit]
        return mask


def bits_of(number: int) -> Iterator[int]:
    """The single bits of a number, the lowest first.

    Examples
    --------
    >>> list(bits_of(6))
    [2, 4]
    """
    while number:
        bit = number & -number
        yield bit
        number ^= bit


def character_apart(alphabet: AbstractSet[str]) -> str:
    """A character that no pattern names, in neither case.

    Examples
    --------
    >>> character_apart({"x", "Y"})
    'z'
    """
    for candidate in "xyzqwkjvbn0123456789_-~":
        if candidate not in alphabet and candidate.upper() not in alphabet:
            return candidate
    code = 0x00A1
    while chr(code) in alphabet:
        code += 1
    return chr(code)
