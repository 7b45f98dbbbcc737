"""Some rows of a table, without the row groups that cannot hold one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.opened import Snapshot
from ses_audit.snapshot.parts import Parts


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """A table of ten rows in groups of three."""
    table = pa.table({"key": [f"{n // 2}" for n in range(10)], "n": list(range(10))})
    (tmp_path / "tables").mkdir()
    parquet.write_table(table, tmp_path / "tables/some.parquet", row_group_size=3)
    return Snapshot(tmp_path, {})


def numbers(parts: Parts, *values: str) -> list[object]:
    return [row["n"] for row in parts.rows("some", "key", values)]


def test_the_rows_of_some_values_in_their_order(snapshot: Snapshot) -> None:
    parts = Parts(snapshot)
    assert numbers(parts, "3", "0") == [0, 1, 6, 7]
    assert numbers(parts, "1") == [2, 3]
    assert numbers(parts, "9") == numbers(parts) == []


def test_a_table_in_no_order_loses_nothing(tmp_path: Path) -> None:
    table = pa.table({"key": ["b", None, "a", "b", "a", "c"], "n": list(range(6))})
    (tmp_path / "tables").mkdir()
    parquet.write_table(table, tmp_path / "tables/some.parquet", row_group_size=4)
    assert numbers(Parts(Snapshot(tmp_path, {})), "a", "b") == [0, 2, 3, 4]


def test_other_row_groups_are_not_read(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    whole = parquet.ParquetFile.read_row_group

    def noted(file: parquet.ParquetFile, number: int, **given: object) -> pa.Table:
        read.append(number)
        return whole(file, number, **given)

    monkeypatch.setattr(parquet.ParquetFile, "read_row_group", noted)
    assert numbers(Parts(snapshot), "4") == [8, 9]
    assert read == [2, 3]


def test_a_damaged_table_is_one_line(snapshot: Snapshot) -> None:
    path = snapshot.path / "tables/some.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SnapshotError, match=r"some.parquet is gone or damaged"):
        Parts(snapshot).rows("some", "key", ["1"])
    with pytest.raises(SnapshotError, match=r"other.parquet is gone or damaged"):
        Parts(snapshot).rows("other", "key", ["1"])


def test_no_link_is_followed(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "tables/linked.parquet").symlink_to(tmp_path / "tables/some.parquet")
    with pytest.raises(SnapshotError, match="symbolic link"):
        Parts(snapshot).rows("linked", "key", ["1"])
