"""`BinaryEquals`: the bytes that base64 texts write are the same.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_BinaryEquals
"""

from __future__ import annotations

import base64
import binascii

from ses_audit.policy.operators.base import Family, Operator, Test, never, text_of
from ses_audit.policy.wildcards import Token

__all__ = ["OPERATORS"]


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def equals(tokens: tuple[Token, ...]) -> Test:
    """Whether both are base64 of the same bytes."""
    right = _bytes(text_of(tokens))
    return never if right is None else lambda value: _bytes(value) == right


OPERATORS = (Operator("BinaryEquals", Family.BINARY, equals),)
