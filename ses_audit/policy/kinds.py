"""The kinds of values one open key can have, as far as some clauses can tell them apart.

Each kind is one value (or set of values, or absence) that stands for all values on which the
clauses answer alike. What a clause answers is always asked of the concrete operators, so that
this file only has to propose enough values; where it cannot promise that, it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

_TEXT_LIMIT = 20_000
_SET_LIMIT = 1_024
_TEXTUAL = (Family.STRING, Family.ARN)
_TYPED = (Family.NUMERIC, Family.DATE, Family.IP_ADDRESS, Family.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: the values that stand for it (None: absent) and what each atom answers."""

    values: tuple[str, ...] | None
    answers: tuple[bool, ...]


def kinds_of_key(
    key: str,
    atoms: Sequence[Atom],
    context: Mapping[str, tuple[str, ...]],
    multivalued: frozenset[str],
    domain: Domain,
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

    Returns
    -------
    tuple of Kind
        Each with other answers than the rest.
    bool
        False where a kind may be missing.
    """
    question = _Question(key, tuple(atoms), context, multivalued)
    values, complete = _single_values(question, domain)
    is_set = domain.multivalued or key in multivalued
    if is_set:
        question = _Question(key, question.atoms, context, multivalued | {key})
    found: dict[tuple[bool, ...], Kind] = {}
    candidates: list[tuple[str, ...] | None] = [] if domain.always else [None]
    if not is_set:
        candidates += [(value,) for value in values]
    elif not domain.always:
        candidates.append(())
    for candidate in candidates:
        answers = question.answers(candidate)
        found.setdefault(answers, Kind(candidate, answers))
    if is_set or any(atom.clause.set_operator for atom in atoms):
        # The empty text is a null data set: a kind of its own to the set operators.
        empty = [""] if is_in("", domain) else []
        sets, whole = _sets(question, [*values, *empty], is_set=is_set)
        complete = complete and whole
        for kind in sets:
            found.setdefault(kind.answers, kind)
    return tuple(found.values()), complete


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


def _sets(question: _Question, values: Sequence[str], *, is_set: bool) -> tuple[list[Kind], bool]:
    """Enough sets of values: every answer of the set operators that some set gives.

    What a set answers turns, for each clause, on whether some element meets it and whether all do.
    So sets grow by one value at a time, and only those that say something new are grown on.
    """
    single = question.alone()
    elements: dict[tuple[int, bool], str] = {}
    for value in values:
        met = sum(1 << place for place, held in enumerate(single.answers((value,))) if held)
        elements.setdefault((met, bool(value)), value)
    start = _State(0, False, 0, (1 << len(single.atoms)) - 1)
    seen: dict[_State, tuple[str, ...]] = {start: ()}
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
    kinds: dict[tuple[bool, ...], Kind] = {}
    for state, candidate in seen.items():
        if candidate:
            answers = _answers_of(question.atoms, state, is_set=is_set)
            kinds.setdefault(answers, Kind(candidate, answers))
    return list(kinds.values()), complete


def _answers_of(atoms: Sequence[Atom], state: _State, *, is_set: bool) -> tuple[bool, ...]:
    """As `operators.sets` answers; a test holds the two to each other."""
    found: list[bool] = []
    place = 0
    for atom in atoms:
        clause = atom.clause
        if clause.operator == "Null":
            found.append(any(value.strip().lower() == "false" for value in clause.values))
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


def _single_values(question: _Question, domain: Domain) -> tuple[list[str], bool]:
    patterns = question.patterns()
    typed = [
        (family, text_of(tokens)) for family in _TYPED for _, tokens in patterns.get(family, ())
    ]
    textual = [pair for family in _TEXTUAL for pair in patterns.get(family, ())]
    literals = [
        text for _, tokens in patterns.get(Family.BINARY, ()) for text in binaries(text_of(tokens))
    ]
    proposed = typed_values(typed, domain.values)
    texts, wild, complete = _texts(textual, literals, domain)
    found = texts if domain.values is Values.TEXT or not wild else [*texts, *_filled(textual)]
    if proposed and wild:
        found = [*found, *_filled(textual)]
    # Each type's kinds hold more texts than one: one that no pattern names stands for them.
    found = [*found, *proposed, *(f" {value}" for value in proposed if value in texts)]
    found = [value for value in found if is_in(value, domain)]
    found = list(dict.fromkeys(found))
    if wild and (typed or domain.values is not Values.TEXT):
        complete = complete and _all_meet(question, found)
    return found, complete


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


def _all_meet(question: _Question, values: Sequence[str]) -> bool:
    """Whether each kind of text was found with each kind of typed value.

    Then none is missing: a value is of one kind of each.
    """
    single = question.alone()
    typed = [OPERATORS[atom.clause.operator].family in _TYPED for atom in single.atoms]
    pairs: set[tuple[tuple[bool, ...], tuple[bool, ...]]] = set()
    for value in values:
        answers = list(zip(single.answers((value,)), typed, strict=True))
        pairs.add(
            (
                tuple(a for a, is_it in answers if is_it),
                tuple(a for a, is_it in answers if not is_it),
            )
        )
    return len(pairs) == len({one for one, _ in pairs}) * len({two for _, two in pairs})


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
) -> tuple[list[str], bool, bool]:
    """Texts of every kind, whether patterns with wildcards are among them, and whether all are."""
    literals: dict[str, None] = dict.fromkeys(more)
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
            literals[text_of(tokens)] = None
    for pattern in domain.patterns:
        machines[pattern_machine(tokens_of(pattern))] = None
    literals |= dict.fromkeys(domain.excluded)
    if any(OPERATORS[atom.clause.operator].family is Family.ARN for atom, _ in patterns):
        # An ARN that no pattern names: what is none is no match for a negated operator either.
        machines[arn_machine(tokens_of("*:*:*:*:*:*"))] = None
    if not machines:
        return [*literals, fresh(literals)], False, True
    added: dict[Machine, None] = {}
    while True:
        found, complete = kinds_of_text([*machines, *added], _TEXT_LIMIT)
        met = [text for text in found.values() if text in literals]
        more_machines = {literal_machine(text): None for text in met} if complete else {}
        if not more_machines.keys() - added.keys():
            return [*literals, *found.values()], True, complete
        # A kind whose shortest text is a literal may hold other texts: tell them apart.
        added |= more_machines
