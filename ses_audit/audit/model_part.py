"""The model of some accounts: their identities, with the whole organization around them."""

from __future__ import annotations

from collections.abc import Iterable

from ses_audit.audit.cells import Crossing
from ses_audit.audit.identities import load_account_regions, load_identities
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import Model, unlisted

__all__ = ["model_of"]


def model_of(knowledge: Knowledge, accounts: Iterable[str], partition: str) -> Model:
    """The identities, regions and gaps of some accounts, with the whole organization.

    Its principals are left out: they stay columns.
    """
    wanted = sorted(set(accounts))
    columns = knowledge.columns
    coverage = knowledge.coverage(wanted)
    gaps = knowledge.gaps(wanted)
    rows = columns.rows("identities", wanted)
    policies = columns.rows(
        "identity_policies", [str(row["identity_arn"]) for row in rows], "identity_arn"
    )
    identities = load_identities(rows, policies, knowledge.documents, gaps)
    inside = set(wanted)
    for missing in unlisted(coverage, gaps, knowledge.organization, partition):
        if missing.account in inside:
            identities.setdefault(missing.arn, missing)
    return Model(
        organization=knowledge.organization,
        documents=knowledge.documents,
        senders={},
        identities=identities,
        account_regions=load_account_regions(columns.rows("ses_account_regions", wanted), gaps),
        gaps=gaps,
        crossing=Crossing({}, knowledge.organization.accounts, gaps, partition),
        partition=partition,
    )
