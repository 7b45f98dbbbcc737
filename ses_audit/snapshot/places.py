"""Where a snapshot is: a folder of this machine, or a place in S3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ses_audit.errors import USAGE
from ses_audit.snapshot.errors import SnapshotError

__all__ = ["Address", "address"]

# A path has one slash where the address has two, and none where nothing follows.
_URL = re.compile(r"s3:(?:/+([^/]*)/*(.*))?", re.DOTALL)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """`s3://BUCKET/PREFIX`."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def key(self, name: str) -> str:
        """The key of a file of the snapshot."""
        return f"{self.prefix}/{name}"


def address(where: str | Path) -> Address | None:
    """The address in S3 that a text or a path names; None where it names a folder.

    Raises
    ------
    SnapshotError
        For an address that cannot be one.

    Examples
    --------
    >>> str(address("s3://audits/2026-11-23/"))
    's3://audits/2026-11-23'
    >>> address("snapshots/2026-11-23") is None
    True
    """
    match = _URL.fullmatch(str(where))
    if match is None:
        return None
    bucket, prefix = match[1] or "", (match[2] or "").strip("/")
    if not _BUCKET.fullmatch(bucket) or not prefix or {"", ".", ".."} & set(prefix.split("/")):
        raise SnapshotError(
            f"{str(where)[:80]!r} is no place of a snapshot: s3://BUCKET/PREFIX", USAGE
        )
    return Address(bucket, prefix)
