"""What documents see of an identity: the quick answer is the careful one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ses_audit.audit.asks import Asks, _accounts_in, _bits, name_seen
from ses_audit.audit.audit import ACTIONS
from ses_audit.audit.columns import Columns
from ses_audit.audit.decide import Decider
from ses_audit.audit.document_sets import DocumentSet
from ses_audit.audit.identities import Identity
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import load
from ses_audit.audit.requests import Requests
from ses_audit.audit.senders import Sender
from ses_audit.policy.parse import parse_document
from ses_audit.policy.reduce import open_resource_relation
from ses_audit.policy.types import AttachedPolicy
from ses_audit.policy.wildcards import arn_matches
from ses_audit.snapshot.store import open_snapshot

_HEAD = st.sampled_from(["arn", "aws", "ses", "eu-west-1", "111111111111", "*", "eu-*", "?", ""])
_NAME = st.sampled_from(
    [
        "identity/a.example", "identity/*", "identity/*.example", "identity/a.example:b",
        "template/*", "template/a", "template/", "template/a*", "temp*", "t?mplate/*",
        "configuration-set/main", "*", "",
    ]
)  # fmt: skip
_PATTERN = st.one_of(
    st.builds(lambda heads, name: ":".join((*heads, name)), st.lists(_HEAD, max_size=7), _NAME),
    st.sampled_from(["*", "arn:aws:ses:*", "arn:aws:ses:*:identity/a.example"]),
)
_KNOWN = st.sampled_from(["identity/a.example", "configuration-set/main", "identity/b", "a:b"])
_OPEN = st.sampled_from(["template/*", "custom-verification-email-template/*"])


def _arn(name: str) -> str:
    return f"arn:aws:ses:eu-west-1:111111111111:{name}"


@settings(max_examples=500, deadline=None)
@given(_PATTERN, _KNOWN)
def test_a_known_resource(pattern: str, name: str) -> None:
    assert _bits((pattern,), _arn(name), False) == (arn_matches(pattern, _arn(name)),)


@settings(max_examples=500, deadline=None)
@given(_PATTERN, _OPEN)
def test_an_open_resource(pattern: str, name: str) -> None:
    """ "some" is told with the names, since it decides what is left open."""
    relation = open_resource_relation(pattern, _arn(name))
    expected = (_arn(name), pattern) if relation == "some" else relation
    assert _bits((pattern,), _arn(name), True) == (expected,)


@pytest.mark.parametrize("cross", [False, True])
def test_what_is_checked_is_named_by_its_shape_alone(example_snapshot: Path, cross: bool) -> None:
    """Identities of one shape share it: each has the names that its own checks have."""
    snapshot = open_snapshot(example_snapshot)
    model = load(snapshot, ACTIONS)
    knowledge = Knowledge(Columns(snapshot), ACTIONS)
    asks = Asks(knowledge, model, Decider(model), Requests(model))
    seen = 0
    for identity in model.identities.values():
        account = "999999999999" if cross else identity.account
        ask = asks.ask(identity, Sender(f"arn:aws:iam::{account}:root", account, "root", "", "/"))
        checks = [check for action in ask.checks for check in action]
        expected = dict.fromkeys((c.id, c.resource, c.open_resource) for c in checks)
        assert ask.resources == tuple(expected)
        assert ask.ids == tuple(tuple(c.id for c in action) for action in ask.checks)
        names = [c.resource.split("/", 1)[1] for c in ask.checks[0] if c.id == "recipients"]
        assert ask.recipients == tuple(names)
        seen += 1
    assert seen > len(knowledge.shapes) > 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["*"], frozenset()),
        (["111111111111"], {"111111111111"}),
        (["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:role/a"],
         {"222222222222", "333333333333"}),
        (["AROAEXAMPLEID"], frozenset()),
    ],
)  # fmt: skip
def test_the_accounts_that_sending_policies_tell_apart(
    values: list[str], expected: frozenset[str]
) -> None:
    assert _accounts_in([_policies(values, {})]) == expected


def test_a_condition_on_the_account_tells_all_apart() -> None:
    condition = {"StringEquals": {"aws:PrincipalAccount": "111111111111"}}
    assert _accounts_in([_policies(["*"], condition)]) is None


def _policies(values: list[str], condition: dict[str, object]) -> DocumentSet:
    statement = {
        "Effect": "Allow", "Principal": {"AWS": values}, "Action": "ses:*", "Resource": "*",
        "Condition": condition,
    }  # fmt: skip
    document = parse_document(json.dumps({"Statement": [statement]}))
    return DocumentSet((AttachedPolicy(document, "p"),))


@pytest.mark.parametrize(
    ("name", "local_part", "whole"),
    [
        ("example.com", "", "example.com"),
        ("mail.example.com", "", "mail.example.com"),
        ("news@example.com", "news@", "news@example.com"),
        # No domain, though nothing stands before the @.
        ("@example.com", "@", "@example.com"),
    ],
)
def test_what_of_a_name_is_looked_at(name: str, local_part: str, whole: str) -> None:
    identity = Identity(_arn(f"identity/{name}"), "111111111111", "eu-west-1", name, None)
    assert name_seen(identity, local_part=True) == local_part
    assert name_seen(identity, local_part=False) == whole
