"""The snapshot's tables as what a decision needs: senders, identities, the organization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from ses_audit.audit.cells import Crossing
from ses_audit.audit.documents import Documents
from ses_audit.audit.gaps import Gaps
from ses_audit.audit.identities import (
    AccountRegion,
    Identity,
    load_account_regions,
    load_identities,
    placeholder,
)
from ses_audit.audit.organization import Organization
from ses_audit.audit.senders import GAAD, Sender, load_senders

__all__ = ["Model", "Source", "load"]


class Source(Protocol):
    """What is asked of a snapshot: its manifest, and a table by name."""

    @property
    def manifest(self) -> Mapping[str, object]: ...

    def table(self, name: str) -> pa.Table: ...


@dataclass(frozen=True, slots=True)
class Model:
    """Everything a decision needs, from one snapshot."""

    organization: Organization
    documents: Documents
    senders: Mapping[str, Sender]
    identities: Mapping[str, Identity]
    account_regions: Mapping[tuple[str, str], AccountRegion]
    gaps: Gaps
    crossing: Crossing
    partition: str


def _rows(source: Source, name: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = source.table(name).to_pylist()
    return rows


def load(source: Source, actions: tuple[str, ...]) -> Model:
    """Read the tables of a snapshot.

    Parameters
    ----------
    source
        The snapshot.
    actions
        The actions that matter; statements about others are left out.
    """
    manifest = source.manifest
    facts = described(manifest)
    gaps = Gaps(_rows(source, "coverage"), organization_account(manifest))
    texts = {
        str(row["sha256"]): str(row["document"])
        for row in _rows(source, "policy_documents")
        if row["malformed"] is None
    }
    documents = Documents(texts, actions)
    organizational = organization_of(
        {name: _rows(source, name) for name in ORGANIZATION_TABLES}, documents, gaps, facts
    )
    senders = load_senders(
        _rows(source, "principals"),
        _rows(source, "principal_policies"),
        _rows(source, "access_keys"),
        documents,
        gaps,
    )
    partition = next((arn.split(":")[1] for arn in senders), "aws")
    identities = load_identities(
        _rows(source, "identities"), _rows(source, "identity_policies"), documents, gaps
    )
    for missing in unlisted(gaps, organizational, partition):
        identities.setdefault(missing.arn, missing)
    return Model(
        organization=organizational,
        documents=documents,
        senders=senders,
        identities=identities,
        account_regions=load_account_regions(_rows(source, "ses_account_regions"), gaps),
        gaps=gaps,
        crossing=Crossing(senders, organizational.accounts, gaps, partition),
        partition=partition,
    )


ORGANIZATION_TABLES = (
    "accounts",
    "organizational_units",
    "organization_policies",
    "policy_attachments",
)


def described(manifest: Mapping[str, object]) -> Mapping[str, object]:
    """What the manifest says of the organization."""
    organization = manifest.get("organization")
    return organization if isinstance(organization, Mapping) else {}


def organization_account(manifest: Mapping[str, object]) -> str:
    """The account from which the organization was read."""
    facts = described(manifest)
    return str(facts.get("read_from") or facts.get("management_account_id") or _caller(manifest))


def organization_of(
    rows: Mapping[str, list[dict[str, object]]],
    documents: Documents,
    gaps: Gaps,
    facts: Mapping[str, object],
) -> Organization:
    """The organization.

    Parameters
    ----------
    rows
        Of the tables of `ORGANIZATION_TABLES`, by name.
    documents, gaps
        Of the snapshot.
    facts
        What the manifest says of it.
    """
    return Organization(
        rows["accounts"],
        rows["organizational_units"],
        rows["organization_policies"],
        rows["policy_attachments"],
        documents,
        gaps,
        None if facts.get("id") is None else str(facts["id"]),
        bool(facts.get("none")),
        _scps_enabled(facts),
    )


def _scps_enabled(organization: Mapping[str, object]) -> bool:
    """Whether SCPs can be in effect: all features are enabled, and the root's policy type is.

    Source: https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html
    """
    types = organization.get("policy_types")
    if organization.get("feature_set") == "CONSOLIDATED_BILLING":
        return False
    return not isinstance(types, list) or "SERVICE_CONTROL_POLICY" in types


def _caller(manifest: Mapping[str, object]) -> str:
    caller = manifest.get("caller")
    return str(caller.get("account", "")) if isinstance(caller, Mapping) else ""


def unlisted(gaps: Gaps, organization: Organization, partition: str) -> list[Identity]:
    """A placeholder for each account, or account-region, whose identities were not listed."""
    found: list[Identity] = []
    refused: set[str] = set()
    for account in organization.accounts.values():
        if not account.audited:
            continue
        missing = (
            gaps.of(account.id, "global", "sts", "AssumeRole")
            if gaps.planned(account.id, "global", "sts", "AssumeRole")
            else ()
        )
        if missing:
            refused.add(account.id)
            found.append(placeholder(partition, account.id, "*", missing))
    listing = ("sesv2", "ListEmailIdentities")
    for account_id, region in gaps.cells(*listing):
        missing = () if account_id in refused else gaps.of(account_id, region, *listing)
        if missing:
            found.append(placeholder(partition, account_id, region, missing))
    return found


def unread_accounts(model: Model) -> list[str]:
    """The audited accounts whose principals were not read."""
    return [
        account.id
        for account in model.organization.accounts.values()
        if account.audited and model.gaps.of(account.id, *GAAD)
    ]
