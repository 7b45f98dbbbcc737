"""One statement against one request: action, resource, principal, conditions.

An element is made ready once and tried at many requests; `compiled.py` keeps what was made ready
with its document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ses_audit.policy.kept import kept
from ses_audit.policy.principals import Form, applies
from ses_audit.policy.types import Caller, Statement
from ses_audit.policy.values import value
from ses_audit.policy.variables import substitute, variables_in, without_variables
from ses_audit.policy.wildcards import action_matches, compile_resource

__all__ = [
    "ResourceTest",
    "Subject",
    "action_applies",
    "principal_forms",
    "resource_test",
]

NO_PRINCIPAL = frozenset({Form.WILDCARD})


@value(frozen=True, slots=True)
class Subject:
    """A request made ready for matching: context keys in lower case."""

    caller: Caller
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    multivalued: frozenset[str]
    has_boundary: bool = False


def action_applies(statement: Statement, action: str) -> bool:
    """Whether `Action` names the action, or `NotAction` does not.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html

    Examples
    --------
    >>> statement = Statement(0, None, "Allow", ("ses:send*",), False, ("*",), False, (), None)
    >>> action_applies(statement, "ses:SendEmail"), action_applies(statement, "ses:GetAccount")
    (True, False)
    """
    named = any(action_matches(pattern, action) for pattern in statement.actions)
    return named is not statement.actions_negated


class ResourceTest:
    """A `Resource` or `NotResource` element, made ready.

    A pattern whose variable can't be resolved matches nothing, in `NotResource` too: it leaves
    nothing out there.
    Sources:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value
    """

    __slots__ = ("_literal", "_negated", "_tests", "_variable", "_version", "everything")

    def __init__(self, resources: tuple[str, ...], negated: bool, version: str) -> None:
        self._negated = negated
        self._version = version
        self.everything = not negated and "*" in resources
        literal: list[str] = []
        tests: list[Callable[[str], bool]] = []
        variable: list[str] = []
        for pattern in dict.fromkeys(resources):
            if variables_in(pattern, version):
                variable.append(pattern)
                continue
            written = without_variables(pattern, version)
            plain = isinstance(written, str) and "*" not in written and "?" not in written
            if plain and pattern.count(":") >= 5:
                literal.append(pattern)
            else:
                tests.append(compile_resource(written).matches)
        self._literal = frozenset(literal)
        self._tests = tuple(tests)
        self._variable = tuple(variable)

    def applies(self, subject: Subject) -> bool:
        """Whether the element covers the request's resource."""
        if self.everything:
            return True
        return self._named(subject) is not self._negated

    def _named(self, subject: Subject) -> bool:
        resource = subject.resource
        if resource in self._literal:
            return True
        for test in self._tests:
            if test(resource):
                return True
        for pattern in self._variable:
            tokens = substitute(pattern, subject.context, self._version, subject.multivalued)
            if tokens is not None and compile_resource(tokens).matches(resource):
                return True
        return False


@kept(4096)
def resource_test(resources: tuple[str, ...], negated: bool, version: str) -> ResourceTest:
    """The test of an element; documents that say the same share it."""
    return ResourceTest(resources, negated, version)


def principal_forms(statement: Statement, subject: Subject) -> frozenset[Form] | None:
    """In which forms the statement speaks of the caller; None where it does not.

    A statement without the element (an identity policy's) speaks of whom it is attached to.
    """
    if statement.principal is None:
        return NO_PRINCIPAL
    return applies(
        statement.principal, subject.caller, statement.effect, has_boundary=subject.has_boundary
    )
