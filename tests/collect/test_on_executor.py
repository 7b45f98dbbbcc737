"""Accounts read on any executor: the same tables; a worker that dies loses no answer."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ses_audit.audit.workers import dask, processes
from ses_audit.collect import on_executor
from ses_audit.collect.aws import Aws, Caller
from ses_audit.collect.credentials import borrowed
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.pace import Pace
from ses_audit.collect.progress import Silent
from ses_audit.collect.reference import load_data
from ses_audit.errors import UserError
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.uniform import account_id, uniform_records
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import Snapshot

REGIONS = ("eu-west-1", "us-east-1")
DEADLY = account_id(3)
LENT = {
    "access_key": "AKIALENT000000000000", "secret_key": "s", "token": "t",
    "expiry_time": "2999-01-01T00:00:00Z",
}  # fmt: skip


class Counted(Silent):
    """Counts calls, and who is done."""

    def __init__(self) -> None:
        self.calls = 0
        self.done: list[str] = []

    def called(self) -> None:
        self.calls += 1

    def account(self, account: str, cells: int, missing: int, *, refused: bool) -> None:
        self.done.append(account)


def read(path: Path, progress: Silent | None = None, **options: Any) -> Snapshot:
    recording = Recording(uniform_records(6, REGIONS, identities=2), account_id(0))
    return collect_recording(
        path, progress or Silent(), recording, Conditions(), regions=REGIONS, **options
    )


def tables(made: Snapshot) -> dict[str, bytes]:
    return {name: (made.path / f"tables/{name}.parquet").read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int]:
    counted = Counted()
    return tables(read(tmp_path_factory.mktemp("alone") / "s", counted, processes=0)), counted.calls


@pytest.mark.parametrize(
    "make",
    [lambda: ThreadPoolExecutor(2), processes(2), dask("local", 2)],
    ids=["threads", "processes", "dask"],
)
def test_the_same_tables_whatever_reads_them(
    tmp_path: Path, alone: tuple[dict[str, bytes], int], make: Callable[[], Executor]
) -> None:
    counted = Counted()
    made = read(tmp_path / "s", counted, make_executor=make, executor_workers=2)
    assert tables(made) == alone[0]
    assert sorted(counted.done) == [account_id(number) for number in range(6)]
    assert counted.calls == alone[1]


def test_organizations_is_asked_in_one_place(tmp_path: Path) -> None:
    made = read(tmp_path / "s", make_executor=lambda: ThreadPoolExecutor(2), executor_workers=2)
    asked = {
        record.account
        for account in made.accounts()
        for record in made.evidence(account)
        if record.service == "organizations"
    }
    assert asked == {account_id(0)}


def read_or_die(errand: on_executor.Errand, account: str) -> object:
    if account == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return on_executor.read_account(errand, account)


def test_an_account_whose_workers_die_is_not_attempted_and_the_same_run_again_reads_it(
    tmp_path: Path, alone: tuple[dict[str, bytes], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(on_executor, "read_account", read_or_die)
        made = read(tmp_path / "s", make_executor=processes(2), executor_workers=2)
    rows = read_coverage(made.table("coverage"))
    lost = [row for row in rows if row.account_id == DEADLY and not row.argument]
    assert {row.state for row in lost} == {"NOT_ATTEMPTED"}
    assert {row.detail for row in lost} == {"the processes that read it died"}
    others = [row for row in rows if row.account_id != DEADLY]
    assert {row.state for row in others} <= {"OK", "EMPTY"}
    assert tables(read(tmp_path / "s", make_executor=processes(2))) == alone[0]


def test_what_a_worker_cannot_go_on_from_ends_the_run(tmp_path: Path) -> None:
    made = read(tmp_path / "s", processes=0)
    file = made.path / f"evidence/{account_id(5)}.jsonl.zst"
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=f"{account_id(5)}.jsonl.zst"):
        read(tmp_path / "s", make_executor=processes(2))


def records(made: Snapshot) -> list[tuple[object, ...]]:
    """What was asked and answered; when, and by which request, is another run's own."""
    return sorted(
        (record.account, record.region, record.service, record.operation,
         json.dumps(record.request, sort_keys=True), record.status,
         json.dumps(record.response, sort_keys=True), record.attempts)
        for account in made.accounts()
        for record in made.evidence(account)
    )  # fmt: skip


def test_the_same_evidence_whatever_reads_it(tmp_path: Path) -> None:
    alone = read(tmp_path / "alone", processes=0)
    shared = read(tmp_path / "shared", make_executor=dask("local", 2, 4), executor_workers=8)
    assert records(alone) == records(shared)


def test_nothing_secret_is_in_a_workers_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Dask logs a task that failed, in some versions with its arguments."""
    made = read(tmp_path / "s", processes=0)
    file = made.path / f"evidence/{account_id(5)}.jsonl.zst"
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError):
        read(tmp_path / "s", make_executor=dask("local", 1), external_id="top-secret")
    logged = capfd.readouterr().err
    assert "Compute Failed" in logged
    for secret in ("top-secret", "ASIA", "secret_key"):
        assert secret not in logged


def test_a_worker_that_does_not_see_the_snapshot_is_one_line(tmp_path: Path) -> None:
    settings = json.dumps({"options": {"snapshot": str(tmp_path / "elsewhere")}})
    with pytest.raises(UserError, match=r"a worker does not see .*: workers need the snapshot at"):
        on_executor.read_account(on_executor.Errand(settings, ()), DEADLY)


def test_what_a_worker_is_told_shows_nothing() -> None:
    told = on_executor.Errand('{"external_id": "top-secret"}', (("secret_key", "hidden"),))
    assert repr(told) == "Errand()"


def test_another_machines_credentials_are_never_used(
    aws_environment: None, monkeypatch: pytest.MonkeyPatch, options: Callable[..., CollectOptions]
) -> None:
    own = borrowed(dict(LENT), lambda: dict(LENT))
    caller = Caller(account_id(0), f"arn:aws:iam::{account_id(0)}:user/a", "aws")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEWORKER00000")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    aws = Aws(options(), caller, own, "eu-west-1")
    assert aws.sts_region == "eu-west-1"
    assert not aws.renew(account_id(0))
    assert aws.lend()["access_key"] == LENT["access_key"]


def test_stopped_it_waits_for_nobody() -> None:
    """Ctrl-C: a task that hangs is left behind, and no other is begun."""
    begun: list[str] = []
    go_on = threading.Event()
    under_way = threading.Event()

    def hang(errand: on_executor.Errand, account: str) -> on_executor.Read:
        begun.append(account)
        under_way.set()
        go_on.wait()
        return on_executor.Read(account, ())

    told: list[str] = []
    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(1) as pool:
        patched.setattr(on_executor, "read_account", hang)
        asked = on_executor.OnExecutor(
            lambda: pool, 1, {"options": {}}, lambda: dict(LENT), Silent(),
            lambda account, rows, planned, missing: told.append(account), told.append,
        )  # fmt: skip
        asked.start(account_id(number) for number in range(9))
        under_way.wait()
        asked.stop()
        go_on.set()
    assert begun == [account_id(0)]
    assert told == []


def test_two_workers_never_write_to_one_account_at_a_time(tmp_path: Path) -> None:
    """One that was given up may still be at it where another begins."""
    (tmp_path / "evidence").mkdir()
    shared = on_executor.SharedEvidence(tmp_path)
    first = shared.evidence(account_id(1))
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(shared.evidence, account_id(1))
        shared.evidence(account_id(2)).close()
        assert not second.done()
        first.close()
        second.result().close()


def test_each_worker_has_its_part_of_what_is_counted_for_the_caller() -> None:
    """STS counts for the account that asks, all else for the account that is read."""
    data = load_data("rates.json")
    shared: Any = Pace(data).shared(4)
    assert shared["rates"]["sts"] == {"*": [150.0, 150.0]}
    assert shared["rates"]["sesv2"] == data["rates"]["sesv2"]
    assert shared["attempts"] == data["attempts"]
    many: Any = Pace(data).shared(1200)
    assert many["rates"]["sts"] == {"*": [0.5, 1.0]}


def test_two_local_clusters_are_not_in_each_others_way() -> None:
    """A port that is taken is a warning of Dask, which is an error here."""
    first, second = dask("local", 1)(), dask("local", 1)()
    try:
        assert [made.submit(abs, -1).result() for made in (first, second)] == [1, 1]
    finally:
        # The last one first: each puts the log back as it found it.
        second.shutdown()
        first.shutdown()
