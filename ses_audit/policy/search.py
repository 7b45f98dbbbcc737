"""A search for values of the open keys with which a formula holds.

Keys are taken one after another; of each only the kinds of values that the formula's clauses tell
apart are tried, and what was tried in vain is not tried again. A budget bounds the search.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ses_audit.policy.columns import Columns, divided
from ses_audit.policy.domains import ANY_VALUE, Domain, Domains
from ses_audit.policy.formula import FALSE, TRUE, Atom, Formula, atoms_of, replaced
from ses_audit.policy.kinds import Kind, kinds_of_key
from ses_audit.policy.linked import Link, linked_kinds
from ses_audit.policy.operators import holds

__all__ = ["Search", "Solver", "Table", "Tables"]

Values = dict[str, tuple[str, ...]]

_OF_A_TABLE, _OF_A_LINK = 40, 200
"""What it takes of the budget to find the kinds of a key that others are put into, and the values
of one that is put into others: as many combinations could be tried in that time."""


@dataclass(frozen=True, slots=True)
class Search:
    """The outcome of a search for one context in which a formula holds.

    `complete` is False where not all was tried; `bounded` says that a limit of work was met.
    """

    found: Values | None
    complete: bool
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The kinds of a key, with what each clause answers."""

    kinds: tuple[Kind, ...]
    complete: bool
    columns: Columns


class Tables:
    """The kinds of each key, as far as a whole formula's clauses tell them apart.

    They serve every part of the formula as well, so that they are found once.
    """

    def __init__(self, formula: Formula, domains: Domains) -> None:
        self._domains = dict(domains.open)
        self._multivalued = domains.multivalued
        self._atoms: dict[str, list[Atom]] = {}
        for atom in atoms_of(formula):
            if not atom.needs:
                self._atoms.setdefault(atom.key, []).append(atom)

    def of(self, key: str, atoms: tuple[Atom, ...]) -> Table:
        """The kinds that tell some atoms of the key apart, and maybe others."""
        is_set = key in self._multivalued
        domain = self._domains.get(key, ANY_VALUE)
        whole = tuple(self._atoms.get(key, ()))
        if len(whole) >= len(atoms):
            found = _table(key, whole, is_set, domain)
            if found.complete and found.columns.bits.keys() >= {*atoms}:
                return found
        return _table(key, atoms, is_set, domain)

    def kinds_with(self, formula: Formula) -> tuple[str, int] | None:
        """The key on which alone a formula turns, and a bit for each kind with which it holds.

        None where there is no such key, or where not all of its kinds are known.
        """
        atoms = formula.atoms
        if not atoms or any(atom.key != atoms[0].key or atom.needs for atom in atoms):
            return None
        table = self.of(atoms[0].key, tuple(self._atoms.get(atoms[0].key, ())))
        mask = table.columns.mask(formula) if table.complete else None
        return None if mask is None else (atoms[0].key, mask)


@lru_cache(maxsize=4_096)
def _table(key: str, atoms: tuple[Atom, ...], is_set: bool, domain: Domain) -> Table:
    """The kinds of a key whose atoms refer to no other."""
    multivalued = frozenset({key}) if is_set else frozenset()
    kinds, complete = kinds_of_key(key, atoms, {}, multivalued, domain)
    return Table(kinds, complete, Columns.of(atoms, kinds))


class Solver:
    """A search over the open keys, one after another, over the kinds of values of each.

    Parameters
    ----------
    formula
        What is to hold.
    domains
        What is known of the keys, their types included.
    budget
        How many combinations of kinds may be tried.
    tables
        The kinds of a formula of which this is a part.
    """

    def __init__(self, formula: Formula, domains: Domains, budget: int, tables: Tables) -> None:
        self._known = dict(domains.known)
        self._domains = dict(domains.open)
        self._multivalued = domains.multivalued
        self._budget = budget
        self._tables = tables
        self._complete = True
        self._bounded = False
        self._kinds: dict[object, tuple[tuple[Kind, ...], bool]] = {}
        self._resolved: dict[object, Table] = {}
        self._failed: set[object] = set()
        self._needs: dict[Atom, frozenset[str]] = {}
        settled: dict[Atom, bool] = {}
        for atom in atoms_of(formula):
            needs = atom.needs
            if needs:
                needs = needs - self._known.keys() - domains.absent
            self._needs[atom] = needs
            if atom.key in domains.absent or (atom.key in self._known and not needs):
                # Of a key that is absent no value is compared, whatever the variables are.
                settled[atom] = self._holds(atom, {})
        self._formula = _assign(formula, settled)
        self._order = self._key_order()
        places = {key: place for place, key in enumerate(self._order)}
        self._last = {
            atom: max(places[key] for key in {atom.key, *self._needs[atom]} & places.keys())
            for atom in self._formula.atoms
        }
        """Where the last of the keys is decided on which an atom turns."""

    @property
    def is_linked(self) -> bool:
        """Whether open keys are compared with each other."""
        return any(self._needs[atom] for atom in self._formula.atoms)

    def _key_order(self) -> list[str]:
        """The open keys: those that others' values refer to first, then those of few atoms."""
        count: dict[str, int] = {}
        before: dict[str, set[str]] = {}
        for atom in self._formula.atoms:
            needs = self._needs[atom]
            if atom.key not in self._known:
                count[atom.key] = count.get(atom.key, 0) + 1 + len(needs)
                if needs:
                    before.setdefault(atom.key, set()).update(needs)
            for need in needs:
                count.setdefault(need, 0)
        order: list[str] = []
        waiting = sorted(count, key=lambda key: (count[key], key))
        if not before:
            return waiting
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
        """Look for one context."""
        found = self._branch(self._formula, 0, {})
        return Search(found, self._complete, self._bounded)

    def _branch(self, formula: Formula, place: int, chosen: Values) -> Values | None:
        if formula is FALSE:
            return None
        if formula is TRUE:
            return chosen
        key = self._order[place]
        due = tuple([atom for atom in formula.atoms if self._last[atom] == place])
        own = tuple([atom for atom in due if atom.key == key])
        other = tuple([atom for atom in due if atom.key != key])
        later = tuple(
            [
                atom
                for atom in formula.atoms
                if self._last[atom] > place and (key == atom.key or key in self._needs[atom])
            ]
        )
        if not due and not later:
            return self._branch(formula, place + 1, chosen)
        turns_on = {name for atom in formula.atoms for name in (atom.key, *self._needs[atom])}
        state = (place, formula, tuple((k, v) for k, v in chosen.items() if k in turns_on))
        if state in self._failed:
            return None
        linked = bool(other or later)
        options = (
            self._linked(formula, place, own, (*other, *later), chosen)
            if linked
            else self._divided(formula, key, own, chosen)
        )
        for kind, rest in options:
            self._budget -= 1
            if self._budget < 0:
                self._complete = False
                self._bounded = True
                return None
            if rest is FALSE:
                continue
            following = chosen if kind.values is None else {**chosen, key: kind.values}
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

    def _divided(
        self, formula: Formula, key: str, own: tuple[Atom, ...], chosen: Values
    ) -> Iterator[tuple[Kind, Formula]]:
        """The kinds of a key that the formula tells apart, each with what remains of it."""
        table = self._table(key, own, chosen)
        self._note(table.complete)
        for number, rest in divided(formula, table.columns):
            yield table.kinds[number], rest

    def _table(self, key: str, own: tuple[Atom, ...], chosen: Values) -> Table:
        needs = {name for atom in own for name in atom.needs}
        if not needs:
            return self._tables.of(key, own)
        cache_key = (key, own, tuple((name, chosen.get(name)) for name in sorted(needs)))
        if cache_key not in self._resolved:
            self._budget -= _OF_A_TABLE
            kinds, complete = self._kinds_in(key, own, chosen)
            self._resolved[cache_key] = Table(kinds, complete, Columns.of(own, kinds))
        return self._resolved[cache_key]

    def _linked(
        self,
        formula: Formula,
        place: int,
        own: tuple[Atom, ...],
        linked: tuple[Atom, ...],
        chosen: Values,
    ) -> Iterator[tuple[Kind, Formula]]:
        """The kinds of a key that others are compared with, one by one."""
        key = self._order[place]
        kinds, complete = self._linked_kinds(formula, place, own, linked, chosen)
        self._note(complete)
        due = [atom for atom in linked if self._last[atom] == place]
        for kind in kinds:
            answers = dict(zip(own, kind.answers, strict=True))
            if kind.real:
                following = chosen if kind.values is None else {**chosen, key: kind.values}
                answers |= {atom: self._holds(atom, following) for atom in due}
            yield kind, _assign(formula, answers)

    def _note(self, complete: bool) -> None:
        if not complete:
            self._complete = False
            self._bounded = True

    def _linked_kinds(
        self,
        formula: Formula,
        place: int,
        own: tuple[Atom, ...],
        linked: tuple[Atom, ...],
        chosen: Values,
    ) -> tuple[tuple[Kind, ...], bool]:
        key = self._order[place]
        cache_key = (key, own, linked, formula.atoms, tuple(chosen.items()))
        if cache_key not in self._kinds:
            self._budget -= _OF_A_LINK
            kinds, complete = self._kinds_in(key, own, chosen, apart=True)
            link = Link(
                key,
                own,
                linked,
                formula.atoms,
                {**self._known, **chosen},
                frozenset(self._order[place:]),
                self._domains,
                self._multivalued,
            )
            self._kinds[cache_key] = (linked_kinds(link, kinds), complete)
        return self._kinds[cache_key]

    def _kinds_in(
        self, key: str, atoms: tuple[Atom, ...], chosen: Values, *, apart: bool = False
    ) -> tuple[tuple[Kind, ...], bool]:
        domain = self._domains.get(key, ANY_VALUE)
        context = {**self._known, **chosen}
        kinds, complete = kinds_of_key(key, atoms, context, self._multivalued, domain, apart=apart)
        # What a value says of itself (`${key}` under its own key) is not told apart.
        return kinds, complete and not any(key in atom.needs for atom in atoms)


def _assign(formula: Formula, answers: Mapping[Atom, bool]) -> Formula:
    """Put answers in the place of atoms."""
    return replaced(formula, {a: TRUE if answer else FALSE for a, answer in answers.items()})
