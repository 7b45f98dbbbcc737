"""What is told of a snapshot without its principals is what its model says."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_organizations import random_world

from ses_audit.audit.audit import ACTIONS
from ses_audit.audit.model import Model, load, unread_accounts
from ses_audit.audit.overview import Overview
from ses_audit.snapshot.store import open_snapshot


def assert_told(overview: Overview, model: Model) -> None:
    assert overview.gaps == model.gaps.all()
    assert overview.organization.accounts == model.organization.accounts
    unread = {*unread_accounts(model)} | {
        a.id for a in model.organization.accounts.values() if not a.audited
    }
    assert {account for account, _, _ in overview.not_read} == unread
    unlisted = {(i.account, i.region) for i in model.identities.values() if not i.known}
    assert overview.unlisted == unlisted


@pytest.mark.parametrize("seed", range(40))
def test_random_organizations(seed: int) -> None:
    world = random_world(seed)
    assert_told(Overview(world, ACTIONS), load(world, ACTIONS))


def test_the_example(example_snapshot: Path) -> None:
    snapshot = open_snapshot(example_snapshot)
    overview = Overview(snapshot, ACTIONS)
    assert_told(overview, load(snapshot, ACTIONS))
    planned, read = overview.cells
    assert planned - read == len(overview.gaps) > 0
