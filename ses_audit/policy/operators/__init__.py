"""Condition operators, one family a file.

A family compares one value of the request with one value of the policy; sets, `IfExists`, missing
keys and negation are the same for all of them and stand in `sets.py`.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ses_audit.policy.kept import kept
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
from ses_audit.policy.operators.sets import PreparedClause
from ses_audit.policy.types import Clause

__all__ = [
    "OPERATORS",
    "Family",
    "Operator",
    "PreparedClause",
    "holds",
    "operator_of",
    "prepare",
    "prepared",
]

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for module in (string, numeric, date, boolean, binary, ip_address, arn)
    for operator in module.OPERATORS
}
OPERATORS["Null"] = Operator("Null", Family.NULL, None)
OPERATORS[arn.RESOURCE.name] = arn.RESOURCE


def operator_of(name: str) -> Operator:
    """The operator of this canonical name.

    Examples
    --------
    >>> operator_of("StringNotLike").negated
    True
    """
    return OPERATORS[name]


def prepare(clause: Clause, version: str) -> PreparedClause:
    """Make a clause ready to be tried in many contexts.

    Examples
    --------
    >>> clause = Clause("Bool", "aws:SecureTransport", ("true",))
    >>> prepare(clause, "2012-10-17").holds({"aws:securetransport": ("true",)}, frozenset())
    True
    """
    return PreparedClause(clause, OPERATORS[clause.operator], version)


def prepared(clause: Clause, version: str) -> PreparedClause:
    """The same; documents that say the same share it."""
    return _prepared(
        clause.operator, clause.key, clause.values, clause.set_operator, clause.if_exists, version
    )


@kept(4096)
def _prepared(
    operator: str,
    key: str,
    values: tuple[str, ...],
    set_operator: Literal["ForAnyValue", "ForAllValues"] | None,
    if_exists: bool,
    version: str,
) -> PreparedClause:
    # By what the clause consists of: its own hash and comparison are Python's.
    return prepare(Clause(operator, key, values, set_operator, if_exists), version)


def holds(
    clause: Clause,
    context: Mapping[str, tuple[str, ...]],
    multivalued: frozenset[str],
    version: str,
) -> bool:
    """Whether one clause of a condition holds.

    Parameters
    ----------
    clause
        The operator, the key and the policy's values.
    context
        Condition keys in lower case with their values; what is not there is absent.
    multivalued
        Keys in lower case that carry a set even when it holds one value.
    version
        The document's Version: decides about policy variables.

    Examples
    --------
    >>> from ses_audit.policy.types import Clause
    >>> clause = Clause("StringNotEquals", "aws:RequestedRegion", ("eu-west-1",))
    >>> holds(clause, {}, frozenset(), "2012-10-17")
    True
    """
    return prepared(clause, version).holds(context, multivalued)
