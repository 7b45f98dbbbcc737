"""`ses-audit verdicts`: the long table, one row a (principal, identity, action)."""

from __future__ import annotations

from pathlib import Path

import click

from ses_audit.cli.output import FORMATS, write_frame


@click.command()
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="A file instead of standard output.")
@click.option("--principal", help="Only this principal: its ARN, or a part of it.")
@click.option("--account", help="Only principals of this account.")
@click.option("--identity", help="Only this identity: its ARN or its name.")
@click.option("--region", help="Only identities of this region.")
@click.option("--action", help="Only this action, such as ses:SendRawEmail.")
@click.option("--verdict", help="Only ALLOWED, CONDITIONAL, DENIED or UNKNOWN; several by comma.")
@click.option(
    "--all",
    "unrelated",
    is_flag=True,
    help="Also cross-account rows that are denied for lack of a grant.",
)
def verdicts(
    snapshot: Path,
    kind: str,
    out: Path | None,
    principal: str | None,
    account: str | None,
    identity: str | None,
    region: str | None,
    action: str | None,
    verdict: str | None,
    unrelated: bool,
) -> None:
    """Who can send from which identity, and what stops the others.

    A table on a terminal shows the columns a person reads; csv, json and parquet hold them all.
    """
    import ses_audit
    from ses_audit.audit.spread import class_counts

    audit = ses_audit.open(snapshot)
    frame = audit.verdicts(
        principal=principal,
        account=account,
        identity=identity,
        region=region,
        action=action,
        verdict=verdict,
        unrelated=unrelated,
    )
    every = int(class_counts(audit.verdict_tables).sum()) if unrelated else None
    total = audit.summary().cells if every is None else every
    columns = [
        "principal_arn",
        "identity_arn",
        "action",
        "verdict",
        "verdict_without_scp",
        "denied_by",
        "denied_policies",
        "conditions",
        "missing_evidence",
    ]
    write_frame(frame, kind, out, columns, f"{len(frame):,} of {total:,} cells")
