"""An identity as principals ask to send from it: its checks, and what documents can tell of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ses_audit.audit.classes import Numbers
from ses_audit.audit.document_sets import DocumentSet
from ses_audit.audit.identities import Identity
from ses_audit.audit.model import Model
from ses_audit.audit.requests import CheckRequest
from ses_audit.audit.requests import Requests as CellRequests
from ses_audit.audit.senders import Sender
from ses_audit.policy.reduce import open_resource_relation
from ses_audit.policy.wildcards import arn_matches

if TYPE_CHECKING:
    from ses_audit.audit.decide import Decider
    from ses_audit.audit.knowledge import Knowledge

__all__ = ["NOTHING_SEEN", "Ask", "Asks", "View"]

Requests = Sequence[Sequence[CheckRequest]]
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
    requests: Requests
    """Its checks as any sender of the account has them."""
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

    def seen_by(self, view: View) -> object:
        """What some documents see of all checks."""
        if view is NOTHING_SEEN:
            return ()
        bits: object = ()
        if view.patterns:
            bits = tuple(
                self._bits_of(view.patterns, name, opened) for _, name, opened in self.resources
            )
        return (bits, self.resources if view.variable else (), self._seen_of_identity(view))

    def seen_in(self, view: View, action: int, place: int) -> object:
        """What some documents see of the resource of one check."""
        if not view.patterns and not view.variable:
            return ()
        check = self.requests[action][place].check
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
        check = self.requests[action][place].check
        return (
            check.action,
            check.open_resource,
            self.seen_in(view, action, place),
            self._seen_of_identity(view),
        )

    def _seen_of_identity(self, view: View) -> object:
        name = self.identity.name if view.by_name else ""
        return (
            name.rpartition("@")[0] if view.by_local_part else name,
            self.identity.region if view.by_region else "",
            self.identity.account if view.by_owner else "",
        )


def _bits(patterns: tuple[str, ...], resource: str, opened: bool) -> object:
    """Which patterns match a resource; the resource itself where its name decides."""
    parts = resource.split(":")
    return tuple([_bit(pattern, resource, parts, opened) for pattern in patterns])


def _bit(pattern: str, resource: str, parts: list[str], opened: bool) -> object:
    plain = _plain(pattern)
    relation: object
    if plain is None or len(parts) != len(plain.heads) + 1:
        if not opened:
            return arn_matches(pattern, resource)
        relation = open_resource_relation(pattern, resource)
    elif any(head not in ("*", part) for head, part in zip(plain.heads, parts, strict=False)):
        return "none" if opened else False
    elif not opened:
        return parts[-1].startswith(plain.name) if plain.starred else parts[-1] == plain.name
    else:
        known = parts[-1].removesuffix("*")
        relation = "some" if plain.name.startswith(known) else "none"
        if plain.starred and known.startswith(plain.name):
            relation = "all"
    return (resource, pattern) if relation == "some" else relation


class _Plain(NamedTuple):
    """A pattern of six segments: stars stand for whole segments, or end the last.

    With as many colons as the ARN has, no star can cross one.
    """

    heads: tuple[str, ...]
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
    return _Plain(tuple(heads), literal, name != literal)


_HEADS = 5


class Shape(NamedTuple):
    """What is checked, but for names."""

    ids: tuple[tuple[str, ...], ...]
    kinds: tuple[object, ...]
    number: int
    layout: int


def shape_of(numbers: Numbers, requests: Requests) -> Shape:
    """What is checked; recipients that are checked alike are one."""
    kinds: list[object] = []
    layouts: list[object] = []
    for checks in requests:
        known: dict[object, None] = {}
        laid: dict[object, None] = {}
        for place, request in enumerate(checks):
            check = request.check
            where = -1 if check.id == "recipients" else place
            known[where, check.id, check.confidence, check.passing_confidence] = None
            laid[where, check.id, check.action, check.open_resource] = None
        kinds.append(tuple(known))
        layouts.append(tuple(laid))
    return Shape(
        tuple(tuple(request.check.id for request in checks) for checks in requests),
        tuple(kinds),
        numbers.of(("shape", tuple(kinds), tuple(layouts))),
        numbers.of(("layout", tuple(layouts))),
    )


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
        self, knowledge: Knowledge, model: Model, decider: Decider, requests: CellRequests
    ) -> None:
        self._knowledge = knowledge
        self._model = model
        self._decider = decider
        self._requests = requests
        self._sets: dict[str, DocumentSet] = {}

    def ask(self, identity: Identity, sender: Sender) -> Ask:
        """How an identity is asked for by a sender, and by all of its account."""
        knowledge = self._knowledge
        requests = tuple(
            self._requests.checks(sender, identity, action) for action in knowledge.actions
        )
        checked = tuple(
            tuple(
                (c.id, c.action, c.confidence, c.passing_confidence, c.open_resource)
                for c in (request.check for request in checks)
            )
            for checks in requests
        )
        shape = knowledge.shapes.get(checked)
        if shape is None:
            shape = knowledge.shapes[checked] = shape_of(knowledge.numbers, requests)
        missing = self._decider.missing(sender, identity).account
        cross = sender.account != identity.account
        resources: dict[tuple[str, str, bool], None] = {}
        for checks in requests:
            for request in checks:
                check = request.check
                resources[check.id, check.resource, check.open_resource] = None
        names = dict.fromkeys((identity.arn, *(name for _, name, _ in resources)))
        asked = tuple(filter(self._has_policies, names))
        documents = tuple(map(self.documents_of, asked))
        return Ask(
            identity,
            sender.account,
            cross,
            requests,
            shape.ids,
            shape.kinds,
            tuple(resources),
            missing,
            tuple(request.name for request in requests[0] if request.check.id == "recipients"),
            asked,
            documents,
            tuple(d for d in documents if d.principal_keys),
            tuple(
                tuple(self._place(request, identity, asked) for request in checks)
                for checks in requests
            )
            if asked
            else (),
            knowledge.numbers.of(("ask", shape.number, cross, len(identity.missing), len(missing))),
            shape.layout,
        )

    def _place(self, request: CheckRequest, identity: Identity, asked: tuple[str, ...]) -> int:
        if not request.check.on_identity:
            return -1
        arn = request.check.resource
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
