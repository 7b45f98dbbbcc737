"""`ses-audit who-can`: who can send from one identity."""

from __future__ import annotations

from pathlib import Path

import click

from ses_audit.cli.output import FORMATS, write_frame

UNEXPECTED = 1


@click.command("who-can")
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.argument("identity")
@click.option("--action", help="Only this action, such as ses:SendRawEmail.")
@click.option("--format", "kind", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="A file instead of standard output.")
@click.option(
    "--expect",
    multiple=True,
    metavar="ARN",
    help="A principal that may; exit 1 when anyone else can, or might (repeatable).",
)
def who_can(
    snapshot: Path,
    identity: str,
    action: str | None,
    kind: str,
    out: Path | None,
    expect: tuple[str, ...],
) -> int:
    """Who can send from IDENTITY (an ARN or a name), or might: every row that is not DENIED."""
    import ses_audit

    audit = ses_audit.open(snapshot)
    frame = audit.who_can_send(identity, action=action)
    known = audit.summary().principals
    people = frame["principal_arn"].nunique()
    columns = [
        "principal_arn",
        "identity_arn",
        "action",
        "verdict",
        "conditions",
        "missing_evidence",
        "smtp",
    ]
    write_frame(frame, kind, out, columns, f"{people:,} of {known:,} principals")
    if expect:
        surprising = sorted(set(frame["principal_arn"].astype(str)) - set(expect))
        if surprising:
            click.echo(f"not expected: {', '.join(surprising)}", err=True)
            return UNEXPECTED
    return 0
