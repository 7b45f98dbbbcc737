"""What `collect` and `run` share: how to read an organization, and what to say of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ses_audit.collect.options import CollectOptions
    from ses_audit.snapshot.ledger import CoverageRow, Totals
    from ses_audit.snapshot.opened import Snapshot

__all__ = [
    "READING",
    "options_of",
    "reading_options",
    "tell_assumptions",
    "tell_gaps",
    "totals_of",
]

Command = TypeVar("Command", bound=Callable[..., Any])

_SHOWN = 5
# A worker waits for answers most of the time.
_ACCOUNTS_AT_A_TIME = 4
_PROTECTED = re.compile(r"tls://|wss://|inproc://|(tcp://)?(127\.0\.0\.1|localhost|\[::1\])(:|$)")
_OPTIONS = (
    click.option("--profile", metavar="NAME", help="Of the AWS configuration."),
    click.option(
        "--role-name",
        default="ses-audit",
        show_default=True,
        metavar="NAME",
        help="The audit role assumed in each account but the caller's own.",
    ),
    click.option(
        "--external-id-env",
        metavar="VARIABLE",
        help="The environment variable that holds the external id of the role.",
    ),
    click.option(
        "--account", "accounts", multiple=True, metavar="ID", help="Only this (repeatable)."
    ),
    click.option(
        "--accounts-file",
        type=click.Path(path_type=Path),
        help="Only those of a file: an id a line; what follows # is left out.",
    ),
    click.option(
        "--ou", "units", multiple=True, metavar="ID", help="Only below this (repeatable)."
    ),
    click.option(
        "--exclude-account",
        "excluded",
        multiple=True,
        metavar="ID[=REASON]",
        help="Not this (repeatable); the reason stays visible.",
    ),
    click.option(
        "--region", "regions", multiple=True, metavar="NAME", help="Only this (repeatable)."
    ),
    click.option(
        "--workers", type=click.IntRange(1, 64), help="Calls at a time in each process. [64 in all]"
    ),
    click.option(
        "--processes",
        type=click.IntRange(0, 64),
        help="Worker processes; 0 reads everything in one. [one for 12 accounts, at most 8]",
    ),
    click.option(
        "--dask",
        "address",
        metavar="local|ADDRESS",
        help="Read accounts and make their tables on a Dask cluster, with --processes workers: "
        "they write SNAPSHOT at the same path, and are given the caller's credentials.",
    ),
    click.option(
        "--session-name",
        default="ses-audit",
        show_default=True,
        metavar="NAME",
        help="Of the role sessions, as CloudTrail shows it.",
    ),
    click.option("--source-identity", metavar="NAME", help="Of the role sessions."),
    click.option(
        "--call-timeout",
        type=click.FloatRange(0, 600, min_open=True),
        default=60.0,
        metavar="SECONDS",
        help="Give a call up that has no answer for so long. [60]",
    ),
)

READING = (
    "profile",
    "role_name",
    "external_id_env",
    "accounts",
    "accounts_file",
    "units",
    "excluded",
    "regions",
    "workers",
    "processes",
    "address",
    "session_name",
    "source_identity",
    "call_timeout",
)
"""The names of the options, as a command takes them."""


def reading_options(command: Command) -> Command:
    """Give a command the options that say how to read an organization."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_of(
    snapshot: Path, reading: Mapping[str, Any], *, read_since: str = ""
) -> CollectOptions:
    """What `collect` is asked to do, from a command's options.

    Parameters
    ----------
    snapshot
        The folder to read into.
    reading
        The options by the names of `READING`.
    read_since
        What was read before this time is asked again.

    Raises
    ------
    UserError
        For a value that cannot be one.
    """
    from ses_audit.audit.documents import check_document
    from ses_audit.collect.options import CollectOptions
    from ses_audit.ses.regions import ses_regions

    given = dict(reading)
    address = given.pop("address")
    if address is not None:
        given |= _on_cluster(address, given["processes"] or os.cpu_count() or 1)
    return CollectOptions(
        snapshot=snapshot,
        ses_regions=ses_regions,
        check_document=check_document,
        external_id=_external_id(given.pop("external_id_env")),
        accounts=(*given.pop("accounts"), *_account_file(given.pop("accounts_file"))),
        exclude_accounts=given.pop("excluded"),
        read_since=read_since,
        **given,
    )


def _on_cluster(address: str, workers: int) -> dict[str, object]:
    """The options that read on a Dask cluster; each worker reads a few accounts at a time."""
    from ses_audit.audit.workers import dask
    from ses_audit.errors import USAGE, UserError

    if address != "local" and not _PROTECTED.match(address):
        raise UserError(
            f"--dask {address[:80]}: the caller's credentials would cross the network as they "
            "are: name a scheduler by tls://, one on 127.0.0.1, or `local`",
            USAGE,
        )
    make = dask(address, workers, _ACCOUNTS_AT_A_TIME)
    # Whether it can be had is known before anything is read.
    if address != "local":
        make().shutdown()
    return {
        "make_executor": make,
        "executor_workers": workers * _ACCOUNTS_AT_A_TIME,
    }


def _external_id(variable: str | None) -> str | None:
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
        lines = path.read_text("utf-8-sig").splitlines()
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


def tell_assumptions(made: Snapshot) -> None:
    """A line for each sentence that every report shows, such as an account that joined."""
    from ses_audit.escape import terminal

    assumptions = made.manifest.get("assumptions")
    for sentence in assumptions if isinstance(assumptions, list) else ():
        click.echo(f"note: {terminal(str(sentence))}", err=True)


def totals_of(made: Snapshot) -> Totals:
    """How much of the plan a finished snapshot has read."""
    from ses_audit.snapshot.ledger import Totals

    counted = made.manifest["coverage"]
    assert isinstance(counted, dict)
    return Totals(counted["planned"], counted["read"], counted["by_state"])


def tell_gaps(made: Snapshot, role_name: str) -> bool:
    """A line for each account that refused the role, and for other gaps; the first of them.

    Returns
    -------
    bool
        Whether anything of any account was read.
    """
    from ses_audit.snapshot.coverage_tables import coverage_rows

    read = False
    telling = []
    for row in coverage_rows(made.table("coverage")):
        of_account = row.service in ("iam", "account", "sesv2")
        read = read or (of_account and row.state.value == "OK")
        if row.argument or row.operation == "AssumeRole" or not row.state.is_evidence:
            telling.append(row)
    _tell_rows(telling, role_name)
    return read


def _tell_rows(rows: list[CoverageRow], role_name: str) -> None:
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
    gone = [row for row in rows if row.argument and row.state.is_evidence]
    for row in gone[:_SHOWN]:
        click.echo(f"gone meanwhile: {terminal(row.text)}: {terminal(row.detail)}", err=True)
    if len(gone) > _SHOWN:
        click.echo(f"gone meanwhile: {len(gone) - _SHOWN:,} more: `ses-audit status`", err=True)
