"""Decide a formula over open keys: for all values, for some, or for none; with witnesses.

Keys are taken one after another; of each only the kinds of values that the formula's clauses tell
apart are tried. A budget bounds the search; past it the answer is CONDITIONAL and unproven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ses_audit.policy.conditions import Conditions, remaining
from ses_audit.policy.domains import ANY_VALUE, Domain
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
from ses_audit.policy.kinds import Kind, kinds_of_key
from ses_audit.policy.operators import holds
from ses_audit.policy.relax import relaxed
from ses_audit.policy.types import Context, Verdict
from ses_audit.policy.variables import part_for_variable, variables_in

__all__ = ["BUDGET", "Domains", "OpenResult", "decide", "satisfy"]

BUDGET = 20_000
"""How many combinations of kinds one search may try."""

_CACHE_LIMIT = 100_000


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
    """The outcome of a search for one context in which a formula holds."""

    found: dict[str, tuple[str, ...]] | None
    complete: bool


_decided: dict[tuple[Formula, Domains], OpenResult] = {}


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
    holds = satisfy(formula, domains, budget)
    fails = satisfy(negate(formula), domains, budget)
    if holds.found is None and holds.complete:
        result = OpenResult(Verdict.DENIED, counter_witness=fails.found)
    elif fails.found is None and fails.complete:
        result = OpenResult(Verdict.ALLOWED, witness=holds.found)
    else:
        result = OpenResult(
            Verdict.CONDITIONAL,
            proven=holds.found is not None and fails.found is not None,
            conditions=remaining(formula, lambda f: _impossible(f, domains)),
            witness=holds.found,
            counter_witness=fails.found,
        )
    if budget == BUDGET:
        if len(_decided) >= _CACHE_LIMIT:
            _decided.clear()
        _decided[key] = result
    return result


def _impossible(formula: Formula, domains: Domains) -> bool:
    found = satisfy(formula, domains, BUDGET // 10)
    return found.found is None and found.complete


def satisfy(formula: Formula, domains: Domains, budget: int = BUDGET) -> Search:
    """Look for values of the open keys with which a formula holds."""
    if formula is FALSE:
        return Search(None, True)
    found = _Solver(formula, domains, budget).search()
    if found.found is None and not found.complete:
        weaker = relaxed(formula)
        if weaker is FALSE or (
            weaker is not TRUE and _Solver(weaker, domains, budget).search() == Search(None, True)
        ):
            return Search(None, True)
    return found


class _Solver:
    def __init__(self, formula: Formula, domains: Domains, budget: int) -> None:
        self._formula = formula
        self._known = dict(domains.known)
        self._absent = domains.absent
        self._domains = dict(domains.open)
        self._multivalued = domains.multivalued
        self._budget = budget
        self._complete = True
        self._kinds: dict[object, tuple[tuple[Kind, ...], bool]] = {}
        self._keys: dict[Atom, str] = {}
        self._needs: dict[Atom, frozenset[str]] = {}
        for atom in atoms_of(formula):
            self._keys[atom] = atom.clause.key.lower()
            self._needs[atom] = frozenset(
                variable.key
                for value in atom.clause.values
                for variable in variables_in(value, atom.version)
                if variable.key not in self._known and variable.key not in self._absent
            )
        self._order = self._key_order()

    def _key_order(self) -> list[str]:
        """The open keys, those that other keys' values refer to first."""
        keys = dict.fromkeys(self._keys.values())
        referred: dict[str, None] = {}
        for needs in self._needs.values():
            for key in sorted(needs):
                referred[key] = None
        count: dict[str, int] = {}
        for atom, key in self._keys.items():
            count[key] = count.get(key, 0) + 1 + len(self._needs[atom])
        plain = sorted((key for key in keys if key not in referred), key=lambda k: (count[k], k))
        return [*referred, *plain]

    def search(self) -> Search:
        found = self._branch(self._formula, 0, {}, frozenset())
        return Search(found, self._complete)

    def _branch(
        self,
        formula: Formula,
        position: int,
        chosen: dict[str, tuple[str, ...]],
        gone: frozenset[str],
    ) -> dict[str, tuple[str, ...]] | None:
        if formula is FALSE:
            return None
        if formula is TRUE:
            return chosen
        if position == len(self._order):
            raise AssertionError("a key of the formula was not decided")
        key = self._order[position]
        atoms = tuple(atom for atom in atoms_of(formula) if self._keys[atom] == key)
        linked = [a for a in atoms_of(formula) if key in self._needs[a]]
        if not atoms and not linked:
            return self._branch(formula, position + 1, chosen, gone)
        for kind in self._kinds_of(key, atoms, linked, chosen, gone):
            self._budget -= 1
            if self._budget < 0:
                self._complete = False
                return None
            answers = dict(zip(atoms, kind.answers, strict=True))
            following = _assign(formula, answers)
            if key in self._known:
                found = self._branch(following, position + 1, chosen, gone)
            elif kind.values is None:
                found = self._branch(following, position + 1, chosen, gone | {key})
            else:
                found = self._branch(following, position + 1, {**chosen, key: kind.values}, gone)
            if found is not None:
                return found
        return None

    def _kinds_of(
        self,
        key: str,
        atoms: tuple[Atom, ...],
        linked: list[Atom],
        chosen: dict[str, tuple[str, ...]],
        gone: frozenset[str],
    ) -> tuple[Kind, ...]:
        referred = frozenset().union(*(self._needs[atom] for atom in atoms))
        values = tuple((name, chosen.get(name)) for name in sorted(referred))
        cache_key = (key, atoms, values, tuple(linked))
        if cache_key not in self._kinds:
            context: dict[str, tuple[str, ...]] = {**self._known, **chosen}
            if key in self._known:
                return self._fixed(key, atoms, context)
            kinds, complete = kinds_of_key(
                key, atoms, context, self._multivalued, self._domains.get(key, ANY_VALUE)
            )
            if linked or referred:
                # Keys whose values refer to each other: enough is tried to find a context, not
                # to prove that there is none.
                complete = False
                kinds = (*kinds, *self._linked_kinds(key, atoms, linked, context))
            self._kinds[cache_key] = (kinds, complete)
        kinds, complete = self._kinds[cache_key]
        self._complete = self._complete and complete
        return kinds

    def _fixed(
        self, key: str, atoms: tuple[Atom, ...], context: Mapping[str, tuple[str, ...]]
    ) -> tuple[Kind, ...]:
        """The one kind of a key that is known, and was waiting for the keys it is compared with."""
        answers = tuple(
            holds(atom.clause, context, self._multivalued, atom.version) for atom in atoms
        )
        return (Kind(self._known[key], answers),)

    def _linked_kinds(
        self,
        key: str,
        atoms: tuple[Atom, ...],
        linked: list[Atom],
        context: Mapping[str, tuple[str, ...]],
    ) -> tuple[Kind, ...]:
        """Values that the other key is compared with or may hold, tried here as well."""
        others = {self._keys[atom] for atom in linked}
        proposed: dict[str, None] = {"value": None}
        for atom, name in self._keys.items():
            if name in others or name == key:
                for value in atom.clause.values:
                    if "${" not in value:
                        proposed[value] = None
                        proposed[value.replace("*", "").replace("?", "x")] = None
        for name in sorted(others):
            for value in context.get(name) or self._possible(name, context):
                proposed[value] = None
                for atom in linked:
                    for pattern in atom.clause.values:
                        found_part = part_for_variable(pattern, key, value)
                        if found_part is not None:
                            proposed[found_part] = None
        found: list[Kind] = []
        for value in proposed:
            if not value:
                continue
            narrowed = Domain(patterns=(value,), always=True)
            if atoms:
                found += kinds_of_key(key, atoms, context, self._multivalued, narrowed)[0]
            else:
                found.append(Kind((value,), ()))
        return tuple(kind for kind in found if kind.values is not None)

    def _possible(self, name: str, context: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Values that a key not decided yet may take, by what refers to no other key."""
        atoms = [a for a, key in self._keys.items() if key == name and not self._needs[a]]
        domain = self._domains.get(name, ANY_VALUE)
        kinds, _ = kinds_of_key(name, atoms, context, self._multivalued, domain)
        return [value for kind in kinds for value in kind.values or ()]


def _assign(formula: Formula, answers: Mapping[Atom, bool]) -> Formula:
    """Put answers in the place of atoms."""
    if not answers:
        return formula
    done: dict[Formula, Formula] = {}

    def walk(node: Formula) -> Formula:
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
