"""`manifest.json`: what a snapshot is, who made it, of what, and the digest of each file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.files import read_file, write_file
from ses_audit.snapshot.ledger import Totals
from ses_audit.snapshot.schema import SCHEMA_VERSION

__all__ = ["MANIFEST", "make_manifest", "read_manifest", "write_manifest"]

MANIFEST = "manifest.json"
_FORMAT = "ses-audit snapshot"


def make_manifest(
    *,
    finished: bool,
    started_at: str,
    taken_at: str = "",
    caller: Mapping[str, object] | None = None,
    organization: Mapping[str, object] | None = None,
    arguments: Mapping[str, object] | None = None,
    assumptions: Sequence[str] = (),
    totals: Totals | None = None,
    files: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, object]:
    """A manifest.

    Parameters
    ----------
    finished
        Whether the tables stand; until then the snapshot cannot be opened.
    started_at, taken_at
        When the run began and ended, ISO 8601, UTC.
    caller
        `{"account", "arn", "partition"}` of the credentials; empty for an import.
    organization
        `{"id", "management_account_id", "read_from", "feature_set", "policy_types"}`;
        `{"none": true}` where no organization applies; empty where nothing is known of one.
    arguments
        Of the run; no secret, no external id.
    assumptions
        Sentences that every report shows.
    totals
        Of the ledger.
    files
        Name → `{"sha256", "bytes"}`.
    """
    return {
        "format": _FORMAT,
        "schema_version": SCHEMA_VERSION,
        "tool_version": version("ses-audit"),
        "finished": finished,
        "started_at": started_at,
        "taken_at": taken_at,
        "caller": dict(caller or {}),
        "organization": dict(organization or {}),
        "arguments": dict(arguments or {}),
        "assumptions": list(assumptions),
        "coverage": None
        if totals is None
        else {
            "planned": totals.planned,
            "read": totals.read,
            "complete": totals.complete,
            "by_state": totals.by_state,
        },
        "files": dict(files or {}),
    }


def write_manifest(path: Path, manifest: Mapping[str, object]) -> None:
    """Write `manifest.json` below `path`, in one piece."""
    text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False)
    write_file(path / MANIFEST, text.encode() + b"\n")


def read_manifest(path: Path) -> dict[str, object]:
    """The manifest of the snapshot at `path`, of this version's schema.

    Raises
    ------
    SnapshotError
        When there is no snapshot, or one that is foreign, broken or of another version.
    """
    if not path.is_dir():
        raise SnapshotError(_missing(path))
    try:
        loaded: object = json.loads(read_file(path, MANIFEST))
    except FileNotFoundError:
        raise SnapshotError(_missing(path)) from None
    except (ValueError, RecursionError) as error:
        raise SnapshotError(
            f"{path / MANIFEST} is truncated or corrupt: make the snapshot again"
        ) from error
    if not isinstance(loaded, dict) or loaded.get("format") != _FORMAT:
        raise SnapshotError(f"{path} is not a ses-audit snapshot: its {MANIFEST} is another tool's")
    if loaded.get("schema_version") != SCHEMA_VERSION:
        raise SnapshotError(
            f"{path} is a snapshot of schema version {str(loaded.get('schema_version'))[:20]!s}, "
            f"made by ses-audit {str(loaded.get('tool_version'))[:20]}; this one reads version "
            f"{SCHEMA_VERSION}: make it again"
        )
    if not isinstance(loaded.get("files"), dict):
        raise SnapshotError(f"{path / MANIFEST} names no files: make the snapshot again")
    return loaded


def _missing(path: Path) -> str:
    if not path.exists():
        return f"no snapshot at {path}: make one with `ses-audit collect {path}` or `import`"
    if path.is_file():
        return f"{path} is a file, not a snapshot: name the snapshot's folder"
    return f"{path} is not a ses-audit snapshot: it has no {MANIFEST}"
