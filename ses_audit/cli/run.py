"""`ses-audit run`: collect, decide, run the notebooks, write the report."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ses_audit.collect.progress import Progress
    from ses_audit.snapshot.store import Snapshot

_STOPPED = 130
# The organization's own options say nothing of a snapshot that is there already.
_COLLECTING = ("profile", "role_name", "external_id_env", "accounts", "excluded", "regions")


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
@click.option("--profile", metavar="NAME", help="Of the AWS configuration.")
@click.option(
    "--role-name",
    default="ses-audit",
    show_default=True,
    metavar="NAME",
    help="The audit role assumed in each account but the caller's own.",
)
@click.option(
    "--external-id-env",
    metavar="VARIABLE",
    help="The environment variable that holds the external id of the role.",
)
@click.option("--account", "accounts", multiple=True, metavar="ID", help="Only this (repeatable).")
@click.option(
    "--exclude-account", "excluded", multiple=True, metavar="ID", help="Not this (repeatable)."
)
@click.option("--region", "regions", multiple=True, metavar="NAME", help="Only this (repeatable).")
@click.option("--workers", type=click.IntRange(1, 64), default=8, show_default=True)
@click.pass_context
def run(
    context: click.Context,
    example: bool,
    snapshot: Path | None,
    out: Path,
    parameters: tuple[str, ...],
    notebooks: tuple[str, ...],
    keep: int | None,
    timeout: float | None,
    require_complete: bool,
    profile: str | None,
    role_name: str,
    external_id_env: str | None,
    accounts: tuple[str, ...],
    excluded: tuple[str, ...],
    regions: tuple[str, ...],
    workers: int,
) -> int:
    """Make a report of an organization, and print the path of its index.html.

    Reads the organization with the credentials of the AWS configuration, unless --example or
    --snapshot says otherwise. The report is a folder of its own below --out.
    """
    from ses_audit.report.audit_run import RunOptions, run_report
    from ses_audit.report.escape import terminal
    from ses_audit.report.parameters import assignments

    _refuse_both(context, example, snapshot)
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
            "role_name": role_name,
            "accounts": sorted(accounts),
            "exclude_accounts": sorted(excluded),
            "regions": sorted(regions),
            "keep": keep,
            "timeout": timeout,
            "require_complete": require_complete,
        },
        hidden=() if external_id_env is None else (external_id_env,),
    )

    def tell(text: str) -> None:
        click.echo(terminal(text), err=True)

    take = _snapshot_of(
        example, snapshot, profile, role_name, external_id_env, accounts, excluded, regions, workers
    )
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
        if (
            name in _COLLECTING
            and context.get_parameter_source(name) is not ParameterSource.DEFAULT
        ):
            raise UserError(
                f"{parameter.opts[-1]} is for reading an organization: leave it out, or {source}",
                USAGE,
            )


def _snapshot_of(
    example: bool,
    snapshot: Path | None,
    profile: str | None,
    role_name: str,
    external_id_env: str | None,
    accounts: tuple[str, ...],
    excluded: tuple[str, ...],
    regions: tuple[str, ...],
    workers: int,
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

    from ses_audit.audit.documents import check_document
    from ses_audit.cli.collect import any_account, external_id_of, tell_gaps
    from ses_audit.collect.options import CollectOptions
    from ses_audit.collect.run import collect
    from ses_audit.errors import NOTHING_COLLECTED, UserError
    from ses_audit.ses.regions import ses_regions
    from ses_audit.snapshot.coverage_tables import read_coverage

    external_id = external_id_of(external_id_env)

    def read(folder: Path) -> Snapshot:
        made = collect(
            CollectOptions(
                snapshot=folder,
                ses_regions=ses_regions,
                check_document=check_document,
                profile=profile,
                role_name=role_name,
                external_id=external_id,
                accounts=accounts,
                exclude_accounts=excluded,
                regions=regions,
                workers=workers,
            ),
            progress,
        )
        rows = read_coverage(made.table("coverage"))
        tell_gaps(rows, role_name)
        if not any_account(rows):
            raise UserError("nothing was collected: no account could be read", NOTHING_COLLECTED)
        return made

    return read
