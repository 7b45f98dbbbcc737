from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import botocore.handlers
import pytest
from fake_aws import FakeAws
from moto import mock_aws

from ses_audit.collect.options import CollectOptions
from ses_audit.collect.pace import Pace
from ses_audit.collect.reference import load_data


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))


@pytest.fixture
def moto_aws(aws_environment: None) -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def fast() -> Pace:
    """No rate, and no wait between attempts."""
    rates = {service: {"*": [1e6, 1e6]} for service in load_data("rates.json")["rates"]}
    attempts = load_data("rates.json")["attempts"]
    return Pace({"rates": rates, "attempts": attempts, "first_wait": 0.0, "longest_wait": 0.0})


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


@pytest.fixture
def fake(aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """AWS in the process: every client that is made from here on asks it."""
    found = FakeAws()
    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-send", found)]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
    return found
