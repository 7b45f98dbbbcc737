"""After `make test`: the branches of the core are covered to at least the bound.

Run by `make test`; reads the `.coverage` file that pytest-cov leaves.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import coverage

BOUND = 95.0
CORE = ("ses_audit/policy/", "ses_audit/ses/", "ses_audit/audit/")


def measured(data_file: Path) -> dict[str, float]:
    """Branch coverage in percent for each folder of the core."""
    measurement = coverage.Coverage(data_file=str(data_file))
    measurement.load()
    report = Path(data_file).with_suffix(".json")
    with io.StringIO() as sink:
        stdout, sys.stdout = sys.stdout, sink
        try:
            measurement.json_report(outfile=str(report))
        finally:
            sys.stdout = stdout
    files = json.loads(report.read_text())["files"]
    report.unlink()
    found: dict[str, float] = {}
    for folder in CORE:
        branches = covered = 0
        for name, entry in files.items():
            if folder in name.replace("\\", "/"):
                branches += entry["summary"]["num_branches"]
                covered += entry["summary"]["covered_branches"]
        found[folder] = 100.0 * covered / branches if branches else 100.0
    return found


def main() -> int:
    root = Path(__file__).parent.parent
    figures = measured(root / ".coverage")
    for folder, percent in figures.items():
        sys.stdout.write(f"branches of {folder}: {percent:.1f} % (bound {BOUND:.0f} %)\n")
    return 0 if all(percent >= BOUND for percent in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
