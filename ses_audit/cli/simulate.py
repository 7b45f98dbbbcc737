"""`ses-audit simulate`: requests in the shape of `aws iam simulate-custom-policy`, decided here."""

from __future__ import annotations

import gc
import json
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click

from ses_audit.errors import INCOMPLETE, USAGE, UserError

__all__ = ["simulate"]

_LONGEST = 64 * 1024 * 1024
"""Bytes. A longer line gets an error: memory does not grow with what is read."""
_CHUNK = 100
_GARBAGE = 50_000
"""Objects that are made before garbage is looked for: what a line is made of dies with it."""
_AHEAD = 4
"""Chunks under way for each worker."""

Numbered = tuple[int, bytes | None]
"""A line's number from 1, and the line; None where it is too long."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes."
)
@click.option(
    "--aws-command",
    "identifier",
    metavar="ID",
    help="Print the aws command that asks AWS the same as the line with this Id; decide nothing.",
)
def simulate(file: Path, workers: int, identifier: str | None) -> int:
    """Decide the requests in FILE (- for standard input), one JSON object a line.

    Each is the request of `aws iam simulate-custom-policy`; each result is one line, in order.
    A malformed line gets {"Id", "Error"}, and the rest go on.

    \b
    Exit codes: 0 every line has its result, 4 some lines have an error, 2 usage.
    """
    gc.set_threshold(_GARBAGE)
    with _opened(file) as stream:
        lines = _lines(stream)
        if identifier is not None:
            return _aws_command(lines, identifier, file)
        total = failed = 0
        for text, bad in _results(lines, workers):
            sys.stdout.write(text)
            total += text.count("\n")
            failed += bad
    sys.stdout.flush()
    if failed:
        click.echo(f"{failed:,} of {total:,} lines have an error; see their Error", err=True)
        return INCOMPLETE
    return 0


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise UserError(
            f"cannot read {file}: {error.strerror}; name another file", USAGE
        ) from error
    with stream:
        yield stream


def _lines(stream: BinaryIO) -> Iterator[Numbered]:
    """The lines that are not blank, one at a time."""
    number = 0
    while line := stream.readline(_LONGEST + 1):
        number += 1
        if len(line) > _LONGEST:
            while line and not line.endswith(b"\n"):
                line = stream.readline(_LONGEST)
            yield number, None
        elif line.strip():
            yield number, line


def _results(lines: Iterator[Numbered], workers: int) -> Iterator[tuple[str, int]]:
    """Results in the order of the lines, some lines at a time."""
    chunks = iter(lambda: list(islice(lines, _CHUNK if workers > 1 else 1)), [])
    if workers == 1:
        yield from map(_chunk, chunks)
        return
    with ProcessPoolExecutor(
        workers, initializer=gc.set_threshold, initargs=(_GARBAGE,)
    ) as executor:
        yield from _ahead(chunks, executor, workers * _AHEAD)


def _ahead(
    chunks: Iterator[list[Numbered]], executor: Executor, most: int
) -> Iterator[tuple[str, int]]:
    waiting: deque[Future[tuple[str, int]]] = deque()
    try:
        for chunk in chunks:
            waiting.append(executor.submit(_chunk, chunk))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _chunk(lines: list[Numbered]) -> tuple[str, int]:
    """The results of some lines as text, and how many have an error."""
    answers = [_answer(number, line) for number, line in lines]
    failed = sum("Error" in answer for answer in answers)
    return "".join(json.dumps(answer) + "\n" for answer in answers), failed


def _answer(number: int, line: bytes | None) -> dict[str, object]:
    from ses_audit.policy.simulation import simulate_text

    if line is None:
        answer: dict[str, object] = {"Id": None, "Error": f"longer than {_LONGEST:,} bytes"}
    else:
        try:
            answer = simulate_text(_text(line))
        except UnicodeDecodeError as error:
            answer = {"Id": None, "Error": f"not UTF-8 at byte {error.start}"}
    if "Error" in answer:
        answer["Error"] = f"line {number}: {answer['Error']}"
    return answer


def _text(line: bytes) -> str:
    return line.decode("utf-8-sig")


def _aws_command(lines: Iterator[Numbered], identifier: str, file: Path) -> int:
    from ses_audit.policy.json_text import MalformedPolicy, loads
    from ses_audit.policy.simulation_call import aws_call
    from ses_audit.policy.simulation_request import InvalidRequest

    for number, line in lines:
        try:
            value = loads(_text(line or b""))
        except (MalformedPolicy, UnicodeDecodeError):
            continue
        if not isinstance(value, dict) or "Id" not in value or str(value["Id"]) != identifier:
            continue
        try:
            command, remarks = aws_call(value)
        except InvalidRequest as error:
            raise UserError(f"line {number} of {file}: {error}", USAGE) from None
        for remark in remarks:
            click.echo(remark, err=True)
        click.echo(command)
        return 0
    raise UserError(f"no line of {file} has the Id {identifier}: name one that is there", USAGE)
