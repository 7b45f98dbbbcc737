"""`ses-audit run`: collect, decide, run the notebooks, write the report."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from ses_audit.cli.reading import (
    READING,
    options_of,
    reading_options,
    tell_assumptions,
    tell_gaps,
)

if TYPE_CHECKING:
    from ses_audit.collect.progress import Progress
    from ses_audit.snapshot.store import Snapshot

_STOPPED = 130


@click.command()
@click.option("--example", is_flag=True, help="Audit the example organization; asks AWS nothing.")
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path),
    help="A snapshot that is there, instead of reading the organization.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Where reports stand.",
)
@click.option(
    "-p",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the notebooks (repeatable); `ses-audit notebooks list` names them.",
)
@click.option(
    "--notebook", "notebooks", multiple=True, metavar="NAME", help="Only this (repeatable)."
)
@click.option(
    "--keep", type=click.IntRange(1), metavar="N", help="Keep the N newest reports, remove others."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="The most that the whole run may take.",
)
@click.option("--require-complete", is_flag=True, help="Exit with 4 when a cell was not read.")
@reading_options
@click.pass_context
def run(
    context: click.Context,
    /,
    example: bool,
    snapshot: Path | None,
    out: Path,
    parameters: tuple[str, ...],
    notebooks: tuple[str, ...],
    keep: int | None,
    timeout: float | None,
    require_complete: bool,
    **reading: Any,
) -> int:
    """Make a report of an organization, and print the path of its index.html.

    Reads the organization with the credentials of the AWS configuration, unless --example or
    --snapshot says otherwise. The report is a folder of its own below --out.
    """
    from ses_audit.errors import USAGE, UserError
    from ses_audit.report.audit_run import RunOptions, run_report
    from ses_audit.report.escape import terminal
    from ses_audit.report.parameters import assignments
    from ses_audit.snapshot.places import address

    _refuse_both(context, example, snapshot)
    if address(out) is not None:
        raise UserError(f"--out {address(out)}: reports stand in a folder of this machine", USAGE)
    options = RunOptions(
        out=out,
        parameters=assignments(parameters),
        notebooks=notebooks,
        seconds=timeout,
        keep=keep,
        require_complete=require_complete,
        arguments={
            "command": "run",
            "example": example,
            "snapshot": None if snapshot is None else str(snapshot),
            "role_name": reading["role_name"],
            "accounts": sorted(reading["accounts"]),
            "units": sorted(reading["units"]),
            "exclude_accounts": sorted(reading["excluded"]),
            "regions": sorted(reading["regions"]),
            "keep": keep,
            "timeout": timeout,
            "require_complete": require_complete,
        },
        hidden=tuple(filter(None, [reading["external_id_env"]])),
    )

    def tell(text: str) -> None:
        click.echo(terminal(text), err=True)

    take = _snapshot_of(example, snapshot, reading)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        finished = run_report(options, take, tell)
    except KeyboardInterrupt:
        return _STOPPED
    finally:
        signal.signal(signal.SIGTERM, before)
    if finished.removed:
        tell(f"removed {len(finished.removed):,} older reports")
    if finished.record.status != "completed":
        why = finished.record.error or "see the lines above"
        tell(f"ses-audit: the run {finished.record.status}: {why}")
    click.echo(str(finished.path / "index.html"))
    return finished.record.exit_code


def _stop(number: int, frame: FrameType | None) -> None:
    """A scheduler's SIGTERM ends a run as Ctrl-C does: what was made is kept."""
    raise KeyboardInterrupt


def _refuse_both(context: click.Context, example: bool, snapshot: Path | None) -> None:
    from click.core import ParameterSource

    from ses_audit.errors import USAGE, UserError

    if example and snapshot is not None:
        raise UserError("--example and --snapshot are two runs: give one of them", USAGE)
    if not example and snapshot is None:
        return
    source = "--example" if example else "--snapshot"
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in READING and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise UserError(
                f"{parameter.opts[-1]} is for reading an organization: leave it out, or {source}",
                USAGE,
            )


def _snapshot_of(
    example: bool, snapshot: Path | None, reading: dict[str, Any]
) -> Callable[[Path], Snapshot]:
    """How the run comes by its snapshot."""
    if snapshot is not None:
        from ses_audit.snapshot.store import open_snapshot

        # Opened before anything is written.
        opened = open_snapshot(snapshot)
        return lambda folder: opened

    from ses_audit.cli.progress import shown_progress

    progress: Progress = shown_progress(sys.stderr)
    if example:
        from ses_audit.replay.example_run import collect_example

        return lambda folder: collect_example(folder, progress)

    from ses_audit.collect.run import collect
    from ses_audit.errors import NOTHING_COLLECTED, UserError

    # A wrong value is refused before anything is written.
    asked = options_of(Path(), reading)

    def read(folder: Path) -> Snapshot:
        made = collect(replace(asked, snapshot=folder), progress)
        any_account = tell_gaps(made, asked.role_name)
        tell_assumptions(made)
        if not any_account:
            raise UserError("nothing was collected: no account could be read", NOTHING_COLLECTED)
        return made

    return read
