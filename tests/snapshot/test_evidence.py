from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.evidence import EvidenceWriter, read_evidence
from ses_audit.snapshot.frames import compress


def test_what_is_written_is_read(tmp_path: Path, record) -> None:
    path = tmp_path / "1.jsonl.zst"
    records = [
        record("ListRoots", {"Roots": []}, status=State.EMPTY),
        record("ListRoots", None, status=State.DENIED, error={"code": "AccessDenied"}),
        record("ListRoots", {"lone surrogate": "\ud800", "é": "\u202e"}, Marker="x"),
    ]
    with EvidenceWriter(path) as writer:
        for one in records:
            writer.write(one)
    assert list(read_evidence(path)) == records
    assert path.stat().st_mode & 0o777 == 0o600


def test_times_become_text(tmp_path: Path, record) -> None:
    with EvidenceWriter(tmp_path / "e") as writer:
        writer.write(record("X", {"at": datetime(2026, 11, 23, 6, tzinfo=UTC)}))
    (read,) = read_evidence(tmp_path / "e")
    assert read.response == {"at": "2026-11-23T06:00:00Z"}


def test_a_tail_torn_at_any_byte_is_dropped(tmp_path: Path, record) -> None:
    path, first, second = tmp_path / "e", record("A", {"n": 1}), record("B", {"n": 2})
    with EvidenceWriter(path) as writer:
        writer.write(first)
    one = path.stat().st_size
    with EvidenceWriter(path) as writer:
        assert writer.dropped == 0
        writer.write(second)
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        left = [first, second][: 0 if length < one else 1 if length < len(whole) else 2]
        assert list(read_evidence(path)) == left
        with EvidenceWriter(path) as writer:
            assert writer.dropped == length - (0, one, len(whole))[len(left)]
            writer.write(second)
        assert list(read_evidence(path)) == [*left, second]


def test_zeros_after_the_last_record_are_a_torn_tail(tmp_path: Path, record) -> None:
    path = tmp_path / "e"
    with EvidenceWriter(path) as writer:
        writer.write(record("A", {}))
    path.write_bytes(path.read_bytes() + bytes(5000))
    assert len(list(read_evidence(path))) == 1
    with EvidenceWriter(path) as writer:
        assert writer.dropped == 5000


def test_a_changed_byte_before_the_tail_is_an_error_never_a_loss(tmp_path: Path, record) -> None:
    path = tmp_path / "e"
    with EvidenceWriter(path) as writer:
        for _ in range(3):
            writer.write(record("A", {"text": "abc"}))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(SnapshotError, match="corrupt"):
        list(read_evidence(path))
    with pytest.raises(SnapshotError, match="corrupt"):
        EvidenceWriter(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "line",
    [b"{}", b"[]", b"not json", b'{"account": 1}', b"[" * 5000],
)
def test_a_frame_that_is_no_record_is_one_line(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "e").write_bytes(compress(line))
    with pytest.raises(SnapshotError) as error:
        list(read_evidence(tmp_path / "e"))
    assert "\n" not in str(error.value)


def test_a_field_of_another_type_is_refused(tmp_path: Path, record) -> None:
    with EvidenceWriter(tmp_path / "e") as writer:
        writer.write(record("A", {}, account=5))
    with pytest.raises(SnapshotError, match="another type"):
        list(read_evidence(tmp_path / "e"))


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "e").symlink_to(tmp_path / "target")
    with pytest.raises(SnapshotError):
        EvidenceWriter(tmp_path / "e")


def test_a_full_disk_leaves_whole_records(tmp_path: Path, record, monkeypatch) -> None:
    path = tmp_path / "e"
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) > 10:
            return write(descriptor, content[:10])
        raise OSError(28, "No space left on device")

    with EvidenceWriter(path, sync_every=0) as writer:
        writer.write(record("A", {}))
        length = path.stat().st_size
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(SnapshotError, match="No space left"):
            writer.write(record("B", {}))
        assert path.stat().st_size == length
        monkeypatch.setattr(os, "write", write)
        writer.write(record("C", {}))
    assert [one.operation for one in read_evidence(path)] == ["A", "C"]


def test_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="No such file"):
        list(read_evidence(tmp_path / "none"))
