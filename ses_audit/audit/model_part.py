"""The model of some accounts: their identities, with the whole organization around them."""

from __future__ import annotations

from collections.abc import Iterable

from ses_audit.audit.cells import Crossing
from ses_audit.audit.identities import ACCOUNT_REGIONS, load_account_regions, load_identities
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import Model, unlisted

__all__ = ["model_of"]


def model_of(knowledge: Knowledge, accounts: Iterable[str], partition: str) -> Model:
    """The identities, regions and gaps of some accounts, with the whole organization.

    Its principals are left out: they stay columns.
    """
    wanted = sorted(set(accounts))
    columns = knowledge.columns
    gaps = knowledge.gaps(wanted)
    rows = columns.rows("identities", wanted)
    policies = columns.rows(
        "identity_policies", [str(row["identity_arn"]) for row in rows], "identity_arn"
    )
    identities = load_identities(rows, policies, knowledge.documents, gaps)
    inside = set(wanted)
    for missing in unlisted(gaps, knowledge.organization, partition):
        if missing.account in inside:
            identities.setdefault(missing.arn, missing)
    # Of the regions of an account few have identities.
    places = {(identity.account, identity.region) for identity in identities.values()}
    regions = [
        dict(zip(ACCOUNT_REGIONS, row, strict=True))
        for row in zip(*columns.lists("ses_account_regions", wanted, ACCOUNT_REGIONS), strict=True)
        if row[:2] in places
    ]
    return Model(
        organization=knowledge.organization,
        documents=knowledge.documents,
        senders={},
        identities=identities,
        account_regions=load_account_regions(regions, gaps),
        gaps=gaps,
        crossing=Crossing({}, knowledge.organization.accounts, gaps, partition),
        partition=partition,
    )
