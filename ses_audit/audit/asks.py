"""An identity as principals ask to send from it: its checks, and what documents can tell of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

from ses_audit.audit.classes import Numbers
from ses_audit.audit.document_sets import DocumentSet
from ses_audit.audit.identities import Identity
from ses_audit.audit.model import Model
from ses_audit.audit.requests import Requests, resource_name
from ses_audit.audit.senders import Sender
from ses_audit.policy.reduce import open_resource_relation
from ses_audit.policy.wildcards import arn_matches
from ses_audit.ses.checks import Check, IdentityFacts

if TYPE_CHECKING:
    from ses_audit.audit.decide import Decider
    from ses_audit.audit.knowledge import Knowledge

__all__ = ["NOTHING_SEEN", "Ask", "Asks", "View", "name_seen"]

Checks = Sequence[Sequence[Check]]
"""The checks of each action, the recipients last."""


@dataclass(frozen=True, slots=True)
class View:
    """What of an identity some documents look at."""

    patterns: tuple[str, ...]
    variable: bool
    by_name: bool
    by_local_part: bool
    by_region: bool
    by_owner: bool

    @classmethod
    def of(cls, documents: DocumentSet) -> View:
        """What one set of documents looks at."""
        return cls(
            documents.patterns,
            documents.variable,
            documents.by_name,
            documents.by_local_part,
            documents.by_region,
            documents.by_owner,
        )


NOTHING_SEEN = View((), False, False, False, False, False)


@dataclass(slots=True)
class Ask:
    """An identity as principals of its own account, or of others, ask to send from it."""

    identity: Identity
    sender_account: str | None
    cross: bool
    make_checks: Callable[[], Checks]
    ids: tuple[tuple[str, ...], ...]
    """The ids of the checks, by action."""
    kinds: tuple[object, ...]
    """What is checked, by action, but for the names of the resources."""
    resources: tuple[tuple[str, str, bool], ...]
    """What is checked on which resource, and whether its name is open; each once, in order."""
    missing: tuple[str, ...]
    """What was not read of its SES account."""
    recipients: tuple[str, ...]
    """The names of the recipients that are checked, in order."""
    asked: tuple[str, ...]
    """The identities whose sending policies are read for its checks, where they have any."""
    documents: tuple[DocumentSet, ...]
    """Their sending policies, in the same order."""
    telling: tuple[DocumentSet, ...]
    """Those that refer to an attribute of the principal."""
    naming: frozenset[str] | None
    """The accounts that they tell apart: those they name; None where each can be one of its own."""
    asked_of: tuple[tuple[int, ...], ...]
    """For each action and check the place of that identity in `asked`; -1 for none."""
    code: int
    """One number for all that is not a name."""
    layout: int
    """One number for the checks, their actions, and whether a resource's name is open."""
    number: int = field(default_factory=itertools.count().__next__)
    seen: dict[int, int] = field(default_factory=dict)
    """What documents see of it: by the number of a view."""
    _bits: dict[tuple[tuple[str, ...], str], object] = field(default_factory=dict)
    _checks: Checks = ()

    @property
    def checks(self) -> Checks:
        """Its checks, made when they are first asked for."""
        if not self._checks:
            self._checks = self.make_checks()
        return self._checks

    def seen_by(self, view: View) -> object:
        """What some documents see of all checks."""
        if view is NOTHING_SEEN:
            return ()
        bits: object = ()
        if view.patterns:
            bits = tuple([self._bits_of(view.patterns, name, opened)
                          for _, name, opened in self.resources])  # fmt: skip
        return (bits, self.resources if view.variable else (), self._seen_of_identity(view))

    def seen_in(self, view: View, action: int, place: int) -> object:
        """What some documents see of the resource of one check."""
        if not view.patterns and not view.variable:
            return ()
        check = self.checks[action][place]
        bits = self._bits_of(view.patterns, check.resource, check.open_resource)
        return (bits, check.resource) if view.variable else bits

    def _bits_of(self, patterns: tuple[str, ...], resource: str, opened: bool) -> object:
        known = (patterns, resource)
        found = self._bits.get(known)
        if found is None:
            found = self._bits[known] = _bits(patterns, resource, opened)
        return found

    def part(self, view: View, action: int, place: int) -> object:
        """All that the answer of some documents to one check can turn on."""
        check = self.checks[action][place]
        return (
            check.action,
            check.open_resource,
            self.seen_in(view, action, place),
            self._seen_of_identity(view),
        )

    def _seen_of_identity(self, view: View) -> object:
        return (
            name_seen(self.identity, local_part=view.by_local_part) if view.by_name else "",
            self.identity.region if view.by_region else "",
            self.identity.account if view.by_owner else "",
        )


def name_seen(identity: Identity, *, local_part: bool) -> str:
    """What documents see of an identity's name that look at it, or at what stands before its `@`.

    Of an address that is the local part with its `@`, of a domain nothing.
    """
    return "".join(identity.name.rpartition("@")[:2]) if local_part else identity.name


def _bits(patterns: tuple[str, ...], resource: str, opened: bool) -> object:
    """Which patterns match a resource; the resource itself where its name decides."""
    parts = resource.split(":")
    return tuple([_bit(pattern, resource, parts, opened) for pattern in patterns])


def _bit(pattern: str, resource: str, parts: list[str], opened: bool) -> object:
    plain = _plain(pattern)
    relation: object
    if plain is None or len(parts) != _HEADS + 1:
        if not opened:
            return arn_matches(pattern, resource)
        relation = open_resource_relation(pattern, resource)
    else:
        for place, head in plain.fixed:
            if parts[place] != head:
                return "none" if opened else False
        name = parts[-1]
        if not opened:
            return name.startswith(plain.name) if plain.starred else name == plain.name
        known = name.removesuffix("*")
        relation = "some" if plain.name.startswith(known) else "none"
        if plain.starred and known.startswith(plain.name):
            relation = "all"
    return (resource, pattern) if relation == "some" else relation


class _Plain(NamedTuple):
    """A pattern of six segments: stars stand for whole segments, or end the last.

    With as many colons as the ARN has, no star can cross one.
    """

    fixed: tuple[tuple[int, str], ...]
    """The heads that are no star, the account first: it tells most."""
    name: str
    starred: bool


@lru_cache(maxsize=100_000)
def _plain(pattern: str) -> _Plain | None:
    *heads, name = pattern.split(":")
    literal = name.removesuffix("*")
    if len(heads) != _HEADS or any(c in literal or c in pattern for c in ("?", "$")):
        return None
    if "*" in literal or any("*" in head and head != "*" for head in heads):
        return None
    fixed = tuple((place, head) for place, head in enumerate(heads) if head != "*")
    return _Plain(fixed[::-1], literal, name != literal)


_HEADS = 5


class Resource(NamedTuple):
    """A resource that is checked, of whatever identity: by its check and what its ARN ends in."""

    id: str
    ending: str
    """After the account; of a configuration set without its name."""
    opened: bool


class Shape(NamedTuple):
    """What is checked, but for names."""

    ids: tuple[tuple[str, ...], ...]
    kinds: tuple[object, ...]
    resources: tuple[Resource, ...]
    """Each once, in order; recipients stand at their place among them."""
    number: int
    layout: int


def shape_of(numbers: Numbers, every: Checks, configuration_set: str) -> Shape:
    """What is checked; recipients that are checked alike are one."""
    resources = dict.fromkeys((c.id, c.resource, c.open_resource) for cs in every for c in cs)
    kinds: list[object] = []
    layouts: list[object] = []
    for checks in every:
        known: dict[object, None] = {}
        laid: dict[object, None] = {}
        for place, check in enumerate(checks):
            where = -1 if check.id == "recipients" else place
            known[where, check.id, check.confidence, check.passing_confidence] = None
            laid[where, check.id, check.action, check.open_resource] = None
        kinds.append(tuple(known))
        layouts.append(tuple(laid))
    return Shape(
        tuple(tuple(check.id for check in checks) for checks in every),
        tuple(kinds),
        tuple(
            Resource(id, _ending(name).removesuffix(configuration_set), opened)
            if id == "configuration_set"
            else Resource(id, _ending(name), opened)
            for id, name, opened in resources
        ),
        numbers.of(("shape", tuple(kinds), tuple(layouts))),
        numbers.of(("layout", tuple(layouts))),
    )


def _ending(arn: str) -> str:
    return arn.split(":", _HEADS)[-1]


_ACCOUNT = re.compile("[0-9]{12}")


def _accounts_in(sets: Sequence[DocumentSet]) -> frozenset[str] | None:
    """The accounts that the `Principal` elements of some documents name; None for all."""
    if any(documents.account_keys for documents in sets):
        return None
    found: set[str] = set()
    for documents in sets:
        for policy in documents.policies:
            for statement in policy.document.statements:
                element = statement.principal
                for _, values in element.entries if element is not None else ():
                    for value in values:
                        found.update(_ACCOUNT.findall(value))
    return frozenset(found)


def _named(
    shape: Shape, facts: IdentityFacts, recipients: Sequence[str]
) -> tuple[tuple[str, str, bool], ...]:
    """What is checked of an identity: the check, the resource, whether its name is open."""
    account = ":".join(facts.arn.split(":", _HEADS)[:_HEADS])
    coming = iter(recipients)
    found: list[tuple[str, str, bool]] = []
    for id, ending, opened in shape.resources:
        if id == "sender":
            name = facts.arn
        elif id == "recipients":
            name = next(coming)
        elif id == "configuration_set":
            name = f"{account}:{ending}{facts.configuration_set}"
        else:
            name = f"{account}:{ending}"
        found.append((id, name, opened))
    return tuple(found)


class Asks:
    """Makes what is asked of the identities of a model.

    Parameters
    ----------
    knowledge
        Numbers what is asked.
    model
        The identities.
    decider
        Says what was not read.
    requests
        Makes their checks.
    """

    def __init__(
        self, knowledge: Knowledge, model: Model, decider: Decider, requests: Requests
    ) -> None:
        self._knowledge = knowledge
        self._model = model
        self._decider = decider
        self._requests = requests
        self._sets: dict[str, DocumentSet] = {}

    def ask(self, identity: Identity, sender: Sender) -> Ask:
        """How an identity is asked for by a sender, and by all of its account."""
        knowledge = self._knowledge
        cross = sender.account != identity.account
        facts, place = self._requests.facts(identity)
        listed = place.recipients if place.production_access is False and not cross else ()
        # Nothing else of an identity and its account says what is checked.
        key = (cross, bool(facts.configuration_set), place.production_access is False, len(listed))
        shape = knowledge.shapes.get(key)
        if shape is None:
            every = self._checks(identity, cross=cross)
            shape = shape_of(knowledge.numbers, every, facts.configuration_set or "")
            knowledge.shapes[key] = shape
        missing = self._decider.missing(sender, identity).account
        resources = _named(shape, facts, listed)
        names = dict.fromkeys((identity.arn, *(name for _, name, _ in resources)))
        asked = tuple(filter(self._has_policies, names))
        documents = tuple(map(self.documents_of, asked))
        return Ask(
            identity,
            sender.account,
            cross,
            partial(self._checks, identity, cross=cross),
            shape.ids,
            shape.kinds,
            resources,
            missing,
            tuple(map(resource_name, listed)),
            asked,
            documents,
            tuple(d for d in documents if d.principal_keys),
            _accounts_in(documents),
            tuple(
                tuple(self._place(check, identity, asked) for check in checks)
                for checks in self._checks(identity, cross=cross)
            )
            if asked
            else (),
            knowledge.numbers.of(("ask", shape.number, cross, len(identity.missing), len(missing))),
            shape.layout,
        )

    def _checks(self, identity: Identity, *, cross: bool) -> Checks:
        asked = self._requests.asked
        actions = self._knowledge.actions
        return tuple([asked(identity, action, cross_account=cross) for action in actions])

    def _place(self, check: Check, identity: Identity, asked: tuple[str, ...]) -> int:
        if not check.on_identity:
            return -1
        arn = check.resource
        if arn not in self._model.identities:
            arn = identity.arn
        return asked.index(arn) if arn in asked else -1

    def _has_policies(self, arn: str) -> bool:
        identity = self._model.identities.get(arn)
        return identity is not None and bool(identity.policies or identity.missing)

    def documents_of(self, arn: str) -> DocumentSet:
        """The sending policies of an identity."""
        if arn not in self._sets:
            identity = self._model.identities.get(arn)
            self._sets[arn] = self._knowledge.set_of(identity.policies if identity else ())
        return self._sets[arn]
