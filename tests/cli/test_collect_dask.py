"""`ses-audit collect --dask` and `import --dask`, as a person types them, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ses_audit.replay.example_run import only_loopback
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import serve
from ses_audit.replay.uniform import account_id, uniform_records
from ses_audit.snapshot.store import open_snapshot

Command = Callable[..., Any]
REGION = "eu-west-1"


@pytest.fixture
def asked() -> Iterator[dict[str, int]]:
    """A server of four accounts, and what it was asked so far."""
    recording = Recording(uniform_records(4, [REGION], policies=1), account_id(0))
    with serve(recording) as server, only_loopback(server.url, account_id(0)):
        yield server.calls


def tables(snapshot: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (snapshot / "tables").iterdir()}


def test_read_on_a_cluster_of_this_machine_and_on_one_that_is_there(
    command: Command, asked: dict[str, int], tmp_path: Path
) -> None:
    from distributed import LocalCluster

    alone, local, there = tmp_path / "alone", tmp_path / "local", tmp_path / "there"
    assert command("collect", alone, "--region", REGION).code == 0
    once = dict(asked)
    ended = command("collect", local, "--region", REGION, "--dask", "local", "--processes", "2")
    assert ended.code == 0, ended.err
    assert ended.out == f"{local}\n"
    assert "4 of 4 accounts read" in ended.err
    # Each account was read once, and nothing of the organization by a worker.
    assert asked == {name: 2 * count for name, count in once.items()}
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        ended = command(
            "collect", there, "--region", REGION, "--dask", cluster.scheduler_address,
            "--require-complete",
        )  # fmt: skip
    assert ended.code == 0, ended.err
    assert tables(alone) == tables(local) == tables(there)


def test_a_scheduler_that_is_not_there_is_one_line(
    command: Command, asked: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ses_audit.audit.workers._CONNECT_SECONDS", 1)
    ended = command("collect", tmp_path / "s", "--region", REGION, "--dask", "tcp://127.0.0.1:9")
    assert ended.code == 1
    assert ended.said.startswith("ses-audit: no Dask scheduler answers at tcp://127.0.0.1:9: ")
    # Before anything is read.
    assert asked == {}
    assert not (tmp_path / "s").exists()


def test_an_import_is_the_same_bytes_whatever_makes_its_tables(
    command: Command, tmp_path: Path
) -> None:
    case = json.loads((Path(__file__).parent / "cases/levels.json").read_text())
    for name, content in case["files"].items():
        file = tmp_path / "import" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    (file.parent / "iam.list-access-keys.nobody.json").write_text("{")
    ways = [[], ["--workers", "2"], ["--dask", "local", "--workers", "1"]]
    made = []
    for number, arguments in enumerate(ways):
        snapshot = tmp_path / f"s{number}"
        ended = command("import", tmp_path / "import", snapshot, *arguments)
        assert (ended.code, ended.out) == (0, f"{snapshot}\n")
        records = [
            (account, list(open_snapshot(snapshot).evidence(account)))
            for account in open_snapshot(snapshot).accounts()
        ]
        made.append((tables(snapshot), records, ended.err))
    assert len(made[0][1]) > 1
    assert made[0] == made[1] == made[2]
