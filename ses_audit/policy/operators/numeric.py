"""Numbers: whole or decimal; text that is no number matches nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Numeric
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from ses_audit.policy.operators.base import Comparison, Family, Operator, text_of
from ses_audit.policy.wildcards import Token

__all__ = ["OPERATORS", "number"]

_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,3})?")


@lru_cache(maxsize=65536)
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


def _comparison(compare: Callable[[Decimal, Decimal], bool]) -> Comparison:
    def matches(value: str, tokens: tuple[Token, ...]) -> bool:
        left, right = number(value), number(text_of(tokens))
        return left is not None and right is not None and compare(left, right)

    return matches


OPERATORS = (
    Operator("NumericEquals", Family.NUMERIC, _comparison(operator.eq)),
    Operator("NumericNotEquals", Family.NUMERIC, _comparison(operator.eq), negated=True),
    Operator("NumericLessThan", Family.NUMERIC, _comparison(operator.lt)),
    Operator("NumericLessThanEquals", Family.NUMERIC, _comparison(operator.le)),
    Operator("NumericGreaterThan", Family.NUMERIC, _comparison(operator.gt)),
    Operator("NumericGreaterThanEquals", Family.NUMERIC, _comparison(operator.ge)),
)
