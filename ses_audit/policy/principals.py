"""Who a caller is, and in which form a `Principal` or `NotPrincipal` element names one.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

from ses_audit.policy.types import Caller, PrincipalElement

__all__ = [
    "DELEGATED",
    "EXEMPT",
    "LIMITED",
    "UNKNOWN_CALLER",
    "Form",
    "applies",
    "caller_of",
    "forms",
]

_ACCOUNT = re.compile(r"[0-9]{12}")
_ROOT = re.compile(r"arn:[^:]+:iam::([0-9]{12}):root")
_ARN = re.compile(r"arn:[^:]+:(iam|sts)::([0-9]{12}):(.+)", re.DOTALL)
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws|amazon)\.com(\.cn)?")
_KINDS: dict[tuple[str, str], Literal["user", "role", "session", "federated"]] = {
    ("iam", "user"): "user",
    ("iam", "role"): "role",
    ("sts", "assumed-role"): "session",
    ("sts", "federated-user"): "federated",
}

UNKNOWN_CALLER = Caller("", None, "user")
"""Somebody of the resource's own account, whom no `Principal` element but `*` names."""


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


EXEMPT = frozenset({Form.EXACT, Form.WILDCARD})
"""Within an account, a grant in these forms is limited by neither boundary nor session policy.

To the user's or session's own ARN the grant is direct. Of the wildcard AWS says that a grant to
`*` with a condition on `aws:PrincipalArn` isn't limited; a grant to `*` with one condition less
can't be worth less.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

LIMITED = frozenset({Form.ROLE, Form.SERVICE, Form.FEDERATED})
"""A grant in these forms is limited by an implicit deny of the boundary or session policy."""

DELEGATED = frozenset({Form.ACCOUNT})
"""A grant in this form says nothing for the caller: the identity side must allow as well."""


def caller_of(
    arn: str, *, role_arn: str | None = None, federated_provider: str | None = None
) -> Caller | None:
    """The caller that an ARN, a service's name or `anonymous` stands for; None for anything else.

    Parameters
    ----------
    arn
        Of a user, a role, a role session, a federated user, or an account's root.
    role_arn
        For a session: the role's ARN with its path, where it is known. It is left aside where it
        is not the session's role.
    federated_provider
        For a web-identity or SAML session.

    Examples
    --------
    >>> caller_of("arn:aws:sts::111111111111:assumed-role/mailer/job").kind
    'session'
    """
    if arn == "anonymous":
        return Caller("anonymous", None, "anonymous")
    if _SERVICE.fullmatch(arn):
        return Caller(arn, None, "service")
    match = _ARN.fullmatch(arn)
    if match is None:
        return None
    service, account, rest = match.groups()
    if (service, rest) == ("iam", "root"):
        return Caller(arn, account, "root")
    kind, _, name = rest.partition("/")
    known = _KINDS.get((service, kind))
    if known is None or not name:
        return None
    if known != "session":
        return Caller(arn, account, known)
    role, _, session = name.partition("/")
    if not role or not session:
        return None
    if role_arn is not None and not _is_role(role_arn, account, role):
        role_arn = None
    return Caller(arn, account, "session", role_arn=role_arn, federated_provider=federated_provider)


def _is_role(arn: str, account: str | None, name: str) -> bool:
    """Whether an ARN is that of the role of this name; in an account names are unique."""
    match = _ARN.fullmatch(arn)
    if match is None or match.group(1) != "iam" or match.group(2) != account:
        return False
    kind, _, rest = match.group(3).partition("/")
    return kind == "role" and rest.rpartition("/")[2] == name


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
    account = _account(value)
    if account is not None:
        return Form.ACCOUNT if caller.account == account else None
    if value == caller.arn:
        return Form.ROLE if caller.kind == "role" else Form.EXACT
    if caller.kind != "session":
        return None
    if caller.role_arn is not None:
        return Form.ROLE if value == caller.role_arn else None
    # A session's ARN drops the role's path: the name has to do.
    role = caller.arn.split("/", 2)[1] if caller.arn.count("/") >= 2 else ""
    return Form.ROLE if role and _is_role(value, caller.account, role) else None


def _account(value: str) -> str | None:
    """The account that a value names by its root or by its id."""
    if value.endswith(":root"):
        root = _ROOT.fullmatch(value)
        return None if root is None else root.group(1)
    return value if len(value) == 12 and _ACCOUNT.fullmatch(value) else None


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

    Examples
    --------
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> account = PrincipalElement((("AWS", ("111111111111",)),))
    >>> [form.value for form in applies(account, user, "Allow", has_boundary=False)]
    ['account']
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
