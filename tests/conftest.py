"""Fixtures that several folders of tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_world import make_example


@pytest.fixture(scope="session")
def example_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the example organization, made of its records without a server."""
    return make_example(tmp_path_factory.mktemp("example") / "snapshot")
