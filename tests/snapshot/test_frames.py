from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.frames import compress, frames, whole_length


@pytest.mark.parametrize("size", [0, 1, 100, 200_000, 400_000])
def test_the_end_of_a_frame_is_found_without_decompressing(tmp_path: Path, size: int) -> None:
    # Incompressible, repeated and mixed content make raw, run-length and compressed blocks.
    import random

    noise = random.Random(size).randbytes(size)
    contents = [noise, b"a" * size, noise[: size // 2] + b"b" * size, b"x"]
    path = tmp_path / "f"
    path.write_bytes(b"".join(compress(content) for content in contents))
    assert [content for _, content in frames(path)] == contents
    assert whole_length(path) == path.stat().st_size


def test_a_bomb_is_refused_before_it_is_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(compress(bytes(50_000_000)))
    assert path.stat().st_size < 10_000
    with pytest.raises(SnapshotError, match="the limit is 1,000,000"):
        list(frames(path, limit=1_000_000))


def test_a_frame_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    frame = bytearray(compress(bytes(300)))
    # The frame header says the size in the bytes after the descriptor (RFC 8878, 3.1.1.1).
    frame[5] ^= 1
    (tmp_path / "f").write_bytes(frame)
    with pytest.raises(SnapshotError, match="corrupt"):
        list(frames(tmp_path / "f"))


def test_a_frame_without_its_size_is_refused(tmp_path: Path) -> None:
    compressor = zstandard.ZstdCompressor(write_content_size=False)
    (tmp_path / "f").write_bytes(compressor.compress(b"content" * 100))
    with pytest.raises(SnapshotError, match="does not say its size"):
        list(frames(tmp_path / "f"))


@pytest.mark.parametrize("junk", [b"junk", b"{}\n", b"\0\0\0\0junk" + bytes(20) + b"x"])
def test_junk_is_no_torn_tail(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "f").write_bytes(compress(b"content") + junk)
    with pytest.raises(SnapshotError, match="not a Zstandard frame"):
        list(frames(tmp_path / "f"))


def test_a_reserved_block_is_refused(tmp_path: Path) -> None:
    frame = bytearray(compress(b"content"))
    header = zstandard.frame_header_size(bytes(frame))
    frame[header] |= 0b110
    (tmp_path / "f").write_bytes(frame + compress(b"more"))
    with pytest.raises(SnapshotError, match="reserved"):
        list(frames(tmp_path / "f"))
