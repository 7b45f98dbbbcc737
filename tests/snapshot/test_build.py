from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ses_audit.snapshot.build import append_records, finish_snapshot
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.import_directory import read_import
from ses_audit.snapshot.store import create_snapshot


def test_one_accounts_corrupt_evidence_is_malformed_and_the_rest_stands(
    folder: Path, tmp_path: Path
) -> None:
    found = read_import(folder)
    with create_snapshot(tmp_path / "s", started_at="t") as writer:
        append_records(writer, found.records)
        path = tmp_path / "s/evidence/222222222222.jsonl.zst"
        content = bytearray(path.read_bytes())
        content[100] ^= 0xFF
        path.write_bytes(content)
        made = finish_snapshot(writer, found.ledger, lambda text: None, taken_at="t")
    rows = read_coverage(made.table("coverage"))
    assert {row.state for row in rows if row.account_id == "222222222222" and not row.argument} == {
        "MALFORMED"
    }
    assert {row.state for row in rows if row.account_id == "111111111111"} == {
        "OK", "EMPTY", "REGION_DISABLED",
    }  # fmt: skip
    owners = {row["account_id"] for row in made.table("principals").to_pylist()}
    assert owners == {"111111111111", "222222222222"}
    assert made.manifest["organization"]


def test_coverage_is_read_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    found = read_import(folder)
    with create_snapshot(tmp_path / "s", started_at="t") as writer:
        made = finish_snapshot(writer, found.ledger, lambda text: None, taken_at="t")
    rows = found.ledger.rows()
    stored = read_coverage(made.table("coverage"))
    assert stored == [replace(row, calls=0, read_at="") for row in rows]
    # When each was read stands apart: it differs where the answers do not.
    times = made.times().to_pylist()
    assert [(row["calls"], row["read_at"]) for row in times] == [
        (row.calls, row.read_at) for row in rows
    ]
