"""Condition keys that AWS documents as one another's: one clock, and keys that are never together.

Only what AWS's page says is used, and only between keys that are open; a key that is given is taken
as it is given, but that a given time is the other clock's too.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from fractions import Fraction

from ses_audit.policy.domains import ANY_VALUE, Domain, Domains, Values
from ses_audit.policy.formula import Atom, Formula, conjunction, disjunction, negate, replaced
from ses_audit.policy.operators import OPERATORS, Family
from ses_audit.policy.operators.date import instant
from ses_audit.policy.operators.numeric import number
from ses_audit.policy.sweeps import plain_number, written_instant
from ses_audit.policy.types import Clause

__all__ = ["Related", "related"]

CURRENT_TIME = "aws:CurrentTime"
CURRENT, EPOCH = CURRENT_TIME.lower(), "aws:epochtime"
"""One clock: "the date and time of the request", and the same "in epoch or Unix time"; both are
"always included in the request context"."""

SOURCE_IP = "aws:sourceip"
"""Included "except when the requester uses a VPC endpoint to make the request"."""
OF_ENDPOINTS = ("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip")
"""Included "only if the requester uses a VPC endpoint to make the request"."""

MFA_AGE, MFA_PRESENT = "aws:multifactorauthage", "aws:multifactorauthpresent"
"""The first is included "only if the principal making the call was authenticated using MFA"; the
second says whether MFA was used."""

_VERSION = "2012-10-17"
_OF_DATES: dict[str, str] = {"Null": "Null"} | {
    name: "Date" + name.removeprefix("Numeric").removeprefix("Date")
    for name, operator in OPERATORS.items()
    if operator.family in (Family.NUMERIC, Family.DATE)
}
"""Operators on one clock → the same on the other."""

Found = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Related:
    """A formula in which keys that are related are so.

    Parameters
    ----------
    formula
        Asks the clock by one key, and says which keys are never together.
    domains
        What is known of its keys.
    clocks
        The keys by which the clock was asked before, where that is one now.
    given
        What a given time makes of the other key.
    """

    formula: Formula
    domains: Domains
    clocks: frozenset[str] = frozenset()
    given: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def witness(self, found: Found) -> dict[str, tuple[str, ...]] | None:
        """A context in which the formula holds as it was, from one in which it holds as it is.

        None where its clocks show two times.
        """
        whole = {**found, **dict(self.given)}
        if not self.clocks and CURRENT in whole and EPOCH in whole:
            times = [instant(value) for key in (CURRENT, EPOCH) for value in whole[key]]
            return whole if len({*times}) <= 1 else None
        values = whole.pop(CURRENT, None) if self.clocks else None
        if values is None:
            return whole
        if CURRENT in self.clocks:
            whole[CURRENT] = values
        if EPOCH in self.clocks:
            whole[EPOCH] = tuple(_epoch(value) or value for value in values)
        return whole


def related(formula: Formula, domains: Domains) -> Related:
    """Make keys that are one another's depend on each other.

    Parameters
    ----------
    formula
        Any formula.
    domains
        What is known of its keys.

    Examples
    --------
    >>> two = [
    ...     Formula.of(Atom(Clause(operator, key, (value,)), "2012-10-17"))
    ...     for operator, key, value in (
    ...         ("DateGreaterThan", "aws:CurrentTime", "2030-01-01T00:00:00Z"),
    ...         ("NumericLessThan", "aws:EpochTime", "1600000000"),
    ...     )
    ... ]
    >>> related(conjunction(*two), Domains()).formula.parts[1]
    DateLessThan aws:CurrentTime ['1600000000']
    """
    keys = {atom.key for atom in formula.atoms}
    found = Related(formula, domains)
    if keys.isdisjoint(_RELATED):
        return found
    settled = domains.absent | {key for key, _ in domains.known}
    if EPOCH in keys or CURRENT in keys:
        found = _one_clock(found, keys, settled)
    facts = [*_apart(keys - settled), *_authenticated(keys - settled)]
    return replace(found, formula=conjunction(found.formula, *facts)) if facts else found


_RELATED = frozenset({CURRENT, EPOCH, SOURCE_IP, MFA_AGE})


def _one_clock(related: Related, keys: AbstractSet[str], settled: AbstractSet[str]) -> Related:
    domains = related.domains
    known = dict(domains.known)
    for one, other, written in ((CURRENT, EPOCH, _epoch), (EPOCH, CURRENT, _iso)):
        if one in known and other in keys - settled:
            text = written(known[one][0]) if len(known[one]) == 1 else None
            if text is None:
                return related
            given = ((other, (text,)),)
            known_now = tuple(sorted((*domains.known, *given)))
            return replace(related, domains=replace(domains, known=known_now), given=given)
    opened = dict(domains.open)
    current, epoch = opened.get(CURRENT, ANY_VALUE), opened.get(EPOCH, ANY_VALUE)
    plain = not any(d.patterns or d.excluded or d.multivalued for d in (current, epoch))
    if EPOCH not in keys or {CURRENT, EPOCH} & (settled | domains.multivalued) or not plain:
        return related
    atoms: dict[Atom, Formula] = {}
    for atom in related.formula.atoms:
        if EPOCH in atom.needs:
            return related
        if atom.key == EPOCH:
            asked = _asked_of_current(atom)
            if asked is None:
                return related
            atoms[atom] = Formula.of(asked)
    opened[CURRENT] = Domain(
        Values.INSTANT,
        always=current.always or epoch.always,
        may_be_set=current.may_be_set or epoch.may_be_set,
    )
    return Related(
        replaced(related.formula, atoms),
        replace(domains, open=tuple(sorted(opened.items(), key=lambda item: item[0]))),
        frozenset(keys & {CURRENT, EPOCH}),
    )


def _asked_of_current(atom: Atom) -> Atom | None:
    """What a clause on the seconds asks of the date; None where it can't be asked so."""
    clause = atom.clause
    operator = _OF_DATES.get(clause.operator)
    if operator is None:
        return None
    values: tuple[str, ...] = clause.values
    if OPERATORS[clause.operator].family is Family.NUMERIC:
        texts = []
        for value in values:
            seconds = number(value)
            # What is no number is no date that could be met.
            text = _NO_DATE if seconds is None else _seconds(Fraction(seconds))
            if text is None:
                return None
            texts.append(text)
        values = tuple(texts)
    return Atom(replace(clause, operator=operator, key=CURRENT_TIME, values=values), atom.version)


_NO_DATE = "no date"
_YEAR = 4


def _seconds(value: Fraction) -> str | None:
    """Seconds as a date operator reads them: four digits alone are a year."""
    text = plain_number(value)
    if text is not None and len(text) == _YEAR and text.isdecimal():
        text += ".0"
    return text if text is not None and instant(text) == value else None


def _epoch(text: str) -> str | None:
    value = instant(text)
    return None if value is None else _seconds(value)


def _iso(text: str) -> str | None:
    value = instant(text)
    return None if value is None else written_instant(value)


def _apart(opened: AbstractSet[str]) -> list[Formula]:
    """A request comes by a VPC endpoint, or it has an address of its own."""
    others = [key for key in OF_ENDPOINTS if key in opened]
    if SOURCE_IP not in opened or not others:
        return []
    return [disjunction(_absent(SOURCE_IP), conjunction(*map(_absent, others)))]


def _authenticated(opened: AbstractSet[str]) -> list[Formula]:
    """Where MFA has an age it was used."""
    if not {MFA_AGE, MFA_PRESENT} <= opened:
        return []
    unused = Formula.of(Atom(Clause("Bool", MFA_PRESENT, ("false",)), _VERSION))
    return [disjunction(_absent(MFA_AGE), negate(unused))]


def _absent(key: str) -> Formula:
    return Formula.of(Atom(Clause("Null", key, ("true",)), _VERSION))
