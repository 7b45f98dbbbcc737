"""`ArnEquals` and `ArnLike` are the same: wildcards, each of the six segments apart.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
"""

from __future__ import annotations

from functools import lru_cache

from ses_audit.policy.operators.base import Family, Operator
from ses_audit.policy.wildcards import ArnPattern, Token, compile_arn, compile_resource

__all__ = ["OPERATORS", "RESOURCE"]


@lru_cache(maxsize=65536)
def _compiled(tokens: tuple[Token, ...]) -> ArnPattern:
    return compile_arn(tokens)


def like(value: str, tokens: tuple[Token, ...]) -> bool:
    """Whether the ARN matches, segment by segment; case counts."""
    return _compiled(tokens).matches(value)


@lru_cache(maxsize=65536)
def _compiled_resource(tokens: tuple[Token, ...]) -> ArnPattern:
    return compile_resource(tokens)


def resource(value: str, tokens: tuple[Token, ...]) -> bool:
    """Whether a `Resource` pattern matches."""
    return _compiled_resource(tokens).matches(value)


RESOURCE = Operator("Resource", Family.ARN, resource)
"""The `Resource` element as an operator: only open evaluation makes such a clause."""

OPERATORS = (
    Operator("ArnEquals", Family.ARN, like),
    Operator("ArnLike", Family.ARN, like),
    Operator("ArnNotEquals", Family.ARN, like, negated=True),
    Operator("ArnNotLike", Family.ARN, like, negated=True),
)
