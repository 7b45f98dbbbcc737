"""What AWS answered, a record a call, in an append-only file for each account."""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.frames import MAX_RECORD, compress, frames, whole_length

__all__ = [
    "EVIDENCE",
    "EvidenceWriter",
    "Record",
    "evidence_accounts",
    "evidence_path",
    "must_see",
    "read_evidence",
    "snapshot_records",
]

EVIDENCE = "evidence"
_SUFFIX = ".jsonl.zst"
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """One call, or one page of it, and how it ended.

    Parameters
    ----------
    account
        Twelve digits: the account whose credentials asked.
    region
        `global` for IAM, Organizations, STS, Account Management and EC2's list of regions.
    service
        botocore's name: `organizations`, `iam`, `sts`, `account`, `ec2`, `sesv2`.
    operation
        AWS's name: `GetEmailIdentity`.
    request
        The parameters of the call, the page token among them.
    status
        How the call ended.
    error
        `{"code", "message"}` and what else is known (`layer`, `policy_arn`); None when it is OK.
    response
        The answer without `ResponseMetadata`; times are ISO 8601 text or datetimes;
        IAM policy documents are the decoded text, verbatim. None without an answer.
    request_id
        AWS's; "" without one.
    attempts
        How many times the call was sent.
    time
        When it ended, ISO 8601 in UTC.
    """

    account: str
    region: str
    service: str
    operation: str
    request: dict[str, object]
    status: State
    error: dict[str, str] | None
    response: dict[str, object] | None
    request_id: str
    attempts: int
    time: str


_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("account", "region", "service", "operation", "request_id", "time"), str),
    "status": str,
    "request": dict,
    "error": (dict, type(None)),
    "response": (dict, type(None)),
    "attempts": int,
}


def _encode(record: Record) -> bytes:
    try:
        return orjson.dumps(record, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # orjson refuses lone surrogates; an answer may hold them, and stays verbatim.
        fields = {name: getattr(record, name) for name in Record.__slots__}
        return json.dumps(fields, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _decode(line: bytes, path: Path) -> Record:
    fields: object
    try:
        try:
            fields = orjson.loads(line)
        except orjson.JSONDecodeError:
            fields = json.loads(line)
        if not isinstance(fields, dict) or set(fields) != set(Record.__slots__):
            raise ValueError("not a record")
        if not all(isinstance(fields[name], kind) for name, kind in _KINDS.items()):
            raise ValueError("a field of another type")
        return Record(**{**fields, "status": State(fields["status"])})
    except (ValueError, RecursionError) as error:
        raise SnapshotError(
            f"{path} holds a record that cannot be read ({error}): "
            "delete it and collect that account again"
        ) from error


class EvidenceWriter:
    """Appends records to one account's file; one process at a time writes to it.

    A torn tail (a crash, a full disk) is cut off when the file is opened; what is whole is kept.
    A record is in the file when `write` returns; it survives a power failure after the next
    sync, which is at most `sync_every` seconds later, or at `close`.

    Parameters
    ----------
    path
        `evidence/<account>.jsonl.zst`; made with mode 0600 if it is not there.
    sync_every
        Seconds between syncs to the disk; 0 syncs each record.
    alone
        Wait until no other writer that was made so has the file.

    Raises
    ------
    SnapshotError
        For a symbolic link, a file that is corrupt before its tail, a disk that is full.
    """

    def __init__(self, path: Path, sync_every: float = 5.0, *, alone: bool = False) -> None:
        self.path = path
        self._sync_every = sync_every
        self._lock = threading.Lock()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags, 0o600)
        except OSError as error:
            raise SnapshotError(f"cannot write {path}: {error.strerror}") from error
        try:
            if alone:
                fcntl.flock(self._file, fcntl.LOCK_EX)
            size = os.fstat(self._file).st_size
            self._length = whole_length(path)
            if self._length < size:
                os.ftruncate(self._file, self._length)
                os.fsync(self._file)
        except BaseException:
            os.close(self._file)
            raise
        self.dropped = size - self._length
        """How many bytes of a torn tail were cut off."""
        self._synced = time.monotonic()

    def write(self, record: Record) -> None:
        """Append a record, whole or not at all; safe from several threads.

        Raises
        ------
        SnapshotError
            When it cannot be written (the disk is full); the file keeps what it had.
        """
        frame = compress(_encode(record))
        with self._lock:
            try:
                written = 0
                while written < len(frame):
                    written += os.write(self._file, frame[written:])
                if time.monotonic() - self._synced >= self._sync_every:
                    os.fsync(self._file)
                    self._synced = time.monotonic()
            except OSError as error:
                os.ftruncate(self._file, self._length)
                raise SnapshotError(
                    f"cannot write {self.path}: {error.strerror}; make room, then run the same "
                    "command again"
                ) from error
            self._length += len(frame)

    def close(self) -> None:
        """Sync and close; a second call does nothing."""
        with self._lock:
            if self._file < 0:
                return
            try:
                os.fsync(self._file)
            except OSError as error:
                raise SnapshotError(
                    f"cannot write {self.path}: {error.strerror}; make room, then run the same "
                    "command again"
                ) from error
            finally:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_evidence(path: Path, limit: int = MAX_RECORD) -> Iterator[Record]:
    """Each whole record of an account's file, in the order of writing; a torn tail is left out.

    Parameters
    ----------
    path
        `evidence/<account>.jsonl.zst`.
    limit
        The most bytes one record may have when it is decompressed.

    Raises
    ------
    SnapshotError
        When the file is not there, is corrupt before its tail, or holds a record over the limit.
    """
    for _, content in frames(path, limit):
        for line in content.splitlines():
            yield _decode(line, path)


def evidence_path(root: Path, account: str) -> Path:
    """Where an account's evidence stands."""
    if not _ACCOUNT.fullmatch(account):
        raise SnapshotError(f"{account[:40]!r} is not an account id: twelve digits")
    return root / EVIDENCE / f"{account}{_SUFFIX}"


def evidence_accounts(root: Path) -> list[str]:
    """The accounts of which there is evidence, sorted."""
    folder = root / EVIDENCE
    if folder.is_symlink():
        raise SnapshotError(f"{folder} is a symbolic link: a snapshot holds none")
    if not folder.is_dir():
        return []
    names = (path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
    return sorted(name for name in names if _ACCOUNT.fullmatch(name))


def must_see(root: Path) -> None:
    """Refuse to work on a snapshot that this process, a worker of another machine, cannot see.

    Raises
    ------
    SnapshotError
        Where its folder is not there: each account would read as one without evidence.
    """
    if not (root / EVIDENCE).is_dir():
        raise SnapshotError(
            f"a worker does not see {root}: workers need the snapshot at the same path"
        )


def snapshot_records(root: Path, account: str) -> Iterator[Record]:
    """The records of one account, in the order of writing."""
    path = evidence_path(root, account)
    if path.is_symlink():
        raise SnapshotError(f"{path} is a symbolic link: a snapshot holds none")
    return read_evidence(path)
