"""The pairs of a batch decided together, and each alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ses_audit.audit.audit import ACTIONS
from ses_audit.audit.batches import Bench
from ses_audit.audit.columns import Columns
from ses_audit.audit.combinations import Pairs
from ses_audit.audit.groups import Group
from ses_audit.audit.identities import Identity
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import Model, load
from ses_audit.audit.senders import Sender
from ses_audit.snapshot.store import Snapshot, open_snapshot

Rulings = tuple[object, ...]


@pytest.fixture(scope="module")
def snapshot(example_snapshot: Path) -> Snapshot:
    return open_snapshot(example_snapshot)


@pytest.fixture(scope="module")
def model(snapshot: Snapshot) -> Model:
    return load(snapshot, ACTIONS)


def decided(
    snapshot: Snapshot, model: Model, pairs: list[tuple[Sender, Identity]]
) -> list[Rulings]:
    """The rulings of some pairs, one an action, with their denials."""
    knowledge = Knowledge(Columns(snapshot), ACTIONS)
    bench = Bench(knowledge, model)
    taken = Pairs(bench)
    for number, (sender, identity) in enumerate(pairs):
        group = Group.of_one(sender, bench.decider.scp_chain(sender), knowledge)
        place = taken.group(group, number)
        taken.cross([place], [taken.ask(bench.asks.ask(identity, sender), number)])
    senders, identities, places = taken.decide()
    assert senders.tolist() == identities.tolist() == list(range(len(pairs)))
    named = bench.named
    denials: dict[object, list[object]] = {}
    for number, *denial in named.denials:
        denials.setdefault(number, []).append(denial)
    return [
        tuple((named.rulings[n], str(denials.get(n))) for n in named.cells[place])
        for place in places.tolist()
    ]


def test_pairs_together_are_as_each_alone(snapshot: Snapshot, model: Model) -> None:
    pairs = [
        (sender, identity)
        for identity in list(model.identities.values())[::5]
        for sender in model.crossing.senders_of(identity)[::7]
    ]
    together = decided(snapshot, model, pairs)
    assert len(set(together)) > 10
    assert together == [decided(snapshot, model, [pair])[0] for pair in pairs]


def test_each_group_meets_each_identity(snapshot: Snapshot, model: Model) -> None:
    knowledge = Knowledge(Columns(snapshot), ACTIONS)
    bench = Bench(knowledge, model)
    pairs = Pairs(bench)
    identity = next(iter(model.identities.values()))
    senders = model.crossing.senders_of(identity)[:3]
    groups = [
        pairs.group(Group.of_one(s, bench.decider.scp_chain(s), knowledge), 10 + n)
        for n, s in enumerate(senders)
    ]
    asks = [pairs.ask(bench.asks.ask(identity, senders[0]), 20 + n) for n in range(2)]
    pairs.cross(groups[:2], asks)
    pairs.cross(groups[2:], asks[1:])
    classes, identities, _ = pairs.decide()
    assert list(zip(classes.tolist(), identities.tolist(), strict=True)) == [
        (10, 20), (10, 21), (11, 20), (11, 21), (12, 21),
    ]  # fmt: skip


def test_no_pairs(snapshot: Snapshot, model: Model) -> None:
    columns = Pairs(Bench(Knowledge(Columns(snapshot), ACTIONS), model)).decide()
    assert [column.tolist() for column in columns] == [[], [], []]
