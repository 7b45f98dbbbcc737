"""What one layer says, without names: equal for all principals and identities that it treats alike.

A layer's answer to the seven send actions is its *structure*: for each check the formula under
which it allows, and of each statement that can deny the formula under which it does. Statements
are numbered, so that structures are shared by accounts that hold copies of a policy under their
own ARNs; `slots` say what each number stands for. Cells of equal structures have equal verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from ses_audit.audit.layers import referenced_keys
from ses_audit.audit.requests import CheckRequest
from ses_audit.policy.formula import FALSE, TRUE, Formula, keys_of
from ses_audit.policy.reduce import (
    RESOURCE_KEY,
    OpenRequest,
    reduce_layer,
    reduce_resource_policies,
)
from ses_audit.policy.types import AttachedPolicy, Clause, Denial, Layer
from ses_audit.ses.context import documented_for_ses

__all__ = ["ABSENT", "DocumentSet", "Numbers", "Vector", "layer_vector", "resource_vector"]


class Numbers:
    """Small numbers for equal things."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {}

    def of(self, thing: object) -> int:
        """The number of a thing."""
        return self._known.setdefault(thing, len(self._known))

    def __len__(self) -> int:
        return len(self._known)


@dataclass(frozen=True, slots=True)
class Vector:
    """One layer's structure for the seven actions, and what its numbers stand for.

    `slots[action]` holds denials as far as they are known: of the layers of a principal
    `policy` is the place of the policy among the principal's, as text.
    """

    structure: int
    slots: tuple[tuple[Denial, ...], ...]


ABSENT = Vector(-1, ((),) * 16)
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


class DocumentSet:
    """The documents of one layer of one principal, account or identity."""

    def __init__(self, policies: Iterable[AttachedPolicy]) -> None:
        self.policies = tuple(policies)
        self.keys: frozenset[str] = frozenset().union(
            *(referenced_keys(policy.document) for policy in self.policies)
        )
        statements = [s for p in self.policies for s in p.document.statements]
        patterns = sorted({r for s in statements for r in s.resources or ()} - {"*"})
        self.patterns = tuple(p for p in patterns if "${" not in p)
        self.variable = len(self.patterns) < len(patterns)
        """Whether a resource pattern holds a variable."""
        self.undocumented = not all(map(documented_for_ses, self.keys))
        self.principal_keys = tuple(sorted(filter(of_each_principal, self.keys)))
        self.account_keys = bool(self.keys & _ACCOUNT_KEYS)
        self.by_name = any(k.startswith("ses:") and k not in _ANY_IDENTITY for k in self.keys)
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


def _facts(formulas: Iterable[Formula], request: CheckRequest, opened: OpenRequest) -> object:
    """What is known of the open keys on which formulas turn."""
    keys: frozenset[str] = frozenset().union(*map(keys_of, formulas))
    if not keys:
        return ()
    resource = request.check.resource if RESOURCE_KEY in keys else ""
    asked = keys - {RESOURCE_KEY}
    if not asked:
        return resource
    settled = opened if asked <= _settled(opened) else request.ask(asked)
    return (resource, settled.values_of(asked))


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
    """The structure of one set of documents for one check; None where it changes nothing."""
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
                target = None if layer is Layer.IDENTITY_POLICY else policy.target
                denial = Denial(layer, "explicit", name, statement.sid, statement.index, target)
                denies.append((slots.of(denial), formula))
    if layer is Layer.SERVICE_CONTROL_POLICY and allow is TRUE and not denies:
        return None
    lacking = slots.of(lack) if lack is not None and allow is not TRUE else -1
    facts = _facts([allow, *(formula for _, formula in denies)], request, opened)
    return (allow, tuple(denies), lacking, facts)


Say = Callable[[CheckRequest, _Slots], object]


def _vector(asked: Asked, say: Say, numbers: Numbers) -> Vector:
    """Put what a layer says of each check together; recipients it treats alike are one."""
    structures: list[object] = []
    every: list[tuple[Denial, ...]] = []
    for requests in asked:
        slots = _Slots()
        said: list[object] = []
        recipients: list[tuple[object, str]] = []
        for request in requests:
            answer = say(request, slots)
            if request.check.id == "recipients":
                recipients.append((answer, request.check.resource))
            else:
                said.append(answer)
        if len({answer for answer, _ in recipients}) > 1:
            said += recipients
        else:
            said += [answer for answer, _ in recipients[:1]]
        structures.append(tuple(said))
        every.append(tuple(slots.found))
    return Vector(numbers.of(tuple(structures)), tuple(every))


def layer_vector(
    layer: Layer,
    levels: tuple[tuple[tuple[AttachedPolicy, ...], tuple[str, ...], Denial | None, bool], ...],
    asked: Asked,
    twin: Asked | None,
    numbers: Numbers,
) -> Vector:
    """The vector of identity policies, of a boundary, or of the levels of SCPs.

    Parameters
    ----------
    layer
        Which.
    levels
        For each level its documents, what a denial calls them, what the lack of an allow is
        called, and whether an allow may be there that was not read.
    asked
        The checks of a principal and an identity.
    twin
        The same with the keys that AWS doesn't document for SES taken for absent; None where
        the documents name none.
    numbers
        Of structures.
    """
    keys: frozenset[str] = frozenset().union(
        *(referenced_keys(p.document) for policies, *_ in levels for p in policies)
    )

    def say(request: CheckRequest, slots: _Slots) -> object:
        found = [
            _level(layer, policies, names, request, keys, slots, lack, unread)
            for policies, names, lack, unread in levels
        ]
        return tuple(level for level in found if level is not None)

    return _with_twin(_vector(asked, say, numbers), twin, say, numbers)


def _with_twin(vector: Vector, twin: Asked | None, say: Say, numbers: Numbers) -> Vector:
    if twin is None:
        return vector
    other = _vector(twin, say, numbers)
    # The twin only changes a confidence; its denials are in no row, but structures number them.
    structure = numbers.of(("twin", vector.structure, other.structure))
    return Vector(structure, vector.slots)


def resource_vector(
    policies_of: Callable[[str], tuple[DocumentSet, bool] | None],
    own: str,
    asked: Asked,
    twin: Asked | None,
    numbers: Numbers,
) -> Vector:
    """The vector of sending authorization policies.

    Parameters
    ----------
    policies_of
        The documents of an identity, by ARN, and whether others were not read; None where it is
        no identity of the snapshot.
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
        documents, unread = found
        opened = request.ask(documents.keys)
        whole = reduce_resource_policies(documents.policies, opened)
        denies: list[tuple[int, Formula]] = []
        for policy in documents.policies:
            for statement in policy.document.statements:
                if statement.effect != "Deny":
                    continue
                one = replace(policy, document=replace(policy.document, statements=(statement,)))
                formula = reduce_resource_policies((one,), opened).deny
                if formula is not FALSE:
                    denial = Denial(
                        Layer.SENDING_AUTHORIZATION_POLICY,
                        "explicit",
                        policy.arn or policy.name,
                        statement.sid,
                        statement.index,
                        policy.target,
                    )
                    denies.append((slots.of(denial), formula))
        grants = (whole.grant_exempt, whole.grant_limited, whole.delegate)
        facts = _facts([*grants, *(f for _, f in denies)], request, opened)
        return (grants, tuple(denies), unread, facts)

    return _with_twin(_vector(asked, say, numbers), twin, say, numbers)
