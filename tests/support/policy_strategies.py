"""Hypothesis strategies: layered policies of few words, so that what is asked is often said."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from policy_cases import ACCOUNT, document

from ses_audit.policy.types import AttachedPolicy, Caller, Layers, Request

ROLE = f"arn:aws:iam::{ACCOUNT}:role/mailer"
CALLERS = [
    Caller(f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, "user"),
    Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/mailer/job", ACCOUNT, "session", role_arn=ROLE),
    Caller("arn:aws:iam::222222222222:user/bob", "222222222222", "user"),
    Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, "root"),
    Caller("cognito-idp.amazonaws.com", None, "service"),
    Caller("anonymous", None, "anonymous"),
]
ACTIONS = ["ses:SendEmail", "ses:SendRawEmail", "s3:GetObject"]
ACTION_PATTERNS = [
    "*",
    "ses:*",
    "ses:Send*",
    "SES:sendemail",
    "ses:SendRawEmail",
    "s3:*",
    "ses:?end*l",
]
RESOURCES = [
    f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com",
    f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/ann",
    "*",
]
RESOURCE_PATTERNS = [
    "*",
    "arn:aws:ses:*",
    "arn:aws:ses:*:identity/example.com",
    f"arn:aws:ses:eu-*:{ACCOUNT}:identity/*",
    f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/${{aws:username}}",
    "arn:aws:ses",
    "arn:aws:s3:::*",
]
PRINCIPALS = [
    "*",
    {"AWS": ACCOUNT},
    {"AWS": [ROLE, f"arn:aws:iam::{ACCOUNT}:user/ann"]},
    {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/ann", f"arn:aws:iam::{ACCOUNT}:root"]},
    {"AWS": [f"arn:aws:sts::{ACCOUNT}:assumed-role/mailer/job", ROLE, ACCOUNT]},
    {"AWS": "222222222222", "Service": "cognito-idp.amazonaws.com"},
]
KEYS = {
    "aws:SourceIp": (
        ["IpAddress", "NotIpAddress", "StringLike", "StringNotLike"],
        ["10.0.0.0/8", "10.1.0.0/16", "203.0.113.7", "0.0.0.0/0", "10.*", "2001:*"],
        ["10.0.0.1", "10.1.0.1", "203.0.113.7", "2001:db8::1"],
    ),
    "aws:username": (
        [
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
        ],
        ["ann", "a*", "?nn", "ANN", "${test:tag}"],
        ["ann", "ANN", "bob", "a", ""],
    ),
    "test:tag": (
        ["StringEquals", "StringNotLike", "StringLike"],
        ["ann", "x*", "*y", "${aws:username}", "${aws:username}*"],
        ["ann", "xy", "x", "y"],
    ),
    "test:number": (
        ["NumericLessThan", "NumericGreaterThanEquals", "NumericNotEquals", "StringLike"],
        ["5", "10", "5.5", "1*", "?"],
        ["4", "5", "5.5", "7", "10", "11"],
    ),
    "ses:Recipients": (
        ["StringLike", "StringNotLike", "StringEquals"],
        ["*@example.com", "ann@*", "bob@example.org", "${aws:username}@*", "*@${test:tag}"],
        ["ann@example.com", "bob@example.org", "x@example.com", ""],
    ),
}
SETS = frozenset({"ses:recipients"})


def one_or_list(options: list[str]) -> st.SearchStrategy:
    return st.one_of(
        st.sampled_from(options), st.lists(st.sampled_from(options), min_size=1, max_size=3)
    )


@st.composite
def conditions(draw: st.DrawFn) -> dict:
    found: dict = {}
    for key in draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=2, unique=True)):
        operators, values, _ = KEYS[key]
        operator = draw(st.sampled_from([*operators, "Null"]))
        if operator == "Null":
            found.setdefault("Null", {})[key] = draw(st.sampled_from(["true", "false"]))
            continue
        operator += draw(st.sampled_from(["", "", "", "IfExists"]))
        if key.lower() in SETS:
            operator = draw(st.sampled_from(["ForAnyValue:", "ForAllValues:", ""])) + operator
        found.setdefault(operator, {})[key] = draw(one_or_list(values))
    return found


@st.composite
def statements(
    draw: st.DrawFn,
    *,
    principal: bool = False,
    effects: tuple[str, ...] = ("Allow", "Allow", "Deny"),
) -> dict:
    action = draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))
    resource = draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))
    statement = {
        "Effect": draw(st.sampled_from(effects)),
        action: draw(one_or_list(ACTION_PATTERNS)),
        resource: draw(one_or_list(RESOURCE_PATTERNS)),
    }
    if principal:
        name = draw(st.sampled_from(["Principal", "Principal", "Principal", "NotPrincipal"]))
        statement[name] = draw(st.sampled_from(PRINCIPALS))
    if draw(st.booleans()):
        statement["Condition"] = draw(conditions())
    return statement


def policies(*, principal: bool = False) -> st.SearchStrategy[AttachedPolicy]:
    made = st.lists(statements(principal=principal), min_size=1, max_size=3)
    return made.map(lambda entries: AttachedPolicy(document(*entries), "policy"))


@st.composite
def layers(draw: st.DrawFn) -> Layers:
    def some(most: int, *, principal: bool = False) -> tuple[AttachedPolicy, ...]:
        return tuple(draw(st.lists(policies(principal=principal), max_size=most)))

    full = AttachedPolicy(
        document({"Effect": "Allow", "Action": "*", "Resource": "*"}), "FullAWSAccess"
    )
    level = st.lists(policies(), max_size=1).map(lambda found: (*found, full))
    levels = st.one_of(st.none(), st.lists(level, min_size=1, max_size=2).map(tuple))
    return Layers(
        identity_policies=some(2),
        permissions_boundary=draw(st.one_of(st.none(), st.none(), policies())),
        session_policies=draw(
            st.one_of(st.none(), st.none(), st.lists(policies(), min_size=1, max_size=2).map(tuple))
        ),
        service_control_policies=draw(levels),
        resource_control_policies=draw(st.one_of(st.none(), levels)),
        resource_policies=some(2, principal=True),
    )


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key in sorted(KEYS):
        values = KEYS[key][2]
        if key.lower() in SETS:
            chosen = draw(
                st.one_of(st.none(), st.lists(st.sampled_from(values), min_size=1, max_size=3))
            )
            if chosen is not None:
                found[key.lower()] = tuple(chosen)
        elif draw(st.booleans()):
            found[key.lower()] = (draw(st.sampled_from(values)),)
    return found


@st.composite
def requests(draw: st.DrawFn) -> Request:
    return Request(
        draw(st.sampled_from(CALLERS)),
        draw(st.sampled_from(ACTIONS)),
        draw(st.sampled_from(RESOURCES)),
        ACCOUNT,
        draw(contexts()),
        SETS,
    )


LAYER_NAMES = ["identity", "boundary", "session", "scp", "rcp", "resource"]


def with_statement(whole: Layers, layer: str, statement: dict) -> Layers | None:
    """The layers with one statement more, in a document of their own or at the end of one that is
    there; None where there is nothing to add it to."""
    added = AttachedPolicy(document(statement), "added")
    if layer == "identity":
        return replace(whole, identity_policies=(*whole.identity_policies, added))
    if layer == "resource":
        return replace(whole, resource_policies=(*whole.resource_policies, added))
    if layer == "session" and whole.session_policies is not None:
        return replace(whole, session_policies=(*whole.session_policies, added))
    if layer == "boundary" and whole.permissions_boundary is not None:
        old = whole.permissions_boundary.document
        new = replace(
            old,
            statements=(
                *old.statements,
                replace(added.document.statements[0], index=len(old.statements)),
            ),
        )
        return replace(whole, permissions_boundary=AttachedPolicy(new, "boundary"))
    for name, field in (("scp", "service_control_policies"), ("rcp", "resource_control_policies")):
        levels = getattr(whole, field)
        if layer == name and levels is not None:
            return replace(whole, **{field: (*levels[:-1], (*levels[-1], added))})
    return None
