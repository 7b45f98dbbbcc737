"""The tables of a snapshot as columns, read for a range of accounts: no object a principal.

Large tables are read row group by row group; small ones are kept, and found by account.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from ses_audit.audit.model import Source
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.files import digest
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import Snapshot

__all__ = ["Batch", "Columns", "Integers", "among", "codes", "dicts"]

Row = dict[str, object]
Integers = np.ndarray[tuple[int], np.dtype[np.int64]]
Booleans = np.ndarray[tuple[int], np.dtype[np.bool_]]

BATCH = 20_000
"""Principals of a batch: enough that a task is worth its way, few enough to be held."""

_FEW = 3
"""Accounts of which a table's rows are looked up, without reading the others."""

_LARGE = ("principals", "principal_policies", "access_keys")


class Batch(NamedTuple):
    """Accounts that are decided together: all from `first` to `last`."""

    number: int
    first: str
    last: str


class Columns:
    """The columns of one snapshot.

    Parameters
    ----------
    source
        A snapshot, or tables in memory.
    verify
        Whether the large tables are compared with the manifest's digests first.
    """

    def __init__(self, source: Source, *, verify: bool = False) -> None:
        self.source = source
        self._large: dict[str, _Large] = {}
        self._small: dict[str, pa.Table] = {}
        self._places: dict[str, dict[str, Integers]] = {}
        if verify and isinstance(source, Snapshot):
            for name in _LARGE:
                _verify(source, name)

    def large(self, name: str) -> _Large:
        """A table that is read in parts."""
        if name not in self._large:
            if isinstance(self.source, Snapshot):
                self._large[name] = _File(_path(self.source, name))
            else:
                self._large[name] = _Memory(self.source.table(name))
        return self._large[name]

    def small(self, name: str) -> pa.Table:
        """A whole table, its texts dictionary-encoded."""
        if name not in self._small:
            if isinstance(self.source, Snapshot):
                _verify(self.source, name)
                self._small[name] = _read_encoded(_path(self.source, name), name)
            else:
                self._small[name] = _encoded(self.source.table(name))
        return self._small[name]

    def rows(self, name: str, accounts: Iterable[str], key: str = "account_id") -> list[Row]:
        """The rows of some accounts, in the order of the table."""
        wanted = sorted(set(accounts))
        if len(wanted) <= _FEW and key == "account_id" and isinstance(self.source, Snapshot):
            parts = (self.large(name).between(key, account, account) for account in wanted)
            return [row for part in parts for row in part.to_pylist()]
        return dicts(self._chosen(name, wanted, key))

    def lists(self, name: str, accounts: Iterable[str], names: Sequence[str]) -> list[list[object]]:
        """Some columns of the rows of some accounts, in the order of the table."""
        table = self._chosen(name, accounts, "account_id").select(list(names))
        return [listed(column) for column in table.columns]

    def _chosen(self, name: str, wanted: Iterable[str], key: str) -> pa.Table:
        places = self._by_account(name, key)
        chosen = [places[value] for value in wanted if value in places]
        found = np.sort(np.concatenate(chosen)).tolist() if chosen else []
        # A list: given a numpy array, pyarrow would import pandas first.
        return self.small(name).take(pa.array(found, pa.int64()))

    def _by_account(self, name: str, key: str) -> dict[str, Integers]:
        if name not in self._places:
            self._places[name] = positions(self.small(name).column(key))
        return self._places[name]

    @cached_property
    def account_ids(self) -> list[str]:
        """Every account that any table names, sorted."""
        found: set[str] = set()
        for name in ("accounts", "identities", "coverage"):
            found.update(pc.unique(self.small(name).column("account_id")).to_pylist())
        found.update(self.principal_counts)
        return sorted(found)

    @cached_property
    def principal_counts(self) -> dict[str, int]:
        """How many principals each account has."""
        ids = self.large("principals").column("account_id")
        return {
            str(entry["values"]): int(entry["counts"]) for entry in pc.value_counts(ids).to_pylist()
        }

    def batches(self, size: int = BATCH) -> list[Batch]:
        """All accounts in batches: the same for the same tables, whoever works on them."""
        found: list[Batch] = []
        first, held = "", 0
        for account in self.account_ids:
            first = first or account
            held += self.principal_counts.get(account, 0) + 1
            if held >= size:
                found.append(Batch(len(found), first, account))
                first, held = "", 0
        if first:
            found.append(Batch(len(found), first, self.account_ids[-1]))
        return found

    def of_batch(self, batch: Batch) -> list[str]:
        """The accounts of a batch."""
        return [a for a in self.account_ids if batch.first <= a <= batch.last]

    def principals(self, batch: Batch) -> pa.Table:
        """The principals of a batch, in the order of the table."""
        return self.large("principals").between("account_id", batch.first, batch.last)

    def of_principals(self, name: str, arns: pa.Array) -> tuple[pa.Table, Integers]:
        """The rows of some principals, and for each the place of its principal in `arns`."""
        if not len(arns):
            empty: Integers = np.zeros(0, dtype=np.int64)
            return self.large(name).between("principal_arn", "", ""), empty
        ends = pc.min_max(arns).as_py()
        table = self.large(name).between("principal_arn", ends["min"], ends["max"])
        places = pc.index_in(_plain(table.column("principal_arn")), value_set=arns)
        if places.null_count:
            found = places.is_valid()
            table, places = table.filter(found), places.filter(found)
        return table, places.to_numpy(zero_copy_only=False).astype(np.int64)


class _Large(Protocol):
    """A table of which parts are read."""

    def column(self, name: str) -> pa.Array:
        """One whole column."""
        ...

    def first(self, name: str) -> str | None:
        """The first value of a column; None where the table is empty."""
        ...

    def matching(self, names: Sequence[str], wanted: Callable[[pa.Table], pa.Array]) -> pa.Table:
        """Some columns of the rows that a condition on them chooses."""
        ...

    def between(self, key: str, first: str, last: str) -> pa.Table:
        """The rows whose key lies between two texts, both included."""
        ...


class _Memory:
    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def column(self, name: str) -> pa.Array:
        return self._table.column(name).combine_chunks()

    def first(self, name: str) -> str | None:
        return self._table.column(name)[0].as_py() if len(self._table) else None

    def matching(self, names: Sequence[str], wanted: Callable[[pa.Table], pa.Array]) -> pa.Table:
        table = self._table.select(list(names))
        return table.filter(wanted(table))

    def between(self, key: str, first: str, last: str) -> pa.Table:
        return _between(self._table, key, first, last)


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = parquet.ParquetFile(path)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SnapshotError(f"{path} is not Parquet: make the tables again") from error
        self._names: list[str] = self._file.schema_arrow.names
        self._groups: dict[int, pa.Table] = {}

    def column(self, name: str) -> pa.Array:
        parts = [
            self._file.read_row_group(n, columns=[name]).column(0)
            for n in range(self._file.num_row_groups)
        ]
        chunks = [chunk for part in parts for chunk in part.chunks]
        return pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())

    def first(self, name: str) -> str | None:
        for number in range(self._file.num_row_groups):
            column = self._file.read_row_group(number, columns=[name]).column(0)
            if len(column):
                return str(column[0])
        return None

    def matching(self, names: Sequence[str], wanted: Callable[[pa.Table], pa.Array]) -> pa.Table:
        parts = [self._file.schema_arrow.empty_table().select(list(names))]
        for number in range(self._file.num_row_groups):
            table = self._file.read_row_group(number, columns=list(names)).select(list(names))
            parts.append(table.filter(wanted(table)))
        return pa.concat_tables(parts)

    def between(self, key: str, first: str, last: str) -> pa.Table:
        position = self._names.index(key)
        wanted: list[int] = []
        for number in range(self._file.num_row_groups):
            found = self._file.metadata.row_group(number).column(position).statistics
            if found is None or not found.has_min_max or (found.min <= last and first <= found.max):
                wanted.append(number)
        # Batches follow one another: the last group of one is often the first of the next.
        self._groups = {n: self._groups.get(n) or self._read(n) for n in wanted}
        tables = [_between(self._groups[n], key, first, last) for n in wanted]
        return pa.concat_tables(tables) if tables else self._file.schema_arrow.empty_table()

    def _read(self, number: int) -> pa.Table:
        try:
            return self._file.read_row_group(number)
        except (pa.ArrowException, OSError) as error:
            raise SnapshotError(f"{self._path} is damaged: make the tables again") from error


def _between(table: pa.Table, key: str, first: str, last: str) -> pa.Table:
    column = table.column(key)
    # Scalars of pyarrow: given Python's, it would import pandas first.
    lowest, highest = pa.scalar(first, pa.string()), pa.scalar(last, pa.string())
    inside = pc.and_(pc.greater_equal(column, lowest), pc.less_equal(column, highest))
    rows = np.flatnonzero(inside.to_numpy())
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        # Sorted, as tables are: nothing need be copied.
        return table.slice(int(rows[0]), len(rows))
    return table.filter(inside)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return found.cast(pa.string()) if pa.types.is_dictionary(found.type) else found


def _read_encoded(path: Path, name: str) -> pa.Table:
    """A table whose texts never stand in memory one by one."""
    texts = [field.name for field in TABLES[name] if pa.types.is_string(field.type)]
    try:
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            found = file.read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SnapshotError(f"{path} is not Parquet: make the tables again") from error
    if found.column_names != TABLES[name].names:
        raise SnapshotError(f"{path} has other columns than its version: make the tables again")
    return found.unify_dictionaries().combine_chunks()


def _encoded(table: pa.Table) -> pa.Table:
    columns = [
        column.combine_chunks().dictionary_encode() if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def dicts(table: pa.Table) -> list[Row]:
    """The rows of a table; a text that is repeated is one object."""
    columns = map(listed, table.columns)
    names = table.column_names
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def listed(column: pa.ChunkedArray) -> list[object]:
    """A column as a list; a text that is repeated is one object."""
    if not pa.types.is_dictionary(column.type):
        found: list[object] = column.to_pylist()
        return found
    if any(len(chunk) < len(chunk.dictionary) for chunk in column.chunks):
        # Of many texts few are wanted.
        column = column.cast(column.type.value_type).dictionary_encode()
    numbers, values = codes(column)
    return np.array(values, dtype=object)[numbers].tolist()  # type: ignore[no-any-return]


def codes(column: pa.ChunkedArray) -> tuple[Integers, list[object]]:
    """A column as numbers and the values that they stand for; null is a value."""
    encoded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([])
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    values: list[object] = encoded.dictionary.to_pylist()
    numbers = pc.fill_null(encoded.indices, len(values)).to_numpy(zero_copy_only=False)
    return numbers.astype(np.int64), [*values, None]


def among(column: pa.ChunkedArray, wanted: Collection[str]) -> Booleans:
    """Which rows of a column are one of some texts."""
    numbers, values = codes(column)
    found: Booleans = np.array([value in wanted for value in values], dtype=bool)[numbers]
    return found


def positions(column: pa.ChunkedArray) -> dict[str, Integers]:
    """For each value of a column the rows that have it, in order."""
    numbers, values = codes(column)
    order = np.argsort(numbers, kind="stable")
    ends = np.searchsorted(numbers[order], np.arange(len(values) + 1))
    return {
        str(value): order[ends[n] : ends[n + 1]]
        for n, value in enumerate(values)
        if value is not None and ends[n] < ends[n + 1]
    }


def factorized(parts: Sequence[Integers]) -> Integers:
    """One number for each distinct row of several columns of numbers; their size is the rows'."""
    found: Integers = np.zeros(len(parts[0]), dtype=np.int64)
    most = 1
    for part in parts:
        width = int(part.max()) + 1 if len(part) else 1
        if most * width >= _MOST_NUMBERS:
            found = np.unique(found, return_inverse=True)[1]
            most = len(found) + 1
        found = found * width + part
        most *= width
    return np.unique(found, return_inverse=True)[1]


_MOST_NUMBERS = 2**62


def distinct(columns: Sequence[Integers]) -> tuple[Integers, Integers]:
    """The first of each distinct row of some columns of numbers, and which of them each row is."""
    of = factorized(columns)
    first: Integers = np.zeros(int(of.max()) + 1 if len(of) else 0, dtype=np.int64)
    # Written backwards: the first row of each stays.
    first[of[::-1]] = np.arange(len(of) - 1, -1, -1)
    return first, of


def _path(snapshot: Snapshot, name: str) -> Path:
    path = snapshot.path / "tables" / f"{name}.parquet"
    if path.is_symlink() or path.parent.is_symlink():
        raise SnapshotError(f"{path} is a symbolic link: a snapshot holds none")
    if not path.is_file():
        raise SnapshotError(f"{path} is gone: make the tables again")
    return path


def _verify(snapshot: Snapshot, name: str) -> None:
    path = _path(snapshot, name)
    files = snapshot.manifest["files"]
    entry = files.get(f"tables/{name}.parquet") if isinstance(files, dict) else None
    expected = entry.get("sha256") if isinstance(entry, dict) else None
    if digest(path)[0] != expected:
        raise SnapshotError(
            f"{path} is truncated or was changed: make the tables again with the command that "
            "made the snapshot"
        )
