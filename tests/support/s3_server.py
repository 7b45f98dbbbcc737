"""S3 on loopback, by moto: kept by others, so it shares no mistake with what is tested."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "audits"


@contextmanager
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server with one bucket, to which the environment points; its URL."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_PROXY": "*",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        # moto keeps its state for as long as the process lives.
        urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()
        client().create_bucket(Bucket=BUCKET)
        yield url
    finally:
        server.stop()


def client() -> Any:
    """A client of its own session: the default one would keep this test's keys for the next."""
    return boto3.session.Session().client("s3")


def objects(prefix: str = "") -> dict[str, bytes]:
    """What is in the bucket, by key."""
    bucket = client()
    found = bucket.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", ())
    return {
        str(item["Key"]): bucket.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
        for item in found
    }


def put(key: str, content: bytes) -> None:
    """Put an object, whatever is there."""
    client().put_object(Bucket=BUCKET, Key=key, Body=content)
