"""The kinds of values one open key can have, as far as some clauses can tell them apart.

Each kind is one value (or set of values, or absence) that stands for all values on which the
clauses answer alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ses_audit.policy.domains import Domain
from ses_audit.policy.formula import Atom
from ses_audit.policy.single_values import Question, SingleValues, is_in, single_values

__all__ = ["Kind", "is_in", "kinds_of_key"]

_SET_LIMIT = 1_024


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
    question = Question(key, tuple(atoms), context, flags)
    single = question.alone()
    values = single_values(single, domain)
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
            known = values.answers.get(value)
            answers = question.answers((value,)) if known is None else _with_null(question, known)
            _add(found, Kind((value,), answers))
    if is_set or domain.may_be_set or any(atom.clause.set_operator for atom in atoms):
        # The empty text is a null data set: a kind of its own to the set operators.
        empty = [""] if is_in("", domain) else []
        sets, whole = _sets(question, single, values, empty, is_set=is_set)
        complete = complete and whole
    else:
        sets = [Kind(None, _with_null(question, a), real=False) for a in values.possible]
    for kind in sets:
        _add(found, kind)
    return tuple(sorted(found.values(), key=lambda kind: not kind.real)), complete


def _add(found: dict[object, Kind], kind: Kind, name: object = None) -> None:
    found.setdefault(kind.answers if name is None else name, kind)


def _with_null(question: Question, answers: tuple[bool, ...]) -> tuple[bool, ...]:
    """The answers of all atoms, from those of the atoms without `Null`: of a key that is there."""
    rest = iter(answers)
    return tuple(
        _wants_presence(atom) if atom.clause.operator == "Null" else next(rest)
        for atom in question.atoms
    )


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
    question: Question,
    single: Question,
    values: SingleValues,
    empty: Sequence[str],
    *,
    is_set: bool,
) -> tuple[list[Kind], bool]:
    """Enough sets of values: every answer of the set operators that some set gives.

    What a set answers turns, for each clause, on whether some element meets it and whether all do.
    So sets grow by one value at a time, and only those that say something new are grown on.
    """
    elements: dict[tuple[int, bool], str | None] = {}
    for text in (*values.named, *values.others, *empty):
        answers = values.answers.get(text) or single.answers((text,))
        elements.setdefault((_bits(answers), bool(text)), text)
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
