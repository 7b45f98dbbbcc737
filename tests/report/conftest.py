"""Fixtures: audits of worlds that can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_worlds import save, two_regions

import ses_audit
from ses_audit.audit import Audit


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """Four principals, two identities, a region lock: see `report_worlds.two_regions`."""
    return save(two_regions(), tmp_path_factory.mktemp("small") / "snapshot")


@pytest.fixture(scope="session")
def example(example_snapshot: Path) -> Audit:
    """The example organization."""
    return ses_audit.open(example_snapshot)
