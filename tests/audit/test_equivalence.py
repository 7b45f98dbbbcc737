"""The verdicts by classes are those of the plain decider, cell by cell and column by column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from random_organizations import random_world

from ses_audit.audit.audit import ACTIONS
from ses_audit.audit.decide import Decider
from ses_audit.audit.documents import check_document
from ses_audit.audit.execute import decide
from ses_audit.audit.model import Source, load
from ses_audit.audit.spread import spread
from ses_audit.audit.verdict_tables import build
from ses_audit.replay.generate import Generated, Size
from ses_audit.replay.generate_tables import write_tables
from ses_audit.snapshot.store import open_snapshot

ORGANIZATIONS = 200
AT_ONCE = 20

Cells = dict[tuple[object, ...], tuple[object, ...]]


def cell_by_cell(source: Source) -> dict[str, pa.Table]:
    """Every cell decided by itself."""
    model = load(source, ACTIONS)
    identities = sorted(model.identities.values(), key=lambda identity: identity.arn)
    senders = [model.crossing.senders_of(identity) for identity in identities]
    return build(identities, senders, ACTIONS, Decider(model)).tables


def long(tables: Mapping[str, pa.Table]) -> Cells:
    """Principal, type, identity and action → all that the tables say of the cell."""
    every = {
        name: np.ones(len(tables[name]), dtype=bool)
        for name in ("senders", "identities", "actions", "rulings")
    }
    rows = spread(tables, **every, unrelated=True)
    senders = tables["senders"].drop_columns("sender_class").to_pylist()
    identities = tables["identities"].drop_columns("identity_class").to_pylist()
    rulings = tables["rulings"].to_pylist()
    denials: dict[int, list[tuple[object, ...]]] = {}
    for denial in tables["denials"].to_pylist():
        denials.setdefault(denial.pop("ruling"), []).append(tuple(denial.items()))
    found: Cells = {}
    columns = (rows[name].tolist() for name in ("sender", "identity", "action", "ruling"))
    for sender, identity, action, ruling in zip(*columns, strict=True):
        who, where = senders[sender], identities[identity]
        key = (who["principal_arn"], who["principal_type"], where["identity_arn"], action)
        assert key not in found, "a cell stands in the tables once"
        found[key] = (
            tuple(who.items()),
            tuple(where.items()),
            tuple(rulings[ruling].items()),
            tuple(denials.get(ruling, ())),
        )
    return found


def assert_same(source: Source, size: int) -> int:
    """Compare both ways; batches of `size` principals share what was decided before."""
    expected, found = long(cell_by_cell(source)), long(decide(source, ACTIONS, size))
    assert expected.keys() == found.keys()
    for key, cell in expected.items():
        assert found[key] == cell, key
    return len(expected)


@pytest.mark.parametrize("first", range(0, ORGANIZATIONS, AT_ONCE))
def test_random_organizations(first: int) -> None:
    cells = [
        assert_same(random_world(seed), (20_000, 5, 1)[seed % 3])
        for seed in range(first, first + AT_ONCE)
    ]
    assert sum(cells) > 1_000


def test_the_example(example_snapshot: Path) -> None:
    assert assert_same(open_snapshot(example_snapshot), 20) > 10_000


def test_a_generated_organization(tmp_path: Path) -> None:
    """Copies of policies, documents of one account, variables, tags, boundaries, chains of SCPs."""
    size = Size(accounts=8, principals=25, identities=4, units=5, scps=18, regions=3)
    write_tables(tmp_path / "snapshot", Generated(size), check_document)
    assert assert_same(open_snapshot(tmp_path / "snapshot"), 40) > 4_000


def test_random_organizations_hold_every_verdict_and_layer() -> None:
    verdicts: set[str] = set()
    layers: set[str] = set()
    for seed in range(12):
        tables = decide(random_world(seed), ACTIONS)
        verdicts.update(tables["rulings"].column("verdict").to_pylist())
        layers.update(tables["denials"].column("layer").to_pylist())
    assert verdicts == {"ALLOWED", "CONDITIONAL", "DENIED", "UNKNOWN"}
    assert layers == {
        "identity_policy",
        "permissions_boundary",
        "service_control_policy",
        "sending_authorization_policy",
    }
