"""`BinaryEquals`: the bytes that base64 texts write are the same.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_BinaryEquals
"""

from __future__ import annotations

import base64
import binascii

from ses_audit.policy.operators.base import Family, Operator, text_of
from ses_audit.policy.wildcards import Token

__all__ = ["OPERATORS"]


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def equals(value: str, tokens: tuple[Token, ...]) -> bool:
    """Whether both are base64 of the same bytes."""
    left = _bytes(value)
    return left is not None and left == _bytes(text_of(tokens))


OPERATORS = (Operator("BinaryEquals", Family.BINARY, equals),)
