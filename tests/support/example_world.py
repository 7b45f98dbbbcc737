"""Snapshots made of records, for tests that need no server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ses_audit.audit.documents import check_document
from ses_audit.replay.example import example_records
from ses_audit.ses.regions import ses_regions
from ses_audit.snapshot.build import append_records, finish_snapshot
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.import_plan import plan_import
from ses_audit.snapshot.store import create_snapshot

TAKEN = "2026-11-23T06:00:00Z"


def make_snapshot(path: Path, records: Iterable[Record]) -> Path:
    """Write records as a finished snapshot."""
    known = list(records)
    with create_snapshot(path, started_at=TAKEN) as writer:
        append_records(writer, known)
        ledger = plan_import(known, ses_regions=ses_regions())
        finish_snapshot(writer, ledger, check_document, taken_at=TAKEN)
    return path


def make_example(path: Path) -> Path:
    """The example organization as a snapshot."""
    return make_snapshot(path, example_records())
