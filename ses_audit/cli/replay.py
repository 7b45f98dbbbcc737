"""`ses-audit replay`: AWS on loopback, from recorded answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
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
def replay(
    directory: Path | None,
    port: int,
    print_env: bool,
    conditions: Path | None,
    account: str | None,
) -> int:
    """Serve DIR, a snapshot or an import directory, to boto3 and the AWS CLI on 127.0.0.1.

    Without DIR the example organization is served. Stop with Ctrl-C.
    """
    from ses_audit.replay.faults import read_conditions
    from ses_audit.replay.server import environment, serve

    weather = read_conditions(conditions) if conditions is not None else None
    recording = _recording(directory, account)
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


def _recording(directory: Path | None, account: str | None) -> Recording:
    from ses_audit.errors import USAGE, UserError
    from ses_audit.replay.example import example_records
    from ses_audit.replay.recording import Recording
    from ses_audit.snapshot.import_directory import read_import
    from ses_audit.snapshot.store import open_snapshot

    if directory is None:
        recording = Recording(example_records(), account)
    elif (directory / "manifest.json").exists():
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
