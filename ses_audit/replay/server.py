"""The HTTP server: 127.0.0.1, one thread a connection."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from uuid import UUID

from ses_audit.errors import USAGE, UserError
from ses_audit.replay.answers import Answers
from ses_audit.replay.faults import Conditions, Limiter
from ses_audit.replay.recording import Answer, Recording
from ses_audit.replay.requests import Asked, key_of_account, read_request, service_model
from ses_audit.replay.serialize import Wire, error, success

__all__ = ["LOOPBACK", "Server", "environment", "serve"]

LOOPBACK = "127.0.0.1"
_NO_LINGER = struct.pack("ii", 1, 0)
_HTML = b"<html><body><h1>502 proxy</h1>the upstream is away</body></html>"
_MOST = 1 << 20
_HOSTS = frozenset({LOOPBACK, "localhost"})
_OTHER_HOST = b"this server is asked by its loopback address only"


class Server:
    """A running replay server; use it in a `with` block.

    Parameters
    ----------
    recording
        What it answers from.
    port
        0 takes a free one.
    conditions
        Page sizes, latency, rates, faults.
    """

    def __init__(self, recording: Recording, port: int = 0, conditions: Conditions | None = None):
        self.recording = recording
        self.conditions = conditions or Conditions()
        self.answers = Answers(recording, self.conditions, lambda: datetime.now(UTC))
        self.limiter = Limiter(self.conditions, time.monotonic)
        self.calls: Counter[str] = Counter()
        """Calls served, by `service.operation`."""
        self.throttled: Counter[str] = Counter()
        """Those of them that were over their rate."""
        self._lock = threading.Lock()
        self._number = 0
        try:
            self._http = _HTTPServer((LOOPBACK, port), _Handler)
        except (OSError, OverflowError) as problem:
            reason = getattr(problem, "strerror", None) or str(problem)
            raise UserError(
                f"cannot listen on {LOOPBACK}:{port}: {reason}; --port 0 takes a free one", USAGE
            ) from problem
        self._http.replay = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self._http.server_address[1]}"

    def request_id(self, asked: Asked | None) -> str:
        """A new request id; counts the call."""
        with self._lock:
            self._number += 1
            if asked is not None:
                self.calls[f"{asked.service}.{asked.operation}"] += 1
            return str(UUID(int=self._number))

    def throttle(self, asked: Asked) -> None:
        """Count a call that was over its rate."""
        with self._lock:
            self.throttled[f"{asked.service}.{asked.operation}"] += 1

    def start(self) -> Self:
        """Serve in a thread."""
        self._thread.start()
        return self

    def wait(self) -> None:
        """Serve until the thread ends."""
        self._thread.join()

    def stop(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(recording: Recording, port: int = 0, conditions: Conditions | None = None) -> Server:
    """A server that is not started yet.

    Examples
    --------
    >>> with serve(Recording([])) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """
    return Server(recording, port, conditions)


def environment(url: str, account: str, region: str = "us-east-1") -> dict[str, str]:
    """The variables with which boto3 asks the server and nothing else.

    Parameters
    ----------
    url
        Of the server; loopback only.
    account
        Whose credentials to start with.
    region
        The default region.
    """
    if not url.startswith(f"http://{LOOPBACK}:"):
        raise UserError(f"{url} is not on loopback", USAGE)
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key_of_account(account),
        "AWS_SECRET_ACCESS_KEY": "replay",
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_PROXY": "*",
    }


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    replay: Server

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a caller that went away before its answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HTTPServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the caller's own records tell what was asked."""

    def _serve(self) -> None:
        replay = self.server.replay
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MOST:
            self.close_connection = True
            self._write(413, {"Content-Type": "text/plain"}, b"too large")
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("host", "").rpartition(":")[0] not in _HOSTS:
            self._write(403, {"Content-Type": "text/plain"}, _OTHER_HOST)
            return
        try:
            asked = read_request(self.command, self.path, headers, body)
        except ValueError:
            asked = "the body is not JSON"
        if isinstance(asked, str):
            self._write(403, {"Content-Type": "text/plain"}, asked.encode())
            return
        request_id = replay.request_id(asked)
        if replay.conditions.latency:
            time.sleep(replay.conditions.latency)
        wire = self._answer(replay, asked, request_id)
        if wire is not None:
            self._write(*wire)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _answer(self, replay: Server, asked: Asked, request_id: str) -> Wire | None:
        model = service_model(asked.service)
        if asked.operation not in model.operation_names:
            return error(model, "InvalidAction", "no such operation", 400, request_id)
        fault = replay.limiter.fault(asked)
        if fault is not None and fault.kind == "delay":
            time.sleep(fault.seconds)
        elif fault is not None and fault.kind == "error":
            said, status = fault.message or fault.code, fault.status or 400
            return error(model, fault.code, said, status, request_id)
        elif fault is not None and fault.kind == "expired":
            text = "The security token included in the request is expired"
            return error(model, "ExpiredTokenException", text, 403, request_id)
        elif fault is not None and fault.kind == "html":
            return 200, {"Content-Type": "text/html"}, _HTML
        elif fault is not None and fault.kind == "body":
            xml = model.metadata["protocol"] in ("query", "ec2")
            kind = "text/xml" if xml else "application/json"
            return fault.status or 200, {"Content-Type": kind}, fault.text.encode()
        elif fault is not None and fault.kind == "reset":
            # Without lingering the kernel answers what is left with a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.close_connection = True
            return None
        if replay.limiter.over_rate(asked):
            replay.throttle(asked)
            code = "Throttling" if asked.service == "iam" else "TooManyRequestsException"
            return error(model, code, "Rate exceeded", 429, request_id)
        answer = replay.answers.answer(asked, fault)
        if fault is not None and fault.kind == "answer":
            answer = Answer(fault.response)
        if answer.response is None:
            return error(model, answer.code, answer.message, answer.status, request_id)
        operation = model.operation_model(asked.operation)
        status, headers, content = success(model, operation, answer.response, request_id)
        if fault is not None and fault.kind == "cut":
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) + 1))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return None
        return status, headers, content

    def _write(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
