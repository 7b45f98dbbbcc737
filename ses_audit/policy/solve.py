"""Decide a formula over open keys: for all values, for some, or for none; with witnesses.

Keys are taken one after another; of each only the kinds of values that the formula's clauses tell
apart are tried, and what was tried in vain is not tried again. A budget bounds the search; past it
the answer is CONDITIONAL and unproven.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from ses_audit.policy.conditions import Conditions, remaining
from ses_audit.policy.domains import ANY_VALUE, TYPES, Domain, Values
from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    atoms_of,
    conjunction,
    disjunction,
    negate,
)
from ses_audit.policy.kinds import Kind, is_in, kinds_of_key
from ses_audit.policy.operators import OPERATORS, Family, holds
from ses_audit.policy.relax import relaxed
from ses_audit.policy.typed_values import TYPE_OF_FAMILY
from ses_audit.policy.types import Clause, Context, Verdict
from ses_audit.policy.variables import part_for_variable, variables_in

__all__ = ["BUDGET", "Domains", "OpenResult", "decide", "forget", "never_holds", "satisfy"]

BUDGET = 20_000
"""How many combinations of kinds one search may try."""

_CACHE_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Domains:
    """What is known of the keys of a request.

    Parameters
    ----------
    known
        Keys in lower case with fixed values.
    absent
        Keys in lower case that are certainly not there.
    open
        Keys in lower case with what is known of their values; any other key is open without
        restriction.
    multivalued
        Keys in lower case that carry sets.
    """

    known: tuple[tuple[str, tuple[str, ...]], ...] = ()
    absent: frozenset[str] = frozenset()
    open: tuple[tuple[str, Domain], ...] = ()
    multivalued: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OpenResult:
    """The answer to an open question.

    `witness` holds the open keys of one context that is allowed, `counter_witness` of one that is
    refused; a key that is not in it is absent. `proven` is False where the budget ran out.
    """

    verdict: Verdict
    proven: bool = True
    conditions: Conditions | None = None
    witness: Context | None = None
    counter_witness: Context | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """The outcome of a search for one context in which a formula holds.

    `complete` is False where not all was tried; `bounded` says that a limit of work was met.
    """

    found: dict[str, tuple[str, ...]] | None
    complete: bool
    bounded: bool = False


_decided: dict[tuple[Formula, Domains], OpenResult] = {}
_never: dict[tuple[Formula, Domains], bool] = {}


def forget() -> None:
    """Drop what was decided before: a benchmark measures deciding."""
    _decided.clear()
    _never.clear()


def never_holds(formula: Formula, domains: Domains) -> bool:
    """Whether a formula holds in no context: `decide` without saying what remains.

    Examples
    --------
    >>> from ses_audit.policy.types import Clause
    >>> two = [Formula.of(Atom(Clause("StringEquals", "k", (v,)), "2012-10-17")) for v in "ab"]
    >>> never_holds(conjunction(*two), Domains()), never_holds(disjunction(*two), Domains())
    (True, False)
    """
    if formula is TRUE or formula is FALSE:
        return formula is FALSE
    key = (formula, domains)
    if key in _decided:
        return _decided[key].verdict is Verdict.DENIED
    if key not in _never:
        if len(_never) >= _CACHE_LIMIT:
            _never.clear()
        _never[key] = satisfy(formula, _with_types(formula, domains)) == Search(None, True)
    return _never[key]


def decide(formula: Formula, domains: Domains, *, budget: int = BUDGET) -> OpenResult:
    """Decide a formula whatever the open keys are.

    Parameters
    ----------
    formula
        When the request is allowed.
    domains
        What is known of the keys.
    budget
        How many combinations may be tried.

    Examples
    --------
    >>> decide(TRUE, Domains()).verdict
    <Verdict.ALLOWED: 'ALLOWED'>
    """
    if formula is TRUE:
        return OpenResult(Verdict.ALLOWED, witness={})
    if formula is FALSE:
        return OpenResult(Verdict.DENIED, counter_witness={})
    key = (formula, domains)
    if budget == BUDGET and key in _decided:
        return _decided[key]
    domains = _with_types(formula, domains)
    holds = satisfy(formula, domains, budget)
    fails = satisfy(negate(formula), domains, budget)
    if holds.found is None and holds.complete:
        result = OpenResult(Verdict.DENIED, counter_witness=fails.found)
    elif fails.found is None and fails.complete:
        result = OpenResult(Verdict.ALLOWED, witness=holds.found)
    else:
        # What takes too much work once is not asked again for each part: it is shown as it is.
        bounded = holds.bounded or fails.bounded
        result = OpenResult(
            Verdict.CONDITIONAL,
            proven=holds.found is not None and fails.found is not None,
            conditions=remaining(
                formula,
                lambda part: not bounded and _impossible(part, domains),
                _has_opposite(domains),
            ),
            witness=holds.found,
            counter_witness=fails.found,
        )
    if budget == BUDGET:
        if len(_decided) >= _CACHE_LIMIT:
            _decided.clear()
        _decided[key] = result
    return result


def _with_types(formula: Formula, domains: Domains) -> Domains:
    """What the whole formula says of its keys: their types, and which may be sets.

    A key that is only ever compared as an address holds addresses: that it might hold other text
    is no reason to call a condition one that could be met. One that AWS gives a type has that.
    """
    families: dict[str, set[Family]] = {}
    sets: set[str] = set()
    for atom in atoms_of(formula):
        key = atom.clause.key.lower()
        families.setdefault(key, set()).add(OPERATORS[atom.clause.operator].family)
        if atom.clause.set_operator is not None:
            sets.add(key)
    open_keys = dict(domains.open)
    settled = {key for key, _ in domains.known} | domains.absent
    for key in families.keys() - settled:
        domain = replace(open_keys.get(key, ANY_VALUE), may_be_set=key in sets)
        found = families[key] - {Family.NULL}
        unknown = domain.values is Values.TEXT and not domain.patterns and not domain.excluded
        if unknown and not _is_resource(key):
            values = TYPES.get(key)
            if values is None and len(found) == 1:
                values = TYPE_OF_FAMILY.get(next(iter(found)))
            domain = domain if values is None else replace(domain, values=values)
        if domain != ANY_VALUE:
            open_keys[key] = domain
    return replace(domains, open=tuple(sorted(open_keys.items(), key=lambda item: item[0])))


def _is_resource(key: str) -> bool:
    """Whether a key stands for a request's resource, whose name is any text."""
    return key.startswith("(")


def _has_opposite(domains: Domains) -> Callable[[Clause], bool]:
    """Whether a clause fails exactly where its operator's opposite holds.

    It does where the key holds one value, of the operator's type.
    """
    sets = {key for key, domain in domains.open if domain.multivalued or domain.may_be_set}
    sets |= domains.multivalued
    types = {key: domain.values for key, domain in domains.open}

    def has_opposite(clause: Clause) -> bool:
        key, family = clause.key.lower(), OPERATORS[clause.operator].family
        typed = family is Family.STRING or types.get(key) is TYPE_OF_FAMILY.get(family)
        return typed and key not in sets

    return has_opposite


def _impossible(formula: Formula, domains: Domains) -> bool:
    found = satisfy(formula, domains, BUDGET // 10)
    return found.found is None and found.complete


def satisfy(formula: Formula, domains: Domains, budget: int = BUDGET) -> Search:
    """Look for values of the open keys with which a formula holds.

    Examples
    --------
    >>> from ses_audit.policy.types import Clause
    >>> near = Formula.of(Atom(Clause("StringLike", "k", ("a?",)), "2012-10-17"))
    >>> not_ab = Formula.of(Atom(Clause("StringNotEquals", "k", ("ab",)), "2012-10-17"))
    >>> (value,) = satisfy(conjunction(near, not_ab), Domains()).found["k"]
    >>> len(value), value[0], value != "ab"
    (2, 'a', True)
    """
    if formula is FALSE:
        return Search(None, True)
    found = _Solver(formula, domains, budget).search()
    if found.found is None and not found.complete:
        weaker = relaxed(formula)
        if weaker is FALSE or (
            weaker is not TRUE
            and weaker is not formula
            and _Solver(weaker, domains, budget).search() == Search(None, True)
        ):
            return Search(None, True)
    return found


class _Solver:
    """A search over the open keys, one after another, over the kinds of values of each."""

    def __init__(self, formula: Formula, domains: Domains, budget: int) -> None:
        self._known = dict(domains.known)
        self._domains = dict(domains.open)
        self._multivalued = domains.multivalued
        self._budget = budget
        self._complete = True
        self._bounded = False
        self._kinds: dict[object, tuple[tuple[Kind, ...], bool]] = {}
        self._failed: set[object] = set()
        self._keys: dict[Atom, str] = {}
        self._needs: dict[Atom, frozenset[str]] = {}
        settled: dict[Atom, bool] = {}
        for atom in atoms_of(formula):
            key = atom.clause.key.lower()
            self._keys[atom] = key
            self._needs[atom] = frozenset(
                variable.key
                for value in atom.clause.values
                for variable in variables_in(value, atom.version)
                if variable.key not in self._known and variable.key not in domains.absent
            )
            if key in domains.absent or (key in self._known and not self._needs[atom]):
                # Of a key that is absent no value is compared, whatever the variables are.
                settled[atom] = self._holds(atom, {})
        self._formula = _assign(formula, settled)
        self._atoms = self._formula.atoms
        self._order = self._key_order()
        places = {key: place for place, key in enumerate(self._order)}
        self._last = {
            atom: max(places[key] for key in {self._keys[atom], *self._needs[atom]} & places.keys())
            for atom in self._atoms
        }
        """Where the last of the keys is decided on which an atom turns."""

    def _key_order(self) -> list[str]:
        """The open keys: those that others' values refer to first, then those of few atoms."""
        count: dict[str, int] = {}
        before: dict[str, set[str]] = {}
        for atom in self._atoms:
            key = self._keys[atom]
            if key not in self._known:
                count[key] = count.get(key, 0) + 1 + len(self._needs[atom])
                before.setdefault(key, set()).update(self._needs[atom])
            for need in self._needs[atom]:
                count.setdefault(need, 0)
        order: list[str] = []
        waiting = sorted(count, key=lambda key: (count[key], key))
        while waiting:
            free = (key for key in waiting if not before.get(key, set()) & {*waiting} - {key})
            # Keys that refer to each other in a ring have no first: any will do.
            chosen = next(free, waiting[0])
            waiting.remove(chosen)
            order.append(chosen)
        return order

    def _holds(self, atom: Atom, chosen: Mapping[str, tuple[str, ...]]) -> bool:
        return holds(atom.clause, {**self._known, **chosen}, self._multivalued, atom.version)

    def search(self) -> Search:
        found = self._branch(self._formula, 0, {})
        return Search(found, self._complete, self._bounded)

    def _branch(
        self, formula: Formula, place: int, chosen: dict[str, tuple[str, ...]]
    ) -> dict[str, tuple[str, ...]] | None:
        if formula is FALSE:
            return None
        if formula is TRUE:
            return chosen
        key = self._order[place]
        atoms = formula.atoms
        due = tuple(atom for atom in atoms if self._last[atom] == place)
        own = tuple(atom for atom in due if self._keys[atom] == key)
        other = tuple(atom for atom in due if self._keys[atom] != key)
        later = tuple(
            atom
            for atom in atoms
            if self._last[atom] > place and key in (self._keys[atom], *self._needs[atom])
        )
        if not due and not later:
            return self._branch(formula, place + 1, chosen)
        turns_on = {name for atom in atoms for name in (self._keys[atom], *self._needs[atom])}
        state = (place, formula, tuple((k, v) for k, v in chosen.items() if k in turns_on))
        if state in self._failed:
            return None
        linked = bool(other or later)
        for kind in self._kinds_of(key, own, (*other, *later), chosen):
            self._budget -= 1
            if self._budget < 0:
                self._complete = False
                self._bounded = True
                return None
            following = chosen if kind.values is None else {**chosen, key: kind.values}
            answers = dict(zip(own, kind.answers, strict=True))
            if kind.real:
                answers |= {atom: self._holds(atom, following) for atom in other}
            rest = _assign(formula, answers)
            if rest is FALSE:
                continue
            found = self._branch(rest, place + 1, following) if kind.real or not linked else chosen
            if found is not None and kind.real:
                return found
            if found is not None or (linked and not kind.alone):
                # No value of the kind was found; or another value of the kind might be compared
                # with other keys to another result.
                self._complete = False
        if self._budget >= 0:
            self._failed.add(state)
        return None

    def _kinds_of(
        self,
        key: str,
        own: tuple[Atom, ...],
        linked: tuple[Atom, ...],
        chosen: dict[str, tuple[str, ...]],
    ) -> tuple[Kind, ...]:
        referred = {name for atom in linked for name in (self._keys[atom], *self._needs[atom])}
        referred |= {name for atom in own for name in self._needs[atom]}
        values = tuple((name, chosen.get(name)) for name in sorted(referred))
        cache_key = (key, own, linked, values)
        if cache_key not in self._kinds:
            context: dict[str, tuple[str, ...]] = {**self._known, **chosen}
            kinds, complete = self._kinds_in(key, own, context, apart=bool(linked))
            if linked:
                kinds = (*kinds, *self._linked_kinds(key, own, linked, context))
            self._kinds[cache_key] = (kinds, complete)
        kinds, complete = self._kinds[cache_key]
        self._complete = self._complete and complete
        self._bounded = self._bounded or not complete
        return kinds

    def _kinds_in(
        self,
        key: str,
        atoms: tuple[Atom, ...],
        context: Mapping[str, tuple[str, ...]],
        *,
        apart: bool = False,
    ) -> tuple[tuple[Kind, ...], bool]:
        domain = self._domains.get(key, ANY_VALUE)
        if any("${" in value for atom in atoms for value in atom.clause.values):
            return kinds_of_key(key, atoms, context, self._multivalued, domain, apart=apart)
        return _plain_kinds(key, atoms, key in self._multivalued, domain, apart)

    def _linked_kinds(
        self,
        key: str,
        own: tuple[Atom, ...],
        linked: tuple[Atom, ...],
        context: Mapping[str, tuple[str, ...]],
    ) -> tuple[Kind, ...]:
        """Values that the other key is compared with or may hold, tried here as well."""
        others = {name for atom in linked for name in (self._keys[atom], *self._needs[atom])}
        proposed: dict[str, None] = {"value": None, "another": None}
        for atom in self._atoms:
            if self._keys[atom] in others:
                for value in atom.clause.values:
                    if "${" not in value:
                        proposed[value] = None
                        proposed[value.replace("*", "").replace("?", "x")] = None
        for name in sorted(others - {key}):
            for value in context.get(name) or self._possible(name, context):
                proposed[value] = None
                for atom in linked:
                    for pattern in atom.clause.values:
                        part = part_for_variable(pattern, key, value)
                        if part is not None:
                            proposed[part] = None
        domain = self._domains.get(key, ANY_VALUE)
        return tuple(
            Kind(
                (value,),
                tuple(self._holds(atom, {**context, key: (value,)}) for atom in own),
                alone=True,
            )
            for value in proposed
            if value and is_in(value, domain)
        )

    def _possible(self, name: str, context: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Values that a key not decided yet may take, by what refers to no other key."""
        atoms = tuple(a for a in self._atoms if self._keys[a] == name and not self._needs[a])
        kinds, _ = self._kinds_in(name, atoms, context)
        return [value for kind in kinds for value in kind.values or ()]


@lru_cache(maxsize=16_384)
def _plain_kinds(
    key: str, atoms: tuple[Atom, ...], is_set: bool, domain: Domain, apart: bool
) -> tuple[tuple[Kind, ...], bool]:
    """The kinds of a key whose atoms refer to no other."""
    multivalued = frozenset({key}) if is_set else frozenset()
    return kinds_of_key(key, atoms, {}, multivalued, domain, apart=apart)


def _assign(formula: Formula, answers: Mapping[Atom, bool]) -> Formula:
    """Put answers in the place of atoms."""
    if not answers:
        return formula
    done: dict[Formula, Formula] = {}

    def walk(node: Formula) -> Formula:
        if answers.keys().isdisjoint(node.atoms):
            return node
        if node in done:
            return done[node]
        if node.atom is not None:
            answer = answers.get(node.atom)
            result = node if answer is None else TRUE if answer else FALSE
        elif node.kind == "not":
            result = negate(walk(node.parts[0]))
        elif node.kind == "and":
            result = conjunction(*map(walk, node.parts))
        elif node.kind == "or":
            result = disjunction(*map(walk, node.parts))
        else:
            result = node
        done[node] = result
        return result

    return walk(formula)
