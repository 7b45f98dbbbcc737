"""One account's evidence that cannot be read leaves that account unknown, and the rest decided."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import ses_audit
from ses_audit.audit.documents import check_document
from ses_audit.audit.workers import processes
from ses_audit.replay.generate import Generated, Size
from ses_audit.replay.generate_records import TAKEN, generated_records, write_evidence
from ses_audit.snapshot.build import finish_snapshot
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.store import create_snapshot

MADE = Generated(Size(accounts=8, principals=20, identities=5, units=4, scps=12, regions=3, seed=2))
BAD = "100000000003"
CELL = ["principal_arn", "identity_arn", "action"]


def verdicts(path: Path, corrupt: bytes | None) -> pd.DataFrame:
    write_evidence(path, MADE)
    if corrupt is not None:
        file = path / f"evidence/{BAD}.jsonl.zst"
        content = file.read_bytes()
        file.write_bytes(content[:200] + corrupt + content[200:])
    ledger = Ledger()
    for record in generated_records(MADE):
        ledger.observe(record)
    with create_snapshot(path, started_at=TAKEN, resume=True) as writer:
        finish_snapshot(
            writer, ledger, check_document, taken_at=TAKEN, make_executor=processes(2), workers=2
        )
    audit = ses_audit.open(path)
    assert (BAD in {id for id, _, _ in audit.summary().accounts_not_read}) is (corrupt is not None)
    return audit.verdicts()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return verdicts(tmp_path_factory.mktemp("whole") / "snapshot", None)


def test_the_account_is_unknown_and_the_others_are_as_they_were(
    whole: pd.DataFrame, tmp_path: Path
) -> None:
    found = verdicts(tmp_path / "snapshot", b"no frame of Zstandard")
    of_bad = (found["principal_account"] == BAD) | (found["identity_account"] == BAD)
    # What denies whatever else there is (an SCP) denies still; nothing is allowed.
    assert set(found[of_bad]["verdict"]) <= {"UNKNOWN", "DENIED"}
    assert (found[of_bad]["verdict"] == "UNKNOWN").any()
    before = whole[(whole["principal_account"] != BAD) & (whole["identity_account"] != BAD)]
    after = found[~of_bad]
    columns = [*CELL, "verdict", "verdict_without_scp", "denied_by", "conditions"]
    pd.testing.assert_frame_equal(
        before[columns].astype(str).sort_values(CELL, ignore_index=True),
        after[columns].astype(str).sort_values(CELL, ignore_index=True),
    )
    assert len(after) > 3_000
