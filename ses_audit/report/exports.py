"""The data beside a report: whole tables as Parquet and as CSV that no spreadsheet obeys."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.audit.spread import MOST_ROWS
from ses_audit.escape import csv_cell
from ses_audit.report.links import FILES

if TYPE_CHECKING:
    import pandas as pd

    from ses_audit.audit import Audit

__all__ = ["DataFile", "write_csv", "write_data"]

# Rows turned to text at a time: memory stays flat, however many there are.
_CHUNK = 100_000


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file of a report."""

    name: str
    """Below the report's folder: `data/verdicts.csv`."""
    rows: int
    about: str


def write_data(audit: Audit, folder: Path) -> list[DataFile]:
    """Write the tables of an audit below `folder/data`.

    Parameters
    ----------
    audit
        The audit.
    folder
        The report's folder.

    Returns
    -------
    list of DataFile
        What was written, the most asked for first.
    """
    where = folder / "data"
    where.mkdir(mode=0o700, exist_ok=True)
    tables: list[tuple[str, Iterable[pd.DataFrame], str]] = [
        ("verdicts", _verdicts(audit), "one row a principal, identity and action"),
        (
            "scp_denies",
            _scp_denies(audit),
            "one row a denied cell and the SCP statement that denies it",
        ),
        ("accounts", [audit.accounts()], "every account, audited or not"),
        ("principals", [audit.principals()], "every user, role and root user that was read"),
        ("identities", [audit.identities()], "every identity that was read"),
        ("coverage", [audit.coverage()], "how the reading of every planned cell ended"),
    ]
    written = []
    for name, frames, about in tables:
        kinds = FILES[name]
        rows = _write(frames, where / name, "parquet" in kinds)
        if rows is not None:
            written += [DataFile(f"data/{name}.{kind}", rows, about) for kind in kinds]
    return written


def _verdicts(audit: Audit) -> Iterator[pd.DataFrame]:
    """The long table, in parts where it is too long to be held at once."""
    if audit.summary().cells <= MOST_ROWS:
        yield audit.verdicts()
        return
    senders = audit.verdict_tables["senders"]
    accounts = senders.column("principal_account").to_pylist()
    regions = sorted(set(audit.verdict_tables["identities"].column("region").to_pylist()))
    for account in sorted({account for account in accounts if account}):
        for region in regions:
            yield audit.verdicts(account=account, region=region)
    # Services and `*` are of no account.
    for arn, account in zip(senders.column("principal_arn").to_pylist(), accounts, strict=True):
        if not account:
            yield audit.verdicts(principal=arn)


def _scp_denies(audit: Audit) -> Iterator[pd.DataFrame]:
    """What SCPs deny; nothing where the cells are too many to be listed: page 03 counts them."""
    if audit.summary().cells <= MOST_ROWS:
        yield audit.scp_denies()


def _write(frames: Iterable[pd.DataFrame], path: Path, parquet: bool) -> int | None:
    """Write frames one after the other as CSV and Parquet; how many rows, None without a frame."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: int | None = None
    writer: pq.ParquetWriter | None = None
    partial = path.with_suffix(".csv")
    try:
        for frame in frames:
            write_csv(frame, partial, first=rows is None)
            rows = (rows or 0) + len(frame)
            if not parquet:
                continue
            table = pa.Table.from_pandas(_plain(frame), preserve_index=False)
            if writer is None:
                writer = pq.ParquetWriter(
                    path.with_suffix(".parquet"), table.schema, compression="zstd"
                )
            writer.write_table(table.cast(writer.schema), row_group_size=1 << 18)
    finally:
        if writer is not None:
            writer.close()
            _sync(path.with_suffix(".parquet"))
    return rows


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts as texts: one part may have other categories than the next, or none."""
    import pandas as pd

    texts = {
        name: column.astype("str")
        for name, column in frame.items()
        if not pd.api.types.is_numeric_dtype(column)
    }
    return frame.assign(**{str(name): column for name, column in texts.items()})


def write_csv(frame: pd.DataFrame, path: Path, *, first: bool = True) -> None:
    """Write a frame as CSV; a text that a spreadsheet would take for a formula is quoted.

    A text column is made safe once for each distinct text, not once a row.

    Parameters
    ----------
    frame
        Any columns; None and NaN become empty.
    path
        The file.
    first
        Whether a file begins with it; else it goes on with the one that is there.
    """
    import numpy as np
    import pandas as pd

    plain: dict[str, pd.Series[float]] = {}
    texts: dict[str, tuple[np.ndarray[tuple[int], np.dtype[np.object_]], pd.Series[int]]] = {}
    for name in map(str, frame.columns):
        column = frame[name].reset_index(drop=True)
        if pd.api.types.is_numeric_dtype(column):
            plain[name] = column
            continue
        codes, found = pd.factorize(column, use_na_sentinel=True)
        # The code of nothing is -1, and the last text is empty.
        safe = np.array([*map(csv_cell, found), ""], dtype=object)
        texts[name] = safe, pd.Series(codes)
    with path.open("w" if first else "a", encoding="utf-8", newline="") as file:
        for start in range(0, max(len(frame), 1), _CHUNK):
            rows = slice(start, start + _CHUNK)
            chunk = {
                name: plain[name].iloc[rows]
                if name in plain
                else texts[name][0][texts[name][1].iloc[rows].to_numpy()]
                for name in map(str, frame.columns)
            }
            file.write(_text(pd.DataFrame(chunk), header=first and start == 0))
        file.flush()
        os.fsync(file.fileno())


def _text(frame: pd.DataFrame, header: bool) -> str:
    text = io.StringIO()
    frame.to_csv(text, index=False, header=header, lineterminator="\n")
    return text.getvalue()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
