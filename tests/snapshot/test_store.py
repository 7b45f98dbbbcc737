from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from ses_audit.errors import USAGE
from ses_audit.snapshot import files
from ses_audit.snapshot.joining import build_tables
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import SnapshotError, create_snapshot, open_snapshot
from ses_audit.snapshot.table_files import parquet_bytes

START = "2026-11-23T06:00:00Z"


def make(path: Path) -> None:
    with create_snapshot(path, started_at=START) as writer:
        writer.finish(
            build_tables([], [], lambda text: None),
            taken_at="2026-11-23T06:05:00Z",
            totals=Ledger().totals(),
            arguments={"command": "test"},
            assumptions=["one"],
        )


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    make(tmp_path / "s")
    return tmp_path / "s"


def test_a_finished_snapshot_opens(snapshot: Path) -> None:
    opened = open_snapshot(snapshot)
    assert opened.path == snapshot
    assert opened.manifest["taken_at"] == "2026-11-23T06:05:00Z"
    assert opened.manifest["assumptions"] == ["one"]
    assert opened.accounts() == []
    for name, schema in TABLES.items():
        assert opened.has_table(name)
        assert opened.table(name).schema.equals(schema)
    assert open_snapshot(f"file://{snapshot}").path == snapshot


def test_everything_is_private(snapshot: Path) -> None:
    assert snapshot.stat().st_mode & 0o777 == 0o700
    for path in snapshot.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_no_temporary_file_is_left(snapshot: Path) -> None:
    assert not list(snapshot.rglob("*.tmp"))


@pytest.mark.parametrize("name", ["none", "principals2", "../manifest", "/etc/passwd"])
def test_a_table_that_is_not_there(snapshot: Path, name: str) -> None:
    assert not open_snapshot(snapshot).has_table(name)
    with pytest.raises(SnapshotError, match="has no table"):
        open_snapshot(snapshot).table(name)


def one_line(path: str | Path, says: str) -> None:
    with pytest.raises(SnapshotError) as error:
        open_snapshot(path).table("principals")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_not_there_and_foreign(tmp_path: Path) -> None:
    one_line(tmp_path / "none", "no snapshot at")
    (tmp_path / "file").write_text("x")
    one_line(tmp_path / "file", "is a file")
    (tmp_path / "dir").mkdir()
    one_line(tmp_path / "dir", "is not a ses-audit snapshot")
    for content in ("{}", "[]", '{"format": "other"}'):
        (tmp_path / "dir/manifest.json").write_text(content)
        one_line(tmp_path / "dir", "another tool's")
    for content in ("", '{"format": "ses-', "[" * 5000):
        (tmp_path / "dir/manifest.json").write_text(content)
        one_line(tmp_path / "dir", "truncated or corrupt")
    one_line("gs://bucket/key", "gs:// snapshots")


def test_another_version(snapshot: Path) -> None:
    manifest = json.loads((snapshot / "manifest.json").read_text())
    for version in (0, 2, None, "1", "\x1b[31m"):
        manifest["schema_version"] = version
        (snapshot / "manifest.json").write_text(json.dumps(manifest))
        one_line(snapshot, "schema version")
        with pytest.raises(SnapshotError, match="schema version"):
            create_snapshot(snapshot, started_at=START, resume=True)


def test_a_manifest_without_files(snapshot: Path) -> None:
    manifest = json.loads((snapshot / "manifest.json").read_text())
    manifest["files"] = []
    (snapshot / "manifest.json").write_text(json.dumps(manifest))
    one_line(snapshot, "names no files")


def test_a_table_truncated_at_any_byte(snapshot: Path) -> None:
    path = snapshot / "tables/principals.parquet"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        one_line(snapshot, "truncated or was changed")
    path.unlink()
    one_line(snapshot, "is gone")


def _restate(snapshot: Path, content: bytes) -> None:
    """Write another table, and let the manifest vouch for it."""
    import hashlib

    (snapshot / "tables/principals.parquet").write_bytes(content)
    manifest = json.loads((snapshot / "manifest.json").read_text())
    entry = manifest["files"]["tables/principals.parquet"]
    entry["sha256"] = hashlib.sha256(content).hexdigest()
    (snapshot / "manifest.json").write_text(json.dumps(manifest))


def test_a_file_that_is_no_table_of_ours(snapshot: Path) -> None:
    _restate(snapshot, b"PAR1 no")
    one_line(snapshot, "is not Parquet")
    _restate(snapshot, parquet_bytes(pa.table({"a": [1]})))
    one_line(snapshot, "other columns")


def test_links_are_refused(snapshot: Path, tmp_path: Path) -> None:
    table = snapshot / "tables/principals.parquet"
    table.rename(tmp_path / "elsewhere")
    table.symlink_to(tmp_path / "elsewhere")
    one_line(snapshot, "symbolic link")
    (tmp_path / "link").symlink_to(snapshot)
    with pytest.raises(SnapshotError, match="symbolic link"):
        create_snapshot(tmp_path / "link", started_at=START, resume=True)
    (snapshot / "evidence").rmdir()
    (snapshot / "evidence").symlink_to(tmp_path)
    with pytest.raises(SnapshotError, match="symbolic link"):
        open_snapshot(snapshot).accounts()
    with pytest.raises(SnapshotError, match="symbolic link"):
        create_snapshot(snapshot, started_at=START, resume=True)


def test_a_pipe_in_place_of_a_file_does_not_hang(snapshot: Path) -> None:
    (snapshot / "manifest.json").unlink()
    os.mkfifo(snapshot / "manifest.json")
    one_line(snapshot, "is not a file")


def test_evidence_behind_a_link_is_refused(snapshot: Path, tmp_path: Path) -> None:
    (snapshot / "evidence/111111111111.jsonl.zst").symlink_to(tmp_path / "x")
    with pytest.raises(SnapshotError, match="symbolic link"):
        open_snapshot(snapshot).evidence("111111111111")


@pytest.mark.parametrize("account", ["", "11111111111", "../../etc/passwd", "١" * 12, "1" * 13])
def test_an_account_is_twelve_digits(snapshot: Path, account: str) -> None:
    with pytest.raises(SnapshotError, match="twelve digits"):
        open_snapshot(snapshot).evidence(account)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with create_snapshot(tmp_path / "s", started_at=START):
        with pytest.raises(SnapshotError, match=f"process {os.getpid()}"):
            create_snapshot(tmp_path / "s", started_at=START, resume=True)
        code = (
            "import sys; from ses_audit.snapshot.store import create_snapshot, SnapshotError\n"
            "try: create_snapshot(sys.argv[1], started_at='', resume=True)\n"
            "except SnapshotError as error: print(error)"
        )
        run = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "s")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "another run" in run.stdout
    with create_snapshot(tmp_path / "s", started_at=START, resume=True) as writer:
        assert writer.resumed


def test_unfinished_until_it_is_finished(tmp_path: Path, record) -> None:
    with create_snapshot(tmp_path / "s", started_at=START) as writer:
        assert not writer.resumed
        with writer.evidence("111111111111") as file:
            file.write(record("ListRoots", {"Roots": []}))
        assert list(writer.records("222222222222")) == []
    with pytest.raises(SnapshotError, match="unfinished"):
        open_snapshot(tmp_path / "s")
    with create_snapshot(tmp_path / "s", started_at=START, resume=True) as writer:
        assert writer.accounts() == ["111111111111"]
        assert [r.operation for r in writer.records("111111111111")] == ["ListRoots"]
        made = writer.finish(build_tables([], [], lambda t: None), taken_at="t",
                             totals=Ledger().totals())  # fmt: skip
    assert [r.operation for r in made.evidence("111111111111")] == ["ListRoots"]
    listed = made.manifest["files"]
    assert isinstance(listed, dict)
    assert listed["evidence/111111111111.jsonl.zst"]["bytes"] > 0


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("x")
    tmp_path.chmod(0o755)
    for resume in (False, True):
        with pytest.raises(SnapshotError, match="not a ses-audit snapshot"):
            create_snapshot(tmp_path, started_at=START, resume=resume)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    with pytest.raises(SnapshotError) as error:
        create_snapshot(tmp_path / "photo.jpg", started_at=START)
    assert error.value.exit_code == USAGE


def test_a_snapshot_is_not_overwritten(snapshot: Path) -> None:
    before = (snapshot / "manifest.json").read_bytes()
    with pytest.raises(SnapshotError, match="already"):
        create_snapshot(snapshot, started_at=START)
    assert (snapshot / "manifest.json").read_bytes() == before


def test_an_empty_folder_and_a_stillborn_one_are_new(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir(mode=0o755)
    (tmp_path / "s/.lock").touch()
    make(tmp_path / "s")
    assert open_snapshot(tmp_path / "s")


@pytest.mark.parametrize("fails_at", range(16))
def test_a_failed_write_leaves_the_old_snapshot_or_says_unfinished(
    snapshot: Path, monkeypatch, fails_at: int
) -> None:
    """A disk that is full at the nth file: never a mixture that opens."""
    calls = 0
    fsync = os.fsync

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > fails_at:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    before = {p: p.read_bytes() for p in snapshot.rglob("*.parquet")}
    with create_snapshot(snapshot, started_at=START, resume=True) as writer:
        monkeypatch.setattr(files.os, "fsync", full)
        with pytest.raises(SnapshotError, match="No space left"):
            writer.finish(build_tables([], [], lambda t: None), taken_at="new",
                          totals=Ledger().totals())  # fmt: skip
        monkeypatch.undo()
    assert not list(snapshot.rglob("*.tmp")) or fails_at >= len(before)
    try:
        opened = open_snapshot(snapshot)
    except SnapshotError as error:
        assert "unfinished" in str(error)
    else:
        assert opened.manifest["taken_at"] == "2026-11-23T06:05:00Z"
        assert {p: p.read_bytes() for p in snapshot.rglob("*.parquet")} == before
    with create_snapshot(snapshot, started_at=START, resume=True) as writer:
        writer.finish(build_tables([], [], lambda t: None), taken_at="again",
                      totals=Ledger().totals())  # fmt: skip
    assert open_snapshot(snapshot).table("principals").num_rows == 0
    assert not list(snapshot.rglob("*.tmp"))


def test_parquet_holds_no_trace_of_how_it_was_made(snapshot: Path) -> None:
    metadata = parquet.read_metadata(snapshot / "tables/principals.parquet")
    assert metadata.metadata is None
