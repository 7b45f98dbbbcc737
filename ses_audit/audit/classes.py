"""What one layer says, without names: equal for all principals and identities that it treats alike.

Of each check of a send a layer has one *part*: the formula under which it allows, and of each
statement that can deny the formula under which it does. Statements are numbered, so that parts are
shared by accounts that hold copies of a policy under their own ARNs; `slots` say what each number
stands for. The parts of all checks of an action are its *structure*. Cells of equal structures have
equal verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ses_audit.audit.document_sets import FROM, DocumentSet, no_from, whatever_domain
from ses_audit.audit.requests import CheckRequest
from ses_audit.policy.formula import FALSE, TRUE, Formula, atoms_of, keys_of
from ses_audit.policy.reduce import (
    RESOURCE_KEY,
    OpenRequest,
    reduce_layer,
    reduce_resource_policies,
)
from ses_audit.policy.types import Denial, Layer

__all__ = [
    "ABSENT",
    "PLAIN",
    "Answer",
    "Chained",
    "Granted",
    "Numbers",
    "Part",
    "Vector",
    "answer",
    "before_the_at",
    "grant_answer",
    "is_twin",
    "layer_vector",
    "parts_in",
    "structure_of",
    "vector_of",
]

PLAIN = 0
"""A part, a structure or a vector of a layer that allows everything and denies nothing."""


class Numbers:
    """Small numbers for equal things."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {"plain": PLAIN}
        self._things: list[object] = ["plain"]
        self._slots: dict[tuple[Denial, ...], tuple[Denial, ...]] = {}

    def of(self, thing: object) -> int:
        """The number of a thing."""
        found = self._known.get(thing)
        if found is None:
            found = self._known[thing] = len(self._things)
            self._things.append(thing)
        return found

    def shared(self, slots: tuple[Denial, ...]) -> tuple[Denial, ...]:
        """One object for equal slots."""
        return self._slots.setdefault(slots, slots)

    def thing(self, number: int) -> object:
        """What has a number."""
        return self._things[number]

    def __len__(self) -> int:
        return len(self._things)


class Part(NamedTuple):
    """What a layer says of one check: the slot of each statement that can deny, and when.

    `lack` is the slot of an allow that is not certain, -1 for none; `facts` is what is known of
    the keys that the formulas leave open.
    """

    allow: Formula
    denies: tuple[tuple[int, Formula], ...]
    lack: int
    facts: object


class Granted(NamedTuple):
    """What the sending authorization policies say of one check; `unread` where one may lack."""

    grants: tuple[Formula, Formula, Formula]
    denies: tuple[tuple[int, Formula], ...]
    unread: bool
    facts: object


class Chained(NamedTuple):
    """What the levels of SCPs say of one check; levels that only deny, and always, are one."""

    levels: tuple[Part, ...]


class Answer(NamedTuple):
    """A part whose denials are not numbered yet."""

    part: Part | Granted
    """Without denies and lack."""
    denies: tuple[tuple[Denial, Formula], ...]
    lack: Denial | None


@dataclass(frozen=True, slots=True)
class Vector:
    """One layer's structures, one an action, and what their numbers stand for.

    `number` is one number for all of them. `slots[action]` holds denials as far as they are
    known: `policy` is the place of the policy in its set, as text, and for an SCP `target` the
    place of the level.
    """

    structures: tuple[int, ...]
    slots: tuple[tuple[Denial, ...], ...]
    number: int
    uniform: bool
    """Whether a slot stands for the same in all actions."""


ABSENT = Vector((PLAIN,) * 16, ((),) * 16, PLAIN, True)
"""The vector of a layer that does not apply."""


def _facts(formulas: Sequence[Formula], request: CheckRequest, opened: OpenRequest) -> object:
    """What is known of the open keys on which formulas turn."""
    keys: frozenset[str] = frozenset().union(*map(keys_of, formulas))
    if not keys:
        return ()
    resource = request.check.resource if RESOURCE_KEY in keys else ""
    asked = keys - {RESOURCE_KEY}
    if not asked:
        return resource
    settled = opened if asked <= _settled(opened) else request.ask(asked)
    facts: list[object] = [resource, settled.values_of(asked - {FROM})]
    if FROM in asked:
        domain = settled.domains.get(FROM)
        if domain is None or not before_the_at(formulas):
            facts.append(settled.values_of(frozenset({FROM})))
        else:
            # What stands after the @ is met by the star that ends each pattern.
            sides = tuple(
                (p.rpartition("@")[0], "*" in p.rpartition("@")[2]) for p in domain.patterns
            )
            facts.append((replace(domain, patterns=()), sides))
    return tuple(facts)


def before_the_at(formulas: Iterable[Formula]) -> bool:
    """Whether formulas look at no more of a From address than what stands before its `@`."""
    clauses = (atom.clause for formula in formulas for atom in atoms_of(formula))
    return all(whatever_domain(c) if c.key.lower() == FROM else no_from(c) for c in clauses)


def _settled(opened: OpenRequest) -> frozenset[str]:
    return frozenset((*opened.known, *opened.absent, *opened.domains))


def answer(
    layer: Layer, documents: DocumentSet, request: CheckRequest, *, unread: bool = False
) -> Answer | None:
    """What identity policies, a boundary, or one level of SCPs say of one check.

    Parameters
    ----------
    layer
        Which.
    documents
        All of them.
    request
        The check.
    unread
        Whether an allow may be there that was not read.

    Returns
    -------
    Answer or None
        None for a boundary or a level that changes nothing.
    """
    policies = documents.policies
    names = [policy.arn or policy.name for policy in policies]
    opened = request.ask(documents.keys)
    allow = FALSE
    denies: list[tuple[Denial, Formula]] = []
    allowing = [
        replace(p, document=replace(p.document, statements=kept))
        for p in policies
        if (kept := tuple(s for s in p.document.statements if s.effect == "Allow"))
    ]
    if unread:
        allow = TRUE
    elif allowing:
        allow = reduce_layer(allowing, opened).allow
    for policy, name in zip(policies, names, strict=True):
        for statement in policy.document.statements:
            if statement.effect != "Deny":
                continue
            one = replace(policy, document=replace(policy.document, statements=(statement,)))
            formula = reduce_layer((one,), opened).deny
            if formula is not FALSE:
                place = str(names.index(name))
                denial = Denial(layer, "explicit", place, statement.sid, statement.index)
                denies.append((denial, formula))
    lack: Denial | None = None
    if layer is not Layer.IDENTITY_POLICY:
        if allow is TRUE and not denies:
            return None
        if allow is not TRUE:
            named = "0" if layer is Layer.PERMISSIONS_BOUNDARY else None
            lack = Denial(layer, "implicit", named)
    facts = _facts([allow, *(formula for _, formula in denies)], request, opened)
    return Answer(Part(allow, (), -1, facts), tuple(denies), lack)


def grant_answer(
    documents: DocumentSet, request: CheckRequest, place: str, *, unread: bool
) -> Answer | None:
    """What the sending authorization policies of an identity say of one check.

    Parameters
    ----------
    documents
        All of them.
    request
        The check.
    place
        The identity's place among those that have any.
    unread
        Whether others were not read.

    Returns
    -------
    Answer or None
        None where they grant nothing and deny nothing, as if there were none.
    """
    opened = request.ask(documents.keys)
    whole = reduce_resource_policies(documents.policies, opened)
    denies: list[tuple[Denial, Formula]] = []
    for number, policy in enumerate(documents.policies):
        for statement in policy.document.statements:
            if statement.effect != "Deny":
                continue
            one = replace(policy, document=replace(policy.document, statements=(statement,)))
            formula = reduce_resource_policies((one,), opened).deny
            if formula is not FALSE:
                denial = Denial(
                    Layer.SENDING_AUTHORIZATION_POLICY,
                    "explicit",
                    str(number),
                    statement.sid,
                    statement.index,
                    place,
                )
                denies.append((denial, formula))
    grants = (whole.grant_exempt, whole.grant_limited, whole.delegate)
    if not denies and not unread and all(grant is FALSE for grant in grants):
        return None
    facts = _facts([*grants, *(f for _, f in denies)], request, opened)
    return Answer(Granted(grants, (), unread, facts), tuple(denies), None)


Says = Callable[[int, int], Answer | None]
"""What a layer says of an action's check, both by their places."""


def layer_vector(
    kinds: Sequence[Sequence[str]], says: Says, twin: Says | None, numbers: Numbers
) -> Vector:
    """Put what a layer says of each check together.

    Parameters
    ----------
    kinds
        The ids of the checks of each action, the recipients last.
    says
        What the layer says.
    twin
        The same with the keys that AWS doesn't document for SES taken for absent; None where the
        documents name none.
    numbers
        Of parts and structures.
    """
    structures: list[int] = []
    every: list[tuple[Denial, ...]] = []
    for action, checks in enumerate(kinds):
        slots: dict[Denial, int] = {}
        found = _structure(action, checks, says, slots, numbers)
        every.append(tuple(slots))
        if twin is not None:
            # The twin only changes a confidence: its denials are in no row.
            other = _structure(action, checks, twin, slots, numbers)
            found = found if found == other else numbers.of(("twin", found, other))
        structures.append(found)
    return vector_of(structures, every, numbers)


def vector_of(
    structures: Sequence[int], slots: Sequence[tuple[Denial, ...]], numbers: Numbers
) -> Vector:
    """A vector of the structures and the slots of each action."""
    plain = not any(structures)
    slots = [numbers.shared(named) for named in slots]
    number = PLAIN if plain else numbers.of(("vector", *structures))
    return Vector(tuple(structures), tuple(slots), number, len(set(slots)) == 1)


def _structure(
    action: int,
    checks: Sequence[str],
    says: Says,
    slots: dict[Denial, int],
    numbers: Numbers,
) -> int:
    parts: list[int] = []
    recipients: list[int] = []
    for place, check in enumerate(checks):
        said = says(action, place)
        number = PLAIN
        if said is not None:
            denies = tuple((slots.setdefault(d, len(slots)), f) for d, f in said.denies)
            part = said.part._replace(denies=denies)
            if said.lack is not None and isinstance(part, Part):
                part = part._replace(lack=slots.setdefault(said.lack, len(slots)))
            number = numbers.of(part)
        (recipients if check == "recipients" else parts).append(number)
    return structure_of(parts, recipients, numbers)


def structure_of(parts: Sequence[int], recipients: Sequence[int], numbers: Numbers) -> int:
    """The number of a structure; of recipients that are all alike the number doesn't matter."""
    alike = len(set(recipients)) <= 1
    found = (*parts, *(recipients[:1] if alike else recipients))
    return numbers.of(("parts", found)) if any(found) else PLAIN


def parts_in(numbers: Numbers, structure: int, *, twin: bool = False) -> tuple[int, ...]:
    """The numbers of a structure's parts; none where all are plain."""
    thing = numbers.thing(structure)
    if isinstance(thing, tuple) and thing[0] == "twin":
        thing = numbers.thing(thing[2 if twin else 1])
    if isinstance(thing, tuple):
        parts: tuple[int, ...] = thing[1]
        return parts
    return ()


def is_twin(numbers: Numbers, structure: int) -> bool:
    """Whether a structure is another without the keys that AWS doesn't document for SES."""
    thing = numbers.thing(structure)
    return isinstance(thing, tuple) and thing[0] == "twin"
