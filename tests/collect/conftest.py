from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from aws_fixtures import aws_environment, fake, fast, no_aws

from ses_audit.collect.options import CollectOptions

__all__ = ["aws_environment", "fake", "fast", "no_aws", "options"]


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., CollectOptions]:
    def make(**changes: object) -> CollectOptions:
        given: dict[str, object] = {
            "snapshot": tmp_path / "snapshot",
            "ses_regions": lambda partition: ("eu-west-1", "us-east-1"),
            "check_document": lambda text: None,
            "workers": 4,
        }
        return CollectOptions(**{**given, **changes})  # type: ignore[arg-type]

    return make
