"""`BinaryEquals`: the bytes that base64 texts write are the same.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_BinaryEquals
"""

from __future__ import annotations

import base64
import binascii

from ses_audit.policy.kept import kept
from ses_audit.policy.operators.base import Family, Operator, Test, never, text_of
from ses_audit.policy.patterns import Written

__all__ = ["OPERATORS"]


@kept(64)
def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def equals(written: Written) -> Test:
    """Whether both are base64 of the same bytes."""
    right = _bytes(text_of(written))
    return never if right is None else lambda value: _bytes(value) == right


OPERATORS = (Operator("BinaryEquals", Family.BINARY, equals),)
