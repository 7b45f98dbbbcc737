"""The tables of a snapshot, written as their rows come: all of them, or none.

Rows are kept until a row group is full, so that the bytes depend on the rows alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import pyarrow as pa
import pyarrow.parquet as parquet

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.files import digest
from ses_audit.snapshot.schema import TABLES

__all__ = ["GROUP", "Memory", "Sink", "TableFiles", "group_of", "parquet_bytes"]

GROUP = 1 << 14
"""Rows of a row group: few enough that one account's rows are read without many others'."""


def group_of(name: str) -> int:
    """The most rows of a row group of a table.

    Documents are looked up one by one, by their digest, which says nothing of where they are used.

    Examples
    --------
    >>> group_of("policy_documents") < group_of("principals")
    True
    """
    return GROUP >> 3 if name == "policy_documents" else GROUP


class Sink(Protocol):
    """Takes the rows of tables, in order."""

    def write(self, name: str, rows: pa.Table) -> None:
        """Take rows of one table."""
        ...


class Memory:
    """A sink in memory."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pa.Table]] = {name: [] for name in TABLES}

    def write(self, name: str, rows: pa.Table) -> None:
        """Take rows of one table."""
        self._parts[name].append(rows)

    def tables(self) -> dict[str, pa.Table]:
        """The whole tables."""
        return {
            name: pa.concat_tables([TABLES[name].empty_table(), *parts]).combine_chunks()
            for name, parts in self._parts.items()
        }


class _Rows:
    """One Parquet file under construction."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, rows_of_group: int) -> None:
        self._schema = schema
        self._size = rows_of_group
        self._waiting: list[pa.Table] = []
        self._count = 0
        self._writer = parquet.ParquetWriter(
            file, schema, compression="zstd", compression_level=3, store_schema=False
        )

    def write(self, rows: pa.Table) -> None:
        if not len(rows):
            return
        self._waiting.append(rows)
        self._count += len(rows)
        if self._count >= self._size:
            self._flush(whole=False)

    def _flush(self, *, whole: bool) -> None:
        table = pa.concat_tables([self._schema.empty_table(), *self._waiting])
        start = 0
        while len(table) - start >= self._size or (whole and start < len(table)):
            # In one chunk: what a row group looks like does not depend on how its rows came.
            group = table.slice(start, self._size).combine_chunks()
            self._writer.write_table(group, row_group_size=self._size)
            start += len(group)
        self._waiting = [table.slice(start).combine_chunks()]
        self._count = len(table) - start

    def close(self) -> None:
        self._flush(whole=True)
        self._writer.close()

    def drop(self) -> None:
        """Give up; what was written is to be removed."""
        with suppress(OSError):
            self._writer.close()


def parquet_bytes(table: pa.Table, rows_of_group: int = GROUP) -> bytes:
    """A table as Parquet; equal tables give equal bytes.

    Parameters
    ----------
    table
        The table.
    rows_of_group
        The most rows of a row group, as `group_of` says for a table of a snapshot.
    """
    buffer = pa.BufferOutputStream()
    file = _Rows(buffer, table.schema, rows_of_group)
    file.write(table)
    file.close()
    found: bytes = buffer.getvalue().to_pybytes()
    return found


class TableFiles:
    """The Parquet files of tables, under other names until `take_names`.

    Used in a `with` block: what has not taken its name is removed at its end.

    Parameters
    ----------
    paths
        Name → file; its folder is there.
    schemas
        Name → schema.

    Raises
    ------
    SnapshotError
        When something cannot be written (the disk is full).
    """

    def __init__(self, paths: Mapping[str, Path], schemas: Mapping[str, pa.Schema]) -> None:
        self._paths = paths
        self._schemas = schemas
        self._files: dict[str, BinaryIO] = {}
        self._tables: dict[str, _Rows] = {}

    def __enter__(self) -> Self:
        return self

    def _temporary(self, name: str) -> Path:
        return self._paths[name].with_name(f".{self._paths[name].name}.tmp")

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """An error of the disk as one line."""
        try:
            yield
        except OSError as error:
            raise SnapshotError(
                f"cannot write {self._paths[name]}: {error.strerror or error}; make room, then "
                "run the same command again"
            ) from error

    def _open(self, name: str) -> _Rows:
        if name not in self._tables:
            path = self._temporary(name)
            path.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._files[name] = os.fdopen(os.open(path, flags, 0o600), "wb")
            self._tables[name] = _Rows(self._files[name], self._schemas[name], group_of(name))
        return self._tables[name]

    def write(self, name: str, rows: pa.Table) -> None:
        """Take rows of one table; none at all make an empty file."""
        with self._told(name):
            self._open(name).write(rows)

    def close(self) -> dict[Path, tuple[str, int]]:
        """Write what is left: every file is whole on the disk.

        Returns
        -------
        dict
            Path → the SHA-256 and the length of its file.
        """
        found: dict[Path, tuple[str, int]] = {}
        for name in sorted(self._tables):
            with self._told(name):
                self._tables[name].close()
                file = self._files[name]
                file.flush()
                os.fsync(file.fileno())
                file.close()
                found[self._paths[name]] = digest(self._temporary(name))
        return found

    def take_names(self) -> None:
        """Give each file its name; `close` came before."""
        for name in list(self._tables):
            with self._told(name):
                self._temporary(name).replace(self._paths[name])
            del self._tables[name]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name, table in self._tables.items():
            table.drop()
            with suppress(OSError):
                self._files[name].close()
            self._temporary(name).unlink(missing_ok=True)
