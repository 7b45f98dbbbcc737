"""`ses-audit status`: what a snapshot has read, by account, region and operation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ses_audit.snapshot.ledger import CoverageRow, Totals

_SHOWN = 40
_BY = {"account": "account_id", "region": "region", "operation": "operation"}


@click.command()
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(("table", "json", "csv")),
    default="table",
    show_default=True,
    help="csv and json hold every cell; the table holds counts and gaps.",
)
@click.option("--require-complete", is_flag=True, help="Exit with 4 when a cell was not read.")
def status(snapshot: Path, kind: str, require_complete: bool) -> int:
    """What SNAPSHOT has read, and what not: planned cells by account, region and operation."""
    from ses_audit.errors import INCOMPLETE
    from ses_audit.snapshot.coverage_tables import read_coverage
    from ses_audit.snapshot.ledger import totals
    from ses_audit.snapshot.store import open_snapshot

    opened = open_snapshot(snapshot)
    rows = read_coverage(opened.table("coverage"))
    counted = totals(rows)
    listed = opened.manifest.get("assumptions")
    assumptions = listed if isinstance(listed, list) else []
    if kind == "json":
        click.echo(_json(rows, counted, assumptions))
    elif kind == "csv":
        click.echo(_csv(rows), nl=False)
    else:
        _table(rows, assumptions)
        read = sorted(set(opened.times().column("read_at").to_pylist()) - {"", None})
        if read:
            click.echo(f"read between {read[0]} and {read[-1]}")
    click.echo(coverage_line(counted), err=kind != "table")
    return INCOMPLETE if require_complete and not counted.complete else 0


def coverage_line(counted: Totals) -> str:
    """The counts in one line: "61 of 64 cells read: 2 DENIED, 1 THROTTLED"."""
    from ses_audit.snapshot.coverage import State

    missing = [
        f"{count:,} {state}"
        for state, count in counted.by_state.items()
        if not State(state).is_evidence
    ]
    line = f"{counted.read:,} of {counted.planned:,} cells read"
    return f"{line}: {', '.join(missing)}" if missing else line


def _by(rows: Iterable[CoverageRow], field: str) -> list[tuple[str, int, int, str]]:
    """(value, read, planned, the states of what was not read) for each value of a column."""
    groups: dict[str, list[CoverageRow]] = {}
    for row in rows:
        if not row.argument:
            name = str(getattr(row, field))
            if field == "operation":
                name = f"{row.service}.{name}"
            groups.setdefault(name, []).append(row)
    found = []
    for name, cells in sorted(groups.items()):
        read = sum(cell.state.is_evidence for cell in cells)
        states = sorted({cell.state.value for cell in cells if not cell.state.is_evidence})
        found.append((name, read, len(cells), ", ".join(states)))
    return found


def _gaps(rows: Iterable[CoverageRow]) -> list[CoverageRow]:
    return [row for row in rows if not row.state.is_evidence]


def _table(rows: list[CoverageRow], assumptions: list[object]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table

    from ses_audit.escape import terminal

    console = Console(
        width=None if sys.stdout.isatty() else 200, markup=False, highlight=False, emoji=False
    )
    for title, field in _BY.items():
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column(title)
        table.add_column("read", justify="right")
        table.add_column("planned", justify="right")
        table.add_column("not read", overflow="fold")
        counted = _by(rows, field)
        # Where everything was read the line says nothing new; all of few are shown.
        shown = counted if len(counted) <= _SHOWN else [line for line in counted if line[3]]
        for name, read, planned, states in shown[:_SHOWN]:
            table.add_row(terminal(name), f"{read:,}", f"{planned:,}", states)
        console.print(table)
        if len(counted) > len(shown[:_SHOWN]):
            console.print(f"{len(shown[:_SHOWN]):,} of {len(counted):,} shown")
        console.print()
    # What was left out on purpose comes last.
    gaps = sorted(_gaps(rows), key=lambda row: not row.state.is_missing)
    for row in gaps[:_SHOWN]:
        layer = f" ({row.layer} {row.policy_arn})" if row.layer else ""
        console.print(terminal(f"{row.text}{layer} {row.detail}".rstrip()), soft_wrap=True)
    if len(gaps) > _SHOWN:
        console.print(f"{len(gaps) - _SHOWN:,} more: --format csv")
    for row in [row for row in rows if row.argument and row.state.is_evidence][:_SHOWN]:
        console.print(terminal(f"gone meanwhile: {row.text} {row.detail}"), soft_wrap=True)
    for text in assumptions:
        console.print(terminal(f"assumed: {text}"), soft_wrap=True)


def _json(rows: list[CoverageRow], counted: Totals, assumptions: list[object]) -> str:
    import json
    from dataclasses import asdict

    report = {
        "planned": counted.planned,
        "read": counted.read,
        "complete": counted.complete,
        "by_state": counted.by_state,
        "by": {
            title: {
                name: {"read": read, "planned": planned}
                for name, read, planned, _ in _by(rows, field)
            }
            for title, field in _BY.items()
        },
        "assumptions": assumptions,
        "gaps": [row.text for row in _gaps(rows)],
        "cells": [asdict(row) for row in rows],
    }
    return json.dumps(report, indent=1)


def _csv(rows: list[CoverageRow]) -> str:
    import csv
    import io
    from dataclasses import astuple, fields

    from ses_audit.escape import csv_cell
    from ses_audit.snapshot.ledger import CoverageRow

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(CoverageRow)])
    for row in rows:
        writer.writerow([csv_cell(str(value)) for value in astuple(row)])
    return text.getvalue()
