"""The data beside a report: whole tables as Parquet and as CSV that no spreadsheet obeys."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.audit.long_files import write_parquet
from ses_audit.escape import csv_cell
from ses_audit.report.links import FILES, formats, left_out, length

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
    left_out: str = ""
    """Why it was not written, and how to have it; "" where it was."""


def write_data(audit: Audit, folder: Path) -> list[DataFile]:
    """Write the tables of an audit below `folder/data`: each whole, or not at all and why.

    Tables that are too long to be held at once are written as Parquet alone, as their rows are
    made.

    Parameters
    ----------
    audit
        The audit.
    folder
        The report's folder.

    Returns
    -------
    list of DataFile
        What was written or left out, the most asked for first.
    """
    where = folder / "data"
    where.mkdir(mode=0o700, exist_ok=True)
    tables: list[tuple[str, Callable[[], pd.DataFrame], str]] = [
        ("verdicts", audit.verdicts, "one row a principal, identity and action"),
        (
            "scp_denies",
            audit.scp_denies,
            "one row a denied cell and the SCP statement that denies it",
        ),
        ("accounts", audit.accounts, "every account, audited or not"),
        ("principals", audit.principals, "every user, role and root user that was read"),
        ("identities", audit.identities, "every identity that was read"),
        ("coverage", audit.coverage, "how the reading of every planned cell ended"),
    ]
    written: list[DataFile] = []
    for name, make, about in tables:
        kinds = formats(audit, name)
        rows = length(audit, name)
        if "csv" in kinds:
            rows = _write(make(), where / name, "parquet" in kinds)
        elif "parquet" in kinds:
            path = where / f"{name}.parquet"
            write_parquet(name, path, audit.queries, audit.verdict_tables, audit.organization)
        written += [DataFile(f"data/{name}.{kind}", rows, about) for kind in kinds]
        written += [
            DataFile(f"data/{name}.{kind}", rows, "", left_out(audit, name, kind))
            for kind in FILES[name]
            if kind not in kinds
        ]
    return written


def _write(frame: pd.DataFrame, path: Path, parquet: bool) -> int:
    """Write a frame as CSV, and as Parquet where it is wanted; how many rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_csv(frame, path.with_suffix(".csv"))
    if parquet:
        table = pa.Table.from_pandas(_plain(frame), preserve_index=False)
        with path.with_suffix(".parquet").open("wb") as file:
            pq.write_table(table, file, compression="zstd", row_group_size=1 << 18)
            file.flush()
            os.fsync(file.fileno())
    return len(frame)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts as texts: one part may have other categories than the next, or none."""
    import pandas as pd

    texts = {
        name: column.astype("str")
        for name, column in frame.items()
        if not pd.api.types.is_numeric_dtype(column)
    }
    return frame.assign(**{str(name): column for name, column in texts.items()})


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV; a text that a spreadsheet would take for a formula is quoted.

    A text column is made safe once for each distinct text, not once a row.

    Parameters
    ----------
    frame
        Any columns; None and NaN become empty.
    path
        The file.
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
    with path.open("w", encoding="utf-8", newline="") as file:
        for start in range(0, max(len(frame), 1), _CHUNK):
            rows = slice(start, start + _CHUNK)
            chunk = {
                name: plain[name].iloc[rows]
                if name in plain
                else texts[name][0][texts[name][1].iloc[rows].to_numpy()]
                for name in map(str, frame.columns)
            }
            file.write(_text(pd.DataFrame(chunk), header=start == 0))
        file.flush()
        os.fsync(file.fileno())


def _text(frame: pd.DataFrame, header: bool) -> str:
    text = io.StringIO()
    frame.to_csv(text, index=False, header=header, lineterminator="\n")
    return text.getvalue()
