"""Tables too long to be held, written as Parquet while their rows are made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.audit import denials
from ses_audit.audit.frames import COLUMNS
from ses_audit.snapshot.errors import SnapshotError

if TYPE_CHECKING:
    import pyarrow as pa

    from ses_audit.audit.organization import Organization
    from ses_audit.audit.queries import Queries

__all__ = ["scp_denial_count", "write_parquet"]

_OF = {
    **dict.fromkeys(("principal_arn", "principal_type", "principal_account", "smtp"), "s"),
    **dict.fromkeys(
        ("identity_arn", "identity_account", "identity_name", "identity_type", "region"), "i"
    ),
    "action": "t",
}
_CELLS = """
FROM pairs c JOIN patterns t USING (pattern) JOIN senders s USING (sender_class)
JOIN identities i USING (identity_class) JOIN rulings r ON r.n = t.ruling
"""


def write_parquet(
    name: str,
    path: Path,
    queries: Queries,
    tables: Mapping[str, pa.Table],
    organization: Organization,
) -> None:
    """Write `verdicts` or `scp_denies` whole, its rows in no order.

    Parameters
    ----------
    name
        Of the table.
    path
        The file; what was there is replaced when all is written.
    queries, tables
        The verdict tables, asked in SQL and as tables.
    organization
        Names policies and targets.

    Raises
    ------
    SnapshotError
        When it cannot be written (the disk is full); nothing is left.
    """
    columns = [f"{_OF.get(column, 'r')}.{column}" for column in COLUMNS]
    source = _CELLS
    if name == "scp_denies":
        columns += [
            "d.policy AS scp_arn" if column == "policy" else f"d.{column}"
            for column in denials.COLUMNS
        ]
        columns += ["d.scp_name", "d.target_name"]
        source += "JOIN scp_denies d ON d.ruling = t.ruling"
        queries.register("scp_denies", _named(tables, organization))
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        queries.copy(f"SELECT {', '.join(columns)} {source}", temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise SnapshotError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _named(tables: Mapping[str, pa.Table], organization: Organization) -> pa.Table:
    """The denials by SCPs with the names of policies and targets."""
    import pyarrow as pa

    table = denials.scp_denials(tables)
    for column, name, named in (
        ("policy", "scp_name", organization.policy_name),
        ("target", "target_name", organization.target_name),
    ):
        values = table.column(column).to_pylist()
        names = {value: named(value) if value else "" for value in set(values)}
        table = table.append_column(name, pa.array([names[v] for v in values], pa.string()))
    return table


def scp_denial_count(queries: Queries, tables: Mapping[str, pa.Table]) -> int:
    """How many rows `scp_denies` has.

    Parameters
    ----------
    queries
        The verdict tables.
    tables
        The same as tables.
    """
    import pyarrow as pa

    counted = denials.scp_denials(tables).column("ruling").value_counts()
    queries.register(
        "denial_counts",
        pa.table({"ruling": counted.field("values"), "denials": counted.field("counts")}),
    )
    found = queries.rows(
        "WITH sized AS (SELECT pattern, sum(s.senders * i.identities) AS cells FROM pairs "
        "JOIN sender_groups s USING (sender_class) JOIN identity_groups i USING (identity_class) "
        "GROUP BY pattern) SELECT coalesce(sum(cells * denials), 0)::BIGINT FROM sized "
        "JOIN patterns USING (pattern) JOIN denial_counts USING (ruling)"
    )
    return int(found[0][0])
