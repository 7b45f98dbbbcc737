"""Zstandard frames in a file that only grows: where each ends, and what is whole.

The end of a frame is read from its block headers (RFC 8878, section 3.1), so that nothing is
decompressed to find it, and one frame is decompressed at a time into a buffer of known size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from ses_audit.snapshot.errors import SnapshotError

__all__ = ["MAX_RECORD", "compress", "frames", "whole_length"]

MAX_RECORD = 512 * 1024 * 1024
"""The most bytes that one record may have when it is decompressed."""

_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_HEADER = 18
_RAW, _RLE, _COMPRESSED = 0, 1, 2
_LEVEL = 3


class _TornError(Exception):
    """The file ends inside a frame."""


def compress(content: bytes) -> bytes:
    """One frame that says its size and carries a checksum."""
    compressor = zstandard.ZstdCompressor(
        level=_LEVEL, write_content_size=True, write_checksum=True
    )
    return compressor.compress(content)


def frames(path: Path, limit: int = MAX_RECORD) -> Iterator[tuple[int, bytes]]:
    """Each whole frame's end and content, in order; a torn tail is left out.

    Parameters
    ----------
    path
        The file.
    limit
        The most bytes a frame may have when it is decompressed.

    Raises
    ------
    SnapshotError
        For bytes that are no frame and no torn tail, and for a frame over the limit.
    """
    decompressor = zstandard.ZstdDecompressor()
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = 0
            while start < size:
                try:
                    end = _end(file, start, size, path, limit)
                except _TornError:
                    return
                file.seek(start)
                try:
                    content = decompressor.decompress(file.read(end - start))
                except zstandard.ZstdError as error:
                    raise _corrupt(path, start, str(error)) from error
                yield end, content
                start = end
    except OSError as error:
        raise SnapshotError(f"cannot read {path}: {error.strerror}") from error


def whole_length(path: Path) -> int:
    """How many bytes of the file are whole frames; what follows is a torn tail.

    Examples
    --------
    A torn tail is what a stopped run leaves:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "evidence.zst"
    ...     whole = compress(b"one")
    ...     length = path.write_bytes(whole + compress(b"two")[:-1])
    ...     whole_length(path) == len(whole), [content for _, content in frames(path)]
    (True, [b'one'])
    """
    length = 0
    for end, _ in frames(path):
        length = end
    return length


def _end(file: BinaryIO, start: int, size: int, path: Path, limit: int) -> int:
    file.seek(start)
    header = file.read(_LONGEST_HEADER)
    known = min(len(header), len(_MAGIC))
    if header[:known] != _MAGIC[:known]:
        # After a power failure a file may end in zeros that were never written over.
        if not header.strip(b"\0") and _only_zeros(file):
            raise _TornError
        raise _corrupt(path, start, "not a Zstandard frame")
    try:
        length = zstandard.frame_header_size(header)
        parameters = zstandard.get_frame_parameters(header)
    except zstandard.ZstdError as error:
        if start + len(header) >= size:
            raise _TornError from error
        raise _corrupt(path, start, str(error)) from error
    if parameters.content_size == zstandard.CONTENTSIZE_UNKNOWN:
        raise _corrupt(path, start, "a frame that does not say its size")
    if parameters.content_size > limit:
        raise SnapshotError(
            f"{path}: a record at byte {start} would have {parameters.content_size:,} bytes; "
            f"the limit is {limit:,}"
        )
    position = start + length
    last = False
    while not last:
        file.seek(position)
        block = file.read(3)
        if len(block) < 3:
            raise _TornError
        word = int.from_bytes(block, "little")
        last, kind, content = bool(word & 1), (word >> 1) & 3, word >> 3
        if kind not in (_RAW, _RLE, _COMPRESSED):
            raise _corrupt(path, start, "a block of a reserved kind")
        position += 3 + (1 if kind == _RLE else content)
    position += 4 if parameters.has_checksum else 0
    if position > size:
        raise _TornError
    return position


def _only_zeros(file: BinaryIO) -> bool:
    while chunk := file.read(1 << 20):
        if chunk.strip(b"\0"):
            return False
    return True


def _corrupt(path: Path, start: int, why: str) -> SnapshotError:
    return SnapshotError(
        f"{path} is corrupt at byte {start} ({why}): delete it and collect that account again"
    )
