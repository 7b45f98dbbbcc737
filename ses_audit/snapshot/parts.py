"""Some rows of a snapshot's tables: no row group is read that cannot hold one of them.

Nothing here needs pandas, which pyarrow imports to make an array of Python's values; a command that
explains one cell is done before pandas would be there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.opened import TABLES_FOLDER, Snapshot

if TYPE_CHECKING:
    import pyarrow.parquet as parquet

__all__ = ["Parts"]

Row = dict[str, object]


class Parts:
    """The tables of a snapshot, by parts.

    Parameters
    ----------
    snapshot
        The snapshot.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._files: dict[str, parquet.ParquetFile] = {}

    def rows(self, name: str, key: str, values: Collection[str]) -> list[Row]:
        """The rows of a table in which a column has one of some values, in their order.

        Parameters
        ----------
        name
            Of the table.
        key
            The column; tables are sorted by account and by principal, so that few row groups
            hold the rows of few accounts.
        values
            Few of them.

        Raises
        ------
        SnapshotError
            When the table is gone or damaged.
        """
        wanted = sorted(values)
        if not wanted:
            return []
        found: list[Row] = []
        for group in self._groups(name, key, wanted):
            found += self._of_group(name, group, key, frozenset(wanted))
        return found

    def _groups(self, name: str, key: str, wanted: list[str]) -> Iterator[int]:
        """The row groups whose bounds hold one of the values."""
        metadata = self._file(name).metadata
        position = self._file(name).schema_arrow.names.index(key)
        for number in range(metadata.num_row_groups):
            bounds = metadata.row_group(number).column(position).statistics
            if bounds is None or not bounds.has_min_max:
                yield number
                continue
            least = bisect_left(wanted, bounds.min)
            if least < len(wanted) and wanted[least] <= bounds.max:
                yield number

    def _of_group(self, name: str, group: int, key: str, wanted: frozenset[str]) -> list[Row]:
        import pyarrow as pa

        try:
            table = self._file(name).read_row_group(group, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(name) from error
        column = table.column(key).to_pylist()
        places = [place for place, value in enumerate(column) if value in wanted]
        found: list[Row] = []
        start = 0
        for end in range(1, len(places) + 1):
            # Rows that stand together are taken together.
            if end == len(places) or places[end] != places[end - 1] + 1:
                found += table.slice(places[start], end - start).to_pylist()
                start = end
        return found

    def _file(self, name: str) -> parquet.ParquetFile:
        if name not in self._files:
            import pyarrow as pa
            import pyarrow.parquet as parquet

            path = self._snapshot.path / TABLES_FOLDER / f"{name}.parquet"
            if path.is_symlink() or path.parent.is_symlink():
                raise SnapshotError(f"{path} is a symbolic link: a snapshot holds none")
            try:
                self._files[name] = parquet.ParquetFile(path)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise self._damaged(name) from error
        return self._files[name]

    def _damaged(self, name: str) -> SnapshotError:
        path = self._snapshot.path / TABLES_FOLDER / f"{name}.parquet"
        return SnapshotError(
            f"{path} is gone or damaged: make the tables again with the command that made the "
            "snapshot"
        )
