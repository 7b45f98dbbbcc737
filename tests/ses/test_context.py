"""Which condition keys a send carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ses_audit.policy.domains import Domain, Values
from ses_audit.ses.checks import IdentityFacts
from ses_audit.ses.context import (
    OrganizationFacts,
    PrincipalFacts,
    documented_for_ses,
    settle,
)
from ses_audit.ses.ways import way

CASES = json.loads((Path(__file__).parent / "cases" / "context.json").read_text())

A = "111111111111"
PRINCIPALS = {
    "user": PrincipalFacts(
        f"arn:aws:iam::{A}:user/mail/app", A, "user", "app", "AIDAEXAMPLE", {"Team": "Mail"}
    ),
    "role": PrincipalFacts(f"arn:aws:iam::{A}:role/app", A, "role", "app", "AROAEXAMPLE"),
    "root": PrincipalFacts(f"arn:aws:iam::{A}:root", A, "root", "root"),
    "root of no account": PrincipalFacts("arn:aws:iam:::root", None, "root", "root"),
    "no id": PrincipalFacts(f"arn:aws:iam::{A}:role/app", A, "role", "app"),
    "no account": PrincipalFacts("arn:aws:iam:::user/x", None, "user", "x"),
    "account": PrincipalFacts(f"arn:aws:iam::{A}:*", A, "account", "*"),
    "outside account": PrincipalFacts(
        "arn:aws:iam::999999999999:root", "999999999999", "account", "root", inside=False
    ),
    "outside user": PrincipalFacts(
        "arn:aws:iam::999999999999:user/x", "999999999999", "user", "x", inside=False
    ),
    "anonymous": PrincipalFacts("*", None, "anonymous", "*", inside=False),
    "service": PrincipalFacts(
        "cognito-idp.amazonaws.com", None, "service", "cognito-idp", inside=False
    ),
}
IDENTITIES = {
    "domain": IdentityFacts(
        f"arn:aws:ses:eu-west-1:{A}:identity/example.com", "example.com", A, "eu-west-1"
    ),
    "address": IdentityFacts(
        f"arn:aws:ses:eu-west-1:{A}:identity/news@example.com", "news@example.com", A, "eu-west-1"
    ),
    "unread": IdentityFacts(f"arn:aws:ses:*:{A}:identity/*", "*", A, "*"),
}
ORGANIZATIONS = {
    "known": OrganizationFacts(
        "o-a1b2c3d4e5", "o-a1b2c3d4e5/r-a1b2/ou-a1b2-aaaaaaaa/", "o-a1b2c3d4e5/r-a1b2/"
    ),
    "none": OrganizationFacts(),
}


def name(case: dict[str, Any]) -> str:
    parts = [
        case[k]
        for k in ("key", "action", "way", "principal", "identity", "organization")
        if k in case
    ]
    return " of ".join(parts)


def ask(case: dict[str, Any]) -> object:
    key = case["key"]
    facts = settle(
        [key],
        PRINCIPALS[case.get("principal", "user")],
        IDENTITIES[case.get("identity", "domain")],
        case.get("action", "ses:SendRawEmail"),
        ORGANIZATIONS[case.get("organization", "known")],
        way(case["way"]) if "way" in case else None,
    )
    answers = [key in facts.known, key in facts.absent, key in facts.domains]
    assert answers.count(True) == 1
    if key in facts.known:
        return list(facts.known[key])
    return facts.domains.get(key)


@pytest.mark.parametrize("case", CASES["cases"], ids=name)
def test_what_a_send_carries(case: dict[str, Any]) -> None:
    assert case["source"] in CASES["sources"]
    expected = case["is"]
    if isinstance(expected, dict):
        parts = {k: tuple(v) if isinstance(v, list) else v for k, v in expected.items()}
        if "values" in parts:
            parts["values"] = Values(parts["values"])
        expected = Domain(**parts)
    assert ask(case) == expected


def test_the_keys_that_carry_a_set() -> None:
    keys = ["ses:recipients", "aws:principalorgpaths", "ses:fromaddress"]
    facts = settle(
        keys,
        PRINCIPALS["user"],
        IDENTITIES["domain"],
        "ses:SendRawEmail",
        ORGANIZATIONS["known"],
    )
    assert facts.multivalued == {"ses:recipients", "aws:principalorgpaths"}


@pytest.mark.parametrize(
    ("key", "documented"),
    [
        ("aws:CurrentTime", True),
        ("aws:EpochTime", True),
        ("aws:SecureTransport", True),
        ("aws:SourceIp", True),
        ("aws:SourceVpc", True),
        ("aws:SourceVpce", True),
        ("aws:UserAgent", True),
        ("aws:VpcSourceIp", True),
        ("aws:PrincipalOrgID", True),
        ("aws:PrincipalTag/team", True),
        ("aws:RequestedRegion", True),
        ("aws:username", True),
        ("ses:FromAddress", True),
        ("aws:MultiFactorAuthPresent", False),
        ("aws:SourceAccount", False),
        ("aws:TokenIssueTime", False),
        ("aws:ResourceOrgID", False),
    ],
)
def test_the_global_keys_that_aws_documents_for_ses(key: str, documented: bool) -> None:
    # https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html; aws:Principal* and
    # aws:RequestedRegion are always sent.
    assert documented_for_ses(key) is documented
