"""`ArnEquals` and `ArnLike` are the same: wildcards, each of the six segments apart.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
"""

from __future__ import annotations

from ses_audit.policy.operators.base import Family, Operator, Test, never
from ses_audit.policy.patterns import Written
from ses_audit.policy.wildcards import compile_arn, compile_resource

__all__ = ["OPERATORS", "RESOURCE"]


_SEGMENTS = 6


def like(written: Written) -> Test:
    """Whether an ARN matches, segment by segment; case counts. What is no ARN matches nothing."""
    pattern = compile_arn(written)
    return pattern.matches if len(pattern.segments) == _SEGMENTS else never


def unlike(written: Written) -> Test:
    """Whether an ARN does not match; what is no ARN, on either side, can't be compared."""
    pattern = compile_arn(written)
    if len(pattern.segments) != _SEGMENTS:
        return never
    return lambda value: value.count(":") >= _SEGMENTS - 1 and not pattern.matches(value)


def resource(written: Written) -> Test:
    """Whether a `Resource` pattern matches."""
    return compile_resource(written).matches


RESOURCE = Operator("Resource", Family.ARN, resource)
"""The `Resource` element as an operator: only open evaluation makes such a clause."""

OPERATORS = (
    Operator("ArnEquals", Family.ARN, like),
    Operator("ArnLike", Family.ARN, like),
    Operator("ArnNotEquals", Family.ARN, unlike, negated=True),
    Operator("ArnNotLike", Family.ARN, unlike, negated=True),
)
