"""A run's folder: made aside, moved into place in one step; the latest; which are kept."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ses_audit.errors import USAGE, UserError

__all__ = ["LATEST", "RECORD", "RunFolder", "earlier_runs", "new_run_id"]

RECORD = "run.json"
LATEST = "latest"
RUN_FORMAT = "ses-audit run"

# Only folders of this form are ever taken for runs, and so ever removed.
_RUN = re.compile(r"\d{8}T\d{6}Z(-\d+)?", re.ASCII)


def new_run_id(started_at: str) -> str:
    """A run's id from its time: sorted by name is sorted by time.

    Examples
    --------
    >>> new_run_id("2026-11-23T06:00:00Z")
    '20261123T060000Z'
    """
    return re.sub(r"[-:]|\.\d+", "", started_at)


def _order(name: str) -> tuple[str, int]:
    stamp, _, number = name.partition("-")
    return stamp, int(number or 0)


def earlier_runs(out: Path) -> list[str]:
    """The ids of the runs in a folder, oldest first."""
    if not out.is_dir():
        return []
    return sorted(
        (
            path.name
            for path in out.iterdir()
            if _RUN.fullmatch(path.name) and not path.is_symlink() and is_run(path)
        ),
        key=_order,
    )


def is_run(folder: Path) -> bool:
    """Whether the folder holds a run's record."""
    try:
        loaded: object = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(loaded, Mapping) and loaded.get("format") == RUN_FORMAT


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder while it is made.

    Parameters
    ----------
    out
        Where runs stand.
    run_id
        Its name there.
    work
        The private folder in which it is made.
    made_out
        Whether `out` was made for it.
    """

    out: Path
    run_id: str
    work: Path
    made_out: bool = False

    @classmethod
    def begin(cls, out: Path, run_id: str) -> RunFolder:
        """Make a private folder below `out`; an id that is taken gets a number.

        Raises
        ------
        UserError
            When nothing can be written there.
        """
        there = out.exists()
        try:
            out.mkdir(parents=True, exist_ok=True)
            for number in range(1, 1000):
                name = run_id if number == 1 else f"{run_id}-{number}"
                # The same file system, so that the move is one step; its name keeps the id.
                work = out / f".{name}"
                if (out / name).exists() or work.exists():
                    continue
                with contextlib.suppress(FileExistsError):
                    work.mkdir(mode=0o700)
                    return cls(out, name, work, not there)
        except OSError as error:
            raise UserError(
                f"cannot write to {out}: {error.strerror}; choose another --out", USAGE
            ) from error
        raise UserError(f"a thousand runs began at {run_id} in {out}; choose another --out", USAGE)

    def discard(self) -> None:
        """Take the private folder away: nothing was made."""
        shutil.rmtree(self.work)
        if self.made_out:
            with contextlib.suppress(OSError):
                self.out.rmdir()

    def place(self) -> Path:
        """Move the folder to its name, in one step.

        Raises
        ------
        UserError
            When it cannot be moved; it stays where it was made.
        """
        target = self.out / self.run_id
        try:
            self.work.rename(target)
            _sync_folder(self.out)
        except OSError as error:
            raise UserError(
                f"cannot move the run to {target}: {error.strerror}; it is in {self.work}"
            ) from error
        return target


def point_latest(out: Path, name: str) -> None:
    """Let `latest` name a run, in one step; a file or folder of that name is left alone."""
    link = out / LATEST
    if link.exists() and not link.is_symlink():
        return
    temporary = out / f".{LATEST}.{os.getpid()}"
    # Where there are no symbolic links there is no `latest`, and nothing else is amiss.
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(name, target_is_directory=True)
        temporary.replace(link)


def remove_old(out: Path, keep: int) -> list[str]:
    """Remove the oldest runs beyond `keep`; a folder that is no run is never touched.

    Parameters
    ----------
    out
        Where runs stand.
    keep
        How many stay, at least one.

    Returns
    -------
    list of str
        The ids of those removed.
    """
    gone = earlier_runs(out)[: -max(keep, 1)]
    for name in gone:
        # Renamed first: a run is whole or not there.
        aside = out / f".{name}.removed"
        if aside.exists():
            shutil.rmtree(aside)
        (out / name).rename(aside)
        shutil.rmtree(aside)
    return gone


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
