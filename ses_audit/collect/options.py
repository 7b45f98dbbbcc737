"""What a run is asked to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ses_audit.errors import USAGE, UserError
from ses_audit.snapshot.fan_out import MakeExecutor

__all__ = ["CollectOptions"]

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}", re.ASCII)
_UNIT = re.compile(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}", re.ASCII)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_SESSION = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_ROLE = re.compile(r"[\w+=,.@/-]{1,512}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """The arguments of `collect`.

    Parameters
    ----------
    snapshot
        The folder to make, or to go on with.
    ses_regions
        Partition → the regions that SES is in (`ses.regions.ses_regions`).
    check_document
        Says why a policy text is malformed, or None (`audit.documents.check_document`).
    profile
        Of the AWS configuration; None for the default chain.
    role_name
        The role assumed in each account but the caller's own, with its path if it has one.
    external_id
        Passed to AssumeRole; never stored or shown.
    session_name, source_identity
        Of the role sessions; they stand in CloudTrail.
    read_since
        ISO 8601, UTC: what an earlier run read before this time is read again; "" for nothing.
    accounts, units, regions
        Only these accounts, only accounts below these OUs, only these regions; what is left out
        stays in the plan as `EXCLUDED`.
    exclude_accounts
        Not these: `ID` or `ID=REASON`; the reason stays visible in the coverage.
    workers
        Calls at a time in each process; None for what suits the number of accounts.
    processes
        Worker processes; None for what suits, 0 to read everything in this one.
    make_executor, executor_workers
        Makes an executor (`snapshot.fan_out`) on which accounts are read and their tables made,
        and how many workers it has; None for worker processes of this machine.
    call_timeout
        Seconds after which a call that has no answer is given up.

    Raises
    ------
    UserError
        For a value that cannot be one.
    """

    snapshot: Path
    ses_regions: Callable[[str], Sequence[str]] = field(repr=False)
    check_document: Callable[[str], str | None] = field(repr=False)
    profile: str | None = None
    role_name: str = "ses-audit"
    external_id: str | None = field(default=None, repr=False)
    accounts: tuple[str, ...] = ()
    exclude_accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    session_name: str = "ses-audit"
    source_identity: str | None = None
    read_since: str = ""
    workers: int | None = None
    processes: int | None = None
    call_timeout: float = 60.0
    make_executor: MakeExecutor | None = field(default=None, repr=False)
    executor_workers: int = 1

    @property
    def excluded(self) -> dict[str, str]:
        """Account → why it is not read; "" where no reason was given."""
        parted = (given.partition("=") for given in self.exclude_accounts)
        return {account: " ".join(reason.split()) for account, _, reason in parted}

    def __post_init__(self) -> None:
        for account in (*self.accounts, *self.excluded):
            if not _ACCOUNT.fullmatch(account):
                raise UserError(f"{account[:40]!r} is not an account id: twelve digits", USAGE)
        for region in self.regions:
            if not _REGION.fullmatch(region):
                raise UserError(f"{region[:40]!r} is not a region, such as eu-west-1", USAGE)
        for name in (self.session_name, self.source_identity):
            if name is not None and not _SESSION.fullmatch(name):
                raise UserError(
                    f"{name[:80]!r} is no session name or source identity: 2 to 64 of letters, "
                    "digits and _+=,.@-",
                    USAGE,
                )
        if self.external_id is not None and not _EXTERNAL.fullmatch(self.external_id):
            # It is not shown.
            raise UserError(
                "the external id cannot be one: 2 to 1,224 of letters, digits and _+=,.@:/-", USAGE
            )
        for unit in self.units:
            if not _UNIT.fullmatch(unit):
                raise UserError(
                    f"{unit[:60]!r} is not an OU's id, such as ou-ab12-11111111, or a root's", USAGE
                )
        if both := sorted(set(self.accounts) & set(self.excluded)):
            raise UserError(f"account {both[0]} is both named and excluded", USAGE)
        if not _ROLE.fullmatch(self.role_name) or self.role_name.startswith("/"):
            raise UserError(
                f"{self.role_name[:60]!r} is not a role's name: give the name, not the ARN", USAGE
            )
        if self.workers is not None and not 1 <= self.workers <= 64:
            raise UserError(f"{self.workers} workers: between 1 and 64", USAGE)
        if self.processes is not None and not 0 <= self.processes <= 64:
            raise UserError(f"{self.processes} processes: between 0 and 64", USAGE)
