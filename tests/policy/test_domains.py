"""The types that AWS gives its global keys: no value of another type is looked for."""

from __future__ import annotations

import pytest

from ses_audit.policy.domains import TYPES
from ses_audit.policy.formula import Atom, Formula
from ses_audit.policy.solve import Domains, decide
from ses_audit.policy.types import Clause, Verdict

# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
VALUES = {
    "aws:CurrentTime": ("2026-01-01T00:00:00Z", "noon"),
    "aws:MultiFactorAuthAge": ("3600", "long"),
    "aws:MultiFactorAuthPresent": ("true", "yes"),
    "aws:PrincipalArn": ("arn:aws:iam::111111111111:user/ann", "ann"),
    "aws:PrincipalIsAWSService": ("false", "no"),
    "aws:SecureTransport": ("true", "1"),
    "aws:SourceArn": ("arn:aws:sns:eu-west-1:111111111111:news", "news"),
    "aws:SourceIp": ("192.0.2.1", "home"),
    "aws:TokenIssueTime": ("2026-01-01T00:00:00Z", "noon"),
    "aws:ViaAWSService": ("false", "0"),
    "aws:VpcSourceIp": ("10.0.0.1", "10.0.0"),
}
"""Of each key a value of its type, and a text that is none."""


def test_every_type_is_tried() -> None:
    assert {key.lower() for key in VALUES} == TYPES.keys()


@pytest.mark.parametrize("key", VALUES)
def test_a_key_holds_what_is_of_its_type(key: str) -> None:
    value, other = VALUES[key]
    for text, verdict in ((value, Verdict.CONDITIONAL), (other, Verdict.DENIED)):
        formula = Formula.of(Atom(Clause("StringEquals", key, (text,)), "2012-10-17"))
        assert decide(formula, Domains()).verdict is verdict, text
