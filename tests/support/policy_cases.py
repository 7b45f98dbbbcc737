"""The JSON cases of the policy language, and the shortest way from a case to a decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ses_audit.policy.parse import parse_document
from ses_audit.policy.types import AttachedPolicy, Caller, Document, Layers, Request

FOLDER = Path(__file__).parent.parent / "policy" / "cases"
ACCOUNT = "111111111111"
IDENTITY = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com"
USER = Caller(f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, "user")
KEY = "test:key"


def load(name: str) -> dict:
    """One file of cases."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def allow(**elements: object) -> dict:
    """An Allow statement of ses:* on everything, with elements in the place of these."""
    return {"Effect": "Allow", "Action": "ses:*", "Resource": "*", **elements}


def document(*statements: Mapping[str, object], version: str = "2012-10-17") -> Document:
    return parse_document({"Version": version, "Statement": list(statements)})


def attached(
    *statements: Mapping[str, object], name: str = "policy", **rest: str
) -> AttachedPolicy:
    return AttachedPolicy(document(*statements), name, **rest)


def request(
    *,
    caller: Caller = USER,
    action: str = "ses:SendEmail",
    resource: str = IDENTITY,
    owner: str | None = ACCOUNT,
    context: Mapping[str, object] | None = None,
) -> Request:
    """A request; a list in the context is a key that carries a set."""
    values: dict[str, tuple[str, ...]] = {}
    multivalued: set[str] = set()
    for key, value in (context or {}).items():
        if isinstance(value, list):
            multivalued.add(key.lower())
            values[key] = tuple(value)
        elif value is not None:
            values[key] = (str(value),)
    return Request(caller, action, resource, owner, values, frozenset(multivalued))


def identity_layers(*statements: Mapping[str, object], version: str = "2012-10-17") -> Layers:
    policy = AttachedPolicy(document(*statements, version=version), "policy")
    return Layers(identity_policies=(policy,))


def rows(*names: str) -> Iterator[tuple[str, dict, object, bool]]:
    """Of families of operators: an id, the group, what the request holds, whether it holds."""
    for name in names:
        for number, group in enumerate(load(name)["groups"]):
            assert group["source"].startswith("https://docs.aws.amazon.com/")
            for value, expected in group["rows"]:
                label = f"{name}-{number}-{group['operator']}-{value!r}"
                yield label, group, value, expected
