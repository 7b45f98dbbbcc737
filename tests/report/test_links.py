"""Links to the whole tables: the names are those that the run writes."""

from __future__ import annotations

from pathlib import Path

from ses_audit.audit import Audit
from ses_audit.report.exports import write_data
from ses_audit.report.links import FILES, files_line


def test_every_file_that_is_linked_is_written(small: Audit, tmp_path: Path) -> None:
    written = {file.name for file in write_data(small, tmp_path)}
    linked = {f"data/{name}.{suffix}" for name, suffixes in FILES.items() for suffix in suffixes}
    assert linked <= written
    line = files_line(small, "data", *FILES)
    assert all(f'href="{name}"' in line for name in linked)


def test_without_files_there_is_no_link(small: Audit) -> None:
    assert "href" not in files_line(small, "", "verdicts")
