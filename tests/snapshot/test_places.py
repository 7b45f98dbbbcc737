"""Addresses of snapshots in S3, as people and paths spell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.places import address


@pytest.mark.parametrize(
    "where", ["s3://audits/a/b", "s3://audits/a/b/", "s3:/audits/a/b", Path("s3://audits/a/b")]
)
def test_an_address(where: str | Path) -> None:
    found = address(where)
    assert found is not None
    assert (found.bucket, found.prefix, str(found)) == ("audits", "a/b", "s3://audits/a/b")
    assert found.key("manifest.json") == "a/b/manifest.json"


@pytest.mark.parametrize("where", ["a/b", "/srv/a", "file:///srv/a", Path("s3"), "https://x/y"])
def test_a_folder(where: str | Path) -> None:
    assert address(where) is None


@pytest.mark.parametrize(
    "where",
    ["s3://", Path("s3://"), "s3://audits", "s3://audits/", "s3://Audits/a", "s3://a/b", "s3://audits/../x",
     "s3://audits/a/./b", "s3://audits/a//b", "s3://../x", "s3://audits\n/x"],
)  # fmt: skip
def test_what_is_no_place_is_one_line(where: str | Path) -> None:
    with pytest.raises(
        SnapshotError, match="is no place of a snapshot: s3://BUCKET/PREFIX"
    ) as error:
        address(where)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2
