"""How commands print tables: results on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "write_frame"]

FORMATS = ("table", "csv", "json", "parquet")
_SHOWN = 200
_CELLS = 2
"""How many cells of missing evidence a row of the table names."""


def write_frame(
    frame: pd.DataFrame, kind: str, out: Path | None, columns: list[str], counted: str
) -> None:
    """Print a frame, or write it to a file in one piece.

    Parameters
    ----------
    frame
        The rows.
    kind
        One of `FORMATS`; `parquet` needs a file.
    out
        Where to write; None for standard output.
    columns
        The columns that the table for people shows; of `missing_evidence` the first cells.
    counted
        "N of M cells", said on standard error.

    Raises
    ------
    UserError
        For Parquet on a terminal.
    """
    if kind == "table":
        _table(frame[columns], out, counted)
        return
    if kind == "parquet":
        if out is None:
            raise UserError("Parquet is not for a terminal: add --out FILE", USAGE)
        _replace(out, _parquet(frame))
    elif kind == "csv":
        _emit(_csv(frame, to_terminal=out is None and sys.stdout.isatty()), out)
    else:
        # pandas escapes each slash, which JSON need not: ARNs stay as people search for them.
        text = frame.to_json(orient="records", indent=1).replace("\\/", "/")
        _emit(text + "\n", out)
    click.echo(counted, err=True)


def _csv(frame: pd.DataFrame, *, to_terminal: bool) -> str:
    from ses_audit.escape import csv_cell, terminal

    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype == object or str(safe[name].dtype) in ("str", "string", "category"):
            cells = (csv_cell(_text(v)) for v in safe[name])
            safe[name] = [terminal(cell) if to_terminal else cell for cell in cells]
    return str(safe.to_csv(index=False))


def _text(value: Any) -> str:
    """A cell's text; what is not there is nothing."""
    import pandas as pd

    return "" if pd.isna(value) else str(value)


def _parquet(frame: pd.DataFrame) -> bytes:
    import io

    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def _emit(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        _replace(out, text.encode())


def _replace(out: Path, content: bytes) -> None:
    """Write a whole file or nothing."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from error


def _few(cells: str) -> str:
    """The first cells of missing evidence, and how many more there are."""
    named = cells.split(";")
    more = len(named) - _CELLS
    return cells if more <= 0 else f"{';'.join(named[:_CELLS])} and {more:,} more"


def _table(frame: pd.DataFrame, out: Path | None, counted: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from ses_audit.escape import terminal

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in frame.columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in frame.head(_SHOWN).itertuples(index=False):
        cells = zip(frame.columns, map(_text, row), strict=True)
        table.add_row(*(terminal(_few(v) if n == "missing_evidence" else v) for n, v in cells))
    wide = None if sys.stdout.isatty() and out is None else 4000
    shown = min(len(frame), _SHOWN)
    more = f"; {shown} shown, the rest with --format csv" if shown < len(frame) else ""
    if out is None:
        Console(width=wide, markup=False, highlight=False).print(table)
    else:
        import io

        text = io.StringIO()
        Console(file=text, width=wide, markup=False, highlight=False).print(table)
        _replace(out, text.getvalue().encode())
    click.echo(counted + more, err=True)
