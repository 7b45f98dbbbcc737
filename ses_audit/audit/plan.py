"""Which tasks decide a snapshot: the same for the same tables, whoever does them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ses_audit.audit.cells import session_role
from ses_audit.audit.columns import BATCH, Columns
from ses_audit.audit.gaps import Gaps
from ses_audit.audit.grants import Grants, Reach, named_principals
from ses_audit.audit.identities import Identity, load_identities
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import organization_account, unlisted
from ses_audit.audit.senders import Sender, load_senders
from ses_audit.audit.tasks import Guest, OthersTask, Special, Task

__all__ = ["Plan", "make_plan"]

_PAIRS = 2_000
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
    for pair in pairs:
        held.append(pair)
        if sum(len(senders) for _, senders in held) >= _PAIRS:
            tasks.append(OthersTask(len(tasks), partition, tuple(held)))
            held = []
    if held:
        tasks.append(OthersTask(len(tasks), partition, tuple(held)))
    return tasks


def _gaps(columns: Columns) -> Gaps:
    """What says whether principals and identities could be listed; the rest is left out."""
    table = columns.small("coverage")
    kept = ("GetAccountAuthorizationDetails", "AssumeRole")
    listed = pc.equal(table.column("operation"), "ListEmailIdentities")
    failed = pc.invert(pc.is_in(table.column("state"), value_set=pa.array(["OK", "EMPTY"])))
    wanted = pc.or_(
        pc.is_in(table.column("operation"), value_set=pa.array(kept)), pc.and_(listed, failed)
    )
    rows = table.filter(wanted).to_pylist()
    return Gaps(rows, organization_account(columns.source.manifest))


def _partition(columns: Columns) -> str:
    arns = columns.large("principals").column("principal_arn")
    return str(arns[0]).split(":")[1] if len(arns) else "aws"


def _reaches(knowledge: Knowledge, gaps: Gaps, partition: str) -> Iterable[tuple[Identity, Reach]]:
    """The identities that may let in others, and whom they reach."""
    columns = knowledge.columns
    table = columns.small("identities")
    details = pc.fill_null(table.column("details_read"), False)
    attached = pc.unique(columns.small("identity_policies").column("identity_arn"))
    arns = table.column("identity_arn").cast(pa.string())
    attached = attached.cast(pa.string())
    kept = table.filter(pc.or_(pc.invert(details), pc.is_in(arns, value_set=attached)))
    rows = kept.to_pylist()
    policies = columns.small("identity_policies").to_pylist()
    identities = load_identities(rows, policies, knowledge.documents, gaps)
    for missing in unlisted(_coverage_rows(columns), gaps, knowledge.organization, partition):
        identities.setdefault(missing.arn, missing)
    named = _named(knowledge, named_principals(identities.values()), gaps)
    grants = Grants(
        named, columns.principal_counts, knowledge.organization.accounts, gaps, partition
    )
    return [(identity, grants.reach(identity)) for identity in identities.values()]


def _coverage_rows(columns: Columns) -> list[dict[str, object]]:
    table = columns.small("coverage")
    listed = pc.equal(table.column("operation"), "ListEmailIdentities")
    evidence = pa.array(["OK", "EMPTY"])
    failed = pc.invert(pc.is_in(table.column("state"), value_set=evidence))
    rows: list[dict[str, object]] = table.filter(pc.and_(listed, failed)).to_pylist()
    return rows


def _named(knowledge: Knowledge, named: frozenset[str], gaps: Gaps) -> dict[str, Sender]:
    """The principals of the tables that sending policies name, one by one or by a session."""
    if not named:
        return {}
    columns = knowledge.columns
    large = columns.large("principals")
    arns = large.column("principal_arn")
    wanted = pc.is_in(arns, value_set=pa.array(sorted(named)))
    roles = {role for value in named if (role := session_role(value)) is not None}
    if roles:
        pairs = pa.array(sorted(f"{account}/{name}" for account, name in roles))
        joined = pc.binary_join_element_wise(large.column("account_id"), large.column("name"), "/")
        wanted = pc.or_(wanted, pc.is_in(joined, value_set=pairs))
    chosen = arns.filter(wanted)
    if not len(chosen):
        return {}
    rows, _ = columns.of_principals("principals", chosen)
    policies, _ = columns.of_principals("principal_policies", chosen)
    keys, _ = columns.of_principals("access_keys", chosen)
    return load_senders(
        rows.to_pylist(), policies.to_pylist(), keys.to_pylist(), knowledge.documents, gaps
    )
