"""The committed run of the example organization: `make sample` writes it, a test holds it current.

    python tests/support/sample.py reports/sample

It is a run like any other but for the clock, which stands still, and for what would only make the
repository heavy: the snapshot (`make audit` reads the same again) is left out and long CSV files
are compressed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

from example_world import TAKEN

from ses_audit.collect.progress import Silent
from ses_audit.replay.example_run import collect_example
from ses_audit.report.audit_run import OWN_SNAPSHOT, RunOptions, run_report
from ses_audit.report.run_folder import RECORD
from ses_audit.snapshot.store import Snapshot

NOT_HERE = "the snapshot is not committed"

LONG = 500_000
"""Bytes from which a CSV file is compressed."""


def read_example(folder: Path) -> Snapshot:
    """What `ses-audit run --example` reads, at a time that stands still."""
    with patch("ses_audit.collect.run.now", lambda: TAKEN):
        return collect_example(folder, Silent())


def make_sample(target: Path) -> None:
    """Write the sample to a folder; what was there is replaced."""
    with tempfile.TemporaryDirectory() as own:
        options = RunOptions(
            out=Path(own), arguments={"command": "run", "example": True, "out": "reports"}
        )
        finished = run_report(options, read_example, clock=lambda: TAKEN)
        if finished.record.status != "completed":
            raise RuntimeError(f"the run {finished.record.status}: {finished.record.notebooks}")
        lighten(finished.path)
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(finished.path, target)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    target.chmod(0o755)


def lighten(run: Path) -> None:
    """Leave out the snapshot, compress long files, and let the links and the record say so."""
    shutil.rmtree(run / OWN_SNAPSHOT)
    long = [path for path in (run / "data").glob("*.csv") if path.stat().st_size > LONG]
    for path in long:
        packed = gzip.compress(path.read_bytes(), mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(packed)
        path.unlink()
    record = json.loads((run / RECORD).read_text())
    digest = record["snapshot"]["sha256"]
    for page in (*run.glob("*.html"), *run.glob("*.ipynb")):
        text = page.read_text()
        for path in long:
            for quote in ('"', '\\"'):
                old, new = f"data/{path.name}{quote}", f"data/{path.name}.gz{quote}"
                text = text.replace(old, new)
        page.write_text(text.replace(digest, NOT_HERE))
    record["snapshot"]["sha256"] = NOT_HERE
    record["versions"] = {"ses-audit": record["versions"]["ses-audit"]}
    for notebook in record["notebooks"]:
        notebook["seconds"] = 0.0
    record["artefacts"] = {
        path.relative_to(run).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name != RECORD
    }
    (run / RECORD).write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    make_sample(Path(sys.argv[1]))
