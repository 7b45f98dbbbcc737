"""`Bool`: true or false in any case; anything else matches nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Boolean
"""

from __future__ import annotations

from ses_audit.policy.operators.base import Family, Operator, text_of
from ses_audit.policy.wildcards import Token

__all__ = ["OPERATORS"]

_BOOLEANS = ("true", "false")


def equals(value: str, tokens: tuple[Token, ...]) -> bool:
    """Whether both are the same boolean."""
    left, right = value.strip().lower(), text_of(tokens).strip().lower()
    return left == right and left in _BOOLEANS


OPERATORS = (Operator("Bool", Family.BOOLEAN, equals),)
