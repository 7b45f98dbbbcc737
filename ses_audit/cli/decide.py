"""`ses-audit decide`: decide a snapshot's verdicts and keep them beside its tables."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.option(
    "--workers",
    type=click.IntRange(1, 512),
    help="Processes on this machine; by default one for each core, and none for a small snapshot.",
)
@click.option(
    "--dask",
    "address",
    metavar="local|ADDRESS",
    help="Use the workers of a Dask cluster, which read SNAPSHOT at the same path.",
)
@click.option("--again", is_flag=True, help="Decide even where verdicts of these tables are kept.")
def decide(snapshot: Path, workers: int | None, address: str | None, again: bool) -> int:
    """Decide SNAPSHOT's verdicts, so that every question after is answered from them.

    The verdicts are the same whatever the workers. The other commands decide by themselves what
    is not decided yet.
    """
    from ses_audit.audit.audit import ACTIONS
    from ses_audit.audit.columns import BATCH, Columns
    from ses_audit.audit.execute import decide_snapshot
    from ses_audit.audit.stored import VerdictWriter, has_verdicts
    from ses_audit.audit.workers import chosen, processes
    from ses_audit.snapshot.remote import upload_verdicts
    from ses_audit.snapshot.store import open_snapshot

    opened = open_snapshot(snapshot)
    if has_verdicts(opened) and not again:
        told = f"the verdicts of {opened.named} are decided already; --again decides them anew"
        click.echo(told)
        return 0
    make, count = chosen(workers, address)
    if make is None and len(Columns(opened).batches(BATCH)) > 1:
        make = processes(count)
    with VerdictWriter(opened) as writer:
        decide_snapshot(opened, ACTIONS, writer, make, count)
        writer.finish()
    upload_verdicts(opened)
    click.echo(f"decided: {opened.named}/verdicts")
    return 0
