"""`run.json`: what a run was, how it ended and what it left; the only truth about it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.report.run_folder import RECORD, RUN_FORMAT
from ses_audit.snapshot.files import digest, write_file
from ses_audit.snapshot.manifest import MANIFEST

if TYPE_CHECKING:
    from ses_audit.audit.summary import Summary
    from ses_audit.report.runner import Outcome
    from ses_audit.snapshot.store import Snapshot

__all__ = ["RECORD_VERSION", "RunRecord", "artefacts", "versions"]

RECORD_VERSION = 1
"""Raised when a field changes its meaning; new fields do not raise it."""

_PACKAGES = (
    "ses-audit",
    "boto3",
    "duckdb",
    "ipykernel",
    "nbconvert",
    "pandas",
    "papermill",
    "pyarrow",
)


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that a report depends on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def artefacts(folder: Path) -> dict[str, dict[str, object]]:
    """Digest and length of each file of a run but its record; the snapshot has its manifest."""
    found: dict[str, dict[str, object]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != RECORD and not name.startswith("snapshot/"):
            sha256, size = digest(path)
            found[name] = {"sha256": sha256, "bytes": size}
    return found


@dataclass(slots=True)
class RunRecord:
    """What is known of a run; filled as it goes on, written once at its end.

    `status` is `completed`, `failed`, `timed out` or `stopped`.
    """

    run_id: str
    started_at: str
    ended_at: str = ""
    status: str = "failed"
    exit_code: int = 1
    error: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    notebooks: Sequence[Outcome] = ()
    pages_failed: Mapping[str, str] = field(default_factory=dict)
    """Page of report.html → why it could not be made."""
    previous_run: str | None = None
    snapshot: Mapping[str, object] = field(default_factory=dict)
    organization: Mapping[str, object] = field(default_factory=dict)
    caller: Mapping[str, object] = field(default_factory=dict)
    coverage: Mapping[str, object] = field(default_factory=dict)
    verdicts: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def take(self, snapshot: Snapshot, shown_as: str) -> None:
        """Note which snapshot it was.

        Parameters
        ----------
        snapshot
            The snapshot.
        shown_as
            Its path, as the notebooks are given it.
        """
        manifest = snapshot.manifest
        content = (snapshot.path / MANIFEST).read_bytes()
        self.snapshot = {
            "path": shown_as,
            # The manifest holds the digest of every other file.
            "sha256": hashlib.sha256(content).hexdigest(),
            "taken_at": manifest.get("taken_at"),
            "schema_version": manifest.get("schema_version"),
        }
        self.organization = _mapping(manifest.get("organization"))
        self.caller = _mapping(manifest.get("caller"))
        self.coverage = _mapping(manifest.get("coverage"))

    def count(self, summary: Summary) -> None:
        """Note the verdicts by kind."""
        self.verdicts = {
            "cells": summary.cells,
            "allowed": summary.allowed,
            "conditional": summary.conditional,
            "stopped_by_scp_alone": summary.stopped_by_scp_alone,
            "denied": summary.denied,
            "unknown": summary.unknown,
        }

    def to_json(self, files: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
        """The record as JSON; `files` are the artefacts."""
        return {
            "format": RUN_FORMAT,
            "version": RECORD_VERSION,
            "run_id": self.run_id,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "status": self.status,
            "exit_code": self.exit_code,
            "error": self.error,
            "versions": dict(self.versions),
            "arguments": dict(self.arguments),
            "parameters": dict(self.parameters),
            "notebooks": [
                {
                    "name": outcome.name,
                    "sha256": outcome.sha256,
                    "status": outcome.status,
                    "error": outcome.error,
                    "seconds": outcome.seconds,
                    "parameters": dict(outcome.parameters),
                }
                for outcome in self.notebooks
            ],
            "pages_failed": dict(self.pages_failed),
            "organization": dict(self.organization),
            "caller": dict(self.caller),
            "snapshot": dict(self.snapshot),
            "coverage": dict(self.coverage),
            "verdicts": dict(self.verdicts),
            "previous_run": self.previous_run,
            "artefacts": dict(files),
        }

    def write(self, folder: Path) -> None:
        """Write `run.json`, after every other file of the run."""
        text = json.dumps(self.to_json(artefacts(folder)), indent=1, allow_nan=False)
        write_file(folder / RECORD, text.encode() + b"\n")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
