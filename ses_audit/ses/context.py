"""Which condition keys a send carries: known, certainly absent, or open and within what.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from ses_audit.policy.domains import Domain, Values
from ses_audit.ses.actions import carried_keys, load_data, load_entries, send_action
from ses_audit.ses.checks import IdentityFacts
from ses_audit.ses.identities import from_patterns
from ses_audit.ses.ways import Way

__all__ = [
    "KeyFacts",
    "OrganizationFacts",
    "PrincipalFacts",
    "documented_for_ses",
    "of_the_principal",
    "settle",
]

_TYPES = {
    "user": "User",
    "role": "AssumedRole",
    "session": "AssumedRole",
    "root": "Account",
    "federated": "FederatedUser",
    "anonymous": "Anonymous",
}


@dataclass(frozen=True, slots=True)
class PrincipalFacts:
    """What is known of a sender.

    `inside` is False for a principal of which only a sending policy tells: its keys are open.
    An `account` inside is one whose principals were not read: it stands for all of them.
    """

    arn: str
    account: str | None
    kind: str
    name: str
    principal_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    inside: bool = True


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """The organization's id, and where the two accounts stand (`o-x/r-x/ou-x/`)."""

    id: str | None = None
    principal_path: str | None = None
    resource_path: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a request carries for some keys; keys in lower case."""

    known: dict[str, tuple[str, ...]]
    absent: frozenset[str]
    domains: dict[str, Domain]
    multivalued: frozenset[str]


@cache
def _keys() -> dict[str, object]:
    return load_data("keys.json")


def _names(name: str) -> tuple[str, ...]:
    return tuple(str(found) for found in load_entries("keys.json", name))


@cache
def documented_for_ses(key: str) -> bool:
    """Whether AWS documents a global key for SES, or always sends it.

    Source: https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html

    Examples
    --------
    >>> documented_for_ses("aws:SourceIp"), documented_for_ses("aws:ResourceAccount")
    (True, False)
    """
    lower = key.lower()
    if not lower.startswith("aws:"):
        return True
    return (
        lower in _names("documented_for_ses")
        or lower.startswith("aws:principal")
        or lower in ("aws:requestedregion", *_IDS)
    )


def of_the_principal(key: str) -> bool:
    """Whether who sends can matter to what a send carries for a key, in lower case.

    Examples
    --------
    >>> of_the_principal("aws:principaltag/team"), of_the_principal("aws:requestedregion")
    (True, False)
    """
    if not key.startswith("aws:"):
        # Of other services, those that a session was made with.
        return not key.startswith("ses:")
    return key.startswith("aws:principal") or key in _IDS or key in _OF_A_SERVICE


_IDS = ("aws:username", "aws:userid")
_OF_A_SERVICE = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")


def settle(
    keys: Iterable[str],
    principal: PrincipalFacts,
    identity: IdentityFacts,
    action: str,
    organization: OrganizationFacts,
    way: Way | None = None,
) -> KeyFacts:
    """Say of each key what a send carries for it.

    Parameters
    ----------
    keys
        Condition keys that the policies name, lower case.
    principal, identity, action, organization
        The send.
    way
        How it is sent, where that is known: it fixes `ses:ApiVersion`.

    Returns
    -------
    KeyFacts
        Only the keys asked for.

    Examples
    --------
    The region is the identity's; the source's address is open; no send carries a resource's tags:

    >>> user = PrincipalFacts("arn:aws:iam::222222222222:user/a", "222222222222", "user", "a")
    >>> arn = "arn:aws:ses:eu-west-1:222222222222:identity/example.com"
    >>> identity = IdentityFacts(arn, "example.com", "222222222222", "eu-west-1")
    >>> keys = ("aws:requestedregion", "aws:sourceip", "aws:resourcetag/team")
    >>> facts = settle(keys, user, identity, "ses:SendRawEmail", OrganizationFacts())
    >>> facts.known, sorted(facts.absent), list(facts.domains)
    ({'aws:requestedregion': ('eu-west-1',)}, ['aws:resourcetag/team'], ['aws:sourceip'])
    """
    known: dict[str, tuple[str, ...]] = {}
    absent: set[str] = set()
    domains: dict[str, Domain] = {}
    sets = frozenset(_names("multivalued"))
    for key in keys:
        answer = _answer(key, principal, identity, action, organization, way)
        if answer is None:
            absent.add(key)
        elif isinstance(answer, Domain):
            domains[key] = answer
        else:
            known[key] = answer
    return KeyFacts(known, frozenset(absent), domains, sets & frozenset(keys))


Answer = tuple[str, ...] | Domain | None
"""Known values; what is known of an open key; or None for a key that is not there."""


def _answer(
    key: str,
    principal: PrincipalFacts,
    identity: IdentityFacts,
    action: str,
    organization: OrganizationFacts,
    way: Way | None = None,
) -> Answer:
    if key.startswith("ses:"):
        return _ses_key(key, identity, action, way)
    if any(key.startswith(name) for name in _names("never_on_a_send")):
        return None
    if not key.startswith("aws:"):
        session = any(key.startswith(name) for name in _names("of_a_session"))
        return Domain() if session and principal.kind in ("role", "session") else None
    if key in _TRANSPORT:
        return _TRANSPORT[key]
    if key == "aws:requestedregion":
        return (identity.region,) if identity.region != "*" else Domain(always=True)
    if key.startswith("aws:resource"):
        return _resource_key(key, identity, organization)
    if key.startswith("aws:principal") or key in _IDS:
        return _principal_key(key, principal, organization)
    if key in _OF_A_SERVICE:
        return Domain() if principal.kind == "service" else None
    values = _keys()["values"]
    kind = values.get(key) if isinstance(values, dict) else None
    always = key in _names("always")
    return Domain(
        Values(kind) if kind else Values.TEXT,
        always=always,
        multivalued=key in _names("multivalued"),
    )


_TRANSPORT: dict[str, Answer] = {
    # Assumed of a send by a principal itself: over TLS, and not through another service.
    "aws:securetransport": ("true",),
    "aws:viaawsservice": ("false",),
}


def _versions(action: str, way: Way | None) -> tuple[str, ...]:
    if way is not None and way.api_version is not None:
        return (way.api_version,)
    return send_action(action).api_versions


def _ses_key(key: str, identity: IdentityFacts, action: str, way: Way | None) -> Answer:
    if key not in carried_keys(action):
        return None
    if key == "ses:apiversion":
        versions = _versions(action, way)
        return versions if len(versions) == 1 else Domain(always=True, patterns=versions)
    if key == "ses:fromaddress":
        if identity.name == "*":
            return Domain(always=True)
        return Domain(always=True, patterns=from_patterns(identity.name))
    if key == "ses:recipients":
        return Domain(always=True, multivalued=True)
    return Domain()


def _resource_key(key: str, identity: IdentityFacts, organization: OrganizationFacts) -> Answer:
    if key == "aws:resourceaccount":
        return (identity.account,)
    if key == "aws:resourceorgid":
        return None if organization.id is None else (organization.id,)
    if key == "aws:resourceorgpaths":
        return None if organization.resource_path is None else (organization.resource_path,)
    return Domain()


def _principal_key(key: str, principal: PrincipalFacts, organization: OrganizationFacts) -> Answer:
    # An account of the organization stands for its principals that were not read.
    unread = principal.inside and principal.kind == "account"
    if key.startswith("aws:principaltag/"):
        if unread or not principal.inside:
            return Domain()
        wanted = key.removeprefix("aws:principaltag/")
        for name, value in principal.tags.items():
            if name.lower() == wanted:
                return (value,)
        return None
    service = principal.kind == "service"
    if key == "aws:principalisawsservice":
        return ("true",) if service else ("false",)
    if key.startswith("aws:principalservicename"):
        return (
            Domain(multivalued=key.endswith("list"), patterns=(principal.arn,)) if service else None
        )
    if service:
        return None
    if not principal.inside:
        return _outside_key(key, principal, organization)
    if key == "aws:principalarn":
        return Domain(always=True, patterns=(principal.arn,)) if unread else (principal.arn,)
    if key == "aws:principalaccount":
        return None if principal.account is None else (principal.account,)
    if key == "aws:principalorgid":
        return None if organization.id is None else (organization.id,)
    if key == "aws:principalorgpaths":
        return None if organization.principal_path is None else (organization.principal_path,)
    if key == "aws:principaltype":
        found = _TYPES.get(principal.kind)
        return Domain(always=True) if found is None else (found,)
    if key == "aws:username":
        if unread:
            return Domain()
        return (principal.name,) if principal.kind == "user" else None
    if key == "aws:userid":
        return _user_id(principal)
    return Domain()


def _user_id(principal: PrincipalFacts) -> Answer:
    if principal.kind == "root":
        return None if principal.account is None else (principal.account,)
    if principal.principal_id is None:
        return Domain(always=True)
    if principal.kind == "user":
        return (principal.principal_id,)
    return Domain(always=True, patterns=(f"{principal.principal_id}:*",))


def _outside_key(key: str, principal: PrincipalFacts, organization: OrganizationFacts) -> Answer:
    """A principal outside the organization: anything but this organization's own values."""
    if key == "aws:principalarn":
        if principal.kind in ("account", "anonymous"):
            pattern = f"arn:*:iam::{principal.account or '*'}:*"
            return Domain(always=True, patterns=(pattern,))
        return (principal.arn,)
    if key == "aws:principalaccount" and principal.account is not None:
        return (principal.account,)
    if key == "aws:principalorgid" and organization.id is not None:
        return Domain(excluded=(organization.id,))
    if key == "aws:principalorgpaths":
        # It may stand in another organization, never in this one.
        return None
    return Domain()
