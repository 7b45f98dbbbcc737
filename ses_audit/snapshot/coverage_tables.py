"""The ledger as a table, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

import pyarrow as pa

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.ledger import CoverageRow
from ses_audit.snapshot.schema import TABLES, TIMES
from ses_audit.snapshot.texts import clean

__all__ = ["coverage_rows", "coverage_table", "read_coverage", "times_table"]

_AT_ONCE = 4096


def coverage_table(rows: Sequence[CoverageRow]) -> pa.Table:
    """Rows of the coverage table."""
    return _table(rows, TABLES["coverage"])


def times_table(rows: Sequence[CoverageRow]) -> pa.Table:
    """When each cell was read last, and with how many calls: `schema.TIMES`."""
    return _table(rows, TIMES)


def _table(rows: Sequence[CoverageRow], schema: pa.Schema) -> pa.Table:
    """Columns of rows; the texts are cleaned once for each distinct one."""
    cleaned: dict[str, str] = {}

    def text(value: str) -> str:
        if value not in cleaned:
            cleaned[value] = clean(str(value)) or ""
        return cleaned[value]

    columns: list[list[object]] = [
        [text(value) if isinstance(value, str) else value for value in map(attrgetter(name), rows)]
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)


def read_coverage(table: pa.Table) -> list[CoverageRow]:
    """The rows of a stored coverage table; `calls` and `read_at` are in `Snapshot.times`."""
    return list(coverage_rows(table))


def coverage_rows(table: pa.Table) -> Iterator[CoverageRow]:
    """The same one after another, for those who keep few of them."""
    for batch in table.to_batches(max_chunksize=_AT_ONCE):
        for row in batch.to_pylist():
            yield CoverageRow(**{**row, "state": State(row["state"])})
