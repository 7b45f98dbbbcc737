"""A request on the wire → whose it is and which call it makes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

__all__ = ["Asked", "account_of_key", "key_of_account", "read_request", "service_model"]

_CREDENTIAL = re.compile(r"Credential=([A-Z0-9]+)/[0-9]{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_OWN, _SESSION = "AKIAREPLAY", "ASIAREPLAY"
_KEY = re.compile(rf"(?:{_OWN}|{_SESSION})([0-9]{{12}})")
_GLOBAL = frozenset({"organizations", "iam", "account", "sts", "ec2"})
_SERVICES = {"ses": "sesv2"}
"""Signing name → botocore's service, where they differ."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the account whose credentials sign it, and the call."""

    account: str
    region: str
    service: str
    operation: str
    parameters: Mapping[str, object]

    @property
    def cell_region(self) -> str:
        """The region of the cell that the answer belongs to."""
        return "global" if self.service in _GLOBAL else self.region

    @property
    def cell_account(self) -> str:
        """The account of the cell: of a role that is assumed, the one that it is in."""
        parts = str(self.parameters.get("RoleArn", "")).split(":")
        return parts[4] if self.operation == "AssumeRole" and len(parts) > 5 else self.account


def key_of_account(account: str, *, session: bool = False) -> str:
    """A made-up access key that names its account.

    Examples
    --------
    >>> key_of_account("111111111111")
    'AKIAREPLAY111111111111'
    """
    return f"{_SESSION if session else _OWN}{account}"


def account_of_key(key: str) -> str | None:
    """The account that a made-up access key names."""
    match = _KEY.fullmatch(key)
    return None if match is None else match[1]


@cache
def service_model(service: str) -> Any:
    """botocore's model of a service; no session, so that no inherited `AWS_*` has a say."""
    from botocore.loaders import create_loader
    from botocore.model import ServiceModel

    loaded = create_loader().load_service_model(service, "service-2")  # type: ignore[no-untyped-call]
    return ServiceModel(loaded, service)  # type: ignore[no-untyped-call]


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    model = service_model(service)
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = re.escape(str(http["requestUri"]).split("?")[0])
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", lambda m: f"(?P<{m[1]}>.+?)", path)
        routes.append((str(http["method"]), re.compile(pattern), name))
    # The longest path first: a label would take in what a literal path names.
    return sorted(routes, key=lambda route: (-route[1].pattern.count("/"), route[1].groups))


def read_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Asked | str:
    """Read a signed request, or say why it can't be read.

    Parameters
    ----------
    method, target, headers, body
        As they came; header names in lower case.
    """
    signed = _CREDENTIAL.search(headers.get("authorization", ""))
    if signed is None:
        return "the request is not signed"
    account = account_of_key(signed[1])
    if account is None:
        return "the access key is not one of this server's"
    region, service = signed[2], _SERVICES.get(signed[3], signed[3])
    path, _, query = target.partition("?")
    parameters: dict[str, object]
    if service in ("iam", "sts", "ec2"):
        parameters = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        operation = str(parameters.pop("Action", ""))
        parameters.pop("Version", None)
        return Asked(account, region, service, operation, parameters)
    if service == "organizations":
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        return Asked(account, region, service, operation, _json_body(body))
    if service not in ("sesv2", "account"):
        return f"{service} is not served here"
    for verb, pattern, name in _routes(service):
        match = pattern.fullmatch(path)
        if match is None or verb != method:
            continue
        parameters = _json_body(body)
        parameters |= {key: unquote(value) for key, value in match.groupdict().items()}
        members = service_model(service).operation_model(name).input_shape
        by_wire = {
            member.serialization.get("name", key): key
            for key, member in (members.members.items() if members is not None else ())
            if member.serialization.get("location") == "querystring"
        }
        parameters |= {by_wire.get(key, key): value for key, value in parse_qsl(query)}
        return Asked(account, region, service, name, parameters)
    return f"{service} has no {method} {path}"


def _json_body(body: bytes) -> dict[str, object]:
    if not body:
        return {}
    loaded = json.loads(body)
    return loaded if isinstance(loaded, dict) else {}
