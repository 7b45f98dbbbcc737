"""`ses-audit replay`: AWS on loopback, from recorded answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ses_audit.replay.recording import Recording


@click.command()
@click.argument("directory", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True)
@click.option(
    "--print-env", is_flag=True, help="Print the variables to export, then serve until stopped."
)
@click.option(
    "--conditions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A JSON file of page sizes, latency, rates and faults.",
)
@click.option("--account", metavar="ID", help="Whose credentials to start with.")
@click.option(
    "--generate",
    metavar="SIZE",
    help="Serve an organization made up from a seed: accounts=100,principals=50,seed=1 "
    "(docs/scale.md). With --to, nothing is served.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="SNAPSHOT",
    help="With --generate: write its tables as a new snapshot.",
)
@click.option(
    "--evidence",
    is_flag=True,
    help="With --to: write what AWS would answer, and make the tables of that.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 512),
    help="With --evidence: processes that make the tables. [this one alone]",
)
def replay(
    directory: Path | None,
    port: int,
    print_env: bool,
    conditions: Path | None,
    account: str | None,
    generate: str | None,
    to: Path | None,
    evidence: bool,
    workers: int | None,
) -> int:
    """Serve DIR, a snapshot or an import directory, to boto3 and the AWS CLI on 127.0.0.1.

    Without DIR the example organization is served. Stop with Ctrl-C.
    """
    from ses_audit.errors import USAGE, UserError
    from ses_audit.replay.faults import read_conditions
    from ses_audit.replay.server import environment, serve

    if to is not None:
        return _write_generated(generate, to, evidence, workers)
    if evidence:
        raise UserError("--evidence needs --to: a snapshot to write it in", USAGE)
    weather = read_conditions(conditions) if conditions is not None else None
    recording = _recording(directory, account, generate)
    server = serve(recording, port, weather)
    with server:
        if print_env:
            wanted = environment(server.url, recording.caller_account)
            # A profile, or the endpoint of one service, would win over these.
            for name in sorted(os.environ):
                if name.startswith("AWS_") and name not in wanted:
                    click.echo(f"unset {name}")
            for name, value in wanted.items():
                click.echo(f"export {name}={value}")
        else:
            click.echo(server.url)
        sys.stdout.flush()
        click.echo("serving until Ctrl-C", err=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            click.echo(f"{sum(server.calls.values()):,} calls served", err=True)
    return 0


def _write_generated(generate: str | None, to: Path, evidence: bool, workers: int | None) -> int:
    from ses_audit.audit.documents import check_document
    from ses_audit.audit.workers import processes
    from ses_audit.errors import USAGE, UserError
    from ses_audit.replay.generate import TAKEN, Generated, parse_size
    from ses_audit.replay.generate_records import write_snapshot
    from ses_audit.replay.generate_tables import write_tables
    from ses_audit.snapshot.files import local_path
    from ses_audit.snapshot.places import address
    from ses_audit.snapshot.remote import publish

    if generate is None:
        raise UserError("--to needs --generate: it writes what is generated", USAGE)
    size = parse_size(generate)
    place = address(to)
    if place is None:
        to = local_path(to)
    if place is None and to.exists():
        raise UserError(f"{to} exists: name a new folder", USAGE)
    with TemporaryDirectory(prefix="ses-audit-") as temporary:
        folder = to if place is None else Path(temporary) / "snapshot"
        if evidence:
            make = None if workers is None else processes(workers)
            write_snapshot(folder, Generated(size), check_document, make, workers or 1)
        else:
            write_tables(folder, Generated(size), check_document)
        if place is not None:
            publish(folder, place, TAKEN)
    shown = to if place is None else place
    click.echo(f"{size.accounts:,} accounts of {size.principals:,} principals: {shown}")
    return 0


def _recording(
    directory: Path | None, account: str | None, generate: str | None = None
) -> Recording:
    from ses_audit.errors import USAGE, UserError
    from ses_audit.replay.example import example_records
    from ses_audit.replay.recording import Recording
    from ses_audit.snapshot.files import local_path
    from ses_audit.snapshot.import_directory import read_import
    from ses_audit.snapshot.places import address
    from ses_audit.snapshot.store import open_snapshot

    if generate is not None:
        from ses_audit.replay.generate import Generated, parse_size
        from ses_audit.replay.generate_records import generated_records

        recording = Recording(generated_records(Generated(parse_size(generate))), account)
    elif directory is None:
        recording = Recording(example_records(), account)
    elif address(directory) or (local_path(directory) / "manifest.json").exists():
        snapshot = open_snapshot(directory)
        caller = snapshot.manifest.get("caller")
        own = caller.get("account") if isinstance(caller, dict) else None
        records = (record for name in snapshot.accounts() for record in snapshot.evidence(name))
        recording = Recording(records, account or (str(own) if own else None))
    else:
        recording = Recording(read_import(directory).records, account)
    if account is not None and account not in recording.accounts:
        raise UserError(
            f"nothing is recorded of account {account[:40]}; "
            f"one of {', '.join(sorted(recording.accounts)[:5])}",
            USAGE,
        )
    return recording
