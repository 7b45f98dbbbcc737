"""`ses-audit import`: a snapshot from AWS CLI output, with no AWS access."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

_SHOWN = 5


@click.command("import")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.option(
    "--no-organization",
    is_flag=True,
    help="State that no organization, so no service control policy, applies.",
)
@click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="ARN",
    help="An identity to ask about, named by hand; taken without sending policies and without a "
    "default configuration set (repeatable).",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 512),
    help="Processes of this machine that make the tables. [this one alone]",
)
@click.option(
    "--dask",
    "cluster",
    metavar="local|ADDRESS",
    help="Make the tables on the workers of a Dask cluster, which see SNAPSHOT at the same path.",
)
@click.option(
    "--require-complete", is_flag=True, help="Exit with 4 when something was not in the files."
)
def import_(
    directory: Path,
    snapshot: Path,
    no_organization: bool,
    identities: tuple[str, ...],
    workers: int | None,
    cluster: str | None,
    require_complete: bool,
) -> int:
    """Make SNAPSHOT from the output of `aws ... --output json` in DIR.

    DIR holds ACCOUNT/REGION/SERVICE.OPERATION[.ARGUMENT].json files, or is one
    get-account-authorization-details.json. What is not there is not attempted, and the verdicts
    that need it are UNKNOWN.
    """
    from ses_audit.audit.documents import check_document
    from ses_audit.audit.workers import chosen
    from ses_audit.cli.status import coverage_line
    from ses_audit.errors import INCOMPLETE
    from ses_audit.escape import terminal
    from ses_audit.ses.regions import ses_regions
    from ses_audit.snapshot.build import append_records, finish_snapshot
    from ses_audit.snapshot.import_directory import read_import
    from ses_audit.snapshot.store import create_snapshot

    started = _now()
    make, count = chosen(workers, cluster)
    found = read_import(
        directory,
        no_organization=no_organization,
        identities=identities,
        ses_regions=ses_regions(),
    )
    with create_snapshot(snapshot, started_at=started) as writer:
        append_records(writer, found.records)
        made = finish_snapshot(
            writer,
            found.ledger,
            check_document,
            taken_at=_now(),
            organization=found.organization,
            arguments={
                "command": "import",
                "directory": str(directory),
                "no_organization": no_organization,
                "identities": list(identities),
            },
            assumptions=found.assumptions,
            given=found.given,
            make_executor=make,
            workers=count,
        )
    for path, why in found.unused[:_SHOWN]:
        click.echo(f"not used: {terminal(str(path))}: {terminal(why)}", err=True)
    if len(found.unused) > _SHOWN:
        click.echo(f"not used: {len(found.unused) - _SHOWN:,} more files", err=True)
    for row in found.ledger:
        if row.state == "MALFORMED":
            click.echo(f"malformed: {terminal(row.text)}: {terminal(row.detail)}", err=True)
    totals = found.ledger.totals()
    principals = made.table("principals", ["account_id"]).num_rows
    identity_rows = made.table("identities", ["region"]).num_rows
    click.echo(f"{principals:,} principals, {identity_rows:,} identities", err=True)
    click.echo(coverage_line(totals), err=True)
    click.echo(made.named)
    return INCOMPLETE if require_complete and not totals.complete else 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
