"""What an operator is: a family's comparison, and whether it is negated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ses_audit.policy.patterns import Written

__all__ = ["Family", "Operator", "Prepare", "Test", "never", "text_of"]

Test = Callable[[str], bool]
"""A value of the request → whether it matches the value of the policy."""

Prepare = Callable[[Written], Test]
"""A value of the policy → its test. What can't be compared matches nothing."""


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

    @property
    def has_variables(self) -> bool:
        """Whether policy variables are replaced in its values.

        For booleans AWS says both: the page of variables leaves them out, that of the operators
        takes them in ("You can use a policy variable with the Boolean condition operator"). A
        boolean that is not replaced could match nothing, so the second is followed.
        Sources:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-conditionelement
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Boolean
        """
        return self in (Family.STRING, Family.ARN, Family.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Parameters
    ----------
    name
        As AWS writes it.
    family
        What it compares.
    prepare
        Makes the test of one policy value; None for `Null`, which tests presence.
    negated
        Whether it holds when the tests of all policy values hold, each of which then says that
        the value is another one (`StringNotEquals`); else it holds when one of them does.

    Notes
    -----
    What can't be compared is no match for `NumericEquals` and for `NumericNotEquals` alike: text
    that is no number is neither equal to a number nor another number.
    """

    name: str
    family: Family
    prepare: Prepare | None
    negated: bool = False


def text_of(written: Written) -> str:
    """The plain text of a policy value, its wildcards as they were written.

    Examples
    --------
    >>> from ses_audit.policy.patterns import tokens_of
    >>> text_of(tokens_of("*@example.com"))
    '*@example.com'
    """
    if isinstance(written, str):
        return written
    return "".join(token if isinstance(token, str) else token.value for token in written)


def never(value: str) -> bool:
    """The test of a policy value that can't be compared."""
    return False
