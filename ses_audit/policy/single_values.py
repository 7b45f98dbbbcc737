"""Single values of a key, one of every kind that some clauses tell apart.

Text is cut by automata, numbers, dates and addresses by intervals; where a key is compared as both,
a text is looked for that is of both kinds. What a clause answers is always asked of the concrete
operators: this file only has to propose enough values, and says where it cannot promise that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from ses_audit.policy.address_machines import VersionFourMachine, version_six_machines
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
from ses_audit.policy.sweeps import SWEPT, Stretch, stretches, swept
from ses_audit.policy.text_search import PatternMachine, TextMachine, find_text
from ses_audit.policy.typed_machines import (
    BooleanMachine,
    DateMachine,
    InstantMachine,
    NumberMachine,
)
from ses_audit.policy.typed_values import (
    NO_TYPE,
    TYPE_OF_FAMILY,
    binaries,
    fresh,
    is_of,
    typed_values,
)
from ses_audit.policy.types import Clause
from ses_audit.policy.variables import substitute
from ses_audit.policy.wildcards import Token, matches, tokens_of

__all__ = ["ANY_ARN", "Question", "SingleValues", "is_in", "single_values", "text_machines"]

_TEXT_LIMIT = 20_000
_SEARCH_LIMIT = 20_000
"""How many states all searches of a key for texts of two kinds may walk."""
_MOST_TRIED = 8
"""How many texts that turn out to be of another kind a search for one passes over."""

ANY_ARN = arn_machine(tokens_of("*:*:*:*:*:*"))
"""All ARNs."""

_TEXTUAL = (Family.STRING, Family.ARN)
_TYPED = (*SWEPT, Family.BOOLEAN)

Answers = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Some atoms on one key, and all else that they turn on."""

    key: str
    atoms: tuple[Atom, ...]
    context: Mapping[str, tuple[str, ...]]
    multivalued: frozenset[str]

    def answers(self, candidate: tuple[str, ...] | None) -> Answers:
        """What each atom answers to these values."""
        asked = dict(self.context)
        if candidate is not None:
            asked[self.key] = candidate
        return tuple(
            [holds(atom.clause, asked, self.multivalued, atom.version) for atom in self.atoms]
        )

    def alone(self) -> Question:
        """The same atoms asked of single values, without set operators."""
        plain = (
            Atom(Clause(atom.clause.operator, atom.clause.key, atom.clause.values), atom.version)
            for atom in self.atoms
            if atom.clause.operator != "Null"
        )
        return Question(self.key, tuple(plain), self.context, self.multivalued - {self.key})

    def patterns(self) -> dict[Family, list[tuple[Atom, tuple[Token, ...]]]]:
        """The values that the atoms, `Null` apart, compare with, by the family of the operator."""
        found: dict[Family, list[tuple[Atom, tuple[Token, ...]]]] = {}
        for atom in self.atoms:
            family = OPERATORS[atom.clause.operator].family
            for value in atom.clause.values:
                if family.has_variables:
                    tokens = substitute(value, self.context, atom.version, self.multivalued)
                else:
                    tokens = (value,)
                if tokens is not None:
                    found.setdefault(family, []).append((atom, tokens))
        return found


@dataclass(frozen=True, slots=True)
class SingleValues:
    """Single values of a key, and what they answer without set operators."""

    named: tuple[str, ...]
    """Those that policies name."""
    others: tuple[str, ...]
    possible: tuple[Answers, ...] = ()
    """Answers that no value was found for, and that can't be ruled out."""
    complete: bool = True
    answers: Mapping[str, Answers] = field(default_factory=dict)
    """What some of the others answer, where that is known already."""


def single_values(question: Question, domain: Domain) -> SingleValues:
    """Values of every kind that the atoms, asked without set operators, tell apart.

    Parameters
    ----------
    question
        Atoms without set operators.
    domain
        What is known of the key.

    Examples
    --------
    >>> like = Atom(Clause("StringLike", "k", ("1*",)), "2012-10-17")
    >>> less = Atom(Clause("NumericLessThan", "k", ("12",)), "2012-10-17")
    >>> found = single_values(Question("k", (like, less), {}, frozenset()), Domain())
    >>> "12" in found.others, "1" in found.others
    (True, True)
    """
    patterns = question.patterns()
    if len(patterns) == 1:
        (family,) = patterns
        unknown = domain.values is Values.TEXT or domain.values is TYPE_OF_FAMILY.get(family)
        if family in SWEPT and unknown and not domain.patterns and not domain.excluded:
            return _on_a_line(question, family, domain)
    typed = [
        (family, text_of(tokens)) for family in _TYPED for _, tokens in patterns.get(family, ())
    ]
    texts = _texts(patterns, domain)
    named = tuple(value for value in texts.named if is_in(value, domain))
    proposed = typed_values(typed, domain.values)
    if not proposed:
        others = tuple(value for value in texts.others.values() if is_in(value, domain))
        return SingleValues(named, others, complete=texts.complete)
    # Of each typed kind there are several texts: one that no pattern names stands for them.
    again = [f" {value}" for value in proposed if value in texts.named]
    values = dict.fromkeys((*proposed, *again, *texts.others.values()))
    others = tuple(v for v in values if v not in texts.named and is_in(v, domain))
    search = _Search(question, texts, typed, domain)
    more, possible = search.together(others, proposed)
    return SingleValues(named, (*others, *more), possible, texts.complete)


def _on_a_line(question: Question, family: Family, domain: Domain) -> SingleValues:
    """The values of a key that is compared by the operators of one family alone."""
    atoms = question.atoms

    def asked(number: int, text: str) -> bool:
        atom = atoms[number]
        return holds(atom.clause, {question.key: (text,)}, question.multivalued, atom.version)

    # An atom of another family has no values here: it answers alike everywhere.
    values = [
        atom.clause.values if OPERATORS[atom.clause.operator].family is family else ()
        for atom in atoms
    ]
    by_row: dict[int, str] = {}
    for stretch, row in swept(family, values, asked):
        by_row.setdefault(row, stretch.text)
    width = len(atoms)
    answers = {
        text: tuple([bit == "1" for bit in reversed(format(row, f"0{width}b"))])
        for row, text in by_row.items()
    }
    if domain.values is Values.TEXT:
        answers[NO_TYPE] = question.answers((NO_TYPE,))
    return SingleValues((), tuple(answers), answers=answers)


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


@dataclass(frozen=True, slots=True)
class _Texts:
    """The kinds of text that policies tell apart."""

    named: Mapping[str, None]
    machines: tuple[Machine, ...]
    others: Mapping[int, str]
    """A bit for each machine that accepts → a text of that kind that is not named."""
    complete: bool


def text_machines(
    patterns: Mapping[Family, Sequence[tuple[Atom, tuple[Token, ...]]]], domain: Domain
) -> tuple[dict[str, None], dict[Machine, None]]:
    """The texts that policies name, and the machines of their patterns and of the domain.

    Parameters
    ----------
    patterns
        As `Question.patterns` finds them.
    domain
        What is known of the key.
    """
    named: dict[str, None] = {}
    for _, tokens in patterns.get(Family.BINARY, ()):
        named |= dict.fromkeys(binaries(text_of(tokens)))
    machines: dict[Machine, None] = {}
    for family in _TEXTUAL:
        for atom, tokens in patterns.get(family, ()):
            machine = _machine(atom.clause.operator, tokens)
            if machine is None:
                named[text_of(tokens)] = None
            else:
                machines[machine] = None
    for pattern in domain.patterns:
        machines[pattern_machine(tokens_of(pattern))] = None
    named |= dict.fromkeys(domain.excluded)
    if domain.values is Values.ARN or Family.ARN in patterns:
        # An ARN that no pattern names: what is none is no match for a negated operator either.
        machines[ANY_ARN] = None
    return named, machines


def _texts(
    patterns: Mapping[Family, Sequence[tuple[Atom, tuple[Token, ...]]]], domain: Domain
) -> _Texts:
    named, machines = text_machines(patterns, domain)
    if not machines:
        return _Texts(named, (), {0: fresh(named)}, True)
    told: dict[Machine, None] = {}
    while True:
        every = (*machines, *told)
        found, complete = kinds_of_text(every, _TEXT_LIMIT)
        # A kind whose shortest text is named may hold other texts: tell them apart.
        met = {literal_machine(text): None for text in found.values() if text in named}
        if not complete or not met.keys() - told.keys():
            others = {mask: text for mask, text in found.items() if text not in named}
            return _Texts(named, every, others, complete)
        told |= met


def _machine(operator: str, tokens: tuple[Token, ...]) -> Machine | None:
    """What accepts the texts that a value matches; None where it is one text alone."""
    plain = all(isinstance(token, str) for token in tokens)
    if operator == "Resource":
        return resource_machine(tokens)
    if operator.startswith("Arn"):
        return None if plain else arn_machine(tokens)
    if operator.endswith("IgnoreCase"):
        return literal_machine(text_of(tokens), fold=True)
    return pattern_machine(tokens) if operator.endswith("Like") and not plain else None


@dataclass(frozen=True, slots=True)
class _Cell:
    """Texts of one typed kind: all that one of some machines accepts, and none of others."""

    answers: Answers
    machines: tuple[TextMachine | None, ...]
    """One of them accepts; None: no other asks for it."""
    without: tuple[TextMachine, ...]
    exact: bool
    """Whether the machines accept all texts of the kind."""


class _Search:
    """The search for texts of a kind of text and of a typed kind together."""

    def __init__(
        self,
        question: Question,
        texts: _Texts,
        typed: Sequence[tuple[Family, str]],
        domain: Domain,
    ) -> None:
        self._question = question
        self._texts = texts
        self._domain = domain
        self._left = _SEARCH_LIMIT
        self._typed = [OPERATORS[atom.clause.operator].family in _TYPED for atom in question.atoms]
        self._values: dict[Family, list[str]] = {}
        for family in _TYPED:
            own = [text for each, text in typed if each is family]
            if own or domain.values is TYPE_OF_FAMILY[family]:
                self._values[family] = own

    def together(
        self, values: Iterable[str], proposed: Iterable[str]
    ) -> tuple[tuple[str, ...], tuple[Answers, ...]]:
        """Texts of two kinds that were not found yet, and answers that remain possible.

        Parameters
        ----------
        values
            What was found so far.
        proposed
            A text of each typed kind.
        """
        found = {self._question.answers((value,)) for value in values}
        texts: dict[Answers, list[int]] = {}
        for mask, text in self._kinds_of_text():
            answers = self._question.answers((text,))
            texts.setdefault(self._of_text(answers), []).append(mask)
        cells: dict[Answers, list[_Cell]] = {}
        for cell in self._cells(proposed):
            cells.setdefault(self._of_type(cell.answers), []).append(cell)
        more: list[str] = []
        possible: list[Answers] = []
        for (of_text, masks), (of_type, alike) in product(texts.items(), cells.items()):
            textual, typed = iter(of_text), iter(of_type)
            target = tuple([next(typed if each else textual) for each in self._typed])
            if target in found:
                continue
            value, whole = self._value(target, product(masks, alike))
            if value is not None:
                more.append(value)
            elif not whole:
                possible.append(target)
        return tuple(more), tuple(sorted(possible))

    def _kinds_of_text(self) -> list[tuple[int, str]]:
        # A text of the right kind need not be of the key's type to show that the kind is there.
        any_type = replace(self._domain, values=Values.TEXT)
        return [(m, text) for m, text in self._texts.others.items() if is_in(text, any_type)]

    def _value(
        self, target: Answers, places: Iterable[tuple[int, _Cell]]
    ) -> tuple[str | None, bool]:
        """A text that answers so, and whether there is none if none was found."""
        whole = self._texts.complete
        for mask, cell in places:
            if self._left <= 0:
                return None, False
            for machine in cell.machines:
                text, complete = self._text(mask, machine, cell, target)
                if text is not None:
                    return text, True
                whole = whole and complete
            whole = whole and cell.exact
        return None, whole

    def _text(
        self, mask: int, machine: TextMachine | None, cell: _Cell, target: Answers
    ) -> tuple[str | None, bool]:
        """A text of both that no policy names and that answers so."""
        wanted = [] if machine is None else [machine]
        unwanted = list(cell.without)
        for number, each in enumerate(self._texts.machines):
            (wanted if mask >> number & 1 else unwanted).append(PatternMachine(each))
        for _ in range(len(self._texts.named) + _MOST_TRIED):
            text, complete, walked = find_text(wanted, unwanted, self._left)
            self._left -= walked
            if text is None:
                return None, complete
            known = text in self._texts.named or not is_in(text, self._domain)
            if not known and self._question.answers((text,)) == target:
                return text, True
            unwanted.append(PatternMachine(literal_machine(text)))
        return None, False

    def _cells(self, proposed: Iterable[str]) -> list[_Cell]:
        """A cell for each typed kind."""
        found: list[_Cell] = []
        # A number can be a date too: what is one of both is not told apart here.
        exact = not {Family.NUMERIC, Family.DATE} <= self._values.keys()
        for family, own in self._values.items():
            if family is Family.BOOLEAN:
                found += [
                    self._cell(word, (BooleanMachine(word, exact=self._is(family)),), exact=exact)
                    for word in ("true", "false")
                ]
                continue
            for stretch in stretches(family, own):
                machines = self._machines(family, stretch)
                found.append(self._cell(stretch.text, machines, exact=exact))
        if self._domain.values is Values.TEXT:
            none = [machine for family in self._values for machine in self._any(family)]
            found.append(self._cell(NO_TYPE, (None,), without=tuple(none), exact=True))
        told = {self._of_type(cell.answers) for cell in found}
        for text in proposed:
            cell = self._cell(text, (), exact=False)
            if is_in(text, self._domain) and self._of_type(cell.answers) not in told:
                found.append(cell)
        return found

    def _of_type(self, answers: Answers) -> Answers:
        return tuple(a for a, typed in zip(answers, self._typed, strict=True) if typed)

    def _of_text(self, answers: Answers) -> Answers:
        return tuple(a for a, typed in zip(answers, self._typed, strict=True) if not typed)

    def _cell(
        self,
        text: str,
        machines: tuple[TextMachine | None, ...],
        *,
        without: tuple[TextMachine, ...] = (),
        exact: bool,
    ) -> _Cell:
        return _Cell(self._question.answers((text,)), machines, without, exact)

    def _is(self, family: Family) -> bool:
        """Whether the key's values are of the family's type: then they are written plainly."""
        return self._domain.values is TYPE_OF_FAMILY[family]

    def _machines(self, family: Family, stretch: Stretch) -> tuple[TextMachine, ...]:
        padded = not self._is(family)
        if family is Family.NUMERIC:
            return (NumberMachine(stretch.low, stretch.high, padded=padded),)
        if family is Family.DATE:
            bounds = stretch.low, stretch.high
            apart = [DateMachine(*bounds, dashes=dashes) for dashes in (True, False)]
            # As AWS writes it, or else in any other way that may be a date.
            return (InstantMachine(*bounds), *apart, NumberMachine(*bounds, padded=padded))
        low, high = int(stretch.low or 0), int(stretch.high or 0)
        if stretch.version == 4:
            return (VersionFourMachine(low, high, padded=padded),)
        return version_six_machines(low, high, padded=padded)

    def _any(self, family: Family) -> tuple[TextMachine, ...]:
        """What accepts all that is of a type."""
        if family is Family.BOOLEAN:
            return (BooleanMachine("true", "false"),)
        if family is Family.IP_ADDRESS:
            return tuple(m for each in stretches(family, ()) for m in self._machines(family, each))
        return (NumberMachine(None, None),) if family is Family.NUMERIC else ()
