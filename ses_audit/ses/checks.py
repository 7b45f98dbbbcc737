"""The checks of one send: the same action, each on another resource; all must pass.

Source of each rule and its confidence: data/checks.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ses_audit.ses.actions import load_data, send_action

__all__ = ["AccountRegionFacts", "Check", "IdentityFacts", "checks"]


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
    """What is known of the SES account in the identity's region.

    `recipients` are the ARNs of its verified identities: in the sandbox no other recipient can be
    reached.
    """

    production_access: bool | None = True
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One check: may `action` be done on `resource`?

    `open_resource` says that the resource's name is open: it ends in `*`. Of the checks with the
    id `recipients` one has to pass for a send to be possible.
    """

    id: str
    action: str
    resource: str
    confidence: str
    rule: str
    open_resource: bool = False

    @property
    def on_identity(self) -> bool:
        """Whether sending authorization policies are read for it."""
        return self.id in ("sender", "return_path", "recipients")


@cache
def _rules() -> dict[str, tuple[str, str]]:
    entries = load_data("checks.json")["checks"]
    if not isinstance(entries, list):
        raise TypeError("checks is a list")
    return {entry["id"]: (entry["confidence"], entry["rule"]) for entry in entries}


def _check(name: str, action: str, resource: str, *, open_resource: bool = False) -> Check:
    confidence, rule = _rules()[name]
    return Check(name, action, resource, confidence, rule, open_resource)


def checks(
    action: str,
    identity: IdentityFacts,
    account_region: AccountRegionFacts,
    *,
    cross_account: bool = False,
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

    Returns
    -------
    tuple of Check
        The sender check first.
    """
    known = send_action(action)
    found = [_check("sender", known.name, identity.arn)]
    prefix = ":".join(identity.arn.split(":")[:5])
    if known.configuration_set and identity.configuration_set and not cross_account:
        found.append(
            _check(
                "configuration_set",
                known.name,
                f"{prefix}:configuration-set/{identity.configuration_set}",
            )
        )
    if known.template is not None and not cross_account:
        found.append(
            _check("template", known.name, f"{prefix}:{known.template}/*", open_resource=True)
        )
    if account_region.production_access is False and not cross_account:
        for recipient in account_region.recipients:
            found.append(_check("recipients", known.name, recipient))
    return tuple(found)
