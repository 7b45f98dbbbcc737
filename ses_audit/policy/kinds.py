"""The kinds of values one open key can have, as far as some clauses can tell them apart.

Each kind is one value (or set of values, or absence) that stands for all values on which the
clauses answer alike. What a clause answers is always asked of the concrete operators, so that
this file only has to propose enough values; where it cannot promise that, it says so.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

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
from ses_audit.policy.operators.date import instant
from ses_audit.policy.operators.ip_address import Network, network
from ses_audit.policy.operators.numeric import number
from ses_audit.policy.types import Clause
from ses_audit.policy.variables import substitute
from ses_audit.policy.wildcards import Token, matches, tokens_of

__all__ = ["Kind", "kinds_of_key"]

_TEXT_LIMIT = 20_000
_SET_LIMIT = 4_096
_START = datetime(1970, 1, 1, tzinfo=UTC)


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
    values, complete = _single_values(key, atoms, context, multivalued, domain)
    sets = domain.multivalued or key in multivalued
    asked_as_set = any(atom.clause.set_operator for atom in atoms)
    candidates: list[tuple[str, ...] | None] = [] if domain.always else [None]
    flags = multivalued | {key} if sets else multivalued
    if sets or asked_as_set:
        found, whole = _sets(key, atoms, context, flags, values)
        candidates += found
        complete = complete and whole
    else:
        candidates += [(value,) for value in values]
    kinds: dict[tuple[bool, ...], Kind] = {}
    for candidate in candidates:
        answers = _answers(key, atoms, context, flags, candidate)
        kinds.setdefault(answers, Kind(candidate, answers))
    return tuple(kinds.values()), complete


def _answers(
    key: str,
    atoms: Sequence[Atom],
    context: Mapping[str, tuple[str, ...]],
    multivalued: frozenset[str],
    candidate: tuple[str, ...] | None,
) -> tuple[bool, ...]:
    asked = dict(context)
    asked.pop(key, None)
    if candidate is not None:
        asked[key] = candidate
    return tuple(holds(atom.clause, asked, multivalued, atom.version) for atom in atoms)


def _sets(
    key: str,
    atoms: Sequence[Atom],
    context: Mapping[str, tuple[str, ...]],
    multivalued: frozenset[str],
    values: Sequence[str],
) -> tuple[list[tuple[str, ...]], bool]:
    """Enough sets of values: every answer of the set operators that some set gives.

    What a set answers turns on one witness for each clause, so sets grow by one value at a time
    and only those that answer something new are grown on.
    """
    seen: dict[tuple[object, ...], tuple[str, ...]] = {}
    waiting: list[tuple[str, ...]] = [(value,) for value in values if value]
    for candidate in waiting:
        answers = _answers(key, atoms, context, multivalued, candidate)
        state = (len(candidate) > 1, answers, _elements(key, atoms, context, candidate))
        if state in seen:
            continue
        if len(seen) >= _SET_LIMIT:
            return list(seen.values()), False
        seen[state] = candidate
        if len(candidate) <= len(atoms):
            waiting += [(*candidate, value) for value in values if value and value not in candidate]
    return list(seen.values()), True


def _elements(
    key: str,
    atoms: Sequence[Atom],
    context: Mapping[str, tuple[str, ...]],
    candidate: tuple[str, ...],
) -> tuple[tuple[bool, bool], ...]:
    """For each clause: does some element meet it, and do all."""
    found: list[tuple[bool, bool]] = []
    for atom in atoms:
        clause = atom.clause
        if clause.operator == "Null":
            continue
        plain = Clause(clause.operator, clause.key, clause.values)
        each = [
            holds(plain, {**context, key: (value,)}, frozenset(), atom.version)
            for value in candidate
        ]
        found.append((any(each), all(each)))
    return tuple(found)


def _single_values(
    key: str,
    atoms: Sequence[Atom],
    context: Mapping[str, tuple[str, ...]],
    multivalued: frozenset[str],
    domain: Domain,
) -> tuple[list[str], bool]:
    patterns: dict[Family, list[tuple[Atom, tuple[Token, ...]]]] = {}
    for atom in atoms:
        family = OPERATORS[atom.clause.operator].family
        if family is Family.NULL:
            continue
        for value in atom.clause.values:
            tokens = substitute(value, context, atom.version, multivalued)
            if tokens is not None:
                patterns.setdefault(family, []).append((atom, tokens))
    text_like = [*patterns.get(Family.STRING, []), *patterns.get(Family.ARN, [])]
    others = [family for family in patterns if family not in (Family.STRING, Family.ARN)]
    found: list[str] = []
    textual = bool(text_like) and domain.values is Values.TEXT
    complete = len(others) + textual <= 1
    if domain.values is Values.TEXT:
        texts, whole = _texts(text_like, domain)
        found += texts
        complete = complete and whole
    elif text_like:
        # Text operators on a typed key: only their literal values can be of its type.
        found += [text_of(tokens) for _, tokens in text_like]
        complete = complete and all(
            isinstance(token, str) for _, tokens in text_like for token in tokens
        )
    for family, kind, propose in (
        (Family.NUMERIC, Values.NUMBER, _numbers),
        (Family.DATE, Values.INSTANT, _instants),
        (Family.IP_ADDRESS, Values.ADDRESS, _addresses),
        (Family.BOOLEAN, Values.BOOLEAN, _booleans),
        (Family.BINARY, None, _binaries),
    ):
        if family in patterns or domain.values is kind:
            found += propose([text_of(tokens) for _, tokens in patterns.get(family, [])])
    if domain.values is not Values.TEXT:
        found = [value for value in found if _is_of(value, domain.values)]
    elif domain.patterns:
        found = [v for v in found if any(matches(p, v) for p in domain.patterns)]
    return [value for value in dict.fromkeys(found) if value not in domain.excluded], complete


def _is_of(value: str, kind: Values) -> bool:
    if kind is Values.ADDRESS:
        return "/" not in value and network(value) is not None
    if kind is Values.INSTANT:
        return instant(value) is not None
    if kind is Values.NUMBER:
        return number(value) is not None
    return value in ("true", "false")


def _texts(
    patterns: Sequence[tuple[Atom, tuple[Token, ...]]], domain: Domain
) -> tuple[list[str], bool]:
    literals: dict[str, None] = {}
    machines: dict[Machine, None] = {}
    for atom, tokens in patterns:
        operator = atom.clause.operator
        plain = all(isinstance(token, str) for token in tokens)
        if operator == "Resource":
            machines[resource_machine(tokens)] = None
        elif operator.startswith("Arn"):
            if plain:
                literals[text_of(tokens)] = None
            else:
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
    if not machines:
        return [*literals, _fresh(literals)], True
    added: dict[Machine, None] = {}
    while True:
        found, complete = kinds_of_text([*machines, *added], _TEXT_LIMIT)
        met = [text for text in found.values() if text in literals]
        more = {literal_machine(text): None for text in met} if complete else {}
        if not more.keys() - added.keys():
            return [*literals, *found.values()], complete
        # A kind whose shortest text is a literal may hold other texts: tell them apart.
        added |= more


def _fresh(taken: Iterable[str]) -> str:
    """A text that differs from all others, in case too."""
    folded = {text.lower() for text in taken}
    candidate = "other"
    while candidate in folded:
        candidate += "-other"
    return candidate


def _numbers(texts: Sequence[str]) -> list[str]:
    cuts = sorted({n for n in map(number, texts) if n is not None})
    if not cuts:
        return ["0", "other"]
    found = [cuts[0] - 1, *cuts, cuts[-1] + 1]
    found += [(low + high) / 2 for low, high in pairwise(cuts)]
    return [*(_plain(n) for n in found), "other"]


def _plain(value: Decimal) -> str:
    return format(value, "f")


def _instants(texts: Sequence[str]) -> list[str]:
    cuts = sorted({i for i in map(instant, texts) if i is not None})
    if not cuts:
        return ["2026-01-01T00:00:00Z", "other"]
    found = [cuts[0] - 1, *cuts, cuts[-1] + 1]
    found += [(low + high) / 2 for low, high in pairwise(cuts)]
    return [*(_moment(i) for i in found), "other"]


def _moment(seconds: Fraction) -> str:
    """ISO 8601, with as much of a second as is needed."""
    whole = seconds.numerator // seconds.denominator
    part = seconds - whole
    try:
        text = (_START + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError:
        return str(whole)
    if len(text) != len("2026-01-01T00:00:00"):
        text = text.rjust(len("2026-01-01T00:00:00"), "0")
    if part:
        text += format(float(part), ".12f").rstrip("0")[1:]
    return text + "Z"


def _booleans(_texts: Sequence[str]) -> list[str]:
    return ["true", "false", "other"]


def _binaries(texts: Sequence[str]) -> list[str]:
    fresh = base64.b64encode(_fresh(texts).encode()).decode()
    return [*texts, fresh, "%"]


def _addresses(texts: Sequence[str]) -> list[str]:
    """An address in each range, outside the ranges within it, and outside all of them."""
    ranges = {n for n in map(network, texts) if n is not None}
    found: list[str] = ["other"]
    for version, whole in ((4, "0.0.0.0/0"), (6, "::/0")):
        family = [n for n in ranges if n.version == version]
        everything = network(whole)
        if everything is not None and everything not in family:
            family.append(everything)
        for outer in family:
            inner = [n for n in family if n != outer and n.subnet_of(outer)]  # type: ignore[arg-type]
            address = _outside(outer, inner)
            if address is not None:
                found.append(address)
    return found


def _outside(outer: Network, inner: Sequence[Network]) -> str | None:
    """The first address of a range that lies in none of the ranges within it."""
    place = int(outer.network_address)
    for hole in sorted(inner, key=lambda n: (int(n.network_address), n.prefixlen)):
        if place < int(hole.network_address):
            break
        place = max(place, int(hole.broadcast_address) + 1)
    if place > int(outer.broadcast_address):
        return None
    if isinstance(outer, ipaddress.IPv4Network):
        return str(ipaddress.IPv4Address(place))
    return str(ipaddress.IPv6Address(place))
