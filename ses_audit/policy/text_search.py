"""A text that some machines accept and others do not: a number between two cuts with a 1 in front.

`machines.py` tells all kinds of text apart that patterns make; here one kind is asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from ses_audit.policy.machines import Machine, character_apart

__all__ = ["FoundText", "PatternMachine", "State", "TextMachine", "find_text"]

State: TypeAlias = Any
"""Whatever a machine keeps; it can be hashed."""


class TextMachine(ABC):
    """What reads a text character by character, each step from one state to the next."""

    start: State
    alphabet: Iterable[str]
    """The characters that it names; all others are one to it."""

    @abstractmethod
    def step(self, state: State, character: str) -> State | None:
        """The state after one more character; None where no text is accepted any more."""

    @abstractmethod
    def accepts(self, state: State) -> bool:
        """Whether a text may end here."""

    def always(self, state: State) -> bool:
        """Whether every text that goes on from here is certainly accepted."""
        return False


class FoundText(NamedTuple):
    """The outcome of a search: `complete` is False where it met its limit."""

    text: str | None
    complete: bool
    walked: int


def find_text(
    wanted: Sequence[TextMachine], unwanted: Sequence[TextMachine], limit: int
) -> FoundText:
    """The shortest text that all of some machines accept, and none of others.

    Parameters
    ----------
    wanted, unwanted
        The machines.
    limit
        How many states may be walked.

    Returns
    -------
    FoundText
        The empty text only where there is no other.

    Examples
    --------
    >>> from ses_audit.policy.machines import pattern_machine
    >>> from ses_audit.policy.wildcards import tokens_of
    >>> like, unlike = (PatternMachine(pattern_machine(tokens_of(p))) for p in ("a*", "?"))
    >>> find_text([like], [unlike], 1_000).text
    'ax'
    """
    machines = (*wanted, *unwanted)
    alphabet = {c for machine in machines for c in machine.alphabet}
    characters = (character_apart(alphabet), *sorted(alphabet, key=lambda c: (c.isupper(), c)))
    start = tuple(machine.start for machine in machines)
    seen: set[tuple[State, ...]] = set()
    waiting: list[tuple[tuple[State, ...], str]] = [(start, "")]
    for states, text in waiting:
        if text and _accepted(wanted, unwanted, states):
            return FoundText(text, True, len(seen))
        for character in characters:
            following = _following(machines, len(wanted), states, character)
            if following is not None and following not in seen:
                if len(seen) >= limit:
                    return FoundText(None, False, limit)
                seen.add(following)
                waiting.append((following, text + character))
    return FoundText("" if _accepted(wanted, unwanted, start) else None, True, len(seen))


def _following(
    machines: Sequence[TextMachine], wanted: int, states: tuple[State, ...], character: str
) -> tuple[State, ...] | None:
    found: list[State] = []
    for number, (machine, state) in enumerate(zip(machines, states, strict=True)):
        following = None if state is None else machine.step(state, character)
        if number < wanted:
            if following is None:
                return None
        elif following is not None and machine.always(following):
            return None
        found.append(following)
    return tuple(found)


def _accepted(
    wanted: Sequence[TextMachine], unwanted: Sequence[TextMachine], states: tuple[State, ...]
) -> bool:
    answers = [
        state is not None and machine.accepts(state)
        for machine, state in zip((*wanted, *unwanted), states, strict=True)
    ]
    return all(answers[: len(wanted)]) and not any(answers[len(wanted) :])


class PatternMachine(TextMachine):
    """A pattern of `machines.py`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._takes = dict(machine.takes)
        self.start = 1
        colon = (":",) if machine.takes_any or machine.stays else ()
        self.alphabet = (*self._takes, *colon)

    def step(self, state: State, character: str) -> State | None:
        return self._machine.step(state, character, self._takes) or None

    def accepts(self, state: State) -> bool:
        return bool(state & self._machine.finals)

    def always(self, state: State) -> bool:
        return bool(state & self._machine.finals & self._machine.stays_all)
