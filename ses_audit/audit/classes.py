"""What one layer says, without names: equal for all principals and identities that it treats alike.

A layer's answer to the seven send actions is its *structure*: for each check the formula under
which it allows, and of each statement that can deny the formula under which it does. Statements
are numbered, so that structures are shared by accounts that hold copies of a policy under their
own ARNs; `slots` say what each number stands for. Cells of equal structures have equal verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ses_audit.audit.layers import referenced_keys
from ses_audit.audit.requests import CheckRequest
from ses_audit.policy.formula import FALSE, TRUE, Formula, atoms_of, keys_of
from ses_audit.policy.reduce import (
    RESOURCE_KEY,
    OpenRequest,
    reduce_layer,
    reduce_resource_policies,
)
from ses_audit.policy.types import AttachedPolicy, Clause, Denial, Document, Layer
from ses_audit.ses.context import documented_for_ses

__all__ = [
    "ABSENT",
    "DocumentSet",
    "Numbers",
    "Outline",
    "Vector",
    "chain_vector",
    "layer_vector",
    "resource_vector",
]


class Numbers:
    """Small numbers for equal things."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {"plain": PLAIN}

    def of(self, thing: object) -> int:
        """The number of a thing."""
        return self._known.setdefault(thing, len(self._known))

    def __len__(self) -> int:
        return len(self._known)


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


PLAIN = 0
"""The structure of an SCP level that allows and denies nothing."""

ABSENT = Vector((-1,) * 16, ((),) * 16, -1)
"""The vector of a layer that does not apply."""

_ACCOUNT_KEYS = frozenset({"aws:principalaccount", "aws:principalorgpaths"})
_KIND_KEYS = (
    "aws:principalorgid",
    "aws:principaltype",
    "aws:principalisawsservice",
    "aws:principalservicename",
)


def of_each_principal(key: str) -> bool:
    """Whether principals of one account and type can differ in the value of a key."""
    if key in _ACCOUNT_KEYS or key.startswith(_KIND_KEYS):
        return False
    return key.startswith("aws:principal") or key in ("aws:username", "aws:userid")


class Outline:
    """A document without its resource patterns, which are numbered: equal for copies of it."""

    __slots__ = ("key", "patterns", "variable")

    def __init__(self, document: Document) -> None:
        patterns: dict[str, int] = {}
        statements: list[object] = []
        self.variable = False
        for s in document.statements:
            named: list[object] | None = None if s.resources is None else []
            for pattern in s.resources or ():
                if named is None:
                    continue
                if pattern == "*" or "${" in pattern:
                    self.variable = self.variable or pattern != "*"
                    named.append(pattern)
                else:
                    named.append(patterns.setdefault(pattern, len(patterns)))
            statements.append(
                (
                    s.index, s.sid, s.effect, s.actions, s.actions_negated,
                    None if named is None else tuple(named), s.resources_negated, s.conditions,
                    s.principal,
                )
            )  # fmt: skip
        self.key = (document.version, tuple(statements))
        self.patterns = tuple(patterns)


class DocumentSet:
    """The documents of one layer of one principal, account or identity.

    Parameters
    ----------
    policies
        The documents, under their names.
    outlines
        Theirs, in the same order.
    number
        Equal for sets of copies under other names.
    """

    def __init__(
        self,
        policies: Iterable[AttachedPolicy],
        outlines: Iterable[Outline] | None = None,
        number: int = -1,
    ) -> None:
        self.policies = tuple(policies)
        self.number = number
        known = [Outline(p.document) for p in self.policies] if outlines is None else outlines
        drawn = tuple(known)
        self.keys: frozenset[str] = frozenset().union(
            *(referenced_keys(policy.document) for policy in self.policies)
        )
        statements = [s for policy in self.policies for s in policy.document.statements]
        self.patterns = tuple(pattern for outline in drawn for pattern in outline.patterns)
        self.variable = any(outline.variable for outline in drawn)
        """Whether a resource pattern holds a variable."""
        self.undocumented = not all(map(documented_for_ses, self.keys))
        self.principal_keys = tuple(sorted(filter(of_each_principal, self.keys)))
        self.account_keys = bool(self.keys & _ACCOUNT_KEYS)
        self.by_name = any(k.startswith("ses:") and k not in _ANY_IDENTITY for k in self.keys)
        clauses = [c for s in statements for c in s.conditions]
        self.by_local_part = (
            self.by_name
            and all(whatever_domain(c) if c.key.lower() == FROM else _no_from(c) for c in clauses)
            and not any(FROM in r.lower() for s in statements for r in s.resources or ())
        )
        """Whether of an identity's name only what stands before the `@` can matter."""
        self.by_region = "aws:requestedregion" in self.keys
        self.by_owner = any(k.startswith("aws:resource") for k in self.keys)

    @cached_property
    def clauses(self) -> dict[str, tuple[tuple[Clause, str], ...] | None]:
        """For each key of a principal the clauses on it; None where its value is used itself."""
        found: dict[str, list[tuple[Clause, str]] | None] = {k: [] for k in self.principal_keys}
        for policy in self.policies:
            version = policy.document.version
            for statement in policy.document.statements:
                for text in statement.resources or ():
                    _taken_itself(found, (text,))
                for clause in statement.conditions:
                    _taken_itself(found, clause.values)
                    known = found.get(clause.key.lower())
                    if known is None:
                        continue
                    if any("${" in value for value in clause.values):
                        found[clause.key.lower()] = None
                    else:
                        known.append((clause, version))
        return {k: None if c is None else tuple(dict.fromkeys(c)) for k, c in found.items()}


_ANY_IDENTITY = frozenset(
    {
        "ses:apiversion",
        "ses:feedbackaddress",
        "ses:fromdisplayname",
        "ses:multiregionendpointid",
        "ses:recipients",
        "ses:tenantname",
    }
)
"""The keys that SES carries whatever the identity is."""


def _taken_itself(
    found: dict[str, list[tuple[Clause, str]] | None], texts: tuple[str, ...]
) -> None:
    for text in texts:
        if "${" in text:
            lower = text.lower()
            for key in found:
                if key in lower:
                    found[key] = None


Asked = tuple[tuple[CheckRequest, ...], ...]
"""The checks of each action."""


class _Slots:
    """Numbers the denials of one layer and action."""

    def __init__(self) -> None:
        self.found: dict[Denial, int] = {}

    def of(self, denial: Denial) -> int:
        return self.found.setdefault(denial, len(self.found))


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
        if domain is None or not _before_the_at(formulas):
            facts.append(settled.values_of(frozenset({FROM})))
        else:
            # What stands after the @ is met by the star that ends each pattern.
            sides = tuple(
                (p.rpartition("@")[0], "*" in p.rpartition("@")[2]) for p in domain.patterns
            )
            facts.append((replace(domain, patterns=()), sides))
    return tuple(facts)


FROM = "ses:fromaddress"


def whatever_domain(clause: Clause) -> bool:
    """Whether a clause on a From address looks only at what stands before its last `@`.

    Patterns like `no-reply@*`: the domain is matched by the star, whatever it is.
    """
    return clause.operator == "Null" or (
        clause.operator in ("StringLike", "StringNotLike")
        and all(value.endswith("@*") for value in clause.values)
    )


def _before_the_at(formulas: Iterable[Formula]) -> bool:
    clauses = (atom.clause for formula in formulas for atom in atoms_of(formula))
    return all(whatever_domain(c) if c.key.lower() == FROM else _no_from(c) for c in clauses)


def _no_from(clause: Clause) -> bool:
    """Whether a clause on another key does without the From address as a variable."""
    return not any(FROM in value.lower() for value in clause.values)


def _settled(opened: OpenRequest) -> frozenset[str]:
    return frozenset((*opened.known, *opened.absent, *opened.domains))


def _level(
    layer: Layer,
    policies: tuple[AttachedPolicy, ...],
    names: tuple[str, ...],
    request: CheckRequest,
    keys: frozenset[str],
    slots: _Slots,
    lack: Denial | None,
    unread: bool = False,
) -> object:
    """The structure of one set of documents for one check; PLAIN where it changes nothing."""
    opened = request.ask(keys)
    allow = FALSE
    denies: list[tuple[int, Formula]] = []
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
                denial = Denial(layer, "explicit", name, statement.sid, statement.index)
                denies.append((slots.of(denial), formula))
    if layer is Layer.SERVICE_CONTROL_POLICY and allow is TRUE and not denies:
        return PLAIN
    lacking = slots.of(lack) if lack is not None and allow is not TRUE else -1
    facts = _facts([allow, *(formula for _, formula in denies)], request, opened)
    return (allow, tuple(denies), lacking, facts)


Say = Callable[[CheckRequest, _Slots], object]


def _vector(asked: Asked, say: Say, numbers: Numbers) -> Vector:
    """Put what a layer says of each check together; recipients it treats alike are one."""
    structures: list[int] = []
    every: list[tuple[Denial, ...]] = []
    for requests in asked:
        slots = _Slots()
        said: list[object] = []
        recipients: list[object] = []
        for request in requests:
            answer = say(request, slots)
            (recipients if request.check.id == "recipients" else said).append(answer)
        # Of recipients that are all alike it does not matter how many there are.
        said += recipients if len(set(recipients)) > 1 else recipients[:1]
        plain = all(answer is PLAIN for answer in said)
        structures.append(PLAIN if plain else numbers.of(tuple(said)))
        every.append(tuple(slots.found))
    return Vector(tuple(structures), tuple(every), numbers.of(tuple(structures)))


def layer_vector(
    layer: Layer,
    documents: DocumentSet,
    asked: Asked,
    twin: Asked | None,
    numbers: Numbers,
    *,
    unread: bool = False,
) -> Vector:
    """The vector of identity policies, of a boundary, or of one level of SCPs.

    Parameters
    ----------
    layer
        Which.
    documents
        All of them.
    asked
        The checks of a principal and an identity.
    twin
        The same with the keys that AWS doesn't document for SES taken for absent; None where
        the documents name none.
    numbers
        Of structures.
    unread
        Whether an allow may be there that was not read.
    """
    names = [policy.arn or policy.name for policy in documents.policies]
    places = tuple(str(names.index(name)) for name in names)
    lack = None
    if layer is Layer.PERMISSIONS_BOUNDARY:
        lack = Denial(layer, "implicit", "0")
    elif layer is Layer.SERVICE_CONTROL_POLICY:
        lack = Denial(layer, "implicit")

    def say(request: CheckRequest, slots: _Slots) -> object:
        return _level(
            layer, documents.policies, places, request, documents.keys, slots, lack, unread
        )

    return _with_twin(_vector(asked, say, numbers), twin, say, numbers)


def _with_twin(vector: Vector, twin: Asked | None, say: Say, numbers: Numbers) -> Vector:
    if twin is None:
        return vector
    other = _vector(twin, say, numbers)
    # The twin only changes a confidence; its denials are in no row, but structures number them.
    both = tuple(
        numbers.of(("twin", *pair))
        for pair in zip(vector.structures, other.structures, strict=True)
    )
    return Vector(both, vector.slots, numbers.of(both))


def chain_vector(levels: Sequence[Vector], actions: int, numbers: Numbers) -> Vector:
    """The vector of all levels of SCPs; those that change nothing are left out."""
    structures: list[int] = []
    every: list[tuple[Denial, ...]] = []
    for action in range(actions):
        kept = [(n, v) for n, v in enumerate(levels) if v.structures[action] != PLAIN]
        structures.append(numbers.of(("levels", *(v.structures[action] for _, v in kept))))
        every.append(
            tuple(replace(slot, target=str(n)) for n, v in kept for slot in v.slots[action])
        )
    return Vector(tuple(structures), tuple(every), numbers.of(("chain", *structures)))


def resource_vector(
    policies_of: Callable[[str], tuple[DocumentSet, bool, str] | None],
    own: str,
    asked: Asked,
    twin: Asked | None,
    numbers: Numbers,
) -> Vector:
    """The vector of sending authorization policies.

    Parameters
    ----------
    policies_of
        The documents of an identity, by ARN, whether others were not read, and its place among
        the identities that have any; None where it is no identity of the snapshot.
    own
        The ARN of the identity sent from.
    asked, twin, numbers
        As for `layer_vector`.
    """

    def say(request: CheckRequest, slots: _Slots) -> object:
        if not request.check.on_identity:
            return None
        found = policies_of(request.check.resource) or policies_of(own)
        if found is None or (not found[0].policies and not found[1]):
            return None
        documents, unread, target = found
        opened = request.ask(documents.keys)
        whole = reduce_resource_policies(documents.policies, opened)
        denies: list[tuple[int, Formula]] = []
        for place, policy in enumerate(documents.policies):
            for statement in policy.document.statements:
                if statement.effect != "Deny":
                    continue
                one = replace(policy, document=replace(policy.document, statements=(statement,)))
                formula = reduce_resource_policies((one,), opened).deny
                if formula is not FALSE:
                    denial = Denial(
                        Layer.SENDING_AUTHORIZATION_POLICY,
                        "explicit",
                        str(place),
                        statement.sid,
                        statement.index,
                        target,
                    )
                    denies.append((slots.of(denial), formula))
        grants = (whole.grant_exempt, whole.grant_limited, whole.delegate)
        facts = _facts([*grants, *(f for _, f in denies)], request, opened)
        return (grants, tuple(denies), unread, facts)

    return _with_twin(_vector(asked, say, numbers), twin, say, numbers)
