"""Verdict tables kept beside the tables they were made from: decided once, read many times."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as parquet

from ses_audit import __version__
from ses_audit.audit.verdict_tables import SCHEMAS
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.files import make_folder, read_file, write_file
from ses_audit.snapshot.store import parquet_bytes

if TYPE_CHECKING:
    from ses_audit.snapshot.store import Snapshot

__all__ = ["stored_verdicts"]

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


def stored_verdicts(
    snapshot: Snapshot, decide: Callable[[], dict[str, pa.Table]]
) -> dict[str, pa.Table]:
    """Read the verdict tables of a snapshot, or decide and store them.

    A snapshot that can't be written to (read-only, disk full) is decided each time.

    Parameters
    ----------
    snapshot
        The snapshot.
    decide
        Makes the tables.
    """
    folder = snapshot.path / _FOLDER
    key = _key(snapshot)
    found = _read(folder, key)
    if found is not None:
        return found
    tables = decide()
    contents = {folder / f"{name}.parquet": parquet_bytes(table) for name, table in tables.items()}
    digests = {path.name: hashlib.sha256(data).hexdigest() for path, data in contents.items()}
    text = json.dumps({**key, "files": digests}, indent=1, sort_keys=True)
    try:
        make_folder(folder)
        for path, data in contents.items():
            write_file(path, data)
        # Last: what it names is whole by then.
        write_file(folder / _KEY, text.encode())
    except SnapshotError:
        return tables
    return tables


def _read(folder: Path, key: dict[str, object]) -> dict[str, pa.Table] | None:
    """The stored tables, when they are whole and of this key."""
    try:
        stored = json.loads(read_file(folder.parent, f"{_FOLDER}/{_KEY}"))
    except (FileNotFoundError, SnapshotError, ValueError):
        return None
    if not isinstance(stored, dict) or any(stored.get(name) != key[name] for name in key):
        return None
    found: dict[str, pa.Table] = {}
    for name, schema in SCHEMAS.items():
        try:
            content = read_file(folder.parent, f"{_FOLDER}/{name}.parquet")
        except (FileNotFoundError, SnapshotError):
            return None
        if hashlib.sha256(content).hexdigest() != stored["files"].get(f"{name}.parquet"):
            return None
        table = parquet.read_table(io.BytesIO(content))
        if not table.schema.equals(schema):
            return None
        found[name] = table
    return found
