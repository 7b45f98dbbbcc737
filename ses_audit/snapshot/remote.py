"""Snapshots in S3: copied to this machine and read there; made here, and copied up at the end.

The manifest goes up last, and only where none is: a reader never sees a half of a snapshot, and
what is there is never overwritten.
"""

from __future__ import annotations

# botocore has no annotations.
# mypy: allow-untyped-calls
import atexit
import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ses_audit.errors import USAGE
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.files import make_folder, write_file
from ses_audit.snapshot.manifest import MANIFEST, read_manifest
from ses_audit.snapshot.places import Address, address

if TYPE_CHECKING:
    from ses_audit.snapshot.opened import Snapshot

__all__ = ["Workplace", "download", "publish", "upload_verdicts"]

# What a snapshot holds beside its manifest; a name that comes from a bucket is no other.
_FILE = re.compile(
    r"times\.parquet|tables/[a-z_]{1,64}\.parquet|evidence/[0-9]{12}\.jsonl\.zst", re.ASCII
)
_VERDICTS = re.compile(r"verdicts/(?:[a-z_]{1,64}\.parquet|key\.json)", re.ASCII)
_KEY = "verdicts/key.json"
_LOCK = ".lock"
_LARGEST_MANIFEST = 256 << 20
_CHUNK = 1 << 20
_TIME = re.compile(r"[0-9TZ:.+-]{1,40}", re.ASCII)

_copies: dict[Address, Path] = {}


def _client(profile: str | None = None) -> Any:
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.session.Session(profile_name=profile).client("s3")
    except BotoCoreError as error:
        raise SnapshotError(f"S3 cannot be asked: {' '.join(str(error).split())}") from error


@contextmanager
def _told(what: str, where: Address) -> Iterator[None]:
    """An error of S3, of the network or of the disk as one line."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, Boto3Error, ClientError) as error:
        said = " ".join(str(error).split())
        raise SnapshotError(f"cannot {what} {where}: {said}") from error
    except OSError as error:
        raise SnapshotError(f"cannot {what} {where}: {error.strerror or error}") from error


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _exists(client: Any, where: Address, name: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        client.head_object(Bucket=where.bucket, Key=where.key(name))
    except ClientError as error:
        if _code(error) in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return True


def _temporary() -> Path:
    """A folder that only its owner can enter, removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="ses-audit-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def download(where: Address) -> Path:
    """Copy a finished snapshot to a folder of this machine; once a process.

    Each file is compared with the manifest; what the manifest does not name is not touched, but
    for verdicts, which say themselves what they were made of.

    Raises
    ------
    SnapshotError
        When there is none, it cannot be read, or a file is not what the manifest says.
    """
    if where in _copies:
        return _copies[where]
    client, folder = _client(), _temporary() / "snapshot"
    make_folder(folder)
    with _told("read", where):
        if not _exists(client, where, MANIFEST):
            raise SnapshotError(
                f"no snapshot at {where}: make one with `ses-audit collect {where}`"
            )
        _fetch(client, where, MANIFEST, folder, most=_LARGEST_MANIFEST)
    try:
        manifest = read_manifest(folder)
    except SnapshotError as error:
        raise SnapshotError(str(error).replace(str(folder), str(where)), error.exit_code) from None
    files = manifest["files"]
    for name, entry in sorted(files.items() if isinstance(files, Mapping) else ()):
        if not _FILE.fullmatch(name) or not isinstance(entry, Mapping):
            raise SnapshotError(
                f"{where}/{MANIFEST} names a file that is no part of a snapshot: make it again"
            )
        with _told("read", where):
            found = _fetch(client, where, name, folder, most=int(str(entry.get("bytes"))))
        if found != entry.get("sha256"):
            raise SnapshotError(
                f"{where}/{name} is truncated or was changed: make the snapshot again"
            )
    with _told("read", where):
        _fetch_verdicts(client, where, folder)
    _copies[where] = folder
    return folder


def _fetch(client: Any, where: Address, name: str, folder: Path, most: int) -> str:
    """Copy one file; its SHA-256, or "" where it is larger than it may be."""
    body = client.get_object(Bucket=where.bucket, Key=where.key(name))["Body"]
    make_folder((folder / name).parent)
    hashed, length = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.closing(body), os.fdopen(os.open(folder / name, flags, 0o600), "wb") as file:
        for chunk in body.iter_chunks(_CHUNK):
            length += len(chunk)
            if length > most:
                return ""
            hashed.update(chunk)
            file.write(chunk)
    return hashed.hexdigest()


def _fetch_verdicts(client: Any, where: Address, folder: Path) -> None:
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=where.bucket, Prefix=where.key("verdicts/")
    )
    for page in pages:
        for item in page.get("Contents", ()):
            name = str(item["Key"])[len(where.prefix) + 1 :]
            if _VERDICTS.fullmatch(name):
                _fetch(client, where, name, folder, most=int(item["Size"]))


class Workplace:
    """Where a snapshot for S3 is made: a folder of this machine, while the place is locked.

    Parameters
    ----------
    where
        The address.
    profile
        Of the AWS configuration.
    resume
        Whether a run that was stopped left its folder for the same command to go on with.
    started_at
        ISO 8601, UTC.

    Raises
    ------
    SnapshotError
        When a snapshot is there, another run is about to make one, or S3 cannot be asked.
    """

    def __init__(
        self, where: Address, profile: str | None, *, resume: bool, started_at: str
    ) -> None:
        self.where = where
        self._resume = resume
        self._held = False
        self._client = _client(profile)
        if resume:
            state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
            name = hashlib.sha256(str(where).encode()).hexdigest()[:16]
            self._home = Path(state) / "ses-audit" / name
        else:
            self._home = _temporary()
        make_folder(self._home)
        self.folder = self._home / "snapshot"
        owner = self._home / "owner"
        try:
            if not owner.exists():
                write_file(owner, uuid.uuid4().hex.encode())
            self._owner = owner.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise SnapshotError(f"cannot read {owner}: {error}") from error
        with _told("write", where):
            if _exists(self._client, where, MANIFEST):
                raise SnapshotError(
                    f"{where} is a snapshot already, and one in S3 is not gone on with: name a new "
                    "prefix",
                    USAGE,
                )
            self._lock(started_at)
            self._held = True

    def _lock(self, started_at: str) -> None:
        """Take the place; S3 lets one of many put an object that is not there yet.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        from botocore.exceptions import ClientError

        body = json.dumps({"owner": self._owner, "started_at": started_at}).encode()
        key = self.where.key(_LOCK)
        try:
            self._client.put_object(Bucket=self.where.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) not in ("PreconditionFailed", "ConditionalRequestConflict", "412"):
                raise
        else:
            return
        content = self._client.get_object(Bucket=self.where.bucket, Key=key)["Body"].read(1000)
        held: object = None
        with contextlib.suppress(ValueError):
            held = json.loads(content)
        held = held if isinstance(held, dict) else {}
        if held.get("owner") == self._owner:
            # A run of this machine was stopped: the same command goes on.
            return
        began = str(held.get("started_at", ""))
        since = f", begun {began}," if _TIME.fullmatch(began) else ""
        raise SnapshotError(
            f"another run{since} writes to {self.where}: wait for it; if it is dead, "
            f"`aws s3 rm {self.where}/{_LOCK}`"
        )

    def upload(self) -> None:
        """Copy the finished snapshot up, its manifest last; then give the place free.

        Raises
        ------
        SnapshotError
            When it cannot be written; the folder stays, and the same command tries again.
        """
        manifest = read_manifest(self.folder)
        files = manifest["files"]
        names = sorted(files) if isinstance(files, Mapping) else []
        with _told("write", self.where):
            for name in names:
                path = str(self.folder / name)
                self._client.upload_file(path, self.where.bucket, self.where.key(name))
            self._client.put_object(
                Bucket=self.where.bucket,
                Key=self.where.key(MANIFEST),
                Body=(self.folder / MANIFEST).read_bytes(),
                IfNoneMatch="*",
            )
        self.leave()

    def leave(self) -> None:
        """Give the place free; the folder is removed when the process ends."""
        with _told("write", self.where):
            self._client.delete_object(Bucket=self.where.bucket, Key=self.where.key(_LOCK))
        self._held = False
        atexit.register(shutil.rmtree, self._home, ignore_errors=True)

    def close(self) -> None:
        """End, finished or not; what can be gone on with keeps its place."""
        if self._held and not self._resume:
            self.leave()


def publish(folder: Path, where: Address, started_at: str) -> None:
    """Copy a finished snapshot of this machine to a place in S3 where none is."""
    work = Workplace(where, None, resume=False, started_at=started_at)
    work.folder = folder
    try:
        work.upload()
    finally:
        work.close()


def upload_verdicts(snapshot: Snapshot) -> None:
    """Copy the verdicts that were decided of a snapshot from S3 beside it, their key last.

    One that is on this machine has them already.
    """
    where = address(snapshot.where) if snapshot.where else None
    if where is None:
        return
    client = _client()
    names = sorted(
        p.relative_to(snapshot.path).as_posix() for p in snapshot.path.glob("verdicts/*")
    )
    kept = [name for name in names if _VERDICTS.fullmatch(name) and name != _KEY]
    with _told("write", where):
        client.delete_object(Bucket=where.bucket, Key=where.key(_KEY))
        for name in [*kept, _KEY]:
            client.upload_file(str(snapshot.path / name), where.bucket, where.key(name))
