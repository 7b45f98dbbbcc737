"""`StringEquals` takes `*` literally; `StringLike` has wildcards; only `…IgnoreCase` folds case.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
"""

from __future__ import annotations

from functools import lru_cache

from ses_audit.policy.operators.base import Family, Operator, text_of
from ses_audit.policy.wildcards import Pattern, Token, compile_tokens

__all__ = ["OPERATORS"]


def equals(value: str, tokens: tuple[Token, ...]) -> bool:
    """Whether the value is the text, case and all."""
    return value == text_of(tokens)


def equals_ignoring_case(value: str, tokens: tuple[Token, ...]) -> bool:
    """Whether the value is the text but for case."""
    return value.lower() == text_of(tokens).lower()


@lru_cache(maxsize=65536)
def _compiled(tokens: tuple[Token, ...]) -> Pattern:
    return compile_tokens(tokens)


def like(value: str, tokens: tuple[Token, ...]) -> bool:
    """Whether the whole value matches the pattern; case counts."""
    return _compiled(tokens).matches(value)


OPERATORS = (
    Operator("StringEquals", Family.STRING, equals),
    Operator("StringNotEquals", Family.STRING, equals, negated=True),
    Operator("StringEqualsIgnoreCase", Family.STRING, equals_ignoring_case),
    Operator("StringNotEqualsIgnoreCase", Family.STRING, equals_ignoring_case, negated=True),
    Operator("StringLike", Family.STRING, like),
    Operator("StringNotLike", Family.STRING, like, negated=True),
)
