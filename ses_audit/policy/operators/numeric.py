"""Numbers: whole or decimal, without exponent; text that is no number matches nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Numeric
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from ses_audit.policy.kept import kept
from ses_audit.policy.operators.base import Family, Operator, Test, never, text_of
from ses_audit.policy.patterns import Written

__all__ = ["OPERATORS", "number"]

_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})")


@kept(4096)
def number(text: str) -> Decimal | None:
    """The number that a text writes, or None.

    Examples
    --------
    >>> number("10.5"), number("ten")
    (Decimal('10.5'), None)
    """
    stripped = text.strip()
    if not stripped.isascii() or _NUMBER.fullmatch(stripped) is None:
        return None
    return Decimal(stripped)


def _compared(compare: Callable[[Decimal, Decimal], bool], written: Written) -> Test:
    right = number(text_of(written))
    if right is None:
        return never

    def test(value: str) -> bool:
        left = number(value)
        return left is not None and compare(left, right)

    return test


OPERATORS = (
    Operator("NumericEquals", Family.NUMERIC, partial(_compared, operator.eq)),
    Operator("NumericNotEquals", Family.NUMERIC, partial(_compared, operator.ne), negated=True),
    Operator("NumericLessThan", Family.NUMERIC, partial(_compared, operator.lt)),
    Operator("NumericLessThanEquals", Family.NUMERIC, partial(_compared, operator.le)),
    Operator("NumericGreaterThan", Family.NUMERIC, partial(_compared, operator.gt)),
    Operator("NumericGreaterThanEquals", Family.NUMERIC, partial(_compared, operator.ge)),
)
