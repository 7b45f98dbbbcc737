"""`ArnEquals` and `ArnLike` are the same: wildcards, each of the six segments apart.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
"""

from __future__ import annotations

from ses_audit.policy.operators.base import Family, Operator, Test
from ses_audit.policy.wildcards import Token, compile_arn, compile_resource

__all__ = ["OPERATORS", "RESOURCE"]


def like(tokens: tuple[Token, ...]) -> Test:
    """Whether an ARN matches, segment by segment; case counts."""
    return compile_arn(tokens).matches


def resource(tokens: tuple[Token, ...]) -> Test:
    """Whether a `Resource` pattern matches."""
    return compile_resource(tokens).matches


RESOURCE = Operator("Resource", Family.ARN, resource)
"""The `Resource` element as an operator: only open evaluation makes such a clause."""

OPERATORS = (
    Operator("ArnEquals", Family.ARN, like),
    Operator("ArnLike", Family.ARN, like),
    Operator("ArnNotEquals", Family.ARN, like, negated=True),
    Operator("ArnNotLike", Family.ARN, like, negated=True),
)
