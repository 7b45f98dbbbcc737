"""A snapshot on the disk, written: by one writer at a time, whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ses_audit.errors import USAGE
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.evidence import (
    EVIDENCE,
    EvidenceWriter,
    Record,
    evidence_accounts,
    evidence_path,
    snapshot_records,
)
from ses_audit.snapshot.files import (
    digest,
    local_path,
    make_folder,
)
from ses_audit.snapshot.ledger import Totals
from ses_audit.snapshot.manifest import MANIFEST, make_manifest, read_manifest, write_manifest
from ses_audit.snapshot.opened import (
    TABLES_FOLDER,
    TIMES_FILE,
    Snapshot,
    open_snapshot,
)
from ses_audit.snapshot.places import address

if TYPE_CHECKING:
    import pyarrow as pa

    from ses_audit.snapshot.remote import Workplace
    from ses_audit.snapshot.table_files import TableFiles

__all__ = [
    "Snapshot",
    "SnapshotError",
    "SnapshotWriter",
    "create_snapshot",
    "open_snapshot",
]

_TIMES = "times"
_LOCK = ".lock"
# What must be the same when a run goes on with a snapshot. The role's name may be mended.
_TELLING = {
    "command": "another command",
    "account": "credentials of another account",
    "accounts": "other accounts",
    "exclude_accounts": "other excluded accounts",
    "units": "other OUs",
    "exclude_units": "other excluded OUs",
    "regions": "other regions",
}
# What a folder may hold when its writer died before the first manifest.
_UNBORN = frozenset({_LOCK, f".{MANIFEST}.tmp"})


class SnapshotWriter:
    """The one writer of a snapshot; made by `create_snapshot`, used in a `with` block.

    `resumed` says whether an earlier run left something here.
    """

    def __init__(
        self,
        path: Path,
        lock: int,
        begun: Mapping[str, object],
        *,
        earlier: Mapping[str, object] | None,
        made: bool,
        work: Workplace | None = None,
    ) -> None:
        self.path = path
        self.started_at = str(begun["started_at"])
        self.resumed = earlier is not None
        self._begun = begun
        self._made = made
        self._lock = lock
        self._work = work

    @property
    def lock(self) -> int:
        """The descriptor of the lock; a process that inherits it keeps the snapshot locked."""
        return self._lock

    def accounts(self) -> list[str]:
        """The accounts of which there is evidence, sorted."""
        return evidence_accounts(self.path)

    def evidence(self, account: str) -> EvidenceWriter:
        """The file to which one account's records are appended; close it before `finish`."""
        return EvidenceWriter(evidence_path(self.path, account))

    def records(self, account: str) -> Iterator[Record]:
        """The records of one account that are there; none when it has no file yet."""
        path = evidence_path(self.path, account)
        return snapshot_records(self.path, account) if path.exists() else iter(())

    def table_files(self) -> TableFiles:
        """The files of the tables, to be filled and given to `finish`; used in a `with` block."""
        from ses_audit.snapshot.schema import TABLES, TIMES
        from ses_audit.snapshot.table_files import TableFiles

        make_folder(self.path / TABLES_FOLDER)
        paths = {name: self.path / TABLES_FOLDER / f"{name}.parquet" for name in TABLES}
        times = {_TIMES: self.path / TIMES_FILE}
        return TableFiles({**paths, **times}, {**TABLES, _TIMES: TIMES})

    def finish(
        self,
        tables: TableFiles | Mapping[str, pa.Table],
        *,
        taken_at: str,
        times: pa.Table | None = None,
        totals: Totals,
        caller: Mapping[str, object] | None = None,
        organization: Mapping[str, object] | None = None,
        arguments: Mapping[str, object] | None = None,
        assumptions: Sequence[str] = (),
    ) -> Snapshot:
        """Write the tables and the manifest: all of them, or the snapshot stays as it was.

        Parameters
        ----------
        tables
            Files that `joining.stream_tables` filled, or whole tables by name.
        taken_at, totals, caller, organization, arguments, assumptions
            As for `manifest.make_manifest`.
        times
            When each cell was read; `schema.TIMES`.

        Raises
        ------
        SnapshotError
            When something cannot be written.
        """
        from ses_audit.snapshot.table_files import TableFiles

        with self.table_files() if isinstance(tables, Mapping) else nullcontext(tables) as given:
            assert isinstance(given, TableFiles)
            if isinstance(tables, Mapping):
                for name, table in tables.items():
                    given.write(name, table)
            if times is not None:
                given.write(_TIMES, times)
            written = given.close()
            files: dict[str, dict[str, object]] = {
                path.relative_to(self.path).as_posix(): {"sha256": sha256, "bytes": size}
                for path, (sha256, size) in written.items()
            }
            for account in self.accounts():
                path = evidence_path(self.path, account)
                sha256, size = digest(path)
                name = path.relative_to(self.path).as_posix()
                files[name] = {"sha256": sha256, "bytes": size}
            # From here to the last line the tables are of two runs: the manifest says so.
            write_manifest(self.path, self._begun)
            given.take_names()
        manifest = make_manifest(
            finished=True,
            started_at=self.started_at,
            taken_at=taken_at,
            caller=caller,
            organization=organization,
            arguments=arguments,
            assumptions=assumptions,
            totals=totals,
            files=files,
        )
        write_manifest(self.path, manifest)
        if self._work is None:
            return Snapshot(self.path, manifest)
        self._work.upload()
        return Snapshot(self.path, manifest, str(self._work.where))

    def discard(self) -> None:
        """Remove what this run began, where nothing was before it: no half of a snapshot stays.

        Close the evidence files first. A resumed snapshot is left as it is.
        """
        if self.resumed:
            return
        try:
            for path in (self.path / EVIDENCE).iterdir():
                path.unlink()
            (self.path / EVIDENCE).rmdir()
            (self.path / MANIFEST).unlink()
            (self.path / _LOCK).unlink()
            if self._made:
                self.path.rmdir()
        except OSError as error:
            raise SnapshotError(f"cannot remove {self.path}: {error.strerror}") from error
        if self._work is not None:
            self._work.leave()

    def close(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
            if self._work is not None:
                self._work.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def create_snapshot(
    path: str | Path,
    *,
    started_at: str,
    resume: bool = False,
    caller: Mapping[str, object] | None = None,
    arguments: Mapping[str, object] | None = None,
    profile: str | None = None,
) -> SnapshotWriter:
    """Make a snapshot's folder, or go on with one, and lock it.

    Parameters
    ----------
    path
        The folder, or a `file://` address; new, empty, or (with `resume`) a snapshot. Or an
        `s3://` address where none is: it is made on this machine, and copied up by `finish`.
    started_at
        ISO 8601, UTC.
    resume
        Whether an earlier run's evidence is kept and added to.
    caller, arguments
        As for `manifest.make_manifest`; a snapshot that was begun with others is not gone on with.
    profile
        Of the AWS configuration, for an `s3://` address.

    Raises
    ------
    SnapshotError
        For a folder of something else, a snapshot that is not to be resumed, a symbolic link,
        and while another process writes here.
    """
    place = address(path)
    if place is None:
        return _create(local_path(path), None, started_at, resume, caller, arguments)
    from ses_audit.snapshot.remote import Workplace

    work = Workplace(place, profile, resume=resume, started_at=started_at)
    try:
        return _create(work.folder, work, started_at, resume, caller, arguments)
    except BaseException:
        work.close()
        raise


def _create(
    root: Path,
    work: Workplace | None,
    started_at: str,
    resume: bool,
    caller: Mapping[str, object] | None,
    arguments: Mapping[str, object] | None,
) -> SnapshotWriter:
    if root.is_symlink():
        raise SnapshotError(f"{root} is a symbolic link: name the folder itself")
    if root.exists() and not root.is_dir():
        raise SnapshotError(f"{root} is a file: name a folder", USAGE)
    _earlier(root, resume, caller, arguments)
    made = not root.exists()
    make_folder(root)
    lock = _take_lock(root)
    try:
        # Once more under the lock: another run may have begun it meanwhile.
        earlier = _earlier(root, resume, caller, arguments)
        begun = make_manifest(
            finished=False, started_at=started_at, caller=caller, arguments=arguments
        )
        if earlier is None:
            write_manifest(root, begun)
        make_folder(root / EVIDENCE)
        return SnapshotWriter(root, lock, begun, earlier=earlier, made=made, work=work)
    except BaseException:
        os.close(lock)
        raise


def _earlier(
    root: Path,
    resume: bool,
    caller: Mapping[str, object] | None,
    arguments: Mapping[str, object] | None,
) -> dict[str, object] | None:
    """The manifest of the snapshot that is there; None in a new or empty folder."""
    if not root.exists() or {p.name for p in root.iterdir()} <= _UNBORN:
        return None
    earlier = read_manifest(root)
    if not resume:
        raise SnapshotError(f"{root} is a snapshot already: name a new folder", USAGE)
    for name, now in (("arguments", arguments), ("caller", caller)):
        before = earlier.get(name)
        if not now or not isinstance(before, dict):
            continue
        for key in [key for key in _TELLING if key in now or key in before]:
            if before.get(key) != now.get(key):
                raise SnapshotError(
                    f"{root} was made with {_TELLING[key]} "
                    f"({_short(before.get(key))}, now {_short(now.get(key))}): the same command "
                    "goes on with it, another needs a new folder",
                    USAGE,
                )
    return earlier


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text[:60] or "none"


def _take_lock(root: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        lock = os.open(root / _LOCK, flags, 0o600)
    except OSError as error:
        raise SnapshotError(f"cannot lock {root}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
    except BlockingIOError:
        holder = os.read(lock, 20).decode("ascii", "replace").strip()
        os.close(lock)
        raise SnapshotError(
            f"another run (process {holder or 'unknown'}) writes to {root}: wait for it, "
            "or name another folder"
        ) from None
    except OSError as error:
        os.close(lock)
        raise SnapshotError(f"cannot lock {root}: {error.strerror}") from error
    return lock
