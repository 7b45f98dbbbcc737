"""One batch of accounts decided: each layer once for what it can tell apart, then the layers
together once for each combination that occurs.

Names are put back at the end: a decided combination is a template of a ruling, whose denials get
the names of each principal, account and identity that has it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ses_audit.audit.asks import Ask, Asks, View
from ses_audit.audit.classes import (
    ABSENT,
    PLAIN,
    Answer,
    Numbers,
    Vector,
    answer,
    grant_answer,
    layer_vector,
)
from ses_audit.audit.compose import CHAIN, RESOURCE, slot_of
from ses_audit.audit.decide import Decider, Missing
from ses_audit.audit.document_sets import FROM, DocumentSet, of_each_principal
from ses_audit.audit.groups import Group
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import Model
from ses_audit.audit.named import Entry, Named, Vectors
from ses_audit.audit.organization import Chain
from ses_audit.audit.requests import CheckRequest, Requests
from ses_audit.audit.rulings import CheckRuling
from ses_audit.audit.senders import Sender
from ses_audit.audit.templates import Template, recipients_in
from ses_audit.policy.principals import applies
from ses_audit.policy.reduce import OpenRequest
from ses_audit.policy.types import Caller, Layer

__all__ = ["Base", "Bench"]

_numbers = itertools.count().__next__


@dataclass(slots=True)
class Base:
    """What a principal's own policies and its boundary say of an identity."""

    own: Vector
    boundary: Vector
    number: int
    """One number for what they say, and for all that counts beside documents."""


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
        self.asks = Asks(knowledge, model, self.decider, self._requests)
        self._local = Numbers()
        self._codes: dict[object, tuple[int, tuple[tuple[int, View], ...]]] = {}
        self._alone: dict[tuple[int, int], Entry] = {}
        self.named = Named(model)

    @property
    def actions(self) -> tuple[str, ...]:
        """The send actions."""
        return self._knowledge.actions

    # Groups

    def chain_sets(self, chain: Chain) -> tuple[DocumentSet, ...]:
        """The documents of each level of a chain."""
        return self._knowledge.chain_sets(chain)

    def enter(self, group: Group) -> None:
        """Give a group its numbers: for all that documents can tell of it, and for its names."""
        known = self._knowledge
        # What holds an account's own names is numbered for this batch alone.
        of, local = known.numbers.of, self._local.of
        sets = [group.own] if group.boundary is None else [group.own, group.boundary]
        chain = known.chain(group.chain)
        group.code, group.views = self._codes_of(group, sets)
        group.chain_views = chain.views
        group.chain_code = PLAIN
        if chain.told:
            told = tuple([(place, d.number, _of_group(d, group)) for place, d in chain.told])
            group.chain_code = of(("levels", group.chain.open_levels, told))
        group.caller_code = local(
            (
                "caller",
                group.type,
                group.in_organization,
                group.named or group.exact,
                group.exact,
                group.boundary is not None or bool(group.boundary_missing),
            )
        )
        group.names = (
            local(("names", group.own_names)),
            local(("names", group.boundary_name)),
            chain.names,
        )

    def _codes_of(
        self, group: Group, sets: Sequence[DocumentSet]
    ) -> tuple[int, tuple[tuple[int, View], ...]]:
        """A number for what a group's own documents can tell of it, and what they look at."""
        known, rest = self._knowledge, _rest(group)
        attributes = tuple([_of_group(documents, group) for documents in sets])
        key = (rest, *map(id, sets), attributes)
        found = self._codes.get(key)
        if found is None:
            told = zip([documents.number for documents in sets], attributes, strict=True)
            code = known.numbers.of(("group", rest, *told))
            found = self._codes[key] = (code, known.views(sets))
        return found

    # Layers

    def _layer(
        self,
        layer: Layer,
        documents: DocumentSet,
        group: Group,
        ask: Ask,
        unread: bool = False,
    ) -> Vector:
        known = self._knowledge
        own = _of_group(documents, group)
        _, view = known.view(documents)
        key = (layer, documents.number, unread, own, ask.layout, ask.seen_by(view))
        found = known.vectors.get(key)
        if found is None:
            plain = self._says(self._requests, layer, documents, group, ask, unread)
            twin = (
                self._says(self._twin, layer, documents, group, ask, unread)
                if documents.undocumented
                else None
            )
            found = known.vectors[key] = layer_vector(ask.ids, plain, twin, known.numbers)
        return found

    def _says(
        self,
        requests: Requests,
        layer: Layer,
        documents: DocumentSet,
        group: Group,
        ask: Ask,
        unread: bool,
    ) -> Callable[[int, int], Answer | None]:
        known = self._knowledge
        _, view = known.view(documents)
        told = _of_group(documents, group)
        head = known.numbers.of(
            ("answer", layer, documents.number, unread, requests is self._twin, told)
        )

        def says(action: int, place: int) -> Answer | None:
            key = (head, ask.part(view, action, place))
            if key not in known.answers:
                sender = _sender_for(group, apart=bool(documents.principal_keys))
                checks = self._checks(
                    requests, sender if documents.of_principal else None, ask, action
                )
                said = answer(layer, documents, checks[place], unread=unread)
                known.answers[key] = None if said is None else known.same(said)
            return known.answers[key]

        return says

    def _checks(
        self, requests: Requests, sender: Sender | None, ask: Ask, action: int
    ) -> Sequence[CheckRequest]:
        """The checks of an action by a sender; None where it does not matter by whom."""
        who = Sender("", ask.sender_account, "user", "", "/") if sender is None else sender
        return requests.checks(who, ask.identity, self._knowledge.actions[action])

    def _asked(
        self, requests: Requests, sender: Sender | None, ask: Ask, action: int, anywhere: bool
    ) -> Sequence[CheckRequest]:
        """The checks of an action; `anywhere` says that no domain matters."""
        checks = self._checks(requests, sender, ask, action)
        return [replace(c, ask=_anywhere(c.ask)) for c in checks] if anywhere else checks

    def chain(self, group: Group, ask: Ask) -> Vector:
        """What all levels of SCPs say of a group's send from an identity."""
        if not group.chain_code:
            return ABSENT
        known = self._knowledge
        here = (group.chain_code, ask.layout, *self.seen(group.chain_views, ask))
        found = known.chains.get(here)
        if found is not None:
            return found
        layer = Layer.SERVICE_CONTROL_POLICY
        vectors = [
            self._layer(layer, documents, group, ask, place in group.chain.open_levels)
            if not documents.silent or place in group.chain.open_levels
            else ABSENT
            for place, documents in enumerate(self.chain_sets(group.chain))
        ]
        # Equal structures can stand for other statements: the levels themselves are the key.
        key = ("levels", ask.layout, *map(id, vectors))
        found = known.vectors.get(key)
        if found is None:
            found = known.vectors[key] = known.levels.vector(vectors, ask.ids)
        known.chains[here] = found
        return found

    def seen(self, views: Sequence[tuple[int, View]], ask: Ask) -> list[int]:
        """What the documents of some views see of an identity, as numbers."""
        found: list[int] = []
        for number, view in views:
            seen = ask.seen.get(number)
            if seen is None:
                seen = ask.seen[number] = self._knowledge.numbers.of(("seen", ask.seen_by(view)))
            found.append(seen)
        return found

    def resource(self, group: Group, ask: Ask) -> Vector:
        """What the sending policies that are read for an identity say of a group."""
        if not ask.asked:
            return ABSENT
        caller = _caller(group)
        limited = group.boundary is not None or bool(group.boundary_missing)
        said: list[tuple[tuple[object, ...], object]] = []
        undocumented = False
        for place, (arn, documents) in enumerate(zip(ask.asked, ask.documents, strict=True)):
            identity = self._model.identities[arn]
            undocumented = undocumented or documents.undocumented
            forms = tuple(
                applies(s.principal, caller, s.effect, has_boundary=limited)
                if s.principal is not None
                else None
                for policy in documents.policies
                for s in policy.document.statements
            )
            _, view = self._knowledge.view(documents)
            said.append(
                (
                    (place, documents.number, bool(identity.missing), forms,
                     _of_group(documents, group)),
                    ask.seen_by(view),
                )
            )  # fmt: skip
        # Whether it has a boundary counts only for whom the statements name: `forms`.
        key = ("resource", ask.layout, ask.asked_of, tuple(said))
        vectors = self._knowledge.vectors
        found = vectors.get(key)
        if found is None:
            plain = self._grants(self._requests, group, ask, said)
            twin = self._grants(self._twin, group, ask, said) if undocumented else None
            found = vectors[key] = layer_vector(ask.ids, plain, twin, self._knowledge.numbers)
        return found

    def _grants(
        self,
        requests: Requests,
        group: Group,
        ask: Ask,
        said: Sequence[tuple[tuple[object, ...], object]],
    ) -> Callable[[int, int], Answer | None]:
        sender = _sender_for(group, apart=bool(ask.telling or group.named))
        actions = self._knowledge.actions
        known = self._knowledge
        views = [known.view(documents)[1] for documents in ask.documents]
        # What they see of all resources is left out: of one check its own part counts.
        twin = requests is self._twin
        heads = [known.numbers.of(("grant", twin, *told)) for told, _ in said]

        def says(action: int, place: int) -> Answer | None:
            number = ask.asked_of[action][place]
            if number < 0:
                return None
            part = ask.part(views[number], action, place)
            key = (heads[number], part)
            if key not in known.answers:
                documents = ask.documents[number]
                unread = bool(self._model.identities[ask.asked[number]].missing)
                check = requests.checks(sender, ask.identity, actions[action])[place]
                granted = grant_answer(documents, check, str(number), unread=unread)
                known.answers[key] = None if granted is None else known.same(granted)
            return known.answers[key]

        return says

    # Cells

    def base(self, group: Group, ask: Ask) -> Base:
        """What a group's own policies and its boundary say of an identity."""
        known = self._knowledge
        key = (group.code, ask.code, *self.seen(group.views, ask))
        found = known.bases.get(key)
        if found is None:
            found = known.bases[key] = self._base(group, ask)
        return found

    def _base(self, group: Group, ask: Ask) -> Base:
        own = self._layer(Layer.IDENTITY_POLICY, group.own, group, ask)
        boundary = ABSENT
        if group.boundary is not None:
            boundary = self._layer(Layer.PERMISSIONS_BOUNDARY, group.boundary, group, ask)
        rest = ("base", _rest(group), ask.code, own.number, boundary.number)
        return Base(own, boundary, self._knowledge.numbers.of(rest))

    def entry(self, base: int, group: Group, ask: Ask, vectors: Vectors) -> Entry:
        """What is decided of a group on an identity.

        Parameters
        ----------
        base
            The number of its base.
        group, ask
            Any of those that have the same vectors.
        vectors
            What each layer says.
        """
        known = self._knowledge
        key = (base, vectors[CHAIN].number, vectors[RESOURCE].number)
        found = known.entries.get(key)
        if found is not None:
            return found
        alone = (group.number, ask.number)
        if alone in self._alone:
            return self._alone[alone]
        rest = (*_rest(group), ask.cross, len(ask.identity.missing), len(ask.missing))
        templates = tuple(
            self._template(group, ask, vectors, place, rest) for place in range(len(known.actions))
        )
        entry = Entry(
            templates,
            tuple(sorted({layer for template in templates for layer, _ in template.swaps})),
            any(template.missing or template.recipients for template in templates),
            all(template.shared for template in templates),
        )
        if entry.shared:
            known.entries[key] = entry
        else:
            self._alone[alone] = entry
        return entry

    def _template(
        self, group: Group, ask: Ask, vectors: Vectors, place: int, rest: object
    ) -> Template:
        known = self._knowledge
        structures = tuple(vector.structures[place] for vector in vectors)
        key = (structures, ask.kinds[place], rest)
        found = known.templates.get(key)
        if found is not None:
            return found
        composer = known.composer
        turning = frozenset().union(*map(composer.open_keys, structures))
        sender = _sender_for(group, apart=any(map(of_each_principal, turning)))
        anywhere = FROM in turning and all(map(composer.whatever_domain, structures))
        missing = Missing(
            tuple(dict.fromkeys((*group.missing, *group.boundary_missing, *ask.identity.missing))),
            ask.missing,
            group.chain.missing,
        )

        def ruled(requests: Requests, *, twin: bool) -> tuple[tuple[CheckRuling, ...], Missing]:
            checks = composer.checks(
                structures,
                lambda: self._asked(requests, sender if turning else None, ask, place, anywhere),
                same_account=not ask.cross,
                identity_side=group.type not in ("service", "anonymous", "federated"),
                unread=bool(group.missing),
                twin=twin,
            )
            keys = frozenset().union(*(r.open_keys for c in checks for r in c.rulings()))
            lacking = missing
            if keys and keys & requests.unread_keys(sender, ask.identity):
                gaps = self._model.organization.place_gaps()
                lacking = Missing(missing.sender, missing.account, missing.scp, gaps)
            return checks, lacking

        otherwise = None
        if composer.twin(structures):
            otherwise = self.decider.rule(*ruled(self._twin, twin=True)).verdict
        ruling = self.decider.rule(*ruled(self._requests, twin=False), otherwise)
        denials = (*ruling.denials, *ruling.possible, *(d for d, _ in ruling.without))
        swaps = tuple(
            (denial, *slot)
            for denial in dict.fromkeys(denials)
            if (slot := slot_of(denial)) is not None
        )
        gaps = self.named.gaps(group, ask)
        lacks = tuple(gaps.index(text) for text in ruling.missing)
        recipients = recipients_in(ruling.conditions, ask.recipients)
        found = known.template(
            ruling, swaps, lacks, recipients or (), shared=recipients is not None
        )
        if found.shared:
            known.templates[key] = found
        return found


def _anywhere(ask: Callable[[frozenset[str]], OpenRequest]) -> Callable[..., OpenRequest]:
    """Ask with one domain for all, so that what is found of From addresses is found once."""

    def asked(keys: frozenset[str]) -> OpenRequest:
        found = ask(keys)
        domain = found.domains.get(FROM)
        if domain is None:
            return found
        sides = (pattern.rpartition("@") for pattern in domain.patterns)
        patterns = tuple(
            dict.fromkeys(
                f"{local}@{'*.' if '*' in name else ''}example" for local, _, name in sides
            )
        )
        return replace(found, domains={**found.domains, FROM: replace(domain, patterns=patterns)})

    return asked


def _rest(group: Group) -> tuple[object, ...]:
    """What of a group decides beside its documents."""
    return (
        # Users and roles are decided by the same rules.
        "" if group.type in ("user", "role") else group.type,
        group.in_organization,
        (len(group.missing), len(group.boundary_missing), len(group.chain.missing)),
    )


def _of_group(documents: DocumentSet, group: Group) -> object:
    """What the answer of some documents can turn on, of a group."""
    if not documents.of_principal:
        return None
    return (
        group.type if documents.by_kind or not group.in_organization else "",
        group.in_organization,
        group.exact,
        group.account if documents.account_keys else "",
        group.attributes(documents) if documents.principal_keys else "",
    )


def _caller(group: Group) -> Caller:
    """Who asks; of principals that no policy names only the account and the kind matter."""
    if group.exact:
        return group.sender.caller
    if group.named:
        kind = group.type
        return Caller(group.named, group.account, kind, principal_id=group.principal_id)  # type: ignore[arg-type]
    return _stand_in(group).caller


def _sender_for(group: Group, *, apart: bool) -> Sender:
    """One of a group: any, where nothing that is asked tells principals apart."""
    return group.sender if apart or group.exact else _stand_in(group)


def _stand_in(group: Group) -> Sender:
    """One of many that no policy tells apart."""
    limited = group.boundary is not None or bool(group.boundary_missing)
    return Sender(
        "(one of many)",
        group.account,
        group.type,
        "",
        "/",
        boundary_missing=("(one of many)",) if limited else (),
        in_organization=group.in_organization,
    )
