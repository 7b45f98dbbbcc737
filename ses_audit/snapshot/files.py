"""Files of a snapshot: written whole or not at all, private, and never through a symbolic link."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from urllib.parse import unquote

from ses_audit.errors import USAGE
from ses_audit.snapshot.errors import SnapshotError

__all__ = ["digest", "local_path", "make_folder", "read_file", "write_file"]

_URL = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)", re.DOTALL)
_CHUNK = 1 << 20


def local_path(where: str | Path) -> Path:
    """A path, or a `file://` address, as a path.

    Raises
    ------
    SnapshotError
        For another kind of address.

    Examples
    --------
    >>> local_path("file:///srv/a%20b").as_posix()
    '/srv/a b'
    """
    match = _URL.fullmatch(str(where))
    if match is None:
        return Path(where)
    if match[1] == "file":
        return Path("/" + unquote(match[2]))
    raise SnapshotError(
        f"{match[1]}:// snapshots are not read or written: a folder, file:// or s3://", USAGE
    )


def make_folder(path: Path) -> None:
    """Make a folder that only its owner can enter; one that is there is made so.

    Raises
    ------
    SnapshotError
        For a symbolic link, or a folder that cannot be made.
    """
    try:
        if path.is_symlink():
            raise SnapshotError(f"{path} is a symbolic link: name the folder itself")
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise SnapshotError(f"cannot make {path}: {error.strerror}") from error


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _write_temporary(path: Path, content: bytes) -> Path:
    temporary = _temporary(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        if not temporary.is_symlink():
            temporary.unlink(missing_ok=True)
        raise SnapshotError(f"cannot write {path}: {error.strerror}") from error
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: bytes) -> None:
    """Write a file in one piece: a temporary file, synced, takes its name.

    Raises
    ------
    SnapshotError
        When it cannot be written; the file that was there stays.
    """
    temporary = _write_temporary(path, content)
    try:
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SnapshotError(f"cannot write {path}: {error.strerror}") from error


def digest(path: Path, size: int | None = None) -> tuple[str, int]:
    """The SHA-256 and the length of a file, or of its first `size` bytes."""
    hashed, length = hashlib.sha256(), 0
    with path.open("rb") as file:
        while size is None or length < size:
            chunk = file.read(_CHUNK if size is None else min(_CHUNK, size - length))
            if not chunk:
                break
            hashed.update(chunk)
            length += len(chunk)
    return hashed.hexdigest(), length


def read_file(root: Path, name: str) -> bytes:
    """The bytes of a file below `root`; no part of its name may be a symbolic link.

    Raises
    ------
    SnapshotError
        For a link, and for a file that cannot be read.
    FileNotFoundError
        When it is not there.
    """
    path = root
    for part in Path(name).parts:
        path = path / part
        if path.is_symlink():
            raise SnapshotError(f"{path} is a symbolic link: a snapshot holds none")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SnapshotError(f"{path} is not a file")
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SnapshotError(f"cannot read {path}: {error.strerror}") from error
