"""The values of a key that others are compared with: `ses:FromAddress` like `${aws:username}@*`.

Such a key has no finite kinds by itself. But of two values that every machine reads to the same
end, and that hold a letter which no policy names, one will do for the other: where the one stands
in the text of another key, the other can stand. What is left are values of which each letter is one
that a policy writes, and of these there are few. So the values are enough, provided that no other
comparison lets the value stand at a second place of the same text, where the two could overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from ses_audit.policy.domains import ANY_VALUE, Domain, Values
from ses_audit.policy.formula import Atom
from ses_audit.policy.kinds import Kind, kinds_of_key
from ses_audit.policy.linked_words import Reader, generic_words, pinned_words
from ses_audit.policy.machines import (
    Joined,
    Machine,
    kinds_of_text,
    literal_machine,
    pattern_machine,
)
from ses_audit.policy.operators import OPERATORS, Family, holds
from ses_audit.policy.single_values import ANY_ARN, Question, is_in, text_machines
from ses_audit.policy.text_search import PatternMachine, find_text
from ses_audit.policy.variables import Variable, part_for_variable, parts_of
from ses_audit.policy.wildcards import ANY, STAR, Token, tokens_of

__all__ = ["Link", "linked_kinds"]

_TEXTUAL = (Family.STRING, Family.ARN, Family.NULL)
_SEARCH_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Link:
    """A key that others are compared with, and all that bears on it.

    Parameters
    ----------
    key
        In lower case.
    own
        The atoms on it that turn on no key that is not decided.
    linked
        The atoms that compare it with another key.
    atoms
        All atoms that are not decided.
    context
        The keys decided so far.
    undecided
        The others, this one among them.
    domains
        What is known of the keys.
    multivalued
        Keys that carry sets.
    """

    key: str
    own: tuple[Atom, ...]
    linked: tuple[Atom, ...]
    atoms: tuple[Atom, ...]
    context: Mapping[str, tuple[str, ...]]
    undecided: frozenset[str]
    domains: Mapping[str, Domain]
    multivalued: frozenset[str]

    def domain(self, key: str) -> Domain:
        """What is known of a key."""
        return self.domains.get(key, ANY_VALUE)

    def on(self, key: str) -> tuple[Atom, ...]:
        """The atoms on a key that refer to no key that is not decided."""
        return tuple(a for a in self.atoms if a.key == key and not a.needs & self.undecided)

    def is_textual(self, key: str) -> bool:
        """Whether a key holds text, and is compared as text alone."""
        return self.domain(key).values in (Values.TEXT, Values.ARN) and all(
            OPERATORS[atom.clause.operator].family in _TEXTUAL
            and atom.clause.operator != "Resource"
            for atom in self.atoms
            if atom.key == key
        )

    def elements(self, key: str) -> int:
        """How many texts a key has to hold at most, to say all that any number of them says.

        Of a set each clause asks for one text that meets it, or for one that does not.
        """
        asked = {a for a in self.atoms if a.key == key and a.clause.set_operator is not None}
        return len(asked) + 1


def linked_kinds(link: Link, kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """The kinds of a key that others are compared with.

    Parameters
    ----------
    link
        The key.
    kinds
        Its kinds by its own atoms, each value that a policy names apart.

    Returns
    -------
    tuple of Kind
        More of them; all are `alone` where no other value of the key could tell more.
    """
    texts, complete = _texts(link)
    domain = link.domain(link.key)
    if not complete:
        texts = dict.fromkeys((*texts, *_proposed(link)))
    known = {kind.values for kind in kinds if kind.real}
    added = [
        Kind((text,), _answers(link, text), alone=True)
        for text in texts
        if (text,) not in known and is_in(text, domain)
    ]
    found = (*kinds, *added)
    return tuple(replace(k, alone=True) if k.real else k for k in found) if complete else found


def _answers(link: Link, text: str) -> tuple[bool, ...]:
    context = {**link.context, link.key: (text,)}
    return tuple(holds(atom.clause, context, link.multivalued, atom.version) for atom in link.own)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the key's value stands in a value that another key is compared with."""

    key: str
    before: tuple[Token, ...]
    after: tuple[Token, ...]
    fold: bool
    """Whether case does not count."""
    arn: bool
    others: frozenset[str]
    """The other keys that stand in it and are not decided."""


def _texts(link: Link) -> tuple[dict[str, None], bool]:
    """Values that tell all apart that any value does, and whether they are enough."""
    readers, complete = _readers(link)
    fold = any(reader.fold for reader in readers)
    arn = any(ANY_ARN in reader.machines for reader in readers)
    own = _machines(link, link.key, arn=arn)
    generic, whole = generic_words(Joined(own), readers)
    pinned, all_pinned = pinned_words(own, readers)
    words = dict.fromkeys((*generic, *pinned))
    if fold:
        words |= dict.fromkeys(text for word in pinned for text in _spellings(own, word))
    complete = complete and link.is_textual(link.key) and link.elements(link.key) == 1
    return words, complete and whole and all_pinned


def _readers(link: Link) -> tuple[list[Reader], bool]:
    """The keys in whose texts the value stands, and whether they are understood altogether."""
    found: list[Reader] = []
    seen = {link.key}
    complete = True
    waiting = [link]
    for each in waiting:
        places, plain = _places(each)
        complete = complete and plain and len({place.fold for place in places}) <= 1
        for key in dict.fromkeys(place.key for place in places):
            own = [place for place in places if place.key == key]
            complete = (
                complete
                and key not in seen
                and link.is_textual(key)
                and _at_one_place(own)
                and not any(_is_tied(each, atom, key) for atom in link.atoms)
            )
            if key in seen:
                continue
            seen.add(key)
            # Within what stands within another text the value may begin anywhere.
            before = [place.before if each is link else (STAR,) for place in own]
            found.append(
                Reader(
                    _machines(link, key, arn=any(place.arn for place in own), named=True),
                    [pattern_machine(tokens, fold=own[0].fold) for tokens in before],
                    fold=own[0].fold,
                    elements=link.elements(key),
                )
            )
            refer = tuple(atom for atom in link.atoms if key in atom.needs)
            if refer:
                complete = complete and not own[0].fold and link.elements(key) == 1
                waiting.append(replace(link, key=key, linked=refer))
    return found, complete and len({reader.fold for reader in found}) <= 1


def _is_tied(link: Link, atom: Atom, key: str) -> bool:
    """Whether an atom compares another key with one that is neither decided nor looked at."""
    return atom.key == key and atom not in link.linked and bool(atom.needs & link.undecided)


def _machines(link: Link, key: str, *, arn: bool, named: bool = False) -> list[Machine]:
    """What a key's own atoms and its domain compare its text with."""
    question = Question(key, link.on(key), link.context, link.multivalued).alone()
    texts, machines = text_machines(question.patterns(), link.domain(key))
    found = [*machines]
    if named:
        known = link.context.get(key, ())
        found += map(literal_machine, dict.fromkeys((*texts, *known)))
        # Where the value of a third key stands too, anything may stand.
        for atom in link.atoms:
            if atom.key == key and atom not in link.linked and atom.needs & link.undecided:
                parts = (_parts(link, atom, value)[0] for value in atom.clause.values)
                found += (pattern_machine([p for p in each if p is not None]) for each in parts)
    return [*found, ANY_ARN] if arn and ANY_ARN not in machines else found


def _spellings(own: Sequence[Machine], word: str) -> list[str]:
    """A spelling of a word of each kind that the key's own atoms tell apart."""
    machines = [*own, literal_machine(word, fold=True)]
    found, _ = kinds_of_text(machines, _SEARCH_LIMIT)
    return [text for mask, text in found.items() if mask >> len(own) & 1]


def _places(link: Link) -> tuple[list[_Place], bool]:
    """Each place of the key in a value of another's, and whether all are plain."""
    found: dict[_Place, None] = {}
    plain = True
    for atom in link.linked:
        operator = atom.clause.operator
        family = OPERATORS[operator].family
        if atom.key == link.key or family not in (Family.STRING, Family.ARN):
            return list(found), False
        plain = plain and operator != "Resource"
        for value in atom.clause.values:
            parts, others = _parts(link, atom, value)
            marks = [number for number, part in enumerate(parts) if part is None]
            plain = plain and (len(marks) == 1 or not (marks or others))
            if marks:
                place = _Place(
                    atom.key,
                    tuple(part for part in parts[: marks[0]] if part is not None),
                    tuple(part for part in parts[marks[0] + 1 :] if part is not None),
                    operator.endswith("IgnoreCase"),
                    family is Family.ARN,
                    others,
                )
                found[place] = None
    return list(found), plain


def _parts(link: Link, atom: Atom, value: str) -> tuple[list[Token | None], frozenset[str]]:
    """A value's tokens, None where the key stands; `*` stands for another that is not decided."""
    wild = OPERATORS[atom.clause.operator].family is Family.ARN or atom.clause.operator.endswith(
        "Like"
    )
    found: list[Token | None] = []
    others: set[str] = set()
    for part in parts_of(value):
        if isinstance(part, str):
            found += tokens_of(part) if wild else (part,)
        elif not isinstance(part, Variable):
            found.append(part[0])
        elif part.key == link.key:
            found.append(None)
        elif part.key in link.undecided:
            others.add(part.key)
            found.append(STAR)
        else:
            values = link.context.get(part.key)
            if values is not None and (len(values) > 1 or part.key in link.multivalued):
                return [], frozenset()
            text = values[0] if values else part.default
            if text is None:
                return [], frozenset()
            found.append(text)
    return found, frozenset(others)


def _at_one_place(places: Sequence[_Place]) -> bool:
    """Whether the key's value stands at one place of a text, whatever of these the text matches."""
    if any(place.others for place in places):
        return len(places) == 1
    return all(_together(one, other) for one, other in combinations(places, 2))


def _together(one: _Place, other: _Place) -> bool:
    """Whether a text that matches both has the value at one place for both."""
    for mine, its in ((one.before, other.before), (one.after, other.after)):
        length = _length(mine)
        if length is not None and length == _length(its):
            return True
    return _within(one, other) or _within(other, one)


def _length(tokens: Sequence[Token]) -> int | None:
    """How many characters tokens match; None where that is not settled."""
    if STAR in tokens:
        return None
    return sum(1 if token is ANY else len(str(token)) for token in tokens)


def _within(inner: _Place, outer: _Place) -> bool:
    """Whether what matches the one matches the other at the same place."""
    if inner.arn or outer.arn:
        return False
    return all(
        find_text(
            [PatternMachine(pattern_machine(mine))],
            [PatternMachine(pattern_machine(its))],
            _SEARCH_LIMIT,
        )[:2]
        == (None, True)
        for mine, its in ((inner.before, outer.before), (inner.after, outer.after))
    )


def _proposed(link: Link) -> dict[str, None]:
    """Values that the other key is compared with or may hold, tried here as well."""
    others = {name for atom in link.linked for name in (atom.key, *atom.needs)} - {link.key}
    found: dict[str, None] = {"value": None, "another": None}
    for atom in link.atoms:
        if atom.key in others:
            for value in atom.clause.values:
                if "${" not in value:
                    found[value] = None
                    found[value.replace("*", "").replace("?", "x")] = None
    for name in sorted(others):
        for value in link.context.get(name) or _possible(link, name):
            found[value] = None
            for atom in link.linked:
                for pattern in atom.clause.values:
                    part = part_for_variable(pattern, link.key, value)
                    if part is not None:
                        found[part] = None
    found.pop("", None)
    return found


def _possible(link: Link, name: str) -> list[str]:
    """Values that a key not decided yet may take, by what refers to no other key."""
    if name not in link.undecided:
        return []
    atoms = tuple(atom for atom in link.atoms if atom.key == name and not atom.needs)
    kinds, _ = kinds_of_key(name, atoms, link.context, link.multivalued, link.domain(name))
    return [value for kind in kinds for value in kind.values or ()]
