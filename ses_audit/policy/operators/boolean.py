"""`Bool`: true or false in any case; anything else matches nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Boolean
"""

from __future__ import annotations

from ses_audit.policy.operators.base import Family, Operator, Test, never, text_of
from ses_audit.policy.patterns import Written

__all__ = ["OPERATORS"]


def equals(written: Written) -> Test:
    """Whether both are the same boolean."""
    right = text_of(written).strip().lower()
    if right not in ("true", "false"):
        return never
    return lambda value: value.strip().lower() == right


OPERATORS = (Operator("Bool", Family.BOOLEAN, equals),)
