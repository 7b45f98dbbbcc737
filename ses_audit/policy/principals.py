"""In which form a `Principal` or `NotPrincipal` element names a caller.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

from ses_audit.policy.types import Caller, PrincipalElement

__all__ = ["Form", "applies", "forms"]

_ACCOUNT = re.compile(r"[0-9]{12}")
_ROOT = re.compile(r"arn:[^:]+:iam::([0-9]{12}):root")


class Form(Enum):
    """How an element names a caller; what a grant is limited by depends on it."""

    EXACT = "exact"
    """A user's, session's or federated user's own ARN."""
    ROLE = "role"
    """The ARN of the role behind a session."""
    ACCOUNT = "account"
    """Its account: a delegation."""
    WILDCARD = "wildcard"
    SERVICE = "service"
    FEDERATED = "federated"


def forms(element: PrincipalElement, caller: Caller) -> frozenset[Form]:
    """The forms in which the entries of an element name the caller; negation is not applied.

    A deleted principal's id (`AIDA…`) and a canonical user id name nobody.

    Examples
    --------
    >>> from ses_audit.policy.types import Caller, PrincipalElement
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> forms(PrincipalElement((("AWS", ("111111111111",)),)), user)
    frozenset({<Form.ACCOUNT: 'account'>})
    """
    found: set[Form] = set()
    for kind, values in element.entries:
        for value in values:
            form = _form(kind, value, caller)
            if form is not None:
                found.add(form)
    return frozenset(found)


def _form(kind: str, value: str, caller: Caller) -> Form | None:
    if kind == "AWS":
        return _aws(value, caller)
    if kind == "Service" and caller.kind == "service":
        return Form.SERVICE if value in (caller.arn, "*") else None
    if kind == "Federated" and caller.federated_provider is not None:
        return Form.FEDERATED if value in (caller.federated_provider, "*") else None
    return None


def _aws(value: str, caller: Caller) -> Form | None:
    if value == "*":
        return Form.WILDCARD
    root = _ROOT.fullmatch(value)
    account = root.group(1) if root else value if _ACCOUNT.fullmatch(value) else None
    if account is not None:
        return Form.ACCOUNT if caller.account == account else None
    if value == caller.arn:
        return Form.ROLE if caller.kind == "role" else Form.EXACT
    if caller.role_arn is not None and value == caller.role_arn:
        return Form.ROLE
    return None


_NEEDED: dict[str, frozenset[Form]] = {
    "user": frozenset({Form.EXACT, Form.ACCOUNT}),
    "session": frozenset({Form.EXACT, Form.ROLE, Form.ACCOUNT}),
    "role": frozenset({Form.ROLE, Form.ACCOUNT}),
    "federated": frozenset({Form.EXACT, Form.ACCOUNT}),
    "root": frozenset({Form.ACCOUNT}),
    "account": frozenset({Form.ACCOUNT}),
    "service": frozenset({Form.SERVICE}),
    "anonymous": frozenset({Form.WILDCARD}),
}


def applies(
    element: PrincipalElement,
    caller: Caller,
    effect: Literal["Allow", "Deny"],
    *,
    has_boundary: bool,
) -> frozenset[Form] | None:
    """Whether a statement with this element speaks of the caller, and in which forms.

    `NotPrincipal` with Deny spares only a caller of whom every form is listed (a user with its
    account; a session with its role and account), and nobody who has a permissions boundary.
    `NotPrincipal` with Allow leaves out a caller of whom any form is listed.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html

    Returns
    -------
    frozenset or None
        None where the statement does not speak of the caller.
    """
    listed = forms(element, caller)
    if not element.negated:
        return listed or None
    if effect == "Allow":
        return None if listed else frozenset({Form.WILDCARD})
    if has_boundary:
        return frozenset({Form.WILDCARD})
    spared = Form.WILDCARD in listed or listed >= _NEEDED[caller.kind]
    return None if spared else frozenset({Form.WILDCARD})
