"""The example collected over HTTP equals the snapshot that its records give directly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ses_audit.collect.progress import Silent
from ses_audit.replay.example_run import collect_example, collect_recording, only_loopback
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.plan import REGION_OPERATIONS
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import Snapshot, open_snapshot


def tables(path: Path) -> dict[str, bytes]:
    return {
        name: (path / f"tables/{name}.parquet").read_bytes()
        for name in TABLES
        if name != "coverage"
    }


def states(made: Snapshot) -> dict[str, str]:
    return {row.text.split("=")[0]: row.state for row in read_coverage(made.table("coverage"))}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return collect_example(tmp_path_factory.mktemp("collected") / "snapshot", Silent())


def test_tables_are_the_same_bytes(collected: Snapshot, example_snapshot: Path) -> None:
    assert tables(collected.path) == tables(example_snapshot)


def test_coverage_is_the_same_but_for_the_role(collected: Snapshot, example_snapshot: Path) -> None:
    """An import assumes no role, and does not plan what it cannot know to be there."""
    asked, direct = states(collected), states(open_snapshot(example_snapshot))
    assert set(direct) <= set(asked)
    more = {cell.split("/", 1)[1] for cell in set(asked) - set(direct)}
    assert more == {
        "global/sts.AssumeRole",
        "global/iam.GetAccessKeyLastUsed",
        # The suspended account has regions too.
        *(f"*/sesv2.{name}" for name in REGION_OPERATIONS),
    }
    different = {
        cell: (asked[cell], direct[cell]) for cell in direct if asked[cell] != direct[cell]
    }
    refused = {cell for cell in different if cell.startswith("121212121212/")}
    # The records hold the refusal; an import of them does not know that the rest follows from it.
    assert set(different) == refused


def test_a_snapshot_is_replayed_to_the_same_tables(collected: Snapshot, tmp_path: Path) -> None:
    records = [record for name in collected.accounts() for record in collected.evidence(name)]
    again = collect_recording(tmp_path / "again", Silent(), Recording(records))
    assert tables(again.path) == tables(collected.path)
    assert states(again) == states(collected)


def test_small_pages_change_nothing(
    collected: Snapshot, tmp_path: Path, records: list[Record]
) -> None:
    sizes = {
        "ListAccounts": 1,
        "ListPolicies": 2,
        "ListTargetsForPolicy": 1,
        "ListAccountsForParent": 1,
        "GetAccountAuthorizationDetails": 9,
        "ListEmailIdentities": 1,
        "ListRegions": 4,
        "ListAccessKeys": 1,
    }
    again = collect_recording(
        tmp_path / "again", Silent(), Recording(records), Conditions(page_sizes=sizes)
    )
    assert tables(again.path) == tables(collected.path)
    assert states(again) == states(collected)


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", "https://email.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    before = dict(os.environ)
    with only_loopback("http://127.0.0.1:1", "111111111111"):
        inside = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        assert "AWS_PROFILE" not in inside
        assert "AWS_ENDPOINT_URL_SESV2" not in inside
        assert inside["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
        assert os.environ["NO_PROXY"] == "*"
        assert "HTTPS_PROXY" not in os.environ
    assert dict(os.environ) == before
