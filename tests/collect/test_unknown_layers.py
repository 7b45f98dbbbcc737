"""What could not be read never allows: the example collected with a part of it refused."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ses_audit
from ses_audit.collect.progress import Silent
from ses_audit.replay.example import example_records
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions, Fault
from ses_audit.replay.recording import Recording
from ses_audit.snapshot.evidence import Record

WEB, MANAGEMENT = "222222222222", "111111111111"
REFUSED = Fault(
    "error", service="organizations", code="AccessDeniedException",
    message="You don't have permissions to access this resource.",
)  # fmt: skip


def collected(
    path: Path, *faults: Fault, records: Iterable[Record] | None = None, **options: Any
) -> Any:
    recording = Recording(example_records() if records is None else records, MANAGEMENT)
    collect_recording(path, Silent(), recording, Conditions(faults=faults), **options)
    return ses_audit.open(path)


def test_without_the_organization_every_allow_is_unknown(tmp_path: Path) -> None:
    audit = collected(tmp_path / "s", REFUSED, accounts=(WEB,))
    frame: pd.DataFrame = audit.verdicts()
    assert set(frame["verdict"]) == {"UNKNOWN", "DENIED"}
    unknown = frame[frame["verdict"] == "UNKNOWN"]
    assert (unknown["missing_evidence"].str.contains("organizations.")).any()
    # What the account itself denies stays denied.
    denied = frame[frame["verdict"] == "DENIED"]
    assert len(denied) > 0
    assert not denied["denied_by"].str.contains("service_control_policy").any()
    summary = audit.summary()
    assert summary.allowed == summary.conditional == 0
    assert not summary.complete


def test_in_no_organization_no_scp_applies(tmp_path: Path) -> None:
    alone = replace(
        REFUSED, code="AWSOrganizationsNotInUseException", operation="DescribeOrganization"
    )
    audit = collected(tmp_path / "s", alone)
    frame = audit.verdicts()
    assert set(audit.accounts()["account_id"]) == {MANAGEMENT}
    assert "UNKNOWN" not in set(frame["verdict"])
    assert "ALLOWED" in set(frame["verdict"])
    assert audit.snapshot.manifest["organization"] == {"none": True}


@pytest.mark.parametrize("operation", ["DescribePolicy", "ListTargetsForPolicy", "ListPolicies"])
def test_one_scp_call_refused_leaves_no_allow(tmp_path: Path, operation: str) -> None:
    """Any policy that was not read, or not placed, could deny in any account."""
    audit = collected(tmp_path / "s", replace(REFUSED, operation=operation), accounts=(WEB,))
    frame = audit.verdicts(account=WEB)
    own = frame[frame["principal_account"] == WEB]
    assert set(own["verdict"]) <= {"UNKNOWN", "DENIED"}
    assert "UNKNOWN" in set(own["verdict"])


def test_a_policy_that_is_no_json_makes_its_cells_unknown_and_no_others(tmp_path: Path) -> None:
    """It could hold anything; whoever else there is is decided as before."""
    records = []
    for record in example_records():
        response = record.response or {}
        details = response.get("UserDetailList")
        if record.account == WEB and isinstance(details, list):
            users = json.loads(json.dumps(details))
            user = next(user for user in users if user["UserPolicyList"])
            user["UserPolicyList"][0]["PolicyDocument"] = '{"Statement": ['
            broken = user["Arn"]
            record = replace(record, response={**response, "UserDetailList": users})
        records.append(record)
    audit = collected(tmp_path / "s", records=records, accounts=(WEB,))
    before = collected(tmp_path / "t", accounts=(WEB,))
    frame, whole = audit.verdicts(account=WEB), before.verdicts(account=WEB)
    rows = frame[frame["principal_arn"] == broken]
    assert set(rows["verdict"]) <= {"UNKNOWN", "DENIED"}
    assert "UNKNOWN" in set(rows["verdict"])
    documents = audit.snapshot.table("policy_documents").to_pylist()
    assert [d["document"] for d in documents if d["malformed"]] == ['{"Statement": [']
    others = frame[frame["principal_arn"] != broken].reset_index(drop=True)
    expected = whole[whole["principal_arn"] != broken].reset_index(drop=True)
    pd.testing.assert_frame_equal(others.astype(str), expected.astype(str))
