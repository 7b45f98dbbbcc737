"""The caller is a delegated administrator: the management account is read by its role."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ses_audit.collect.progress import Silent
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.uniform import account_id, uniform_records
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import Snapshot

REGIONS = ("eu-west-1",)
MANAGEMENT, ADMINISTRATOR = account_id(0), account_id(1)


def read(path: Path, caller: str) -> Snapshot:
    """Organizations answers the one who asks; the organization is the same."""
    records = [
        replace(record, account=caller) if record.service == "organizations" else record
        for record in uniform_records(4, REGIONS, policies=2)
    ]
    return collect_recording(
        path, Silent(), Recording(records, caller), Conditions(), regions=REGIONS
    )


def test_a_delegated_administrator_reads_what_the_management_account_does(tmp_path: Path) -> None:
    by_management = read(tmp_path / "management", MANAGEMENT)
    delegated = read(tmp_path / "delegated", ADMINISTRATOR)
    assert delegated.manifest["coverage"]["complete"]  # type: ignore[index]
    for name in set(TABLES) - {"coverage"}:
        assert delegated.table(name).equals(by_management.table(name)), name
    entered = {
        row.account_id
        for row in read_coverage(delegated.table("coverage"))
        if row.operation == "AssumeRole"
    }
    assert entered == {MANAGEMENT, account_id(2), account_id(3)}
