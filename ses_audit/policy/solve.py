"""Decide a formula over open keys: for all values, for some, or for none; with witnesses.

A budget bounds the search; past it the answer is CONDITIONAL and unproven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ses_audit.policy.conditions import Conditions, remaining
from ses_audit.policy.domains import ANY_VALUE, TYPES, Domains, Values
from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    atoms_of,
    conjunction,
    negate,
)
from ses_audit.policy.operators import OPERATORS, Family
from ses_audit.policy.related_keys import related
from ses_audit.policy.relax import relaxed
from ses_audit.policy.search import Search, Solver, Tables
from ses_audit.policy.typed_values import TYPE_OF_FAMILY, compares
from ses_audit.policy.types import Clause, Context, Verdict

__all__ = ["BUDGET", "Domains", "OpenResult", "decide", "forget", "never_holds", "satisfy"]

BUDGET = 20_000
"""How many combinations of kinds one search may try."""

_CACHE_LIMIT = 10_000


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
    >>> from ses_audit.policy.formula import disjunction
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
    whole = related(formula, domains)
    tables = Tables(whole.formula, whole.domains)
    holds = satisfy(formula, domains, budget, tables)
    fails = satisfy(negate(formula), domains, budget, tables)
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
                lambda part: not bounded and _impossible(part, domains, tables),
                _has_opposite(domains),
                tables.kinds_with,
                lambda part: None if bounded else _in_one_clause(part, domains),
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
        families.setdefault(atom.key, set()).add(OPERATORS[atom.clause.operator].family)
        if atom.clause.set_operator is not None:
            sets.add(atom.key)
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

    It does where the key holds one value of the operator's type, and is compared with such values
    alone: with what can't be compared neither operator holds.
    """
    sets = {key for key, domain in domains.open if domain.multivalued or domain.may_be_set}
    sets |= domains.multivalued
    types = {key: domain.values for key, domain in domains.open}

    def has_opposite(clause: Clause) -> bool:
        key, family = clause.key.lower(), OPERATORS[clause.operator].family
        typed = family is Family.STRING or types.get(key) is TYPE_OF_FAMILY.get(family)
        return typed and key not in sets and all(compares(family, v) for v in clause.values)

    return has_opposite


def _in_one_clause(formula: Formula, domains: Domains) -> Formula | None:
    """A clause that says that a key is absent or there, or which boolean it is, as a formula does.

    None where none of these says the same.
    """
    atoms = formula.atoms
    if any(atom.key != atoms[0].key or atom.needs for atom in atoms):
        return None
    key, version = atoms[0].clause.key, atoms[0].version
    clauses = [Clause("Null", key, (word,)) for word in ("true", "false")]
    if all(OPERATORS[atom.clause.operator].family in _BOOLEAN for atom in atoms):
        clauses += [Clause("Bool", key, (word,)) for word in ("true", "false")]
    for clause in clauses:
        found = Formula.of(Atom(clause, version))
        if all(
            satisfy(conjunction(one, negate(other)), domains, BUDGET // 10) == Search(None, True)
            for one, other in ((formula, found), (found, formula))
        ):
            return found
    return None


_BOOLEAN = frozenset({Family.BOOLEAN, Family.NULL})


def _impossible(formula: Formula, domains: Domains, tables: Tables) -> bool:
    found = satisfy(formula, domains, BUDGET // 10, tables)
    return found.found is None and found.complete


def satisfy(
    formula: Formula, domains: Domains, budget: int = BUDGET, tables: Tables | None = None
) -> Search:
    """Look for values of the open keys with which a formula holds.

    Parameters
    ----------
    formula
        What is to hold.
    domains
        What is known of the keys.
    budget
        How many combinations of kinds may be tried.
    tables
        The kinds of a formula of which this is a part; they are found anew where none are given.

    Examples
    --------
    >>> near = Formula.of(Atom(Clause("StringLike", "k", ("a?",)), "2012-10-17"))
    >>> not_ab = Formula.of(Atom(Clause("StringNotEquals", "k", ("ab",)), "2012-10-17"))
    >>> (value,) = satisfy(conjunction(near, not_ab), Domains()).found["k"]
    >>> len(value), value[0], value != "ab"
    (2, 'a', True)
    """
    if formula is FALSE:
        return Search(None, True)
    asked = related(formula, domains)
    tables = Tables(asked.formula, asked.domains) if tables is None else tables
    solver = Solver(asked.formula, asked.domains, budget, tables)
    if solver.is_linked:
        # Most of what no values meet is shown by less than what is asked.
        weaker = relaxed(asked.formula)
        if weaker is FALSE or (
            weaker is not TRUE
            and weaker is not asked.formula
            and Solver(weaker, asked.domains, budget, tables).search() == Search(None, True)
        ):
            return Search(None, True)
    search = solver.search()
    if search.found is None:
        return search
    found = asked.witness(search.found)
    return Search(found, search.complete and found is not None, search.bounded)
