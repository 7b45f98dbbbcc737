"""The collector's data files, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["Operation", "load_data", "operation", "operations", "session_policy"]


@cache
def load_data(name: str) -> Mapping[str, Any]:
    """A JSON file of `data/`."""
    loaded = json.loads(files("ses_audit.collect").joinpath(f"data/{name}").read_text("utf-8"))
    if not isinstance(loaded, dict):
        raise TypeError(f"{name} is not an object")
    return loaded


@dataclass(frozen=True, slots=True)
class Operation:
    """A call that the collector makes, and the permission that it needs."""

    service: str
    operation: str
    action: str
    reader: str
    token: str = ""
    """The request's parameter for the page token; "" where there are no pages."""
    next: str = ""
    """The answer's field with the next token."""
    request: Mapping[str, object] = field(default_factory=dict)
    """Parameters that are always sent."""


@cache
def operations() -> Mapping[tuple[str, str], Operation]:
    """Every call by (service, operation).

    Examples
    --------
    >>> operations()["sesv2", "GetEmailIdentity"].action
    'ses:GetEmailIdentity'
    """
    listed = [Operation(**entry) for entry in load_data("operations.json")["operations"]]
    return {(entry.service, entry.operation): entry for entry in listed}


def operation(service: str, name: str) -> Operation:
    """One call.

    Examples
    --------
    >>> operation("organizations", "ListAccounts").action
    'organizations:ListAccounts'
    """
    return operations()[service, name]


@cache
def session_policy() -> str:
    """The policy passed with AssumeRole: whatever the role may do, the session only reads this.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (Policy)
    """
    actions = sorted(entry.action for entry in operations().values() if entry.reader == "member")
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
