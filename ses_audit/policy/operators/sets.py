"""What all operators share: missing keys, `IfExists`, `Null`, negation, and the set operators.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping

from ses_audit.policy.types import Clause
from ses_audit.policy.variables import substitute
from ses_audit.policy.wildcards import Token

__all__ = ["holds"]


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
    from ses_audit.policy.operators import OPERATORS

    key = clause.key.lower()
    values = context.get(key)
    if clause.operator == "Null":
        absent = values is None or not values
        wanted = [value.strip().lower() for value in clause.values]
        return ("true" if absent else "false") in wanted
    operator = OPERATORS[clause.operator]
    if operator.compare is None:
        raise ValueError(f"{clause.operator} compares nothing")
    if clause.set_operator is not None and values is not None and not any(values):
        # For the set operators empty text is an empty set.
        values = None
    if values is None or not values:
        if clause.set_operator == "ForAllValues" or clause.if_exists:
            return True
        return False if clause.set_operator == "ForAnyValue" else operator.negated
    if clause.set_operator is None and (len(values) != 1 or key in multivalued):
        # A set needs a set operator; without one it does not match.
        return False
    patterns = [
        pattern
        for pattern in (substitute(v, context, version, multivalued) for v in clause.values)
        if pattern is not None
    ]

    def meets(value: str) -> bool:
        compare = operator.compare
        return compare is not None and _any(compare, value, patterns) is not operator.negated

    if clause.set_operator == "ForAnyValue":
        return any(meets(value) for value in values)
    return all(meets(value) for value in values)


def _any(compare: object, value: str, patterns: list[tuple[Token, ...]]) -> bool:
    return any(compare(value, pattern) for pattern in patterns)  # type: ignore[operator]
