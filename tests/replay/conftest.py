"""A running server, and boto3 clients that know nothing of it but the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import pytest

from ses_audit.replay.example import example_records
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import Server, environment, serve
from ses_audit.snapshot.evidence import Record

Start = Callable[..., Server]
Client = Callable[..., Any]
MANAGEMENT = "111111111111"


@pytest.fixture(scope="session")
def records() -> list[Record]:
    return example_records()


@pytest.fixture
def start(records: list[Record], monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a server, by default of the example, and points the environment at it."""
    with ExitStack() as running:

        def begin(
            conditions: Conditions | None = None, recording: Recording | None = None
        ) -> Server:
            server = running.enter_context(
                serve(recording or Recording(records), conditions=conditions)
            )
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                monkeypatch.delenv(name)
            for name, value in environment(
                server.url, server.recording.caller_account, "eu-west-1"
            ).items():
                monkeypatch.setenv(name, value)
            # One attempt, so that a test sees each answer.
            monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
            return server

        yield begin


@pytest.fixture
def client() -> Client:
    """An unmodified boto3 client; of another account with the role that is assumed there."""

    def make(service: str, account: str = MANAGEMENT, region: str = "eu-west-1") -> Any:
        session = boto3.session.Session()
        if account == MANAGEMENT:
            return session.client(service, region_name=region)
        keys = session.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/ses-audit", RoleSessionName="test"
        )["Credentials"]
        return session.client(
            service,
            region_name=region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    return make
