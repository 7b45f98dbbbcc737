"""Verdict tables kept beside the tables they were made from: decided once, read many times."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

import pyarrow as pa
import pyarrow.parquet as parquet

from ses_audit import __version__
from ses_audit.audit.execute import Sink, Tables
from ses_audit.audit.verdict_tables import SCHEMAS
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.files import digest, make_folder, read_file, write_file

if TYPE_CHECKING:
    from ses_audit.snapshot.store import Snapshot

__all__ = ["VerdictWriter", "has_verdicts", "stored_verdicts"]

VERDICT_VERSION = 3
"""Raised whenever the same tables give other verdicts."""

_FOLDER = "verdicts"
_KEY = "key.json"


def _key(snapshot: Snapshot) -> dict[str, object]:
    """What the verdicts were made from and by."""
    files = json.dumps(snapshot.manifest.get("files"), sort_keys=True)
    return {
        "tables": hashlib.sha256(files.encode()).hexdigest(),
        "tool_version": __version__,
        "verdict_version": VERDICT_VERSION,
    }


class VerdictWriter:
    """Writes the verdict tables of a snapshot as their rows come: all of them, or none.

    Used in a `with` block; what is not finished leaves the verdicts that were there.

    Parameters
    ----------
    snapshot
        The snapshot; its folder `verdicts` is made.

    Raises
    ------
    SnapshotError
        When something can't be written (the disk is full).
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._folder = snapshot.path / _FOLDER
        self._key = _key(snapshot)
        self._writers: dict[str, parquet.ParquetWriter] = {}
        self._files: dict[str, BinaryIO] = {}
        self._whole = False

    def __enter__(self) -> Self:
        make_folder(self._folder)
        for name, schema in SCHEMAS.items():
            with self._told():
                path = self._temporary(name)
                if path.is_symlink():
                    raise SnapshotError(f"{path} is a symbolic link: a snapshot holds none")
                flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
                self._files[name] = os.fdopen(os.open(path, flags, 0o600), "wb")
                self._writers[name] = parquet.ParquetWriter(
                    self._files[name],
                    schema,
                    compression="zstd",
                    compression_level=3,
                    store_schema=False,
                )
        return self

    def _temporary(self, name: str) -> Path:
        return self._folder / f".{name}.parquet.tmp"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """An error of the disk as one line."""
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error)
            raise SnapshotError(
                f"cannot write {self._folder}: {why}; make room, then run the same command again"
            ) from error

    def write(self, name: str, rows: pa.Table) -> None:
        """Take rows of one table."""
        with self._told():
            if len(rows):
                self._writers[name].write_table(rows, row_group_size=1 << 17)

    def finish(self) -> None:
        """Give all tables their names."""
        digests: dict[str, str] = {}
        with self._told():
            for name, writer in self._writers.items():
                writer.close()
                file = self._files[name]
                file.flush()
                os.fsync(file.fileno())
                file.close()
                digests[f"{name}.parquet"] = digest(self._temporary(name))[0]
            # From here to the last line the tables are of two runs: no key names them.
            (self._folder / _KEY).unlink(missing_ok=True)
            for name in self._writers:
                self._temporary(name).replace(self._folder / f"{name}.parquet")
        text = json.dumps({**self._key, "files": digests}, indent=1, sort_keys=True)
        write_file(self._folder / _KEY, text.encode())
        self._whole = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._whole:
            return
        for name, file in self._files.items():
            with suppress(OSError):
                self._writers[name].close()
            with suppress(OSError):
                file.close()
            self._temporary(name).unlink(missing_ok=True)


def has_verdicts(snapshot: Snapshot) -> bool:
    """Whether verdicts of these tables, by this version, are stored."""
    stored = _stored_key(snapshot.path / _FOLDER)
    return stored is not None and all(stored.get(n) == v for n, v in _key(snapshot).items())


def stored_verdicts(snapshot: Snapshot, decide: Callable[[Sink], None]) -> dict[str, pa.Table]:
    """Read the verdict tables of a snapshot, or decide and store them.

    The verdicts of a snapshot that can't be written to are kept in memory.

    Parameters
    ----------
    snapshot
        The snapshot.
    decide
        Gives the rows of the tables to a sink.

    Raises
    ------
    SnapshotError
        When the disk is full; no half-written verdicts are left.
    """
    folder = snapshot.path / _FOLDER
    key = _key(snapshot)
    found = _read(folder, key)
    if found is not None:
        return found
    with ExitStack() as stack:
        try:
            writer = stack.enter_context(VerdictWriter(snapshot))
        except SnapshotError:
            tables = Tables()
            decide(tables)
            return tables.tables()
        decide(writer)
        writer.finish()
    found = _read(folder, key)
    if found is None:
        raise SnapshotError(f"{folder} was changed while it was written: run the command again")
    return found


def _stored_key(folder: Path) -> dict[str, object] | None:
    try:
        stored = json.loads(read_file(folder.parent, f"{_FOLDER}/{_KEY}"))
    except (FileNotFoundError, SnapshotError, ValueError):
        return None
    return stored if isinstance(stored, dict) else None


def _read(folder: Path, key: dict[str, object]) -> dict[str, pa.Table] | None:
    """The stored tables, when they are whole and of this key."""
    stored = _stored_key(folder)
    if stored is None or any(stored.get(name) != key[name] for name in key):
        return None
    files = stored.get("files")
    digests = files if isinstance(files, dict) else {}
    found: dict[str, pa.Table] = {}
    for name, schema in SCHEMAS.items():
        try:
            content = read_file(folder.parent, f"{_FOLDER}/{name}.parquet")
        except (FileNotFoundError, SnapshotError):
            return None
        if hashlib.sha256(content).hexdigest() != digests.get(f"{name}.parquet"):
            return None
        # Not `read_table` of a Python object: its threads can abort the interpreter as it ends
        # (https://github.com/apache/arrow/issues/50482).
        table = parquet.ParquetFile(pa.BufferReader(content)).read()
        if not table.schema.equals(schema):
            return None
        found[name] = table
    return found
