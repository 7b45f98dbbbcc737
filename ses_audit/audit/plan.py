"""Which tasks decide a snapshot: the same for the same tables, whoever does them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ses_audit.audit.cells import session_role
from ses_audit.audit.columns import BATCH, Columns, among, dicts
from ses_audit.audit.gaps import Gaps
from ses_audit.audit.grants import Grants, Reach, named_principals
from ses_audit.audit.identities import Identity, load_identities
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import organization_account, unlisted
from ses_audit.audit.senders import Sender, load_senders
from ses_audit.audit.tasks import Guest, OthersTask, Special, Task

__all__ = ["Plan", "make_plan"]

_PAIRS = 500
"""Senders that no table lists, of one task."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks, in the order in which their answers are numbered.

    `others` are the senders that no table lists, in the order of their numbers; `specials` is
    how many special identities there are.
    """

    tasks: tuple[Task | OthersTask, ...]
    others: tuple[Sender, ...]
    specials: int


def make_plan(columns: Columns, actions: tuple[str, ...], size: int = BATCH) -> Plan:
    """Plan the deciding of a snapshot.

    Parameters
    ----------
    columns
        Its columns.
    actions
        The send actions.
    size
        Principals of a task.
    """
    knowledge = Knowledge(columns, actions)
    gaps = _gaps(columns)
    partition = _partition(columns)
    reaches = [
        (identity, reach)
        for identity, reach in _reaches(knowledge, gaps, partition)
        if reach.beyond
    ]
    reaches.sort(key=lambda pair: pair[0].arn)
    specials = [
        Special(identity.arn, identity.account, number)
        for number, (identity, _) in enumerate(reaches)
    ]
    tasks = _account_tasks(columns, partition, specials, [reach for _, reach in reaches], size)
    others: dict[tuple[str, str], int] = {}
    senders: list[Sender] = []
    pairs: list[tuple[Special, tuple[tuple[int, Sender], ...]]] = []
    for special, (_, reach) in zip(specials, reaches, strict=True):
        numbered: list[tuple[int, Sender]] = []
        for sender in reach.others:
            number = others.setdefault((sender.arn, sender.type), len(others))
            if number == len(senders):
                senders.append(sender)
            numbered.append((number, sender))
        if numbered:
            pairs.append((special, tuple(numbered)))
    other_tasks = _other_tasks(partition, pairs)
    return Plan((*tasks, *other_tasks), tuple(senders), len(specials))


def _account_tasks(
    columns: Columns,
    partition: str,
    specials: list[Special],
    reaches: list[Reach],
    size: int,
) -> list[Task]:
    own: dict[str, list[Special]] = {}
    everyone: list[Guest] = []
    guests: dict[str, list[tuple[Special, Reach]]] = {}
    for special, reach in zip(specials, reaches, strict=True):
        own.setdefault(special.account, []).append(special)
        if reach.everyone:
            everyone.append(Guest(special, True, frozenset(), frozenset()))
            continue
        arns = {arn.split(":")[4] for arn in reach.principals}
        for account in reach.accounts | arns:
            guests.setdefault(account, []).append((special, reach))
    tasks: list[Task] = []
    for batch in columns.batches(size):
        accounts = columns.of_batch(batch)
        inside = frozenset(accounts)
        met = {s.arn: (s, r) for account in accounts for s, r in guests.get(account, ())}
        named = [
            Guest(
                special,
                False,
                reach.accounts & inside,
                frozenset(arn for arn in reach.principals if arn.split(":")[4] in inside),
            )
            for special, reach in met.values()
        ]
        tasks.append(
            Task(
                batch,
                partition,
                tuple(special for account in accounts for special in own.get(account, ())),
                tuple(sorted([*everyone, *named], key=lambda guest: guest.special.number)),
            )
        )
    return tasks


def _other_tasks(
    partition: str, pairs: list[tuple[Special, tuple[tuple[int, Sender], ...]]]
) -> list[OthersTask]:
    tasks: list[OthersTask] = []
    held: list[tuple[Special, tuple[tuple[int, Sender], ...]]] = []
    senders = 0
    for pair in pairs:
        held.append(pair)
        senders += len(pair[1])
        if senders >= _PAIRS:
            tasks.append(OthersTask(len(tasks), partition, tuple(held)))
            held, senders = [], 0
    if held:
        tasks.append(OthersTask(len(tasks), partition, tuple(held)))
    return tasks


def _gaps(columns: Columns) -> Gaps:
    """What says whether accounts, principals and identities could be listed; no more of it."""
    table = columns.small("coverage")
    account = among(table.column("operation"), ("GetAccountAuthorizationDetails", "AssumeRole"))
    organization = among(table.column("service"), ("organizations",))
    listed = among(table.column("operation"), ("ListEmailIdentities",))
    failed = ~among(table.column("state"), ("OK", "EMPTY"))
    kept = np.flatnonzero(account | organization | (listed & failed))
    rows = dicts(table.take(pa.array(kept.tolist(), pa.int64())))
    return Gaps(rows, organization_account(columns.source.manifest))


def _partition(columns: Columns) -> str:
    arn = columns.large("principals").first("principal_arn")
    return "aws" if arn is None else arn.split(":")[1]


def _reaches(knowledge: Knowledge, gaps: Gaps, partition: str) -> Iterable[tuple[Identity, Reach]]:
    """The identities that may let in others, and whom they reach."""
    columns = knowledge.columns
    table = columns.small("identities")
    details = pc.fill_null(table.column("details_read"), False)
    attached = pc.unique(columns.small("identity_policies").column("identity_arn"))
    arns = table.column("identity_arn").cast(pa.string())
    attached = attached.cast(pa.string())
    kept = table.filter(pc.or_(pc.invert(details), pc.is_in(arns, value_set=attached)))
    rows = dicts(kept)
    policies = dicts(columns.small("identity_policies"))
    identities = load_identities(rows, policies, knowledge.documents, gaps)
    for missing in unlisted(gaps, knowledge.organization, partition):
        identities.setdefault(missing.arn, missing)
    named = _named(knowledge, named_principals(identities.values()), gaps)
    grants = Grants(
        named, columns.principal_counts, knowledge.organization.accounts, gaps, partition
    )
    return [(identity, grants.reach(identity)) for identity in identities.values()]


def _named(knowledge: Knowledge, named: frozenset[str], gaps: Gaps) -> dict[str, Sender]:
    """The principals of the tables that sending policies name, one by one or by a session.

    Of a role that a session names all is read, since the session is a sender of its own; of the
    others no more than who they are.
    """
    if not named:
        return {}
    columns = knowledge.columns
    values = pa.array(sorted(named))
    roles = {role for value in named if (role := session_role(value)) is not None}
    accounts = pa.array(sorted({account for account, _ in roles}), pa.string())
    role_names = pa.array(sorted({name for _, name in roles}), pa.string())

    def wanted(table: pa.Table) -> pa.Array:
        found = pc.is_in(table.column("principal_arn"), value_set=values)
        if roles:
            of_role = pc.is_in(table.column("name"), value_set=role_names)
            inside = pc.is_in(table.column("account_id"), value_set=accounts)
            found = pc.or_(found, pc.and_(of_role, inside))
        return found

    rows = columns.large("principals").matching(
        ("principal_arn", "account_id", "type", "name"), wanted
    )
    found = {
        str(row["principal_arn"]): Sender(
            str(row["principal_arn"]),
            str(row["account_id"]),
            str(row["type"]),
            str(row["name"]),
            "/",
        )
        for row in rows.to_pylist()
    }
    whole = sorted(
        s.arn for s in found.values() if s.type == "role" and (s.account, s.name) in roles
    )
    if whole:
        arns = pa.array(whole)
        tables = ("principals", "principal_policies", "access_keys")
        rows, policies, keys = (columns.of_principals(name, arns)[0].to_pylist() for name in tables)
        found.update(load_senders(rows, policies, keys, knowledge.documents, gaps))
    return {
        arn: sender
        for arn, sender in found.items()
        if arn in named or (sender.account, sender.name) in roles
    }
