"""`StringEquals` takes `*` literally; `StringLike` has wildcards; only `…IgnoreCase` folds case.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
"""

from __future__ import annotations

from functools import partial

from ses_audit.policy.operators.base import Family, Operator, Prepare, Test, text_of
from ses_audit.policy.patterns import Pattern, Written
from ses_audit.policy.wildcards import fold

__all__ = ["OPERATORS"]


def equals(written: Written) -> Test:
    """Whether the value is the text, case and all."""
    text = text_of(written)
    return lambda value: value == text


def equals_ignoring_case(written: Written) -> Test:
    """Whether the value is the text but for case, character by character."""
    text = fold(text_of(written))
    return lambda value: fold(value) == text


def like(written: Written) -> Test:
    """Whether the whole value matches the pattern; case counts."""
    return Pattern(written).matches


def _negated(prepare: Prepare, written: Written) -> Test:
    test = prepare(written)
    return lambda value: not test(value)


OPERATORS = (
    Operator("StringEquals", Family.STRING, equals),
    Operator("StringNotEquals", Family.STRING, partial(_negated, equals), negated=True),
    Operator("StringEqualsIgnoreCase", Family.STRING, equals_ignoring_case),
    Operator(
        "StringNotEqualsIgnoreCase",
        Family.STRING,
        partial(_negated, equals_ignoring_case),
        negated=True,
    ),
    Operator("StringLike", Family.STRING, like),
    Operator("StringNotLike", Family.STRING, partial(_negated, like), negated=True),
)
