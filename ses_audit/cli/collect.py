"""`ses-audit collect`: read an organization into a snapshot."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ses_audit.cli.reading import (
    options_of,
    reading_options,
    tell_assumptions,
    tell_gaps,
    totals_of,
)

if TYPE_CHECKING:
    from ses_audit.collect.options import CollectOptions
    from ses_audit.collect.progress import Progress


@click.command()
@click.argument("snapshot", type=click.Path(path_type=Path))
@reading_options
@click.option(
    "--refresh-older-than",
    "older_than",
    metavar="AGE",
    help="Ask again for what was read longer ago, such as 7d, 12h or 30m.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan; ask only for the accounts.")
@click.option("--require-complete", is_flag=True, help="Exit with 4 when a cell was not read.")
def collect(
    snapshot: Path,
    older_than: str | None,
    dry_run: bool,
    require_complete: bool,
    **reading: object,
) -> int:
    """Read an AWS organization, or a lone account, into SNAPSHOT.

    The credentials are those of the AWS configuration, best of the management account or a
    delegated administrator. What cannot be read is in the coverage, and the verdicts that need it
    are UNKNOWN. Stopped, or with gaps, the same command goes on: it asks only what is not read.
    """
    from ses_audit.cli.progress import shown_progress
    from ses_audit.cli.status import coverage_line
    from ses_audit.collect.run import collect as read
    from ses_audit.errors import INCOMPLETE, NOTHING_COLLECTED, UserError

    options = options_of(snapshot, reading, read_since=_since(older_than))
    if dry_run:
        _print_plan(options)
        return 0
    progress: Progress = shown_progress(sys.stderr)
    made = read(options, progress)
    counted = totals_of(made)
    any_account = tell_gaps(made, options.role_name)
    tell_assumptions(made)
    principals = made.table("principals", ["account_id"]).num_rows
    identities = made.table("identities", ["region"]).num_rows
    click.echo(f"{principals:,} principals, {identities:,} identities", err=True)
    click.echo(coverage_line(counted), err=True)
    if not any_account:
        raise UserError(
            f"nothing was collected: no account could be read; `ses-audit status {made.named}` "
            "tells why",
            NOTHING_COLLECTED,
        )
    click.echo(made.named)
    return INCOMPLETE if require_complete and not counted.complete else 0


def _since(age: str | None) -> str:
    """The time that lies so long ago, as evidence spells times."""
    from ses_audit.errors import USAGE, UserError

    if age is None:
        return ""
    match = re.fullmatch("([0-9]{1,5})([dhm])", age, re.ASCII)
    if match is None:
        raise UserError(
            f"--refresh-older-than {age[:20]}: a number and d, h or m, such as 7d", USAGE
        )
    unit = {"d": "days", "h": "hours", "m": "minutes"}[match[2]]
    then = datetime.now(UTC) - timedelta(**{unit: int(match[1])})
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _print_plan(options: CollectOptions) -> None:
    from ses_audit.collect.estimate import LATENCY
    from ses_audit.collect.preview import preview
    from ses_audit.collect.reference import session_policy
    from ses_audit.escape import terminal
    from ses_audit.ses.regions import opt_in_regions

    plan = preview(options, opt_in=opt_in_regions)
    most = f", {plan.most:,} where every opt-in region is on" if plan.most > plan.calls else ""
    more = "one more for each identity, user, access key and OU, two for each policy"
    rates = f"at the documented rates and {LATENCY * 1000:.0f} ms a call"
    lines = [
        f"caller: {plan.caller.arn}",
        f"accounts: {len(plan.accounts):,} to read, {len(plan.aside):,} not",
        *(f"  {account}: {reason}" for account, reason in plan.aside.items()),
        f"regions: {len(plan.regions):,}: {', '.join(plan.regions)}",
        f"calls: {plan.calls:,} at least{most}; {more}",
        f"time: {_duration(plan.bound.seconds)} at least, {rates}",
        f"role in each account: {options.role_name}",
        f"its policy: {session_policy()}",
    ]
    if plan.note:
        lines.insert(1, plan.note)
    for line in lines:
        click.echo(terminal(line))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min"
