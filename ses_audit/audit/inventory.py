"""What a snapshot holds, as frames: accounts, principals, identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.audit.model import Model

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["accounts", "identities", "principals"]


def accounts(model: Model) -> pd.DataFrame:
    """Every account of the organization, audited or not."""
    import pandas as pd

    rows = [
        (
            account.id,
            account.name,
            account.state,
            account.ou,
            account.is_management,
            account.audited,
            account.not_audited_reason,
        )
        for account in model.organization.accounts.values()
    ]
    columns = [
        "account_id",
        "name",
        "state",
        "ou",
        "is_management",
        "audited",
        "not_audited_reason",
    ]
    return pd.DataFrame(rows, columns=columns)


def principals(model: Model, access_keys: pa.Table) -> pd.DataFrame:
    """Every user, role and root user that was read."""
    import pandas as pd

    known = model.organization.accounts
    active = _active_keys(access_keys)
    rows = []
    for sender in model.senders.values():
        account = known.get(sender.account or "")
        rows.append(
            (
                sender.arn,
                sender.account,
                account.name if account else "",
                account.ou if account else "",
                sender.type,
                sender.name,
                sender.path,
                sender.boundary.arn if sender.boundary else None,
                sender.service_linked,
                sender.permission_set,
                sender.smtp,
                None if sender.smtp is None else active.get(sender.arn, 0),
            )
        )
    columns = [
        "principal_arn",
        "account_id",
        "account_name",
        "ou",
        "type",
        "name",
        "path",
        "boundary_arn",
        "service_linked",
        "permission_set",
        "smtp",
        "active_keys",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    # NA: access keys were not read.
    return frame.astype({"smtp": "boolean", "active_keys": "Int64"})


def _active_keys(access_keys: pa.Table) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in access_keys.to_pylist():
        if row["status"] == "Active":
            found[row["principal_arn"]] = found.get(row["principal_arn"], 0) + 1
    return found


def identities(model: Model) -> pd.DataFrame:
    """Every identity that was read."""
    import pandas as pd

    known = model.organization.accounts
    rows = []
    for identity in model.identities.values():
        if not identity.known:
            continue
        account = known.get(identity.account)
        state = model.account_regions.get((identity.account, identity.region))
        rows.append(
            (
                identity.arn,
                identity.account,
                account.name if account else "",
                identity.region,
                identity.name,
                identity.type,
                identity.verified,
                identity.configuration_set,
                len(identity.policies),
                state.production_access if state else None,
            )
        )
    columns = [
        "identity_arn",
        "account_id",
        "account_name",
        "region",
        "name",
        "type",
        "verified",
        "configuration_set",
        "policies",
        "production_access",
    ]
    return pd.DataFrame(rows, columns=columns)
