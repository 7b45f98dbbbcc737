"""Text patterns as machines, and the kinds of text that several of them tell apart.

A machine is a set of states in one integer; a set of machines is walked over all texts at once,
breadth first, so that the shortest text of each kind is found. Texts of one kind are accepted by
the same machines.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from ses_audit.policy.wildcards import ANY, STAR, Token, fold, resource_segments, segments_of

__all__ = [
    "Machine",
    "arn_machine",
    "kinds_of_text",
    "literal_machine",
    "pattern_machine",
    "resource_machine",
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
            for variant in _variants(character) if self._fold else (character,):
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


def _variants(character: str) -> tuple[str, ...]:
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
    takes = [dict(machine.takes) for machine in machines]
    named = {character for taken in takes for character in taken}
    # A colon is told from other characters where a wildcard stays within its segment.
    apart = {":"} if any(machine.takes_any or machine.stays for machine in machines) else set()
    other = _other(named | {":"})
    leading: list[dict[int, tuple[str, ...]]] = [{} for _ in machines]
    start = tuple(1 for _ in machines)
    # Without the start: some text that is not empty may lead back to it.
    seen: set[tuple[int, ...]] = set()
    found: dict[int, str] = {}
    waiting = [(start, "")]
    for states, text in waiting:
        if text:
            found.setdefault(_mask(machines, states), text)
            if len(found) == 1 << len(machines):
                break
        characters = set(apart)
        for machine, reached, known in zip(machines, states, leading, strict=True):
            if reached and reached not in known:
                known[reached] = tuple(c for c, leads in machine.takes if leads & reached)
            characters.update(known.get(reached, ()))
        for character in (other, *sorted(characters)):
            following = tuple(
                machine.step(reached, character, taken) if reached else 0
                for machine, reached, taken in zip(machines, states, takes, strict=True)
            )
            if following not in seen:
                if len(seen) >= limit:
                    return found, False
                seen.add(following)
                waiting.append((following, text + character))
    # Empty text only where nothing longer is of its kind.
    found.setdefault(_mask(machines, start), "")
    return found, True


def _mask(machines: Sequence[Machine], states: Sequence[int]) -> int:
    mask = 0
    for number, (machine, reached) in enumerate(zip(machines, states, strict=True)):
        if reached & machine.finals:
            mask |= 1 << number
    return mask


def _other(alphabet: AbstractSet[str]) -> str:
    """A character that no pattern names, in neither case."""
    for candidate in "xyzqwkjvbn0123456789_-~":
        if candidate not in alphabet and candidate.upper() not in alphabet:
            return candidate
    code = 0x00A1
    while chr(code) in alphabet:
        code += 1
    return chr(code)
