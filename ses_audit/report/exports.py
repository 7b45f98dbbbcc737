"""The data beside a report: whole tables as Parquet and as CSV that no spreadsheet obeys."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.escape import csv_cell

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
    verdicts = audit.verdicts()
    denies = audit.scp_denies()
    _write_parquet(verdicts, where / "verdicts.parquet")
    _write_parquet(denies, where / "scp_denies.parquet")
    tables: Mapping[str, tuple[pd.DataFrame, str]] = {
        "verdicts": (verdicts, "one row a principal, identity and action"),
        "scp_denies": (denies, "one row a denied cell and the SCP statement that denies it"),
        "accounts": (audit.accounts(), "every account, audited or not"),
        "principals": (audit.principals(), "every user, role and root user that was read"),
        "identities": (audit.identities(), "every identity that was read"),
        "coverage": (audit.coverage(), "how the reading of every planned cell ended"),
    }
    written = []
    for name, (frame, about) in tables.items():
        write_csv(frame, where / f"{name}.csv")
        if (where / f"{name}.parquet").exists():
            written.append(DataFile(f"data/{name}.parquet", len(frame), about))
        written.append(DataFile(f"data/{name}.csv", len(frame), about))
    return written


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    table = pa.Table.from_pandas(frame, preserve_index=False)
    parquet.write_table(table, path, compression="zstd", row_group_size=1 << 18)
    _sync(path)


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


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
