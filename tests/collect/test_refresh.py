"""What is old is asked again; where that fails, what was read before stays, and its cell tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ses_audit.collect.progress import Silent
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions, Fault
from ses_audit.replay.recording import Recording
from ses_audit.replay.uniform import account_id, uniform_records
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import Snapshot

REGIONS = ("eu-west-1",)
LATER = "2999-01-01T00:00:00Z"
FAULTS = [
    Fault("error", account=account_id(1), operation="ListEmailIdentities",
          code="AccessDeniedException", status=403),
    Fault("error", account=account_id(2), operation="GetAccountAuthorizationDetails",
          code="AccessDenied", status=403),
]  # fmt: skip


def read(path: Path, faults: list[Fault], **options: Any) -> Snapshot:
    recording = Recording(uniform_records(3, REGIONS, identities=2), account_id(0))
    return collect_recording(
        path, Silent(), recording, Conditions(faults=faults), regions=REGIONS, **options
    )


def tables(made: Snapshot) -> dict[str, bytes]:
    return {name: (made.path / f"tables/{name}.parquet").read_bytes() for name in TABLES}


@pytest.mark.parametrize("processes", [0, 2])
def test_a_refresh_that_fails_deletes_nothing(tmp_path: Path, processes: int) -> None:
    before = tables(read(tmp_path / "s", [], processes=processes))
    made = read(tmp_path / "s", FAULTS, processes=processes, read_since=LATER)
    refused = {
        row.text.partition("=")[0]: row.state.value
        for row in read_coverage(made.table("coverage"))
        if not row.state.is_evidence and not row.argument
    }
    # What hangs on a list that was refused is not asked.
    assert refused == {
        f"{account_id(1)}/eu-west-1/sesv2.ListEmailIdentities": "DENIED",
        f"{account_id(1)}/eu-west-1/sesv2.GetEmailIdentity": "NOT_ATTEMPTED",
        f"{account_id(2)}/global/iam.GetAccountAuthorizationDetails": "DENIED",
        f"{account_id(2)}/global/iam.ListAccessKeys": "NOT_ATTEMPTED",
        f"{account_id(2)}/global/iam.GetAccessKeyLastUsed": "NOT_ATTEMPTED",
    }
    after = tables(made)
    assert {name for name in TABLES if after[name] != before[name]} == {"coverage"}
    # The same command once more reads what is missing.
    assert tables(read(tmp_path / "s", [], processes=processes)) == before
