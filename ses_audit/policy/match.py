"""One statement against one request: action, resource, principal, conditions.

The compiled form of a statement is kept with it, so that a document shared by many principals is
compiled once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ses_audit.policy.principals import Form, applies
from ses_audit.policy.types import Caller, Statement
from ses_audit.policy.variables import substitute
from ses_audit.policy.wildcards import action_matches, arn_matches, compile_resource

__all__ = ["Subject", "action_applies", "principal_forms", "resource_applies"]

NO_PRINCIPAL = frozenset({Form.WILDCARD})


@dataclass(frozen=True, slots=True)
class Subject:
    """A request made ready for matching: context keys in lower case."""

    caller: Caller
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    multivalued: frozenset[str]
    has_boundary: bool = False


@lru_cache(maxsize=131072)
def _names(actions: tuple[str, ...], action: str) -> bool:
    return any(action_matches(pattern, action) for pattern in actions)


def action_applies(statement: Statement, action: str) -> bool:
    """Whether `Action` names the action, or `NotAction` does not."""
    return _names(statement.actions, action) is not statement.actions_negated


def resource_applies(statement: Statement, subject: Subject, version: str) -> bool:
    """Whether `Resource` matches the resource, or `NotResource` does not.

    A pattern whose variable can't be resolved matches nothing, in `NotResource` too: it leaves
    nothing out there.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value
    """
    if statement.resources is None:
        return True
    named = False
    for pattern in statement.resources:
        if "${" not in pattern:
            named = named or pattern == "*" or arn_matches(pattern, subject.resource)
            continue
        tokens = substitute(pattern, subject.context, version, subject.multivalued)
        if tokens is not None:
            named = named or compile_resource(tokens).matches(subject.resource)
    return named is not statement.resources_negated


def principal_forms(statement: Statement, subject: Subject) -> frozenset[Form] | None:
    """In which forms the statement speaks of the caller; None where it does not.

    A statement without the element (an identity policy's) speaks of whom it is attached to.
    """
    if statement.principal is None:
        return NO_PRINCIPAL
    return applies(
        statement.principal, subject.caller, statement.effect, has_boundary=subject.has_boundary
    )
