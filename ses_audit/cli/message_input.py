"""Texts and logs that people hand in, whatever their encoding; the table of a log's refusals."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TextIO, cast

import click

from ses_audit.errors import USAGE, UserError
from ses_audit.ses.messages import LogTable, Seen

__all__ = ["handed_in", "log_pieces", "write_log_table"]

_CHUNK = 64 * 1024
_TEXT_CHUNKS = 128
"""Chunks (8 MB in all); a longer text is a log."""
_SHOWN = 200
_GZIP = b"\x1f\x8b"
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COLUMNS = (
    *("count", "kind", "smtp_code", "principal", "action", "resource", "layer", "effect"),
    *("policy_arn", "region", "identities", "first_line", "last_line"),
)


@contextmanager
def handed_in(text: str | None, file: Path | None) -> Iterator[str | Iterator[str]]:
    """The text that a person hands in: the argument, a file, or standard input.

    Yields
    ------
    str or iterator of str
        One that is as long as a log comes line by line.

    Raises
    ------
    UserError
        When there is none, or it cannot be read.
    """
    if text is not None and text != "-":
        yield text
        return
    if file is None and text is None and sys.stdin.isatty():
        raise UserError(
            'no text: give it as an argument, with --file FILE, or on standard input ("-")', USAGE
        )
    with _opened(file) as stream:
        chunks = _chunks(stream, file)
        start = b"".join(islice(chunks, _TEXT_CHUNKS))
        after = next(chunks, b"")
        encoding = _encoding(start)
        if after:
            yield _lines(chain((start, after), chunks), encoding)
            return
    found = start.decode(encoding, errors="replace")
    if not found.strip():
        raise UserError(f"no text in {_name(file)}; give the error's line", USAGE)
    yield found


@contextmanager
def log_pieces(file: Path | None) -> Iterator[Iterator[str]]:
    """A log line by line; a very long line comes in pieces, so that memory stays bounded.

    Raises
    ------
    UserError
        When it cannot be read, or a packed one is torn.
    """
    with _opened(file) as stream:
        chunks = _chunks(stream, file)
        start = next(chunks, b"")
        yield _lines(chain((start,), chunks), _encoding(start))


def _chunks(stream: io.BufferedReader, file: Path | None) -> Iterator[bytes]:
    while True:
        try:
            chunk = stream.read(_CHUNK)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(
                f"cannot read {_name(file)} to its end: {error}; unpack or copy it again", USAGE
            ) from error
        if not chunk:
            return
        yield chunk


def _lines(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Lines with their line break; one longer than a chunk in pieces."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    breaks = io.IncrementalNewlineDecoder(decoder, translate=True)
    rest = ""
    for chunk in chain(chunks, (b"",)):
        *lines, rest = (rest + breaks.decode(chunk, final=not chunk)).split("\n")
        for line in lines:
            yield line + "\n"
        if len(rest) > _CHUNK:
            yield rest
            rest = ""
    if rest:
        yield rest


@contextmanager
def _opened(file: Path | None) -> Iterator[io.BufferedReader]:
    """A file or standard input, unpacked."""
    with ExitStack() as stack:
        if file is None or str(file) == "-":
            stream = cast(io.BufferedReader, sys.stdin.buffer)
        else:
            try:
                stream = stack.enter_context(file.open("rb"))
            except OSError as error:
                raise UserError(
                    f"cannot read {file}: {error.strerror}; name another file", USAGE
                ) from error
        if stream.peek(2)[:2] == _GZIP:
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=stream))
            stream = io.BufferedReader(cast(io.RawIOBase, unpacked))
        yield stream


def _encoding(start: bytes) -> str:
    """By the byte order mark; UTF-8 without one."""
    return next((name for mark, name in _ENCODINGS if start.startswith(mark)), "utf-8")


def _name(file: Path | None) -> str:
    return "standard input" if file is None or str(file) == "-" else str(file)


def write_log_table(table: LogTable, kind: str, out: TextIO) -> None:
    """Print the refusals of a log as text, JSON or CSV."""
    if kind == "json":
        found = {
            "lines": table.lines,
            "messages": table.messages,
            "not_listed": table.not_listed,
            "rows": [_json_row(row) for row in table.rows],
        }
        out.write(json.dumps(found, indent=1) + "\n")
    elif kind == "csv":
        _write_csv(table, out)
    else:
        _write_text(table, out)


def _json_row(row: Seen) -> dict[str, object]:
    return {
        "count": row.count,
        "first_line": row.first_line,
        "last_line": row.last_line,
        **row.message.to_json(),
    }


def _cells(row: Seen) -> dict[str, str]:
    found = _json_row(row)
    found["identities"] = ", ".join(row.message.identities)
    found["region"] = row.message.region
    return {name: "" if found[name] is None else str(found[name]) for name in _COLUMNS}


def _write_csv(table: LogTable, out: TextIO) -> None:
    from ses_audit.escape import csv_cell, terminal

    clean = terminal if out.isatty() else str
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in table.rows:
        writer.writerow([clean(csv_cell(cell)) for cell in _cells(row).values()])


def _write_text(table: LogTable, out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table

    from ses_audit.escape import terminal

    drawn = Table(box=None, header_style="bold", pad_edge=False)
    drawn.add_column("count", justify="right")
    for name in ("refusal", "who or which", "action", "resource", "layer", "first line"):
        drawn.add_column(name, overflow="fold")
    for row in table.rows[:_SHOWN]:
        cells = _cells(row)
        code = f" ({cells['smtp_code']})" if cells["smtp_code"] else ""
        drawn.add_row(
            f"{row.count:,}",
            terminal(cells["kind"].replace("_", " ") + code),
            terminal(cells["principal"] or cells["identities"]),
            terminal(cells["action"] or cells["region"]),
            terminal(cells["resource"]),
            terminal(cells["layer"]),
            f"{row.first_line:,}",
        )
    wide = None if out.isatty() else 4000
    Console(file=out, width=wide, markup=False, highlight=False).print(drawn)
    if len(table.rows) > _SHOWN:
        click.echo(f"{_SHOWN} of {len(table.rows):,} shown, the rest with --format csv", err=True)
