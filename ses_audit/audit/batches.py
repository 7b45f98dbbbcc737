"""One batch of accounts decided: each layer once for what it can tell apart, then the layers
together once for each combination that occurs.

Names are put back at the end: a decided combination is a template of a ruling, in which the
denials of each principal, account and identity take the place of those of the first that had it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from ses_audit.audit.alike import Group, names_of
from ses_audit.audit.classes import (
    ABSENT,
    DocumentSet,
    Vector,
    chain_vector,
    layer_vector,
    resource_vector,
)
from ses_audit.audit.decide import Decider
from ses_audit.audit.identities import Identity
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import Model
from ses_audit.audit.organization import Chain
from ses_audit.audit.requests import CheckRequest, Requests
from ses_audit.audit.rulings import Ruling
from ses_audit.audit.senders import Sender
from ses_audit.audit.templates import Name, Names, Template, Templates, recipients_in
from ses_audit.policy.principals import applies
from ses_audit.policy.reduce import open_resource_relation
from ses_audit.policy.types import Caller, Denial, Layer
from ses_audit.policy.wildcards import arn_matches

__all__ = ["Ask", "Bench"]

_OWN, _BOUNDARY, _CHAIN, _RESOURCE = range(4)


@dataclass(slots=True)
class Ask:
    """An identity as principals of its own account, or of others, ask to send from it."""

    identity: Identity
    cross: bool
    shape: int
    """What is checked, but for the names of the resources."""
    resources: tuple[tuple[str, str, bool], ...]
    """What is checked on which resource, and whether its name is open; each once, in order."""
    missing: tuple[str, ...]
    """What was not read of its SES account."""
    kinds: tuple[object, ...]
    """What is checked, by action."""
    recipients: tuple[str, ...]
    """The names of the recipients that are checked, in order."""
    bits: dict[tuple[str, ...], object]
    asked: tuple[str, ...]
    """The identities whose sending policies are read for its checks, where they have any."""
    asked_of: tuple[tuple[int, ...], ...]
    """For each action and check the place of that identity in `asked`; -1 for none."""
    number: int = field(default_factory=itertools.count().__next__)


class Bench:
    """Where the cells of one batch are decided.

    Parameters
    ----------
    knowledge
        What was decided before is kept here.
    model
        The identities of the batch.
    """

    def __init__(self, knowledge: Knowledge, model: Model) -> None:
        self._knowledge = knowledge
        self._model = model
        self.decider = Decider(model)
        self._requests = Requests(model)
        self._twin = Requests(model, undocumented=False)
        self._sets: dict[str, DocumentSet] = {}
        self._chains: dict[int, tuple[tuple[DocumentSet, ...], Chain]] = {}
        self._here: dict[object, Vector] = {}
        self._plain: dict[int, tuple[int, ...]] = {}
        self._slots: dict[object, Names] = {}
        self._uses: dict[int, tuple[tuple[int, ...], bool]] = {}
        self._together: dict[object, tuple[int, ...]] = {}
        self.rulings: dict[Ruling, int] = {}
        self._instances: dict[object, int] = {}
        self._kept: list[Templates] = []

    def ask(self, identity: Identity, sender: Sender) -> Ask:
        """How an identity is asked for by a sender, and by all of its account."""
        requests = self._asked(self._requests, sender, identity)
        shape: list[object] = []
        resources: dict[tuple[str, str, bool], None] = {}
        for checks in requests:
            kinds: list[object] = []
            for request in checks:
                check = request.check
                kind = (
                    check.id,
                    check.confidence,
                    check.passing_confidence,
                    check.open_resource,
                )
                if check.id != "recipients" or kind not in kinds:
                    kinds.append(kind)
                resources[check.id, check.resource, check.open_resource] = None
            shape.append(tuple(kinds))
        names = dict.fromkeys((identity.arn, *(name for _, name, _ in resources)))
        asked = tuple(filter(self._has_policies, names))
        return Ask(
            identity,
            sender.account != identity.account,
            self._knowledge.numbers.of(("shape", tuple(shape))),
            tuple(resources),
            self.decider.missing(sender, identity).account,
            tuple(shape),
            tuple(request.name for request in requests[0] if request.check.id == "recipients"),
            {},
            asked,
            tuple(
                tuple(self._place(request, identity, asked) for request in checks)
                for checks in requests
            )
            if asked
            else (),
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

    def _asked(
        self, requests: Requests, sender: Sender, identity: Identity
    ) -> tuple[tuple[CheckRequest, ...], ...]:
        return tuple(
            requests.checks(sender, identity, action) for action in self._knowledge.actions
        )

    def documents_of(self, arn: str) -> DocumentSet:
        """The sending policies of an identity."""
        if arn not in self._sets:
            identity = self._model.identities.get(arn)
            self._sets[arn] = self._knowledge.set_of(identity.policies if identity else ())
        return self._sets[arn]

    # Layers

    def _of_ask(self, documents: DocumentSet, ask: Ask) -> object:
        """What the answer of some documents can turn on, of an identity."""
        found: list[object] = [ask.shape]
        if documents.patterns:
            bits = ask.bits.get(documents.patterns)
            if bits is None:
                bits = ask.bits[documents.patterns] = _bits(documents.patterns, ask.resources)
            found.append(bits)
        if documents.variable:
            found.append(ask.resources)
        if documents.by_name:
            name = ask.identity.name
            found.append(name.rpartition("@")[0] if documents.by_local_part else name)
        if documents.by_region:
            found.append(ask.identity.region)
        if documents.by_owner:
            found.append(ask.identity.account)
        return tuple(found)

    @staticmethod
    def _of_group(documents: DocumentSet, group: Group) -> object:
        """What the answer of some documents can turn on, of a group."""
        if not documents.keys:
            return None
        return (
            group.type,
            group.in_organization,
            group.exact,
            group.account if documents.account_keys else "",
            group.attributes(documents) if documents.principal_keys else "",
        )

    def _layer(
        self,
        layer: Layer,
        documents: DocumentSet,
        group: Group,
        ask: Ask,
        unread: bool = False,
    ) -> Vector:
        own = self._of_group(documents, group)
        here = (id(documents), layer, ask.number, own, unread)
        found = self._here.get(here)
        if found is not None:
            return found
        key = (layer, documents.number, unread, own, self._of_ask(documents, ask))
        found = self._knowledge.vectors.get(key)
        if found is None:
            found = self._knowledge.vectors[key] = layer_vector(
                layer,
                documents,
                self._asked(self._requests, group.sender, ask.identity),
                self._asked(self._twin, group.sender, ask.identity)
                if documents.undocumented
                else None,
                self._knowledge.numbers,
                unread=unread,
            )
        self._here[here] = found
        return found

    def chain_sets(self, chain: Chain) -> tuple[DocumentSet, ...]:
        """The documents of each level of a chain."""
        levels = self._chains.get(id(chain))
        if levels is None:
            found = tuple(map(self._knowledge.set_of, chain.levels or ()))
            # The chain is kept with them, so that no other takes its id.
            self._chains[id(chain)] = (found, chain)
            return found
        return levels[0]

    def _chain(self, group: Group, ask: Ask) -> Vector:
        chain = group.chain
        if chain.levels is None:
            return ABSENT
        sets = self.chain_sets(chain)
        if group.chain_part is None:
            group.chain_part = tuple(self._of_group(d, group) for d in sets if d.keys)
        here = (id(chain), ask.number, group.chain_part)
        known = self._here.get(here)
        if known is not None:
            return known
        layer = Layer.SERVICE_CONTROL_POLICY
        vectors = [
            self._layer(layer, documents, group, ask, place in chain.open_levels)
            for place, documents in enumerate(sets)
        ]
        # Equal structures can stand for other statements: the levels themselves are the key.
        key = ("levels", *map(id, vectors))
        found = self._knowledge.vectors.get(key)
        if found is None:
            found = chain_vector(vectors, len(self._knowledge.actions), self._knowledge.numbers)
            self._knowledge.vectors[key] = found
        self._here[here] = found
        return found

    def _resource(self, group: Group, ask: Ask) -> Vector:
        if not ask.asked:
            return ABSENT
        here = ("resource", ask.number, group.number)
        found = self._here.get(here)
        if found is not None:
            return found
        caller = self._caller(group)
        limited = group.boundary is not None or bool(group.boundary_missing)
        said: list[object] = []
        undocumented = False
        for place, arn in enumerate(ask.asked):
            documents = self.documents_of(arn)
            identity = self._model.identities[arn]
            undocumented = undocumented or documents.undocumented
            forms = tuple(
                applies(s.principal, caller, s.effect, has_boundary=limited)
                if s.principal is not None
                else None
                for policy in documents.policies
                for s in policy.document.statements
            )
            said.append(
                (
                    place, documents.number, bool(identity.missing), forms,
                    self._of_ask(documents, ask), self._of_group(documents, group),
                )
            )  # fmt: skip
        key = ("resource", ask.shape, ask.asked_of, limited, tuple(said))
        found = self._knowledge.vectors.get(key)
        if found is None:
            found = self._knowledge.vectors[key] = self._resource_vector(group, ask, undocumented)
        self._here[here] = found
        return found

    @staticmethod
    def _caller(group: Group) -> Caller:
        """Who asks; of principals that no policy names only the account and the kind matter."""
        if group.named or group.exact:
            return group.sender.caller
        return Caller("(one of many)", group.account, group.type)  # type: ignore[arg-type]

    def _resource_vector(self, group: Group, ask: Ask, undocumented: bool) -> Vector:
        places = {arn: str(place) for place, arn in enumerate(ask.asked)}

        def policies_of(arn: str) -> tuple[DocumentSet, bool, str] | None:
            identity = self._model.identities.get(arn)
            if identity is None:
                return None
            return self.documents_of(arn), bool(identity.missing), places.get(arn, "")

        return resource_vector(
            policies_of,
            ask.identity.arn,
            self._asked(self._requests, group.sender, ask.identity),
            self._asked(self._twin, group.sender, ask.identity) if undocumented else None,
            self._knowledge.numbers,
        )

    # Cells

    def decide(self, group: Group, ask: Ask) -> tuple[int, ...]:
        """The rulings of a group on an identity, one an action, as places in `rulings`."""
        boundary = group.boundary
        vectors = (
            self._layer(Layer.IDENTITY_POLICY, group.own, group, ask),
            ABSENT
            if boundary is None
            else self._layer(Layer.PERMISSIONS_BOUNDARY, boundary, group, ask),
            self._chain(group, ask),
            self._resource(group, ask),
        )
        rest = (
            ask.cross,
            # Users and roles are decided by the same rules.
            "" if group.type in ("user", "role") else group.type,
            group.in_organization,
            (len(group.missing), len(group.boundary_missing)),
            (len(ask.identity.missing), len(ask.missing), len(group.chain.missing)),
        )
        key = (*(vector.number for vector in vectors), ask.shape, rest)
        templates = self._knowledge.rows.get(key)
        if templates is None:
            templates = tuple(
                self._template(group, ask, vectors, place, rest)
                for place in range(len(self._knowledge.actions))
            )
            if all(template.shared for template in templates):
                self._knowledge.rows[key] = templates
            else:
                self._kept.append(templates)
        plain = self._plain.get(id(templates))
        if plain is not None:
            return plain
        uses = self._uses.get(id(templates))
        if uses is None:
            layers = sorted({layer for t in templates for _, layer, _ in t.swaps})
            alone = any(t.missing or t.recipients for t in templates)
            uses = self._uses[id(templates)] = (tuple(layers), alone)
        named = tuple(id(self._names(n, vectors[n], group, ask)) for n in uses[0])
        here = (id(templates), named, (group.number, ask.number) if uses[1] else ())
        known = self._together.get(here)
        if known is None:
            known = self._together[here] = tuple(
                self._number(template, place, vectors, group, ask)
                for place, template in enumerate(templates)
            )
        if not uses[0] and not uses[1]:
            self._plain[id(templates)] = known
        return known

    def _template(
        self, group: Group, ask: Ask, vectors: tuple[Vector, ...], place: int, rest: object
    ) -> Template:
        key = (*(vector.structures[place] for vector in vectors), ask.kinds[place], rest)
        found = self._knowledge.templates.get(key)
        if found is not None:
            return found
        action = self._knowledge.actions[place]
        ruling = self.decider.decide(group.sender, ask.identity, action)
        named: dict[Denial, tuple[int, int]] = {}
        for layer, vector in enumerate(vectors):
            for number, slot in enumerate(vector.slots[place]):
                denial = Denial(slot.layer, slot.kind, *self._name(slot, layer, group, ask))
                named.setdefault(denial, (layer, number))
        denials = (*ruling.denials, *ruling.possible, *(d for d, _ in ruling.without))
        distinct = tuple(dict.fromkeys(denials))
        gaps = self._gaps(group, ask) if ruling.missing else []
        missing = tuple(gaps.index(text) if text in gaps else -1 for text in ruling.missing)
        swaps = tuple((d, *named[d]) for d in distinct if d in named)
        recipients = recipients_in(ruling.conditions, ask.recipients)
        shared = (
            -1 not in missing
            and recipients is not None
            and not any(_belongs(d, group, ask) for d in distinct if d not in named)
        )
        found = Template(ruling, swaps, missing, recipients or (), shared)
        if found.shared:
            self._knowledge.templates[key] = found
        return found

    def _gaps(self, group: Group, ask: Ask) -> list[str]:
        missing = self.decider.missing(group.sender, ask.identity)
        place = self._model.organization.place_gaps()
        return [*place, *missing.sender, *missing.account, *missing.scp]

    def _names(self, layer: int, vector: Vector, group: Group, ask: Ask) -> Names:
        """The policy and the target in each slot of a layer, for the principals of a group."""
        if layer == _CHAIN:
            key: object = (id(vector), id(group.chain))
        elif layer == _RESOURCE:
            key = (id(vector), ask.number)
        else:
            key = (id(vector), group.boundary_name if layer == _BOUNDARY else group.own_names)
        found = self._slots.get(key)
        if found is None:
            found = self._slots[key] = tuple(
                tuple(self._name(slot, layer, group, ask) for slot in slots)
                for slots in vector.slots[: len(self._knowledge.actions)]
            )
        return found

    def _name(self, slot: Denial, layer: int, group: Group, ask: Ask) -> Name:
        place = None if slot.policy is None else int(slot.policy)
        target = None
        if layer == _CHAIN:
            level = int(slot.target or 0)
            target = group.chain.targets[level]
            names = names_of((group.chain.levels or ())[level])
        elif layer == _RESOURCE:
            target = ask.asked[int(slot.target or 0)]
            policies = self._model.identities[target].policies
            names = names_of(policies)
            target = policies[place].target if place is not None else None
        else:
            names = (group.boundary_name,) if layer == _BOUNDARY else group.own_names
        policy = None if place is None else names[place]
        return policy, slot.sid, slot.statement_index, target

    def _number(
        self,
        template: Template,
        place: int,
        vectors: tuple[Vector, ...],
        group: Group,
        ask: Ask,
    ) -> int:
        """The place of a template's ruling for a group and an identity."""
        new = tuple(
            self._names(layer, vectors[layer], group, ask)[place][number]
            for _, layer, number in template.swaps
        )
        gaps = self._gaps(group, ask) if template.missing else []
        missing = tuple(gaps[n] for n in template.missing)
        recipients = tuple(ask.recipients[n] for n in template.recipients)
        key = (id(template), new, missing, recipients)
        found = self._instances.get(key)
        if found is not None:
            return found
        ruling = template.ruling_for(new, missing, recipients)
        number = self._instances[key] = self.rulings.setdefault(ruling, len(self.rulings))
        return number


def _belongs(denial: Denial, group: Group, ask: Ask) -> bool:
    """Whether a denial's names are of one account, so that no other can take the ruling."""
    text = f"{denial.policy} {denial.target}"
    own = (group.account, ask.identity.account)
    names = {*group.own_names, *(policy.name for policy in ask.identity.policies)}
    return any(a is not None and a in text for a in own) or denial.policy in names


def _bits(patterns: tuple[str, ...], resources: tuple[tuple[str, str, bool], ...]) -> object:
    """Which patterns match which resources; the resource itself where its name decides."""
    found: list[object] = []
    for _, name, opened in resources:
        for pattern in patterns:
            if not opened:
                found.append(arn_matches(pattern, name))
                continue
            relation = open_resource_relation(pattern, name)
            found.append((name, pattern) if relation == "some" else relation)
    return tuple(found)
