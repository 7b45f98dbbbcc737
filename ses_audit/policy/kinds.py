"""The kinds of values one open key can have, as far as some clauses can tell them apart.

Each kind is one value (or set of values, or absence) that stands for all values on which the
clauses answer alike. What a clause answers is always asked of the concrete operators, so that
this file only has to propose enough values; where it cannot promise that, it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ses_audit.policy.domains import Domain, Values
from ses_audit.policy.formula import Atom
from ses_audit.policy.machines import (
    Machine,
    arn_machine,
    kinds_of_text,
    literal_machine,
    pattern_machine,
    resource_machine,
)
from ses_audit.policy.operators import OPERATORS, Family, holds
from ses_audit.policy.operators.base import text_of
from ses_audit.policy.typed_values import binaries, fresh, is_of, typed_values
from ses_audit.policy.types import Clause
from ses_audit.policy.variables import substitute
from ses_audit.policy.wildcards import Token, matches, tokens_of

__all__ = ["Kind", "is_in", "kinds_of_key"]

_TEXT_LIMIT = 5_000
_SET_LIMIT = 1_024
_TEXTUAL = (Family.STRING, Family.ARN)
_TYPED = (Family.NUMERIC, Family.DATE, Family.IP_ADDRESS, Family.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of values of a key.

    Parameters
    ----------
    values
        What stands for it; None: the key is absent, or nothing was found (see `real`).
    answers
        What each atom answers.
    alone
        Whether no other value is of this kind.
    real
        False where no value of the kind was found, though none was shown to be impossible.
    """

    values: tuple[str, ...] | None
    answers: tuple[bool, ...]
    alone: bool = False
    real: bool = True


def kinds_of_key(
    key: str,
    atoms: Sequence[Atom],
    context: Mapping[str, tuple[str, ...]],
    multivalued: frozenset[str],
    domain: Domain,
    *,
    apart: bool = False,
) -> tuple[tuple[Kind, ...], bool]:
    """The kinds of values of one key.

    Parameters
    ----------
    key
        In lower case.
    atoms
        The atoms on this key; every other key that they refer to is in `context` or absent.
    context
        The keys decided so far.
    multivalued
        Keys that carry sets.
    domain
        What is known of this key.
    apart
        Whether each value that a policy names is a kind of its own, because other keys are
        compared with it.

    Returns
    -------
    tuple of Kind
        Each with other answers than the rest, those that are not real last.
    bool
        False where a kind may be missing.
    """
    is_set = domain.multivalued or key in multivalued
    flags = multivalued | {key} if is_set else multivalued
    question = _Question(key, tuple(atoms), context, flags)
    values = _single_values(question.alone(), domain)
    complete = values.complete
    found: dict[object, Kind] = {}
    if not domain.always:
        # A key that is absent, or empty, is told from one that is there, where others refer to it.
        _add(found, Kind(None, question.answers(None), alone=True), "absent" if apart else None)
        if is_set:
            _add(found, Kind((), question.answers(()), alone=True), "empty" if apart else None)
    if not is_set:
        for value in values.named:
            kind = Kind((value,), question.answers((value,)), alone=True)
            _add(found, kind, (value,) if apart else None)
        for value in values.others:
            _add(found, Kind((value,), question.answers((value,))))
    if is_set or domain.may_be_set or any(atom.clause.set_operator for atom in atoms):
        # The empty text is a null data set: a kind of its own to the set operators.
        empty = [""] if is_in("", domain) else []
        sets, whole = _sets(question, values, empty, is_set=is_set)
        complete = complete and whole
    else:
        sets = [Kind(None, question.with_null(a), real=False) for a in values.possible]
    for kind in sets:
        _add(found, kind)
    return tuple(sorted(found.values(), key=lambda kind: not kind.real)), complete


def _add(found: dict[object, Kind], kind: Kind, name: object = None) -> None:
    found.setdefault(kind.answers if name is None else name, kind)


@dataclass(frozen=True, slots=True)
class _Values:
    """Single values of a key, and what they answer without set operators."""

    named: tuple[str, ...]
    """Those that policies name."""
    others: tuple[str, ...]
    possible: tuple[tuple[bool, ...], ...]
    """Answers that no value was found for, and that can't be ruled out."""
    complete: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """Some atoms on one key, and all else that they turn on."""

    key: str
    atoms: tuple[Atom, ...]
    context: Mapping[str, tuple[str, ...]]
    multivalued: frozenset[str]

    def answers(self, candidate: tuple[str, ...] | None) -> tuple[bool, ...]:
        """What each atom answers to these values."""
        asked = dict(self.context)
        asked.pop(self.key, None)
        if candidate is not None:
            asked[self.key] = candidate
        return tuple(
            holds(atom.clause, asked, self.multivalued, atom.version) for atom in self.atoms
        )

    def alone(self) -> _Question:
        """The same atoms asked of single values, without set operators."""
        plain = (
            Atom(Clause(atom.clause.operator, atom.clause.key, atom.clause.values), atom.version)
            for atom in self.atoms
            if atom.clause.operator != "Null"
        )
        return _Question(self.key, tuple(plain), self.context, self.multivalued - {self.key})

    def with_null(self, answers: tuple[bool, ...]) -> tuple[bool, ...]:
        """The answers of all atoms, from those that `alone` asks: of a key that is there."""
        rest = iter(answers)
        return tuple(
            _wants_presence(atom) if atom.clause.operator == "Null" else next(rest)
            for atom in self.atoms
        )

    def patterns(self) -> dict[Family, list[tuple[Atom, tuple[Token, ...]]]]:
        """The values that the atoms compare with, by the family of the operator."""
        found: dict[Family, list[tuple[Atom, tuple[Token, ...]]]] = {}
        for atom in self.atoms:
            family = OPERATORS[atom.clause.operator].family
            if family is Family.NULL:
                continue
            for value in atom.clause.values:
                if family.has_variables:
                    tokens = substitute(value, self.context, atom.version, self.multivalued)
                else:
                    tokens = (value,)
                if tokens is not None:
                    found.setdefault(family, []).append((atom, tokens))
        return found


@dataclass(frozen=True, slots=True)
class _State:
    """What a set of values says to the set operators; a bit for each clause."""

    size: int
    """2 stands for more."""
    filled: bool
    """Whether a value is not the empty text."""
    some: int
    every: int

    def with_value(self, met: int, filled: bool) -> _State:
        return _State(
            min(self.size + 1, 2), self.filled or filled, self.some | met, self.every & met
        )


def _sets(
    question: _Question, values: _Values, empty: Sequence[str], *, is_set: bool
) -> tuple[list[Kind], bool]:
    """Enough sets of values: every answer of the set operators that some set gives.

    What a set answers turns, for each clause, on whether some element meets it and whether all do.
    So sets grow by one value at a time, and only those that say something new are grown on.
    """
    single = question.alone()
    elements: dict[tuple[int, bool], str | None] = {}
    for text in (*values.named, *values.others, *empty):
        elements.setdefault((_bits(single.answers((text,))), bool(text)), text)
    for answers in values.possible:
        elements.setdefault((_bits(answers), True), None)
    start = _State(0, False, 0, (1 << len(single.atoms)) - 1)
    seen: dict[_State, tuple[str | None, ...]] = {start: ()}
    waiting = [start]
    complete = True
    for state in waiting:
        for (met, filled), value in elements.items():
            following = state.with_value(met, filled)
            if following in seen:
                continue
            if len(seen) >= _SET_LIMIT:
                complete = False
                break
            seen[following] = (*seen[state], value)
            waiting.append(following)
    kinds: list[Kind] = []
    for state, candidate in seen.items():
        if candidate:
            texts = tuple(each for each in candidate if each is not None)
            real = len(texts) == len(candidate)
            answers = _answers_of(question.atoms, state, is_set=is_set)
            kinds.append(Kind(texts if real else None, answers, real=real))
    return sorted(kinds, key=lambda kind: not kind.real), complete


def _bits(answers: Sequence[bool]) -> int:
    return sum(1 << place for place, held in enumerate(answers) if held)


def _wants_presence(atom: Atom) -> bool:
    return any(value.strip().lower() == "false" for value in atom.clause.values)


def _answers_of(atoms: Sequence[Atom], state: _State, *, is_set: bool) -> tuple[bool, ...]:
    """As `operators.sets` answers; a test holds the two to each other."""
    found: list[bool] = []
    place = 0
    for atom in atoms:
        clause = atom.clause
        if clause.operator == "Null":
            found.append(_wants_presence(atom))
            continue
        bit = 1 << place
        place += 1
        if clause.set_operator is None:
            found.append(not is_set and state.size == 1 and bool(state.some & bit))
        elif not state.filled:
            found.append(clause.set_operator == "ForAllValues")
        elif clause.set_operator == "ForAnyValue":
            found.append(bool(state.some & bit))
        else:
            found.append(bool(state.every & bit))
    return tuple(found)


def _single_values(question: _Question, domain: Domain) -> _Values:
    """Values of every kind that the atoms, asked without set operators, tell apart."""
    patterns = question.patterns()
    typed = [
        (family, text_of(tokens)) for family in _TYPED for _, tokens in patterns.get(family, ())
    ]
    textual = [pair for family in _TEXTUAL for pair in patterns.get(family, ())]
    literals = [
        text for _, tokens in patterns.get(Family.BINARY, ()) for text in binaries(text_of(tokens))
    ]
    named, texts, complete = _texts(textual, literals, domain)
    proposed = typed_values(typed, domain.values)
    if not proposed:
        return _Values(
            tuple(value for value in named if is_in(value, domain)),
            tuple(value for value in texts if is_in(value, domain)),
            (),
            complete,
        )
    # Of each typed kind there are several texts: one that no pattern names stands for them.
    again = [f" {value}" for value in proposed if value in named]
    values = [*proposed, *again, *_filled(textual), *texts]
    others = [v for v in dict.fromkeys(values) if v not in named and is_in(v, domain)]
    return _Values(
        tuple(value for value in named if is_in(value, domain)),
        tuple(others),
        _possible(question, texts, proposed, others, domain),
        complete,
    )


def _possible(
    question: _Question,
    texts: Sequence[str],
    proposed: Sequence[str],
    others: Sequence[str],
    domain: Domain,
) -> tuple[tuple[bool, ...], ...]:
    """Answers of a kind of text and of a typed kind together, of which no value was found."""
    is_typed = [OPERATORS[atom.clause.operator].family in _TYPED for atom in question.atoms]
    # A text of the right kind need not be of the key's type to show that the kind is there.
    any_type = replace(domain, values=Values.TEXT)
    found = {question.answers((value,)) for value in others}
    by_text = {question.answers((value,)) for value in texts if is_in(value, any_type)} | found
    by_type = {question.answers((value,)) for value in proposed if is_in(value, domain)} | found
    together = {
        tuple(
            of_type if typed else of_text
            for of_text, of_type, typed in zip(one, two, is_typed, strict=True)
        )
        for one in by_text
        for two in by_type
    }
    return tuple(sorted(together - found))


def is_in(value: str, domain: Domain) -> bool:
    """Whether a domain holds a value.

    Examples
    --------
    >>> is_in("news@example.com", Domain(patterns=("*@example.com",)))
    True
    """
    if value in domain.excluded:
        return False
    if domain.values is not Values.TEXT and not is_of(value, domain.values):
        return False
    return not domain.patterns or any(matches(pattern, value) for pattern in domain.patterns)


_FILLINGS = (
    "",
    "0",
    "1",
    "0.0",
    "0.0.0",
    "1.1.1.1",
    "00:00:00Z",
    "01-01",
    "01-01T00:00:00Z",
    "T00:00:00Z",
    "-01-01T00:00:00Z",
    ":1",
    "::1",
)
"""What a wildcard may stand for in a number, an address or a date."""


def _filled(patterns: Sequence[tuple[Atom, tuple[Token, ...]]]) -> list[str]:
    """Texts that match patterns and may be typed values."""
    return [
        "".join(
            token if isinstance(token, str) else filling if token.value == "*" else filling[:1]
            for token in tokens
        )
        for _, tokens in patterns
        if any(not isinstance(token, str) for token in tokens)
        for filling in _FILLINGS
    ]


def _texts(
    patterns: Sequence[tuple[Atom, tuple[Token, ...]]], more: Sequence[str], domain: Domain
) -> tuple[list[str], list[str], bool]:
    """The texts that policies name, texts of every other kind, and whether none is missing."""
    named: dict[str, None] = dict.fromkeys(more)
    machines: dict[Machine, None] = {}
    for atom, tokens in patterns:
        operator = atom.clause.operator
        plain = all(isinstance(token, str) for token in tokens)
        if operator == "Resource":
            machines[resource_machine(tokens)] = None
        elif operator.startswith("Arn") and not plain:
            machines[arn_machine(tokens)] = None
        elif operator.endswith("IgnoreCase"):
            machines[literal_machine(text_of(tokens), fold=True)] = None
        elif operator.endswith("Like") and not plain:
            machines[pattern_machine(tokens)] = None
        else:
            named[text_of(tokens)] = None
    for pattern in domain.patterns:
        machines[pattern_machine(tokens_of(pattern))] = None
    named |= dict.fromkeys(domain.excluded)
    if domain.values is Values.ARN or any(
        OPERATORS[atom.clause.operator].family is Family.ARN for atom, _ in patterns
    ):
        # An ARN that no pattern names: what is none is no match for a negated operator either.
        machines[arn_machine(tokens_of("*:*:*:*:*:*"))] = None
    if not machines:
        return list(named), [fresh(named)], True
    told: dict[Machine, None] = {}
    while True:
        found, complete = kinds_of_text([*machines, *told], _TEXT_LIMIT)
        # A kind whose shortest text is named may hold other texts: tell them apart.
        met = {literal_machine(text): None for text in found.values() if text in named}
        if not complete or not met.keys() - told.keys():
            others = [text for text in found.values() if text not in named]
            return list(named), others, complete
        told |= met
