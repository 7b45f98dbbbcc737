"""The ledger as a table, and back."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.ledger import CoverageRow
from ses_audit.snapshot.schema import TIMES
from ses_audit.snapshot.texts import clean

__all__ = ["coverage_rows", "read_coverage", "times_table"]


def coverage_rows(rows: Iterable[CoverageRow]) -> list[dict[str, object]]:
    """Rows of the coverage table."""
    return [
        {
            "account_id": row.account_id,
            "region": row.region,
            "service": row.service,
            "operation": row.operation,
            "argument": clean(row.argument),
            "state": row.state.value,
            "detail": clean(row.detail),
            "layer": clean(row.layer),
            "policy_arn": clean(row.policy_arn),
        }
        for row in rows
    ]


def times_table(rows: Iterable[CoverageRow]) -> pa.Table:
    """When each cell was read last, and with how many calls: `schema.TIMES`."""
    found = [
        {
            "account_id": row.account_id,
            "region": row.region,
            "service": row.service,
            "operation": row.operation,
            "argument": clean(row.argument),
            "calls": row.calls,
            "read_at": row.read_at,
        }
        for row in rows
    ]
    return pa.Table.from_pylist(found, schema=TIMES)


def read_coverage(table: pa.Table) -> list[CoverageRow]:
    """The rows of a stored coverage table; `calls` and `read_at` are in `Snapshot.times`."""
    return [CoverageRow(**{**row, "state": State(row["state"])}) for row in table.to_pylist()]
