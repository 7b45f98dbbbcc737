"""The SSO portal on loopback: role credentials for an access token, by botocore's model.

Source: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ses_audit.replay.requests import key_of_account, service_model
from ses_audit.replay.serialize import error, success

TOKEN = "the-access-token"
START = "https://example.awsapps.com/start"


class Portal(ThreadingHTTPServer):
    """A running portal; `asked` are the (account, role) that it gave credentials of."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def portal() -> Iterator[Portal]:
    """A portal that runs within the block."""
    server = Portal()
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Portal

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        model = service_model("sso")
        url = urlsplit(self.path)
        given = parse_qs(url.query)
        if url.path != "/federation/credentials":
            wire = error(model, "ResourceNotFoundException", "no such call", 404, "r")
        elif self.headers["x-amz-sso_bearer_token"] != TOKEN:
            wire = error(model, "UnauthorizedException", "Session token not found", 401, "r")
        else:
            account = given["account_id"][0]
            self.server.asked.append((account, given["role_name"][0]))
            expiration = datetime.now(UTC) + timedelta(hours=1)
            credentials = {
                "accessKeyId": key_of_account(account),
                "secretAccessKey": "replay",
                "sessionToken": "replay",
                "expiration": int(expiration.timestamp() * 1000),
            }
            operation = model.operation_model("GetRoleCredentials")
            wire = success(model, operation, {"roleCredentials": credentials}, "r")
        status, headers, body = wire
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def log_in(home: Path, key: str, hours: float, token: str = TOKEN) -> None:
    """What `aws sso login` leaves: a token in the cache, named by the start URL or the session."""
    folder = home / ".aws/sso/cache"
    folder.mkdir(parents=True, exist_ok=True)
    expires = datetime.now(UTC) + timedelta(hours=hours)
    content = {
        "startUrl": START,
        "region": "eu-west-1",
        "accessToken": token,
        "expiresAt": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    name = hashlib.sha1(key.encode()).hexdigest()
    (folder / f"{name}.json").write_text(json.dumps(content))
