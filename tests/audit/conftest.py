"""Fixtures: snapshots in memory."""

from __future__ import annotations

import pytest
from audit_worlds import World


@pytest.fixture
def world() -> World:
    """An organization with its management account and one root."""
    return World().organization()


@pytest.fixture
def lone() -> World:
    """Nothing but tables to fill: no organization is known."""
    made = World()
    made.manifest["organization"] = {}
    return made
