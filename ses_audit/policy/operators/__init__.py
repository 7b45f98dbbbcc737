"""Condition operators, one family a file.

A family compares one value of the request with one value of the policy; sets, `IfExists`, missing
keys and negation are the same for all of them and stand in `sets.py`.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from ses_audit.policy.operators import (
    arn,
    binary,
    boolean,
    date,
    ip_address,
    numeric,
    string,
)
from ses_audit.policy.operators.base import Family, Operator
from ses_audit.policy.operators.sets import holds

__all__ = ["OPERATORS", "Family", "Operator", "holds", "operator_of"]

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for module in (string, numeric, date, boolean, binary, ip_address, arn)
    for operator in module.OPERATORS
}
OPERATORS["Null"] = Operator("Null", Family.NULL, None)
OPERATORS[arn.RESOURCE.name] = arn.RESOURCE


def operator_of(name: str) -> Operator:
    """The operator of this canonical name."""
    return OPERATORS[name]
