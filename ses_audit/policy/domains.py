"""What is known of an open key: which values it can take, and whether it is always there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["ANY_VALUE", "TYPES", "Domain", "Domains", "Values"]


class Values(Enum):
    """What a key's values are, where more is known than "some text"."""

    TEXT = "text"
    ADDRESS = "address"
    INSTANT = "instant"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARN = "arn"


@dataclass(frozen=True, slots=True)
class Domain:
    """The values an open key can take.

    Parameters
    ----------
    values
        The kind of value; `TEXT` says nothing.
    always
        Whether the key is in every request.
    multivalued
        Whether the key carries a set of values.
    may_be_set
        Whether it may carry one: a policy asks for it with a set operator.
    patterns
        For text: the patterns of which a value matches one; empty for any text.
    excluded
        For text: values that it certainly does not take.
    """

    values: Values = Values.TEXT
    always: bool = False
    multivalued: bool = False
    may_be_set: bool = False
    patterns: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


ANY_VALUE = Domain()
"""Nothing is known: absent, or any value."""


@dataclass(frozen=True, slots=True)
class Domains:
    """What is known of the keys of a request.

    Parameters
    ----------
    known
        Keys in lower case with fixed values.
    absent
        Keys in lower case that are certainly not there.
    open
        Keys in lower case with what is known of their values; any other key is open without
        restriction.
    multivalued
        Keys in lower case that carry sets.
    """

    known: tuple[tuple[str, tuple[str, ...]], ...] = ()
    absent: frozenset[str] = frozenset()
    open: tuple[tuple[str, Domain], ...] = ()
    multivalued: frozenset[str] = frozenset()


TYPES: dict[str, Values] = {
    "aws:currenttime": Values.INSTANT,
    "aws:multifactorauthage": Values.NUMBER,
    "aws:multifactorauthpresent": Values.BOOLEAN,
    "aws:principalarn": Values.ARN,
    "aws:principalisawsservice": Values.BOOLEAN,
    "aws:securetransport": Values.BOOLEAN,
    "aws:sourcearn": Values.ARN,
    "aws:sourceip": Values.ADDRESS,
    "aws:tokenissuetime": Values.INSTANT,
    "aws:viaawsservice": Values.BOOLEAN,
    "aws:vpcsourceip": Values.ADDRESS,
}
"""The types of global keys, in lower case.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""
