"""The first cells of a choice as data frames, for tables to sort in a live notebook."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.audit.queries import first
from ses_audit.audit.stops import BLOCKERS, stops
from ses_audit.report.choices import scp_arn, select
from ses_audit.report.denies_html import denied_cells
from ses_audit.report.html_table import LIMIT

if TYPE_CHECKING:
    import pandas as pd

    from ses_audit.audit import Audit

__all__ = ["can_send", "stopped"]


def can_send(audit: Audit, limit: int = LIMIT, **choice: str) -> tuple[pd.DataFrame, int]:
    """Cells that are not denied, the strongest verdicts first, and how many there are.

    Parameters
    ----------
    audit
        The snapshot.
    limit
        The most rows.
    **choice
        Of `ses_audit.report.choices.select`.
    """
    selection = select(audit, **choice)
    found = audit.queries.arrow(
        selection,
        first("rank, principal_account_name", limit)
        + f"""SELECT principal_arn, principal_type, principal_account, smtp, identity_arn,
               identity_account, region, action, verdict, verdict_without_scp, conditions,
               missing_evidence, rule_confidence
        FROM cells WHERE rank <= 2
        ORDER BY rank, principal_account_name, principal_arn, identity_arn, action
        LIMIT {int(limit)}""",
    )
    counted = audit.queries.counts(selection)
    total = sum(counted[kind] for kind in ("allowed", "conditional", "unknown"))
    frame: pd.DataFrame = found.to_pandas()
    return frame, total


def stopped(
    audit: Audit, limit: int = LIMIT, scp: str = "", **choice: str
) -> tuple[pd.DataFrame, int]:
    """Cells that an SCP denies, once a denying statement, and how many denials there are.

    Parameters
    ----------
    audit
        The snapshot.
    limit
        The most rows.
    scp
        Only this SCP, by its ARN or name.
    **choice
        Of `ses_audit.report.choices.select`.
    """
    selection, policy = select(audit, **choice), scp_arn(audit, scp)
    rows = audit.queries.arrow(selection, denied_cells(policy, limit), {"scp": policy})
    found = rows.to_pandas()
    organization = audit.organization
    found["scp"] = [organization.policy_name(arn) for arn in found["policy"]]
    found["attached_to"] = [organization.target_name(target) for target in found["target"]]
    counted = stops(audit.queries, selection, policy)
    total = sum(sum(counted.column(name).to_pylist()) for name in BLOCKERS)
    frame: pd.DataFrame = found[
        [
            "principal_arn",
            "principal_account",
            "identity_name",
            "region",
            "action",
            "scp",
            "sid",
            "attached_to",
            "verdict_without",
            "verdict_without_scp",
        ]
    ]
    return frame, total
