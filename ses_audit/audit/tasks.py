"""What a worker is given and what it gives back: one batch of accounts, or of single senders.

A task holds no more than names; what it needs it reads from the snapshot. Its answer is the
batch's rows of the verdict tables, numbered within the batch.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ses_audit.audit.alike import Alike
from ses_audit.audit.asks import name_seen
from ses_audit.audit.attributes import Uses, uses_of
from ses_audit.audit.batches import Bench
from ses_audit.audit.cells import Crossing
from ses_audit.audit.columns import Batch, Columns, Integers
from ses_audit.audit.combinations import Pairs
from ses_audit.audit.document_sets import DocumentSet
from ses_audit.audit.grants import named_principals
from ses_audit.audit.groups import Group
from ses_audit.audit.identities import Identity
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import Model
from ses_audit.audit.model_part import model_of
from ses_audit.audit.organization import Chain
from ses_audit.audit.senders import Sender
from ses_audit.audit.verdict_tables import KIND, SCHEMAS
from ses_audit.policy.wildcards import arn_matches
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.store import open_snapshot

__all__ = [
    "Guest",
    "OthersTask",
    "Part",
    "Special",
    "Task",
    "ready",
    "run",
    "run_others",
    "run_task",
    "sender_rows",
]


@dataclass(frozen=True, slots=True)
class Special:
    """An identity that principals beyond its own account may use: a class of its own."""

    arn: str
    account: str
    number: int


@dataclass(frozen=True, slots=True)
class Guest:
    """A special identity as it concerns the principals of a batch.

    `everyone` lets in all of them, `accounts` those of some accounts, `principals` single ones.
    """

    special: Special
    everyone: bool
    accounts: frozenset[str]
    principals: frozenset[str]


@dataclass(frozen=True, slots=True)
class Task:
    """The principals of a batch of accounts, on every identity that they may use."""

    batch: Batch
    partition: str
    own: tuple[Special, ...]
    """The special identities of the batch's own accounts."""
    guests: tuple[Guest, ...]


@dataclass(frozen=True, slots=True)
class OthersTask:
    """Senders that no table lists, each on one special identity.

    The numbers are those of the senders.
    """

    number: int
    partition: str
    pairs: tuple[tuple[Special, tuple[tuple[int, Sender], ...]], ...]


@dataclass(slots=True)
class Part:
    """A batch's rows of the verdict tables.

    Sender classes and identity classes are numbered from 0 within the batch; a special identity,
    and a sender of an `OthersTask`, is given as -1 - its number.
    """

    senders: pa.Table
    identities: pa.Table
    sender_classes: int
    identity_classes: int
    digests: list[bytes]
    """Of each ruling of the batch: equal rulings have equal digests."""
    rulings: pa.Table
    denials: pa.Table
    pairs: tuple[Integers, Integers, Integers]
    """The sender class and the identity class of each pair, and its place in `instances`."""
    instances: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    """The rulings of an instance, one an action."""


_KNOWN: dict[str, Knowledge] = {}


def knowledge_of(path: str, key: str, actions: tuple[str, ...]) -> Knowledge:
    """What this process knows of a snapshot; the last one is kept.

    Parameters
    ----------
    path
        The snapshot's folder.
    key
        Changes with its tables.
    actions
        The send actions.
    """
    name = f"{path}\n{key}\n{actions}"
    if name not in _KNOWN:
        _KNOWN.clear()
        _KNOWN[name] = Knowledge(Columns(open_snapshot(Path(path))), actions)
    return _KNOWN[name]


def ready(path: str, key: str, actions: tuple[str, ...]) -> None:
    """Read what every task needs, in this process, before the first is there.

    Parameters
    ----------
    path, key, actions
        As for `knowledge_of`.
    """
    try:
        knowledge_of(path, key, actions).learn()
    except SnapshotError:
        # The first task says so, to who waits for it.
        _KNOWN.clear()


def run_task(path: str, key: str, actions: tuple[str, ...], task: Task | OthersTask) -> Part:
    """Do a task in this process: what an executor is given.

    Parameters
    ----------
    path, key, actions
        As for `knowledge_of`.
    task
        What is to be decided.
    """
    knowledge = knowledge_of(path, key, actions)
    collecting = gc.isenabled()
    # What is decided is kept: looking through it for garbage again and again finds none.
    gc.disable()
    try:
        return run_others(knowledge, task) if isinstance(task, OthersTask) else run(knowledge, task)
    finally:
        if collecting:
            gc.enable()


def _part(
    bench: Bench,
    pairs: Pairs,
    senders: pa.Table,
    identities: pa.Table,
    sender_classes: int,
    identity_classes: int,
) -> Part:
    """A batch's rows."""
    decided = pairs.decide()
    return Part(
        senders,
        identities,
        sender_classes,
        identity_classes,
        bench.named.digests,
        _table("rulings", bench.named.rulings),
        _table("denials", bench.named.denials),
        decided,
        np.array(bench.named.cells, dtype=np.int64).reshape(-1, len(bench.actions)),
    )


def run(knowledge: Knowledge, task: Task) -> Part:
    """Decide a batch of accounts."""
    accounts = knowledge.columns.of_batch(task.batch)
    foreign = {guest.special.account for guest in task.guests}
    model = model_of(knowledge, {*accounts, *foreign}, task.partition)
    part = _Batch(knowledge, model, task, accounts).run()
    knowledge.forget()
    return part


class _Batch:
    def __init__(self, knowledge: Knowledge, model: Model, task: Task, accounts: list[str]) -> None:
        self._knowledge = knowledge
        self._model = model
        self._task = task
        self._accounts = accounts
        self._bench = Bench(knowledge, model)
        self._special = {special.arn: special.number for special in task.own}
        self._identities: dict[str, list[Identity]] = {account: [] for account in accounts}
        for identity in sorted(model.identities.values(), key=lambda i: i.arn):
            if identity.account in self._identities:
                self._identities[identity.account].append(identity)
        self._guests: dict[str, list[Guest]] = {}
        for guest in task.guests:
            arns = {arn.split(":")[4] for arn in guest.principals}
            for account in accounts if guest.everyone else sorted({*guest.accounts, *arns}):
                if account in self._identities and account != guest.special.account:
                    self._guests.setdefault(account, []).append(guest)
        self._resource_uses: dict[str, Uses] = {}
        self._guest_asks: dict[int, int] = {}

    def run(self) -> Part:
        table = self._knowledge.columns.principals(self._task.batch)
        alike = Alike(self._knowledge, table, self._model.gaps)
        reached = [
            *(i for own in self._identities.values() for i in own),
            *(self._identity(guest) for guest in self._task.guests),
        ]
        # A session's name singles out its role, too.
        named = named_principals(reached).union(*(g.principals for g in self._task.guests))
        groups = alike.groups(self._chain, self._uses_of_chain, self._uses_of_policies, named)
        classes: Integers = np.zeros(alike.size, dtype=np.int64)
        pairs = Pairs(self._bench)
        unread: list[Sender] = []
        unread_classes: list[int] = []
        identity_classes: list[tuple[Identity, int]] = []
        count = next_identity = 0
        crossing = _Unread({}, self._model.organization.accounts, self._model.gaps,
                           self._task.partition)  # fmt: skip
        for account in self._accounts:
            found = groups.get(account, [])
            for sender in crossing.unread(account):
                unread.append(sender)
                unread_classes.append(count + len(found))
                found = [*found, self._alone(sender)]
            places = [pairs.group(group, count + place) for place, group in enumerate(found)]
            asked: list[int] = []
            by_key: dict[object, int] = {}
            if found:
                keyed = self._class_key(found)
                anyone = _anyone(account)
                known: set[int] = set()
                for identity in self._identities[account]:
                    number = self._special.get(identity.arn)
                    if number is not None:
                        coded = -1 - number
                    else:
                        key = keyed(identity)
                        coded = by_key.setdefault(key, next_identity + len(by_key))
                    identity_classes.append((identity, coded))
                    if coded not in known:
                        known.add(coded)
                        asked.append(pairs.ask(self._bench.asks.ask(identity, anyone), coded))
                next_identity += len(by_key)
            else:
                identity_classes += [
                    (identity, -1 - self._special[identity.arn])
                    if identity.arn in self._special
                    else (identity, next_identity)
                    for identity in self._identities[account]
                ]
                next_identity += 1
            for place, group in enumerate(found):
                if len(group.members):
                    classes[group.members] = count + place
            pairs.cross(places, asked)
            self._with_guests(account, found, places, pairs)
            count += len(found)
        return _part(
            self._bench,
            pairs,
            self._sender_rows(alike, classes, unread, unread_classes),
            _identity_rows(identity_classes),
            count,
            next_identity,
        )

    def _with_guests(
        self, account: str, groups: list[Group], places: list[int], pairs: Pairs
    ) -> None:
        """Pair an account's principals with the identities of other accounts."""
        if not groups:
            return
        for guest in self._guests.get(account, ()):
            chosen = places
            if not (guest.everyone or account in guest.accounts):
                # A principal that a policy names is a group of its own.
                chosen = [
                    place
                    for place, group in zip(places, groups, strict=True)
                    if group.named in guest.principals
                ]
            if chosen:
                pairs.cross(chosen, [self._guest_ask(guest, account, pairs)])

    def _guest_ask(self, guest: Guest, account: str, pairs: Pairs) -> int:
        """What is checked is the same for all accounts but the identity's own."""
        number = guest.special.number
        if number not in self._guest_asks:
            ask = self._bench.asks.ask(self._identity(guest), _anyone(account))
            self._guest_asks[number] = pairs.ask(ask, -1 - number)
        return self._guest_asks[number]

    def _alone(self, sender: Sender) -> Group:
        return Group.of_one(sender, self._bench.decider.scp_chain(sender), self._knowledge)

    def _identity(self, guest: Guest) -> Identity:
        return self._model.identities[guest.special.arn]

    def _chain(self, account: str, linked: bool) -> Chain:
        return _UNBOUND if linked else self._model.organization.scp_chain(account)

    def _uses_of_chain(self, account: str) -> Uses:
        return self._knowledge.chain_uses(self._model.organization.scp_chain(account))

    def _uses_of_policies(self, account: str) -> Uses:
        if account not in self._resource_uses:
            reached = [*self._identities.get(account, ()),
                       *map(self._identity, self._guests.get(account, ()))]  # fmt: skip
            self._resource_uses[account] = uses_of(
                self._bench.asks.documents_of(i.arn) for i in reached if i.policies
            )
        return self._resource_uses[account]

    def _class_key(self, groups: list[Group]) -> _Keyed:
        sets: dict[int, DocumentSet] = {}
        for group in groups:
            for documents in (group.own, group.boundary):
                if documents is not None:
                    sets[id(documents)] = documents
            for level in self._bench.chain_sets(group.chain):
                sets[id(level)] = level
        return _Keyed(sets.values())

    def _sender_rows(
        self, alike: Alike, classes: Integers, unread: list[Sender], unread_classes: list[int]
    ) -> pa.Table:
        table = alike.table
        read = pa.table(
            [
                table.column("principal_arn"),
                table.column("type"),
                table.column("account_id"),
                table.column("name"),
                self._smtp(alike),
                pa.array(classes.astype(np.int32)),
            ],
            schema=SCHEMAS["senders"],
        )
        more = sender_rows(unread, unread_classes)
        return pa.concat_tables([read, more]).combine_chunks()

    def _smtp(self, alike: Alike) -> pa.Array:
        """Whether each principal can log in to SMTP; null where its keys were not read."""
        keys, places = self._knowledge.columns.of_principals("access_keys", alike.arns)
        active: Integers = np.zeros(alike.size, dtype=np.int64)
        keyed: Integers = np.zeros(alike.size, dtype=np.int64)
        keyed[places] = 1
        is_active = pc.equal(keys.column("status"), "Active").combine_chunks()
        active[places[is_active.to_numpy(zero_copy_only=False).astype(bool)]] = 1
        gaps = self._model.gaps
        unread = np.array(
            [bool(a and gaps.of(str(a), "global", "iam", "ListAccessKeys"))
             for a in alike.accounts],
            dtype=bool,
        )  # fmt: skip
        user = np.array([kind == "user" for kind in alike.types], dtype=bool)[alike.type_codes]
        unknown = user & (active == 0) & (keyed == 0) & unread[alike.account_codes]
        return pa.array(user & (active == 1), mask=unknown)


_UNBOUND = Chain(None)


def _anyone(account: str) -> Sender:
    """A sender of an account: what is checked depends on nothing else of it."""
    return Sender(f"arn:aws:iam::{account}:root", account, "root", "root", "/")


class _Unread(Crossing):
    def unread(self, account: str) -> list[Sender]:
        return list(self._unread(account))


class _Keyed:
    """Tells an account's identities apart as far as the documents in play do."""

    def __init__(self, sets: Iterable[DocumentSet]) -> None:
        documents = list(sets)
        self._patterns = tuple(sorted({p for d in documents for p in d.patterns}))
        self._variable = any(d.variable for d in documents)
        self._local_parts = sorted({d.by_local_part for d in documents if d.by_name})

    def __call__(self, identity: Identity) -> object:
        alone = bool(identity.policies or identity.missing or self._variable)
        return (
            identity.region,
            identity.configuration_set,
            identity.known,
            identity.arn if alone else "",
            tuple(name_seen(identity, local_part=local) for local in self._local_parts),
            tuple(arn_matches(pattern, identity.arn) for pattern in self._patterns),
        )


def run_others(knowledge: Knowledge, task: OthersTask) -> Part:
    """Decide senders that no table lists."""
    accounts = {special.account for special, _ in task.pairs}
    model = model_of(knowledge, accounts, task.partition)
    bench = Bench(knowledge, model)
    pairs = Pairs(bench)
    for special, senders in task.pairs:
        identity = model.identities[special.arn]
        for number, sender in senders:
            group = Group.of_one(sender, bench.decider.scp_chain(sender), knowledge)
            ask = bench.asks.ask(identity, sender)
            pairs.cross([pairs.group(group, -1 - number)], [pairs.ask(ask, -1 - special.number)])
    return _part(
        bench, pairs, SCHEMAS["senders"].empty_table(), SCHEMAS["identities"].empty_table(), 0, 0
    )


def sender_rows(senders: Iterable[Sender], classes: Iterable[int]) -> pa.Table:
    """Rows of the senders table."""
    rows = [
        (s.arn, KIND.get(s.type, s.type), s.account, s.name, s.smtp, number)
        for s, number in zip(senders, classes, strict=True)
    ]
    return _table("senders", rows)


def _identity_rows(identities: Iterable[tuple[Identity, int]]) -> pa.Table:
    rows = [(i.arn, i.account, i.name, i.type, i.region, number) for i, number in identities]
    return _table("identities", rows)


def _table(name: str, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    schema = SCHEMAS[name]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([list(column) for column in columns], schema=schema)
