from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.files import digest, local_path, make_folder, read_file, write_file


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"one")
    write_file(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / ".a.tmp").symlink_to(victim)
    with pytest.raises(SnapshotError):
        write_file(tmp_path / "a", b"x")
    assert victim.read_text() == "kept"
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(SnapshotError):
        make_folder(tmp_path / "link")
    with pytest.raises(SnapshotError):
        read_file(tmp_path, "link/victim")


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SnapshotError, match="cannot make"):
        make_folder(tmp_path / "file/folder")
    with pytest.raises(SnapshotError, match="cannot write"):
        write_file(tmp_path / "none/a", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SnapshotError, match="cannot write"):
        write_file(tmp_path / "folder", b"")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


def test_the_digest_of_a_beginning(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abcdef")
    assert digest(tmp_path / "a") == (hashlib.sha256(b"abcdef").hexdigest(), 6)
    assert digest(tmp_path / "a", 3) == (hashlib.sha256(b"abc").hexdigest(), 3)
    assert digest(tmp_path / "a", 9)[1] == 6


@pytest.mark.parametrize(
    ("where", "path"),
    [("a/b", "a/b"), ("file:///a/b", "/a/b"), ("file:/a%20b", "/a b"), (Path("file:/a"), "/a")],
)
def test_addresses(where: str | Path, path: str) -> None:
    assert local_path(where) == Path(path)


@pytest.mark.parametrize("where", ["gs://bucket/key", "https://x", Path("gs://bucket/key")])
def test_other_addresses_are_refused(where: str | Path) -> None:
    with pytest.raises(SnapshotError, match="not read or written: a folder"):
        local_path(where)
