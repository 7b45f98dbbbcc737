"""Fixtures of AWS in the process, for the tests of the collector and of its commands."""

from __future__ import annotations

import os
from pathlib import Path

import botocore.handlers
import pytest
from fake_aws import FakeAws

from ses_audit.collect.pace import Pace
from ses_audit.collect.reference import load_data

__all__ = ["aws_environment", "fake", "fast", "no_aws", "unhurried"]


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, no configuration, and no way out: whatever is asked meets a closed port."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


@pytest.fixture
def aws_environment(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up credentials of the management account."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-test")


@pytest.fixture
def fake(aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """AWS in the process: every client that is made from here on asks it."""
    found = FakeAws()
    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-send", found)]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
    return found


def unhurried() -> Pace:
    """No rate, and no wait between attempts."""
    rates = {service: {"*": [1e6, 1e6]} for service in load_data("rates.json")["rates"]}
    attempts = load_data("rates.json")["attempts"]
    return Pace({"rates": rates, "attempts": attempts, "first_wait": 0.0, "longest_wait": 0.0})


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Pace:
    """The pace of a test; commands take it too."""
    monkeypatch.setattr("ses_audit.collect.run.Pace", unhurried)
    return unhurried()
