"""The checks of one send: the same action, each on another resource; all must pass.

Source of each rule and its confidence: data/checks.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from ses_audit.ses.actions import SendAction, load_entries, send_action, weakest

__all__ = ["AccountRegionFacts", "Check", "IdentityFacts", "checks"]

OVERRIDES = "ses:ApplyTrackingConfigurationOverrides"


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """What is known of an identity. `configuration_set` is its default one; "" for none."""

    arn: str
    name: str
    account: str
    region: str
    configuration_set: str | None = ""


@dataclass(frozen=True, slots=True)
class AccountRegionFacts:
    """What is known of an SES account in the identity's region.

    `recipients` are the ARNs of its verified identities: in the sandbox no other recipient can be
    reached.
    """

    production_access: bool | None = True
    recipients: tuple[str, ...] = ()


class Check(NamedTuple):
    """One check: may `action` be done on `resource`?

    `confidence` is that of a denial by it. `passing_confidence` is that of its passing, which can
    turn on a weaker rule: that a sending policy can grant the action to another account, or that
    the owner's default configuration set does not bind that account. `open_resource` says that
    the resource's name is open: it ends in `*`. Of the checks with the id `recipients` one has to
    pass for a send to be possible.
    """

    id: str
    action: str
    resource: str
    confidence: str
    rule: str
    open_resource: bool = False
    passing_confidence: str = "D"

    @property
    def on_identity(self) -> bool:
        """Whether sending authorization policies are read for it."""
        return self.id in ("sender", "return_path", "recipients")


@cache
def _rules() -> dict[str, tuple[str, str]]:
    return {
        entry["id"]: (entry["confidence"], entry["rule"])
        for entry in load_entries("checks.json", "checks")
    }


def _check(
    name: str,
    action: str,
    resource: str,
    *,
    confidence: str = "D",
    passing: str = "D",
    open_resource: bool = False,
) -> Check:
    sure, passes, rule = _sure(name, confidence, passing)
    return Check(name, action, resource, sure, rule, open_resource, passes)


@cache
def _sure(name: str, confidence: str, passing: str) -> tuple[str, str, str]:
    of_rule, rule = _rules()[name]
    sure = weakest(of_rule, confidence)
    return sure, weakest(sure, passing), rule


def checks(
    action: str,
    identity: IdentityFacts,
    account_region: AccountRegionFacts,
    *,
    cross_account: bool = False,
    sender_account: str | None = None,
    sender_region: AccountRegionFacts | None = None,
    configuration_set: str | None = None,
    template: str | None = None,
    return_path: IdentityFacts | None = None,
    tracking_overrides: bool = False,
) -> tuple[Check, ...]:
    """The checks of a send from one identity by one action.

    Parameters
    ----------
    action
        One of the send actions.
    identity
        The identity sent from.
    account_region
        Its account's state in its region.
    cross_account
        Whether the sender belongs to another account: then the owner's default configuration set
        and sandbox do not bind it (I).
    sender_account
        For a sender of another account: its account, where its configuration set and its template
        are looked up; None leaves these checks out.
    sender_region
        For a sender of another account: its own account's state in the identity's region. AWS
        says that the delegate sender's account must have left the sandbox as well.
    configuration_set
        The one that the caller names, instead of the default.
    template
        The stored template that the caller names; without it, an action that must name one is
        checked on any.
    return_path
        The identity that covers the Return-Path, where it is another one.
    tracking_overrides
        Whether a v2 request overrides tracking.

    Returns
    -------
    tuple of Check
        The sender check first.

    Raises
    ------
    KeyError
        When `action` is no send action.
    ValueError
        When it can name no stored template and one is given.

    Examples
    --------
    >>> identity = IdentityFacts(
    ...     "arn:aws:ses:eu-west-1:1:identity/example.com", "example.com", "1", "eu-west-1", "main"
    ... )
    >>> for check in checks("ses:SendRawEmail", identity, AccountRegionFacts()):
    ...     print(check.id, check.resource, check.confidence)
    sender arn:aws:ses:eu-west-1:1:identity/example.com D
    configuration_set arn:aws:ses:eu-west-1:1:configuration-set/main R
    """
    known = send_action(action)
    found = [
        _check(
            "sender",
            known.name,
            identity.arn,
            confidence=known.identity_confidence,
            passing=_delegate_confidence(known, identity, account_region) if cross_account else "D",
        )
    ]
    if return_path is not None and return_path.arn != identity.arn:
        found.append(_check("return_path", known.name, return_path.arn))
    head = identity.arn.split(":")[:4]
    owner = sender_account if cross_account else identity.account
    set_name = configuration_set or (None if cross_account else identity.configuration_set)
    if known.configuration_set and set_name and owner is not None:
        resource = ":".join((*head, owner, f"configuration-set/{set_name}"))
        found.append(_check("configuration_set", known.name, resource))
    kind = known.template or (known.optional_template if template is not None else None)
    if template is not None and kind is None:
        raise ValueError(f"{known.name} takes no stored template")
    if kind is not None and owner is not None:
        resource = ":".join((*head, owner, f"{kind}/{template or '*'}"))
        found.append(_check("template", known.name, resource, open_resource=template is None))
    state = sender_region if cross_account else account_region
    if state is not None and state.production_access is False:
        found += [_check("recipients", known.name, recipient) for recipient in state.recipients]
    if tracking_overrides:
        found.append(_check("tracking_overrides", OVERRIDES, "*"))
    return tuple(found)


def _delegate_confidence(
    action: SendAction, identity: IdentityFacts, owner: AccountRegionFacts
) -> str:
    """How sure it is that a sender of another account passes once both sides allow."""
    bound = (
        bool(action.configuration_set and identity.configuration_set)
        or owner.production_access is False
    )
    return weakest(action.grant_confidence, "I" if bound else "D")
