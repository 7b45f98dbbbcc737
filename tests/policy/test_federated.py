"""A session of a federated principal: its provider is what aws:FederatedProvider holds."""

from __future__ import annotations

import pytest
from policy_cases import ACCOUNT, IDENTITY

from ses_audit.policy.simulation import simulate

SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"


@pytest.mark.parametrize(
    ("provider", "principal", "decision"),
    [
        ("cognito-identity.amazonaws.com", "cognito-identity.amazonaws.com", "allowed"),
        (SAML, SAML, "allowed"),
        (SAML, "accounts.google.com", "implicitDeny"),
        (None, SAML, "implicitDeny"),
    ],
)
def test_the_provider_is_read_from_the_context(
    provider: str | None, principal: str, decision: str
) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": principal},
        "Action": "ses:SendEmail",
        "Resource": IDENTITY,
    }
    entries = []
    if provider is not None:
        entries = [{"ContextKeyName": "aws:FederatedProvider", "ContextKeyValues": [provider]}]
    line = {
        "CallerArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/web/1",
        "ActionNames": ["ses:SendEmail"],
        "ResourceArns": [IDENTITY],
        "ResourcePolicy": {"Statement": statement},
        "ContextEntries": entries,
    }
    (result,) = simulate(line)["EvaluationResults"]
    assert result["EvalDecision"] == decision
