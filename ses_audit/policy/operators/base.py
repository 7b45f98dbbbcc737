"""What an operator is: a family's comparison, and whether it is negated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ses_audit.policy.wildcards import Token

__all__ = ["Comparison", "Family", "Operator"]

Comparison = Callable[[str, tuple[Token, ...]], bool]
"""(value of the request, value of the policy cut into tokens) → whether they match."""


class Family(Enum):
    """The kinds of values that operators compare."""

    STRING = "string"
    NUMERIC = "numeric"
    DATE = "date"
    BOOLEAN = "boolean"
    BINARY = "binary"
    IP_ADDRESS = "ip_address"
    ARN = "arn"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Parameters
    ----------
    name
        As AWS writes it.
    family
        What it compares.
    compare
        The positive comparison; None for `Null`, which compares presence.
    negated
        Whether it holds when no policy value matches (`StringNotEquals`).
    """

    name: str
    family: Family
    compare: Comparison | None
    negated: bool = False


def text_of(tokens: tuple[Token, ...]) -> str:
    """The plain text of a policy value, its wildcards as they were written."""
    return "".join(token if isinstance(token, str) else token.value for token in tokens)
