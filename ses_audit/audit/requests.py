"""A cell as the requests that SES authorizes: its checks, and the keys each carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ses_audit.audit.identities import Identity
from ses_audit.audit.model import Model
from ses_audit.audit.senders import Sender
from ses_audit.policy.reduce import OpenRequest
from ses_audit.ses.checks import AccountRegionFacts, Check, IdentityFacts, checks
from ses_audit.ses.context import OrganizationFacts, PrincipalFacts, settle

__all__ = ["CheckRequest", "Requests"]


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
        return self.check.resource.split(":", 5)[-1].split("/", 1)[-1]


class Requests:
    """Makes the checks of cells of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._recipients: dict[tuple[str, str], tuple[str, ...]] = {}
        for identity in model.identities.values():
            if identity.verified and identity.known:
                place = (identity.account, identity.region)
                self._recipients[place] = (*self._recipients.get(place, ()), identity.arn)
        self._checks: dict[tuple[str, str, bool], tuple[Check, ...]] = {}

    def checks(self, sender: Sender, identity: Identity, action: str) -> tuple[CheckRequest, ...]:
        """The checks of one cell, the sender check first."""
        cross = sender.account != identity.account
        facts = self.identity_facts(identity)
        key = (identity.arn, action, cross)
        if key not in self._checks:
            self._checks[key] = self._make(identity, facts, action, cross_account=cross)
        principal = principal_facts(sender)
        organization = self.organization_facts(sender, identity)

        def request(check: Check) -> CheckRequest:
            def ask(keys: frozenset[str]) -> OpenRequest:
                found = settle(keys, principal, facts, check.action, organization)
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
                    has_boundary=sender.boundary is not None,
                )

            return CheckRequest(check, ask)

        return tuple(request(check) for check in self._checks[key])

    def _make(
        self, identity: Identity, facts: IdentityFacts, action: str, *, cross_account: bool
    ) -> tuple[Check, ...]:
        place = (identity.account, identity.region)
        state = self._model.account_regions.get(place)
        production = state.production_access if state is not None else None
        if not identity.known:
            production = None
        return checks(
            action,
            facts,
            AccountRegionFacts(production, self._recipients.get(place, ())),
            cross_account=cross_account,
        )

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


def principal_facts(sender: Sender) -> PrincipalFacts:
    """A sender as the send model knows it."""
    return PrincipalFacts(
        arn=sender.arn,
        account=sender.account,
        kind=sender.type,
        name=sender.name,
        principal_id=sender.principal_id,
        tags=sender.tags,
        inside=sender.in_organization,
    )
