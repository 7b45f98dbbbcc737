"""What a snapshot holds, as tables: accounts, principals, identities.

Columns are joined as columns: a million principals cost a second, and no object each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ses_audit.audit.gaps import EVIDENCE
from ses_audit.audit.overview import chosen
from ses_audit.audit.queries import connect

if TYPE_CHECKING:
    from ses_audit.audit.organization import Organization
    from ses_audit.snapshot.store import Snapshot

__all__ = ["Inventory"]


_PRINCIPAL = (
    "principal_arn",
    "account_id",
    "type",
    "name",
    "path",
    "boundary_arn",
    "service_linked",
    "permission_set",
)


class Inventory:
    """The accounts, principals and identities of a snapshot as tables.

    Parameters
    ----------
    snapshot
        The snapshot.
    organization
        Names the accounts and their OUs.
    """

    def __init__(self, snapshot: Snapshot, organization: Organization) -> None:
        self._snapshot = snapshot
        self._organization = organization

    @cached_property
    def accounts(self) -> pa.Table:
        """Every account of the organization, audited or not."""
        rows = [
            {
                "account_id": account.id,
                "name": account.name,
                "state": account.state,
                "ou": account.ou,
                "is_management": account.is_management,
                "audited": account.audited,
                "not_audited_reason": account.not_audited_reason,
            }
            for account in self._organization.accounts.values()
        ]
        return pa.Table.from_pylist(
            rows,
            schema=pa.schema(
                [
                    ("account_id", pa.string()),
                    ("name", pa.string()),
                    ("state", pa.string()),
                    ("ou", pa.string()),
                    ("is_management", pa.bool_()),
                    ("audited", pa.bool_()),
                    ("not_audited_reason", pa.string()),
                ]
            ),
        )

    @cached_property
    def principals(self) -> pa.Table:
        """Every user, role and root user that was read, in the order of the table.

        `smtp` and `active_keys` are null where access keys were not read. Only an IAM user's active
        access key logs in to SMTP.
        Source: https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html
        """
        own = ("path", "boundary_arn", "service_linked", "permission_set")
        table = self._snapshot.table(
            "principals", ["principal_arn", "account_id", "type", "name", *own]
        )
        arns = table.column("principal_arn")
        keys = self._snapshot.table("access_keys", ["principal_arn", "status"])
        counted = chosen(keys, status="Active").column("principal_arn").value_counts()
        active = pc.fill_null(
            pc.take(counted.field("counts"), pc.index_in(arns, value_set=counted.field("values"))),
            0,
        )
        read = pa.array(_keys_read(self._snapshot), pa.string())
        user = pc.equal(table.column("type"), pa.scalar("user"))
        known = pc.or_(
            pc.is_in(arns, value_set=pc.unique(keys.column("principal_arn"))),
            pc.is_in(table.column("account_id"), value_set=read),
        )
        known = pc.or_(pc.invert(user), known)
        smtp = pc.if_else(known, pc.and_(user, pc.greater(active, 0)), pa.scalar(None, pa.bool_()))
        names, ous = _places(table.column("account_id"), self._organization)
        return pa.table(
            {
                "principal_arn": arns,
                "account_id": table.column("account_id"),
                "account_name": names,
                "ou": ous,
                "type": table.column("type"),
                "name": table.column("name"),
                "path": pc.fill_null(table.column("path"), "/"),
                "boundary_arn": table.column("boundary_arn"),
                "service_linked": pc.fill_null(table.column("service_linked"), False),
                "permission_set": table.column("permission_set"),
                "smtp": smtp,
                "active_keys": pc.if_else(known, active, pa.scalar(None, pa.int64())),
            }
        )

    @cached_property
    def identities(self) -> pa.Table:
        """Every identity that was read: an address or a domain, in one region of one account."""
        table = self._snapshot.table("identities")
        counted = self._snapshot.table("identity_policies").column("identity_arn").value_counts()
        places = pc.index_in(table.column("identity_arn"), value_set=counted.field("values"))
        states = self._snapshot.table("ses_account_regions")
        account_state = pc.index_in(_joined(table), value_set=_joined(states))
        names, _ = _places(table.column("account_id"), self._organization)
        return pa.table(
            {
                "identity_arn": table.column("identity_arn"),
                "account_id": table.column("account_id"),
                "account_name": names,
                "region": table.column("region"),
                "name": table.column("name"),
                "type": table.column("type"),
                "verified": table.column("verified"),
                "configuration_set": table.column("configuration_set"),
                "policies": pc.fill_null(pc.take(counted.field("counts"), places), 0),
                "production_access": pc.take(states.column("production_access"), account_state),
            }
        )

    @cached_property
    def _connection(self) -> Any:
        connection = connect()
        connection.register("principals", self.principals)
        connection.register("identities", self.identities)
        connection.register("keys", self._snapshot.table("access_keys"))
        connection.execute(_USED)
        return connection

    def rows(self, sql: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """The rows of a query over `principals`, `identities` and `used`."""
        used = {name: value for name, value in values.items() if f"${name}" in sql}
        found: list[tuple[Any, ...]] = self._connection.execute(sql, used).fetchall()
        return found


# How many keys each user has, and when one of them was last used, where and for what.
_USED = """
CREATE VIEW used AS SELECT principal_arn, count(*) AS keys,
  max_by([last_used, coalesce(last_used_service, ''), coalesce(last_used_region, '')], last_used)
    FILTER (last_used <> '') AS last
FROM keys GROUP BY principal_arn
"""


def _keys_read(snapshot: Snapshot) -> list[str]:
    """The accounts whose access keys were listed."""
    rows = chosen(
        snapshot.table("coverage"), operation="ListAccessKeys", service="iam", region="global"
    )
    return [
        row["account_id"]
        for row in rows.select(["account_id", "argument", "state"]).to_pylist()
        if not row["argument"] and row["state"] in EVIDENCE
    ]


def _places(ids: pa.ChunkedArray, organization: Organization) -> tuple[pa.Array, pa.Array]:
    """The name and the OU of each account; empty where it is not of the organization."""
    known = organization.accounts.values()
    number = pc.index_in(ids, value_set=pa.array([account.id for account in known], pa.string()))
    return tuple(
        pc.fill_null(pc.take(pa.array(values, pa.string()), number), "")
        for values in ([a.name for a in known], [a.ou for a in known])
    )


def _joined(table: pa.Table) -> pa.Array:
    """Account and region as one text, to be compared."""
    joined = pc.binary_join_element_wise(table.column("account_id"), table.column("region"), "/")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
