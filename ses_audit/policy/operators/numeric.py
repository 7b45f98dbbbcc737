"""Numbers: whole or decimal, without exponent; text that is no number matches nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Numeric
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from ses_audit.policy.operators.base import Family, Operator, Prepare, Test, never, text_of
from ses_audit.policy.wildcards import Token

__all__ = ["OPERATORS", "number"]

_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})")


@lru_cache(maxsize=4096)
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


def _comparison(compare: Callable[[Decimal, Decimal], bool]) -> Prepare:
    def prepare(tokens: tuple[Token, ...]) -> Test:
        right = number(text_of(tokens))
        if right is None:
            return never

        def test(value: str) -> bool:
            left = number(value)
            return left is not None and compare(left, right)

        return test

    return prepare


OPERATORS = (
    Operator("NumericEquals", Family.NUMERIC, _comparison(operator.eq)),
    Operator("NumericNotEquals", Family.NUMERIC, _comparison(operator.ne), negated=True),
    Operator("NumericLessThan", Family.NUMERIC, _comparison(operator.lt)),
    Operator("NumericLessThanEquals", Family.NUMERIC, _comparison(operator.le)),
    Operator("NumericGreaterThan", Family.NUMERIC, _comparison(operator.gt)),
    Operator("NumericGreaterThanEquals", Family.NUMERIC, _comparison(operator.ge)),
)
