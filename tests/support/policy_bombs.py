"""Policies made to be slow: many wildcards, long texts, many small parts, up to a length.

Each shape fills one element of a policy and comes with the request that makes most work of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ses_audit.policy.types import Caller, Request

__all__ = ["STORED", "Bomb", "bombs", "malformed"]

ACCOUNT = "111111111111"
STORED = 10_240
"""Characters of the largest policy that decides about a send: an SCP, or a role's inline policies.

Sources:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
_ACTION = "ses:" + "a" * 124
_RESOURCE = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/"
_LONGEST_RESOURCE = 2_048
LONG = 10_000
"""Characters of a context value: no header of a request is longer."""

Unit = Callable[[int], str]

_RUNS = {
    "stars": "*",
    "questions": "?",
    "question-star": "?*",
    "star-question": "*?",
    "star-a": "*a",
    "star-aa": "*aa",
    "star-a-question": "*a?",
    "a-question": "a?",
    "question-a-star": "?a*",
    "star-a-questions-a": "*a???a",
    "colons": ":",
    "star-colon": "*:",
    "a-star-colon": "a*:",
    "question-colon": "?:",
    "variables": "${a}",
    "open variables": "${a",
    "defaults": "${a,'",
    "dollars": "${$}",
    "spaces in variables": "${a   ",
    "text": "a",
    "escapes": "\u00e9",
}
"""One pattern that is as long as the policy may be."""

_SMALL = {
    "many stars": "*a{}*",
    "many ends": "*{}b",
    "many pieces": "*a*a*{}*b",
    "many questions": "*a?{}?b*",
    "many apart": "*a?a*a?{}*b",
    "many fixed": "a?{}",
    "many crossing": "a*:*a?{}:*",
    "many crossing ends": "arn:a*?*:*{}b",
    "many segments": "arn:*:*:*:*:*a*{}b",
    "many variables": "${{a{}}}*b",
    "many texts": "{}",
    "many accounts": "{:012d}",
    "many roots": "arn:aws:iam::{:012d}:root",
    "many roles": "arn:aws:iam::111111111111:role/a/{}",
    "many numbers": "1.{}",
    "many addresses": "10.0.0.0/{}",
    "many ranges": "2001:db8::{:x}/64",
    "many dates": "2020-01-01T00:00:00.{}Z",
    "many bytes": "YWFh{:04d}",
}
"""As many small patterns as fit."""


@dataclass(frozen=True)
class Bomb:
    """A policy and the request."""

    name: str
    text: str
    request: Request = field(repr=False)


def _patterns(length: int, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, unit in _RUNS.items():
        for end in ("", "!"):
            yield f"{name}{end}", [(prefix + unit * length)[: length - len(end)] + end]
    for name, shape in _SMALL.items():
        found: list[str] = []
        left = length
        while left > 0:
            one = prefix + shape.format(len(found))
            left -= len(one) + 3
            found.append(one)
        yield name, found


def _request(
    context: dict[str, tuple[str, ...]] | None = None, *, session: bool = False
) -> Request:
    arn = f"arn:aws:iam::{ACCOUNT}:user/a"
    caller = Caller(arn, ACCOUNT, "user")
    if session:
        caller = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", ACCOUNT, "session")
    resource = _RESOURCE + "a" * (_LONGEST_RESOURCE - len(_RESOURCE))
    return Request(caller, _ACTION, resource, ACCOUNT, context or {})


def _conditions(length: int, value_length: int) -> Iterator[tuple[str, object, Request]]:
    texts = {
        "letters": "a" * value_length,
        "pairs": "ab" * (value_length // 2),
        "wide letters": "é" * value_length,
        "colons": "arn:aws:" + "a:" * (value_length // 2),
    }
    operators = (
        "StringLike", "StringNotLike", "StringEquals", "StringEqualsIgnoreCase", "ArnLike",
        "ArnNotEquals", "NumericEquals", "DateLessThan", "Bool", "BinaryEquals", "IpAddress",
        "NotIpAddress", "Null", "ForAllValues:StringLike", "ForAnyValue:StringNotLikeIfExists",
    )  # fmt: skip
    for name, patterns in _patterns(length):
        for operator in operators:
            for kind, value in texts.items():
                if kind in ("pairs", "colons") and "Like" not in operator:
                    continue
                held = {"k": (value,), "a": ("b" * 100,)}
                label = f"Condition {operator} {name} on {kind}"
                yield label, {operator: {"k": patterns}}, _request(held)
    keys = {f"k{number}": "*a*" for number in range(length // 14)}
    yield "Condition many keys", {"StringLike": keys}, _request({"k0": ("a",)})
    yield "Condition a long key", {"StringLike": {"k" * length: "*"}}, _request()


def malformed(length: int = STORED) -> Iterator[tuple[str, str]]:
    """Texts of about so many characters that are no policy, each by what is wrong with it."""
    stars = "*" * (length - 100)
    statement = f'{{"Effect": "Deny", "Action": "{stars}", "Resource": "*"'
    yield "unclosed text", f'{{"Statement": {{"Effect": "Deny", "Action": "{stars}'
    yield "unclosed object", f'{{"Statement": {statement}'
    yield "space", f'{{"Statement": {statement}}}}}' + " " * length + "x"
    yield "a name twice", f'{{"Statement": {statement}, "Action": "*"}}}}'
    yield "a constant", f'{{"Statement": {statement}, "Sid": NaN}}}}'
    yield "a surrogate", f'{{"Statement": {statement}, "Sid": "\\ud800"}}}}'
    yield "a wide surrogate", f'{{"Statement": {statement}, "Sid": "é\ud800"}}}}'
    yield "an element", f'{{"Statement": {statement}, "Sad": "a"}}}}'
    yield "a value", f'{{"Statement": {statement}, "Sid": [5]}}}}'
    yield "a long key", f'{{"{stars}": 1}}'
    yield "a long operator", f'{{"Statement": {statement}, "Condition": {{"{stars}": {{}}}}}}}}'
    yield "a long number", '{"Statement": ' + "1" * length + "}"
    yield "a list that is deep", "[" * length
    yield "an object that is deep", '{"a":' * (length // 5)
    yield "quotes", '"' * length
    yield "escapes", '"' + "\\" * length
    yield "many names", "{" + ", ".join(f'"{n}": 1' for n in range(length // 10)) + "}"
    yield "many elements", json.dumps({"Statement": {f"{n}": "*" for n in range(length // 12)}})
    many = ", ".join(['{"Effect": "Deny", "Action": "*"}'] * (length // 36))
    yield "the last statement", f'{{"Statement": [{many}, {{"Effect": "No", "Action": "*"}}]}}'
    patterns = ", ".join(['"*"'] * (length // 5))
    yield "the last action", f'{{"Statement": {{"Effect": "Deny", "Action": [{patterns}, 5]}}}}'


def bombs(length: int = STORED, value_length: int = LONG) -> Iterator[Bomb]:
    """Every shape, its patterns together about so many characters long.

    Parameters
    ----------
    length
        Characters of the policy.
    value_length
        Characters of the value of the context key that it is about.
    """

    def one(name: str, asked: Request, **elements: object) -> Bomb:
        statement: dict[str, object] = {"Effect": "Deny"}
        if "NotAction" not in elements:
            statement["Action"] = "*"
        if "NotResource" not in elements:
            statement["Resource"] = "*"
        body = {"Version": "2012-10-17", "Statement": [{**statement, **elements}]}
        return Bomb(name, json.dumps(body, ensure_ascii=False), asked)

    for name, patterns in _patterns(length, "s"):
        for element in ("Action", "NotAction"):
            yield one(f"{element} {name}", _request(), **{element: patterns})
    for prefix in ("", "arn:a*s:ses:*:"):
        for name, patterns in _patterns(length, prefix):
            for element in ("Resource", "NotResource"):
                yield one(f"{element} {prefix}{name}", _request(), **{element: patterns})
    for name, patterns in _patterns(length):
        for element in ("Principal", "NotPrincipal"):
            for session in (False, True):
                asked = _request(session=session)
                yield one(f"{element} {name} {session}", asked, **{element: {"AWS": patterns}})
    for name, conditions, asked in _conditions(length, value_length):
        yield one(name, asked, Condition=conditions)
    single = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    many = [single] * (length // 44 + 1)
    yield Bomb("many statements", json.dumps({"Statement": many}), _request())
    yield Bomb("a long Sid", json.dumps({"Statement": {**single, "Sid": "*" * length}}), _request())
