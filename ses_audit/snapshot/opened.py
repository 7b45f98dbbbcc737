"""A snapshot on the disk, read: its manifest, its tables, its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.evidence import Record, evidence_accounts, snapshot_records
from ses_audit.snapshot.files import local_path, read_file
from ses_audit.snapshot.manifest import read_manifest
from ses_audit.snapshot.places import address

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "TABLES_FOLDER",
    "TIMES_FILE",
    "Snapshot",
    "open_snapshot",
]

TABLES_FOLDER, TIMES_FILE = "tables", "times.parquet"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished snapshot. Tables and evidence are read when they are asked for."""

    path: Path
    manifest: Mapping[str, object]
    where: str = ""
    """Its address, where `path` is a copy of it."""

    @property
    def named(self) -> str:
        """What a person calls it."""
        return self.where or str(self.path)

    def has_table(self, name: str) -> bool:
        """Whether the snapshot holds the table."""
        return self._entry(f"{TABLES_FOLDER}/{name}.parquet") is not None

    def _entry(self, name: str) -> Mapping[str, object] | None:
        files = self.manifest["files"]
        entry = files.get(name) if isinstance(files, Mapping) else None
        return entry if isinstance(entry, Mapping) else None

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One table of `schema.TABLES`.

        Parameters
        ----------
        name
            Of the table.
        columns
            Only these; by default all.

        Raises
        ------
        SnapshotError
            When it is not there, or is not what the manifest says it is.
        """
        from ses_audit.snapshot.schema import TABLES

        file = f"{TABLES_FOLDER}/{name}.parquet"
        if self._entry(file) is None or name not in TABLES:
            raise SnapshotError(f"{self.path} has no table {name!r}")
        return self._read(file, TABLES[name], columns)

    def times(self) -> pa.Table:
        """When each cell was read last, and with how many calls: `schema.TIMES`."""
        from ses_audit.snapshot.schema import TIMES

        return self._read(TIMES_FILE, TIMES)

    def _read(self, file: str, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as parquet

        again = "make the tables again with the command that made the snapshot"
        entry = self._entry(file) or {}
        try:
            content = read_file(self.path, file)
        except FileNotFoundError:
            raise SnapshotError(f"{self.path / file} is gone: {again}") from None
        if hashlib.sha256(content).hexdigest() != entry.get("sha256"):
            raise SnapshotError(f"{self.path / file} is truncated or was changed: {again}")
        try:
            # Not `read_table` of a Python object: its threads can abort the interpreter as it ends
            # (https://github.com/apache/arrow/issues/50482).
            opened = parquet.ParquetFile(pa.BufferReader(content))
            if not opened.schema_arrow.equals(schema):
                raise SnapshotError(
                    f"{self.path / file} has other columns than its version: {again}"
                )
            return opened.read(columns)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SnapshotError(f"{self.path / file} is not Parquet: {again}") from error

    def accounts(self) -> list[str]:
        """The accounts of which there is evidence, sorted."""
        return evidence_accounts(self.path)

    def evidence(self, account: str) -> Iterator[Record]:
        """The records of one account, in the order of writing."""
        return snapshot_records(self.path, account)


def open_snapshot(path: str | Path) -> Snapshot:
    """Open a finished snapshot for reading.

    Parameters
    ----------
    path
        Its folder, or a `file://` or `s3://` address.

    Raises
    ------
    SnapshotError
        When there is none, it is foreign, unfinished, broken or of another version.
    """
    place = address(path)
    if place is None:
        root = local_path(path)
    else:
        from ses_audit.snapshot.remote import download

        root = download(place)
    manifest = read_manifest(root)
    if manifest.get("finished") is not True:
        raise SnapshotError(f"{root} is unfinished: run the command that makes it once more")
    return Snapshot(root, manifest, "" if place is None else str(place))
