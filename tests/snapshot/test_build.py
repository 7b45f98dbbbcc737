"""Evidence to tables: whatever makes them, the same bytes; one bad account leaves the others."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from executors import Backwards

from ses_audit.audit.documents import check_document
from ses_audit.audit.workers import dask, processes
from ses_audit.replay.generate import Generated, Size
from ses_audit.replay.generate_records import TAKEN, generated_records, write_evidence
from ses_audit.snapshot import build
from ses_audit.snapshot.build import append_records, finish_snapshot
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.identity_tables import GivenIdentity
from ses_audit.snapshot.import_directory import read_import
from ses_audit.snapshot.joining import build_tables
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.store import Snapshot, create_snapshot
from ses_audit.snapshot.table_files import group_of, parquet_bytes


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


MADE = Generated(Size(accounts=12, principals=25, identities=4, units=5, scps=12, regions=3))
GIVEN = (
    GivenIdentity.parse("arn:aws:ses:eu-west-1:100000000003:identity/given.example"),
    # No account of the organization: it stands after all others.
    GivenIdentity.parse("arn:aws:ses:eu-west-1:999999999999:identity/given.example"),
)


def ledger_of(records: list[Record]) -> Ledger:
    ledger = Ledger()
    for record in records:
        ledger.observe(record)
    return ledger


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evidence") / "snapshot"
    write_evidence(path, MADE)
    return path


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(generated_records(MADE))


def made(
    evidence: Path,
    records: list[Record],
    make: Callable[[], Executor] | None = None,
    workers: int = 2,
) -> Snapshot:
    with create_snapshot(evidence, started_at=TAKEN, resume=True) as writer:
        return finish_snapshot(
            writer,
            ledger_of(records),
            check_document,
            taken_at=TAKEN,
            given=GIVEN,
            make_executor=make,
            workers=workers,
        )


def files(snapshot: Snapshot) -> dict[str, str]:
    """The digest of each table file, and that the manifest has the same."""
    found = {
        f"tables/{path.name}": sha256(path.read_bytes()).hexdigest()
        for path in (snapshot.path / "tables").iterdir()
    }
    found["times.parquet"] = sha256((snapshot.path / "times.parquet").read_bytes()).hexdigest()
    told = snapshot.manifest["files"]
    assert isinstance(told, dict)
    tables = {name: entry for name, entry in told.items() if not name.startswith("evidence/")}
    assert {name: entry["sha256"] for name, entry in tables.items()} == found
    return found


@pytest.fixture(scope="module")
def alone(evidence: Path, records: list[Record]) -> dict[str, str]:
    return files(made(evidence, records))


@pytest.mark.parametrize(
    ("make", "workers"),
    [
        (lambda: ThreadPoolExecutor(1), 1),
        (lambda: ThreadPoolExecutor(4), 4),
        (Backwards, 8),
        (processes(2), 2),
        (dask("local", 2), 2),
    ],
    ids=["one thread", "threads", "backwards", "processes", "dask"],
)
def test_the_same_bytes_whatever_makes_them(
    evidence: Path,
    records: list[Record],
    alone: dict[str, str],
    make: Callable[[], Executor],
    workers: int,
) -> None:
    assert files(made(evidence, records, make, workers)) == alone


def test_the_same_bytes_from_processes_of_another_hash_seed(
    evidence: Path, records: list[Record], alone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "4242")
    assert files(made(evidence, records, processes(2))) == alone


class Elsewhere(ThreadPoolExecutor):
    """Workers of another machine: the snapshot's path is there no folder."""

    def submit(self, fn: Any, /, function: Any, calls: list[Any]) -> Any:  # type: ignore[override]
        return super().submit(fn, function, [("/no/such/folder", *call[1:]) for call in calls])


def test_workers_that_do_not_see_the_snapshot_are_one_line_and_no_corrupt_account(
    tmp_path: Path, records: list[Record]
) -> None:
    with create_snapshot(tmp_path / "s", started_at=TAKEN) as writer:
        append_records(writer, records)
        with pytest.raises(SnapshotError) as error:
            finish_snapshot(
                writer, ledger_of(records), check_document, taken_at=TAKEN, make_executor=Elsewhere
            )
    assert str(error.value) == (
        "a worker does not see /no/such/folder: workers need the snapshot at the same path"
    )
    assert not list((tmp_path / "s/tables").iterdir())


def test_written_as_they_come_they_are_the_tables_in_memory(
    alone: dict[str, str], records: list[Record]
) -> None:
    rows = ledger_of(records).rows()
    tables = build_tables(reversed(records), rows, check_document, GIVEN)
    assert tables["principals"].num_rows > 200
    in_memory = {
        f"tables/{name}.parquet": sha256(parquet_bytes(table, group_of(name))).hexdigest()
        for name, table in tables.items()
    }
    assert in_memory == {name: found for name, found in alone.items() if name in in_memory}


def test_each_distinct_document_is_checked_once(evidence: Path, records: list[Record]) -> None:
    checked: list[str] = []

    def check(text: str) -> None:
        checked.append(text)

    with create_snapshot(evidence, started_at=TAKEN, resume=True) as writer:
        found = finish_snapshot(writer, ledger_of(records), check, taken_at=TAKEN)
    assert sorted(checked) == sorted(found.table("policy_documents").column("document").to_pylist())
    assert len(set(checked)) == len(checked) > 20


POISON = "100000000004"


def read_or_die(root: str, account: str) -> build.Read:
    if account == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    return build._read_part(root, account)


def test_an_account_over_which_workers_die_is_malformed_and_the_rest_stands(
    evidence: Path, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made(evidence, records).table("principals").to_pylist()
    monkeypatch.setattr(build, "_read_part", read_or_die)
    found = made(evidence, records, processes(2))
    rows = found.table("principals").to_pylist()
    root = f"arn:aws:iam::{POISON}:root"
    assert rows == [
        row for row in whole if row["account_id"] != POISON or row["principal_arn"] == root
    ]
    cells = [row for row in read_coverage(found.table("coverage")) if row.account_id == POISON]
    assert {row.state for row in cells} == {"MALFORMED"}
    assert {row.detail for row in cells} == {"worker processes died over its evidence"}


@pytest.mark.parametrize("limit", [100, 3_000, 9_000])
def test_a_full_disk_is_one_line_and_leaves_the_tables_that_were_there(
    evidence: Path, records: list[Record], alone: dict[str, str], limit: int
) -> None:
    before = files(made(evidence, records))
    assert before == alone
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(SnapshotError, match=r"^cannot write .*File too large"):
            made(evidence, records)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    found = {
        f"tables/{path.name}": sha256(path.read_bytes()).hexdigest()
        for path in (evidence / "tables").iterdir()
    }
    assert found == {name: digest for name, digest in before.items() if name in found}
    assert not list(evidence.glob("**/*.tmp"))
