"""`ses-audit collect`: read an organization into a snapshot."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ses_audit.collect.options import CollectOptions
    from ses_audit.collect.progress import Progress
    from ses_audit.snapshot.ledger import CoverageRow

_SHOWN = 5


@click.command()
@click.argument("snapshot", type=click.Path(path_type=Path))
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
    "--accounts-file",
    type=click.Path(path_type=Path),
    help="Only those of a file: an id a line; what follows # is left out.",
)
@click.option("--ou", "units", multiple=True, metavar="ID", help="Only below this (repeatable).")
@click.option(
    "--exclude-account",
    "excluded",
    multiple=True,
    metavar="ID[=REASON]",
    help="Not this (repeatable); the reason stays visible.",
)
@click.option("--region", "regions", multiple=True, metavar="NAME", help="Only this (repeatable).")
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Calls at a time in each process. [64 in all]"
)
@click.option(
    "--processes",
    type=click.IntRange(0, 64),
    help="Worker processes; 0 reads everything in one. [one for 12 accounts, at most 8]",
)
@click.option(
    "--session-name",
    default="ses-audit",
    show_default=True,
    metavar="NAME",
    help="Of the role sessions, as CloudTrail shows it.",
)
@click.option("--source-identity", metavar="NAME", help="Of the role sessions.")
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
    profile: str | None,
    role_name: str,
    external_id_env: str | None,
    accounts: tuple[str, ...],
    accounts_file: Path | None,
    units: tuple[str, ...],
    excluded: tuple[str, ...],
    regions: tuple[str, ...],
    workers: int | None,
    processes: int | None,
    session_name: str,
    source_identity: str | None,
    older_than: str | None,
    dry_run: bool,
    require_complete: bool,
) -> int:
    """Read an AWS organization, or a lone account, into SNAPSHOT.

    The credentials are those of the AWS configuration, best of the management account or a
    delegated administrator. What cannot be read is in the coverage, and the verdicts that need it
    are UNKNOWN. Stopped, or with gaps, the same command goes on: it asks only what is not read.
    """
    from ses_audit.audit.documents import check_document
    from ses_audit.cli.progress import shown_progress
    from ses_audit.cli.status import coverage_line
    from ses_audit.collect.options import CollectOptions
    from ses_audit.collect.run import collect as read
    from ses_audit.errors import INCOMPLETE, NOTHING_COLLECTED, UserError
    from ses_audit.ses.regions import ses_regions
    from ses_audit.snapshot.coverage_tables import read_coverage
    from ses_audit.snapshot.ledger import totals

    options = CollectOptions(
        snapshot=snapshot,
        ses_regions=ses_regions,
        check_document=check_document,
        profile=profile,
        role_name=role_name,
        external_id=external_id_of(external_id_env),
        accounts=(*accounts, *_account_file(accounts_file)),
        exclude_accounts=excluded,
        units=units,
        session_name=session_name,
        source_identity=source_identity,
        read_since=_since(older_than),
        regions=regions,
        workers=workers,
        processes=processes,
    )
    if dry_run:
        _print_plan(options)
        return 0
    progress: Progress = shown_progress(sys.stderr)
    made = read(options, progress)
    rows = read_coverage(made.table("coverage"))
    counted = totals(rows)
    tell_gaps(rows, role_name)
    principals = made.table("principals").num_rows
    identities = made.table("identities").num_rows
    click.echo(f"{principals:,} principals, {identities:,} identities", err=True)
    click.echo(coverage_line(counted), err=True)
    if not any_account(rows):
        raise UserError(
            f"nothing was collected: no account could be read; `ses-audit status {snapshot}` "
            "tells why",
            NOTHING_COLLECTED,
        )
    click.echo(str(made.path))
    return INCOMPLETE if require_complete and not counted.complete else 0


def external_id_of(variable: str | None) -> str | None:
    from ses_audit.errors import USAGE, UserError

    if variable is None:
        return None
    value = os.environ.get(variable)
    if not value:
        raise UserError(
            f"--external-id-env: the environment variable {variable[:80]} is not set", USAGE
        )
    return value


def _account_file(path: Path | None) -> list[str]:
    from ses_audit.errors import USAGE, UserError

    if path is None:
        return []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UserError(f"--accounts-file: cannot read {path}: {reason}", USAGE) from error
    found = [line.partition("#")[0].strip() for line in lines]
    for number, account in enumerate(found, 1):
        if account and not re.fullmatch("[0-9]{12}", account, re.ASCII):
            raise UserError(
                f"--accounts-file: line {number} of {path} is not an account id: {account[:40]!r}",
                USAGE,
            )
    if not any(found):
        raise UserError(f"--accounts-file: {path} names no account", USAGE)
    return [account for account in found if account]


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

    plan = preview(options)
    more = "one more for each identity, user, access key and OU, two for each policy"
    rates = f"at the documented rates and {LATENCY * 1000:.0f} ms a call"
    lines = [
        f"caller: {plan.caller.arn}",
        f"accounts: {len(plan.accounts):,} to read, {len(plan.aside):,} not",
        *(f"  {account}: {reason}" for account, reason in plan.aside.items()),
        f"regions: {len(plan.regions):,}: {', '.join(plan.regions)}",
        f"calls: {plan.calls:,} at least; {more}",
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


def any_account(rows: list[CoverageRow]) -> bool:
    return any(
        row.service in ("iam", "account", "sesv2") and row.state.value == "OK" for row in rows
    )


def tell_gaps(rows: list[CoverageRow], role_name: str) -> None:
    """A line for each account that refused the role, and for other gaps; the first of them."""
    from ses_audit.escape import terminal

    refused = [
        row for row in rows if row.operation == "AssumeRole" and row.state == "ASSUME_FAILED"
    ]
    tried = [
        row
        for row in rows
        if row.operation == "AssumeRole" and row.state.value not in ("EXCLUDED", "NOT_AUDITED")
    ]
    if refused and len(refused) == len(tried) > 1:
        click.echo(
            f"not read: the role {role_name} could not be assumed in any of {len(tried):,} "
            "accounts: it must exist there (deploy/stackset.yaml makes it) and trust the caller; "
            f"the first: {terminal(refused[0].detail)}",
            err=True,
        )
        refused = []
    for row in refused[:_SHOWN]:
        click.echo(
            f"not read: account {row.account_id}: its role {role_name} could not be assumed: "
            f"{terminal(row.detail)}",
            err=True,
        )
    if len(refused) > _SHOWN:
        click.echo(f"not read: {len(refused) - _SHOWN:,} more accounts", err=True)
    aside = {"ASSUME_FAILED", "EXCLUDED", "NOT_AUDITED", "NOT_ATTEMPTED"}
    gaps = [
        row
        for row in rows
        if not row.argument and not row.state.is_evidence and row.state.value not in aside
    ]
    for row in gaps[:_SHOWN]:
        click.echo(f"not read: {terminal(row.text)}: {terminal(row.detail)}", err=True)
    if len(gaps) > _SHOWN:
        click.echo(f"not read: {len(gaps) - _SHOWN:,} more cells: `ses-audit status`", err=True)
