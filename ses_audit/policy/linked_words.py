"""Words for a key whose value stands in the texts of others, as far as machines tell them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from math import prod

from ses_audit.policy.machines import Joined, Machine, bits_of, character_apart, variants

__all__ = ["Reader", "generic_words", "pinned_words"]

_MOST_STARTS = 64
_MOST_STATES = 3_000
_MOST_WORDS = 250
_MOST_RUNS = 20_000
"""How many ways to read words are tried, of all machines together."""
_MOST_STEPS = 200_000
"""How many steps all machines may take, so that many of them do not take long."""

Configurations = tuple[frozenset[int], ...]
"""For each place where the word may begin, the states that its spellings lead to."""


class Reader:
    """Another key, in whose text the word stands.

    Parameters
    ----------
    machines
        What the other key's text is compared with.
    before
        What may stand in it before the word.
    fold
        Whether the word may stand there in any case.
    elements
        How many texts the other key may have to hold.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        before: Sequence[Machine],
        *,
        fold: bool,
        elements: int = 1,
    ) -> None:
        self.machines = machines
        self.joined = Joined([*machines, *before])
        self.fold = fold
        self.elements = elements
        self._own = Joined(machines)
        self._mask = (1 << self._own.size) - 1
        self._starts: tuple[tuple[int, ...], bool] | None = None

    def starts(self) -> tuple[tuple[int, ...], bool]:
        """The states of the machines at which the word may begin, and whether these are all."""
        if self._starts is None:
            self._starts = self._found_starts()
        return self._starts

    def _found_starts(self) -> tuple[tuple[int, ...], bool]:
        joined, wanted = self.joined, self.joined.machine.finals & ~self._mask
        other = character_apart(joined.takes.keys() | {":"})
        found: dict[int, None] = {}
        seen = {joined.start: None}
        for states in (waiting := [joined.start]):
            if states & wanted:
                found[states & self._mask] = None
            for character in (other, ":", *sorted(joined.leading(states))):
                following = joined.step(states, character)
                # Where no text that may stand before goes on, the word can't begin any more.
                if following > self._mask and following not in seen:
                    if len(seen) >= _MOST_STATES:
                        return tuple(found), False
                    seen[following] = None
                    waiting.append(following)
        return tuple(found)[:_MOST_STARTS], len(found) <= _MOST_STARTS

    def step(self, states: frozenset[int], character: str) -> frozenset[int]:
        """The states after one more character, in any case where that does not count."""
        read = variants(character) if self.fold else (character,)
        return frozenset(self._own.step(each, one) for each in states for one in read)

    def leading(self, states: frozenset[int]) -> Iterator[str]:
        """The characters that lead on by name."""
        return chain.from_iterable(map(self._own.leading, states))


def generic_words(own: Joined, readers: Sequence[Reader]) -> tuple[list[str], bool]:
    """A word for each end that words come to, of those with a letter that no policy names.

    Parameters
    ----------
    own
        What the word itself is compared with.
    readers
        The other keys.

    Returns
    -------
    list of str
        The shortest word for each end.
    bool
        False where some may be missing.
    """
    letters = {c for each in (own, *(reader.joined for reader in readers)) for c in each.takes}
    other = character_apart(letters | {":"})
    complete = True
    places: list[tuple[Reader, frozenset[int]]] = []
    for reader in readers:
        starts, whole = reader.starts()
        complete = complete and whole
        places += [(reader, frozenset({start})) for start in starts]
    begin = (own.start, tuple(start for _, start in places), False)
    seen: dict[tuple[int, Configurations, bool], None] = {begin: None}
    waiting = [(begin, "")]
    words: list[str] = []
    steps = 0
    for (states, configurations, fresh), word in waiting:
        if fresh:
            words.append(word)
        characters = {":", *own.leading(states)}
        for (reader, _), each in zip(places, configurations, strict=True):
            characters.update(reader.leading(each))
        steps += (len(characters) + 1) * (1 + sum(map(len, configurations)))
        if steps > _MOST_STEPS:
            return words, False
        for character in (other, *sorted(characters)):
            following = (
                own.step(states, character),
                tuple(
                    reader.step(each, character)
                    for (reader, _), each in zip(places, configurations, strict=True)
                ),
                fresh or character == other,
            )
            if following in seen:
                continue
            if len(seen) >= _MOST_STATES or len(words) >= _MOST_WORDS:
                return words, False
            seen[following] = None
            waiting.append((following, word + character))
    return words, complete


@dataclass(frozen=True, slots=True)
class _Run:
    """A machine that reads the word, and the single states in which it may begin."""

    machine: Machine
    takes: dict[str, int]
    starts: tuple[int, ...]
    fold: bool

    def after(self, state: int, character: str) -> Iterator[tuple[int, bool]]:
        """Each single state after a character, and whether the policy wrote that character."""
        bit, machine = 1 << state, self.machine
        for one in variants(character) if self.fold else (character,):
            if self.takes.get(one, 0) & bit:
                yield state + 1, True
        anything = character != ":"
        if machine.takes_all & bit or (anything and machine.takes_any & bit):
            yield state + 1, False
        if machine.stays_all & bit or (anything and machine.stays & bit):
            yield state, False

    def letters(self, state: int) -> Iterator[str]:
        bit = 1 << state
        return (character for character, leads in self.takes.items() if leads & bit)


_UNUSED = -1


def pinned_words(own: Sequence[Machine], readers: Sequence[Reader]) -> tuple[list[str], bool]:
    """The words of which each letter is one that a policy writes at its place.

    Parameters
    ----------
    own
        What the word itself is compared with.
    readers
        The other keys.

    Returns
    -------
    list of str
        The empty word among them.
    bool
        False where some may be missing.
    """
    fold = any(reader.fold for reader in readers)
    runs = [_Run(machine, dict(machine.takes), (_UNUSED, 0), fold) for machine in own]
    complete = True
    for reader in readers:
        starts, whole = reader.starts()
        complete = complete and whole
        place = 0
        for machine in reader.machines:
            size = machine.finals.bit_length()
            single = {
                (bit.bit_length() - 1) - place
                for states in starts
                for bit in bits_of(states & ((1 << size) - 1) << place)
            }
            run = _Run(machine, dict(machine.takes), (_UNUSED, *sorted(single)), reader.fold)
            runs += [run] * reader.elements
            place += size
    if prod(len(run.starts) for run in runs) > _MOST_RUNS:
        return [""], False
    after = [_After(run) for run in runs]
    begin = frozenset(product(*(run.starts for run in runs)))
    words = [""]
    waiting = [("", begin)]
    tried = len(begin)
    for word, states in waiting:
        following: dict[str, set[tuple[int, ...]]] = {}
        for state in states:
            letters = {
                (character.lower() if fold else character)
                for run, each in zip(runs, state, strict=True)
                if each != _UNUSED
                for character in run.letters(each)
            }
            for letter in letters:
                options = _options(after, state, letter)
                if options is None:
                    continue
                tried += prod(map(len, options))
                if tried > _MOST_RUNS:
                    return words, False
                following.setdefault(letter, set()).update(_moves(options))
        for letter, reached in sorted(following.items()):
            if not reached:
                continue
            if len(words) >= _MOST_WORDS:
                return words, False
            words.append(word + letter)
            waiting.append((word + letter, frozenset(reached)))
    return words, complete


Options = list[tuple[tuple[int, bool], ...]]
"""For each machine the states that a letter leads to, and whether the policy wrote the letter."""

_NOT_READ = ((_UNUSED, False),)


class _After:
    """Where letters lead a machine, each asked once."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._known: dict[tuple[int, str], tuple[tuple[int, bool], ...]] = {}

    def of(self, state: int, letter: str) -> tuple[tuple[int, bool], ...]:
        if state == _UNUSED:
            return _NOT_READ
        found = self._known.get((state, letter))
        if found is None:
            found = self._known[state, letter] = tuple(self._run.after(state, letter))
        return found


def _options(after: Sequence[_After], state: Sequence[int], letter: str) -> Options | None:
    """None where one of the machines does not go on."""
    found: Options = []
    for each, one in zip(after, state, strict=True):
        options = each.of(one, letter)
        if not options:
            return None
        found.append(options)
    return found


def _moves(options: Options) -> Iterator[tuple[int, ...]]:
    """All ways to read a letter that one machine at least has by name."""
    for choice in product(*options):
        if any(written for _, written in choice):
            yield tuple(each for each, _ in choice)
