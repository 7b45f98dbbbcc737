"""Any executor, order and number of workers: the same bytes; a worker that dies is replaced."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from executors import Backwards

from ses_audit.audit.audit import ACTIONS
from ses_audit.audit.columns import Columns
from ses_audit.audit.documents import check_document
from ses_audit.audit.execute import decide, decide_snapshot
from ses_audit.audit.stored import VerdictWriter
from ses_audit.audit.workers import dask, processes
from ses_audit.replay.generate import Generated, Size
from ses_audit.replay.generate_tables import write_tables
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.store import Snapshot, open_snapshot

BATCH = 60


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("execute") / "snapshot"
    size = Size(accounts=8, principals=25, identities=4, units=5, scps=12, regions=3)
    write_tables(folder, Generated(size), check_document)
    return open_snapshot(folder)


def digests(
    snapshot: Snapshot, make: Callable[[], Executor] | None, workers: int = 2
) -> dict[str, str]:
    with VerdictWriter(snapshot) as writer:
        decide_snapshot(snapshot, ACTIONS, writer, make, workers, BATCH)
        writer.finish()
    found: dict[str, str] = json.loads((snapshot.path / "verdicts/key.json").read_text())["files"]
    return found


@pytest.fixture(scope="module")
def alone(snapshot: Snapshot) -> dict[str, str]:
    return digests(snapshot, None)


def test_there_are_several_batches(snapshot: Snapshot) -> None:
    assert len(Columns(snapshot).batches(BATCH)) > 2


@pytest.mark.parametrize("make", [lambda: ThreadPoolExecutor(1), Backwards])
def test_the_same_bytes_in_any_order(
    snapshot: Snapshot, alone: dict[str, str], make: Callable[[], Executor]
) -> None:
    assert digests(snapshot, make, workers=4) == alone


def test_the_same_bytes_from_processes_of_another_hash_seed(
    snapshot: Snapshot, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "4242")
    assert digests(snapshot, processes(2)) == alone


def test_the_same_bytes_from_dask(snapshot: Snapshot, alone: dict[str, str]) -> None:
    assert digests(snapshot, dask("local", 2)) == alone


class _Dying(ThreadPoolExecutor):
    """Its worker dies over the second task, as often as told."""

    deaths = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        # A task is a few calls; the last argument of each is the batch to decide.
        batches = [getattr(call[-1], "batch", (0,))[0] for call in args[-1]]
        if _Dying.deaths and 1 in batches:
            _Dying.deaths -= 1
            future: Future[Any] = Future()
            future.set_exception(BrokenProcessPool("a worker was killed"))
            return future
        return super().submit(fn, *args, **kwargs)


def test_a_worker_that_dies_is_replaced(snapshot: Snapshot, alone: dict[str, str]) -> None:
    _Dying.deaths = 2
    assert digests(snapshot, lambda: _Dying(1)) == alone
    assert _Dying.deaths == 0


def test_workers_that_keep_dying_are_one_line(snapshot: Snapshot, alone: dict[str, str]) -> None:
    _Dying.deaths = 99
    before = hashlib.sha256((snapshot.path / "verdicts/cells.parquet").read_bytes()).hexdigest()
    with pytest.raises(SnapshotError, match="workers died 3 times"):
        digests(snapshot, lambda: _Dying(1))
    _Dying.deaths = 0
    assert before == alone["cells.parquet"]
    assert not list((snapshot.path / "verdicts").glob(".*"))


def test_a_table_that_was_changed_is_refused(snapshot: Snapshot, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(snapshot.path, tmp_path / "copy")
    with (tmp_path / "copy/tables/principals.parquet").open("ab") as file:
        file.write(b"more")
    with pytest.raises(SnapshotError, match=r"principals\.parquet is truncated or was changed"):
        decide(open_snapshot(tmp_path / "copy"), ACTIONS)


def test_an_empty_organization(tmp_path: Path) -> None:
    size = Size(accounts=1, principals=1, identities=0, units=0, scps=0, regions=1)
    write_tables(tmp_path / "snapshot", Generated(size), check_document)
    tables = decide(open_snapshot(tmp_path / "snapshot"), ACTIONS)
    assert tables["cells"].num_rows == 0
    assert isinstance(tables["senders"], pa.Table)
