"""A cell as the requests that SES authorizes: its checks, and the keys each carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ses_audit.audit.identities import Identity
from ses_audit.audit.model import Model
from ses_audit.audit.senders import Sender
from ses_audit.policy.domains import Domain
from ses_audit.policy.reduce import OpenRequest
from ses_audit.ses.checks import AccountRegionFacts, Check, IdentityFacts, checks
from ses_audit.ses.context import (
    KeyFacts,
    OrganizationFacts,
    PrincipalFacts,
    documented_for_ses,
    settle,
)

__all__ = ["CheckRequest", "Requests", "resource_name"]


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """One check of one cell.

    `ask` makes the open request for the condition keys that some documents refer to.
    """

    check: Check
    ask: Callable[[frozenset[str]], OpenRequest]

    @property
    def name(self) -> str:
        """The resource's name, without what comes before it in the ARN."""
        return resource_name(self.check.resource)


_ORGANIZATION = ("aws:principalorgid", "aws:resourceorgid")
_PATHS = ("aws:principalorgpaths", "aws:resourceorgpaths")


class Requests:
    """Makes the checks of cells of one model.

    Parameters
    ----------
    model
        The snapshot.
    undocumented
        False takes the global keys that AWS doesn't document for SES for absent.
    """

    def __init__(self, model: Model, *, undocumented: bool = True) -> None:
        self._model = model
        self._undocumented = undocumented
        self._recipients: dict[tuple[str, str], tuple[str, ...]] = {}
        self._unseen: dict[tuple[str, str], tuple[str, ...]] = {}
        for identity in model.identities.values():
            place = (identity.account, identity.region)
            if identity.verified is None and identity.missing:
                self._unseen[place] = (*self._unseen.get(place, ()), *identity.missing)
            elif identity.known and identity.verified is not False:
                self._recipients[place] = (*self._recipients.get(place, ()), identity.arn)
        self._checks: dict[tuple[str, str, bool], tuple[Check, ...]] = {}
        self._facts: dict[str, tuple[IdentityFacts, AccountRegionFacts]] = {}

    def unseen_recipients(self, identity: Identity) -> tuple[str, ...]:
        """In the sandbox: the cells that could hold a verified recipient and were not read."""
        place = (identity.account, identity.region)
        state = self._model.account_regions.get(place)
        if state is None or state.production_access is not False:
            return ()
        return self._unseen.get(place, ())

    def checks(self, sender: Sender, identity: Identity, action: str) -> tuple[CheckRequest, ...]:
        """The checks of one cell, the sender check first."""

        def request(check: Check) -> CheckRequest:
            def ask(keys: frozenset[str]) -> OpenRequest:
                found = settle(
                    keys,
                    principal_facts(sender),
                    self.identity_facts(identity),
                    check.action,
                    self.organization_facts(sender, identity),
                )
                found = self._opened(found, sender, identity)
                return OpenRequest(
                    caller=sender.caller,
                    action=check.action,
                    resource=check.resource,
                    resource_account=identity.account,
                    known=found.known,
                    absent=found.absent,
                    multivalued=found.multivalued,
                    domains=found.domains,
                    open_resource=check.open_resource,
                    has_boundary=sender.boundary is not None or bool(sender.boundary_missing),
                )

            return CheckRequest(check, ask)

        cross = sender.account != identity.account
        return tuple(map(request, self.asked(identity, action, cross_account=cross)))

    def asked(self, identity: Identity, action: str, *, cross_account: bool) -> tuple[Check, ...]:
        """What is checked of a send, the sender check first."""
        key = (identity.arn, action, cross_account)
        found = self._checks.get(key)
        if found is None:
            found = self._checks[key] = self._make(identity, action, cross_account=cross_account)
        return found

    def _make(self, identity: Identity, action: str, *, cross_account: bool) -> tuple[Check, ...]:
        return checks(action, *self.facts(identity), cross_account=cross_account)

    def facts(self, identity: Identity) -> tuple[IdentityFacts, AccountRegionFacts]:
        """An identity and its account as the send model knows them."""
        found = self._facts.get(identity.arn)
        if found is None:
            found = (self.identity_facts(identity), self._account_region(identity))
            self._facts[identity.arn] = found
        return found

    def _account_region(self, identity: Identity) -> AccountRegionFacts:
        place = (identity.account, identity.region)
        state = self._model.account_regions.get(place)
        production = state.production_access if state is not None else None
        if not identity.known or self.unseen_recipients(identity):
            # Any recipient may be verified: the check can't be decided, and the gap is named.
            production = None
        return AccountRegionFacts(production, self._recipients.get(place, ()))

    def _opened(self, found: KeyFacts, sender: Sender, identity: Identity) -> KeyFacts:
        """Leave open what the snapshot doesn't tell; take undocumented keys out where asked."""
        gone: frozenset[str] = frozenset()
        if not self._undocumented:
            keys = {*found.known, *found.absent, *found.domains}
            gone = frozenset(key for key in keys if not documented_for_ses(key))
        unknown = found.absent - gone
        if unknown:
            unknown &= self.unread_keys(sender, identity)
        if not unknown and not gone:
            return found
        opened = {key: Domain(multivalued=key in _PATHS) for key in unknown}
        return KeyFacts(
            {key: value for key, value in found.known.items() if key not in gone},
            (found.absent | gone) - unknown,
            {**{key: d for key, d in found.domains.items() if key not in gone}, **opened},
            found.multivalued,
        )

    def unread_keys(self, sender: Sender, identity: Identity) -> frozenset[str]:
        """The keys of the organization that were not read, rather than not there."""
        organization = self._model.organization
        if organization.none:
            return frozenset()
        found: set[str] = set(_ORGANIZATION if organization.id is None else ())
        facts = self.organization_facts(sender, identity)
        places = (facts.principal_path, facts.resource_path)
        found.update(key for key, path in zip(_PATHS, places, strict=True) if path is None)
        if sender.type == "service" or (not sender.in_organization and organization.id):
            # Of a service there is none; what another organization's is may be anything.
            found = {key for key in found if key.startswith("aws:resource")}
        return frozenset(found)

    @staticmethod
    def identity_facts(identity: Identity) -> IdentityFacts:
        """An identity as the send model knows it."""
        return IdentityFacts(
            identity.arn,
            identity.name,
            identity.account,
            identity.region,
            identity.configuration_set,
        )

    def organization_facts(self, sender: Sender, identity: Identity) -> OrganizationFacts:
        """Where the two accounts of a cell stand."""
        organization = self._model.organization

        def path(account: str | None) -> str | None:
            known = organization.accounts.get(account or "")
            return None if known is None or known.org_path is None else known.org_path

        return OrganizationFacts(organization.id, path(sender.account), path(identity.account))


def resource_name(arn: str) -> str:
    """The name of a resource, without what comes before it in its ARN.

    Examples
    --------
    >>> resource_name("arn:aws:ses:eu-west-1:111111111111:identity/example.com")
    'example.com'
    """
    return arn.split(":", 5)[-1].split("/", 1)[-1]


def principal_facts(sender: Sender) -> PrincipalFacts:
    """A sender as the send model knows it."""
    return PrincipalFacts(
        # A session goes by its role's ARN in aws:PrincipalArn.
        arn=sender.role_arn or sender.arn,
        account=sender.account,
        kind=sender.type,
        name=sender.name,
        principal_id=sender.principal_id,
        tags=sender.tags,
        inside=sender.in_organization,
    )
