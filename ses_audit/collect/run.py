"""A run: the organization, each account, and at the end the tables."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ses_audit.collect.account import UNPROVEN
from ses_audit.collect.accounts import Accounts
from ses_audit.collect.aws import Aws
from ses_audit.collect.book import Book
from ses_audit.collect.call import now
from ses_audit.collect.errors import NothingToRead
from ses_audit.collect.on_executor import OnExecutor
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.organization import OrganizationReader
from ses_audit.collect.pace import Pace
from ses_audit.collect.pool import Pool
from ses_audit.collect.progress import Progress
from ses_audit.errors import USAGE, UserError
from ses_audit.snapshot.build import finish_snapshot, ready_tables
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.ledger import CoverageRow
from ses_audit.snapshot.organization_tables import Facts
from ses_audit.snapshot.plan import account_cells, region_cells
from ses_audit.snapshot.store import Snapshot, SnapshotWriter, create_snapshot

__all__ = ["check_filters", "collect", "how_many", "left_out", "ses_regions"]

# How many accounts a sentence names.
_NAMED = 5
# Calls at a time of an account that is a task of an executor.
_THREADS = 8
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)


def collect(options: CollectOptions, progress: Progress, pace: Pace | None = None) -> Snapshot:
    """Read an organization, or a lone account, into a snapshot.

    Every planned cell ends in one typed state; a failure of one account or region leaves the
    others alone. When the run is stopped, what was read is kept, and the same call goes on with
    it: only what is not read yet is asked.

    Parameters
    ----------
    options
        What to read, and with what.
    progress
        Told how it goes, from several threads.
    pace
        How fast; by default at the documented rates.

    Raises
    ------
    UserError
        Before anything is written: no credentials, or expired ones, a wrong profile, a partition
        without SES; and a filter that leaves nothing to read.
    SnapshotError
        When the snapshot cannot be written.
    """
    started = now()
    aws = Aws(options)
    caller = aws.caller
    regions = ses_regions(options, aws)
    with create_snapshot(
        options.snapshot,
        started_at=started,
        resume=True,
        caller=caller.as_manifest(),
        arguments=_arguments(options),
        profile=options.profile,
    ) as writer:
        run = _Run(options, aws, writer, progress, pace or Pace(), regions)
        try:
            run.read()
        except NothingToRead:
            run.book.close_all()
            writer.discard()
            raise
        finally:
            run.book.close_all()
            progress.end()
        return run.finish()


def ses_regions(options: CollectOptions, aws: Aws) -> tuple[str, ...]:
    """The regions that SES is in, in the caller's partition: ours, and those the SDK knows.

    Raises
    ------
    UserError
        When SES is not in the partition, or not in a region that was asked for.
    """
    partition = aws.caller.partition
    known = options.ses_regions(partition)
    if not known:
        raise UserError(
            f"Amazon SES is not in the partition {partition}: there is nothing to audit for "
            f"{aws.caller.arn}",
            USAGE,
        )
    found = tuple(sorted({*known, *aws.sdk_regions(partition)}))
    for region in options.regions:
        if region not in found:
            raise UserError(
                f"--region {region}: Amazon SES is not there in the partition {partition}; it is "
                f"in {', '.join(found)}",
                USAGE,
            )
    return found


def check_filters(options: CollectOptions, listed: Mapping[str, str], caller: str) -> None:
    """Refuse a filter that names what is not there, before an account is read."""
    named = {"--account": options.accounts, "--exclude-account": tuple(options.excluded)}
    for option, accounts in named.items():
        for account in accounts:
            if account not in listed and account != caller:
                raise NothingToRead(
                    f"{option} {account}: the organization has no such account; it has "
                    f"{len(listed):,}: `aws organizations list-accounts`",
                    USAGE,
                )


def left_out(account: str, options: CollectOptions, below: set[str] | None) -> str:
    """Why the filters leave an account out; "" where they do not.

    `below` are the accounts below the OUs that were asked for; None without such a filter.
    """
    if account in options.excluded:
        return options.excluded[account] or "excluded by --exclude-account"
    if options.accounts and account not in options.accounts:
        return "not among the accounts that were asked for"
    if below is not None and account not in below:
        return "not below the OUs that were asked for"
    return ""


def how_many(accounts: int, options: CollectOptions) -> tuple[int, int]:
    """(worker processes, calls at a time in each) for a number of accounts.

    More than 8 threads slow one process down once Python is the bound; few accounts are bound by
    latency, not by Python, and a process takes a second to start. 80 threads in all, for the 64
    calls at a time that the bound is computed for: some wait for their turn.
    """
    processes = options.processes
    if processes is None:
        processes = 0 if accounts < 24 else min(8, accounts // 12)
    return processes, options.workers or (min(16, 80 // processes or 1) if processes else 32)


class _Run:
    def __init__(
        self,
        options: CollectOptions,
        aws: Aws,
        writer: SnapshotWriter,
        progress: Progress,
        pace: Pace,
        regions: tuple[str, ...],
    ) -> None:
        self._options = options
        self._aws = aws
        self._writer = writer
        self._progress = progress
        self._pace = pace
        self._regions = regions
        self._lock = threading.Lock()
        self._queue: deque[str] = deque()
        self._known = False
        self._ready = False
        self._planned: set[str] = set()
        self._assumptions: list[str] = []
        self._pool: Pool | OnExecutor | None = None
        _, threads = how_many(0, options)
        self._accounts = Accounts(
            options, aws, writer, progress, pace, regions, self._feed, self._ended, threads
        )
        self.book: Book = self._accounts.book
        self._organization = OrganizationReader(self._accounts, aws.caller.account, self)

    def read(self) -> None:
        """Ask AWS for all that is not there yet."""
        caller, work = self._aws.caller.account, self._accounts.work
        self.book.open(caller)
        self._accounts.add(caller, self._organization.steps(), 1)
        try:
            work.run()
            if self._pool is not None:
                self._pool.join()
            self.book.open(caller)
            self._organization.look_again()
            work.run()
            self._organization.compare()
        finally:
            if self._pool is not None:
                self._pool.stop()

    def found(self, states: dict[str, str] | None) -> None:
        """Begin with the accounts: those of the organization, or the caller's alone."""
        caller = self._aws.caller.account
        if self._organization.listed is not None:
            check_filters(self._options, self._organization.listed, caller)
        found = dict(states or {})
        for account in [account for account in found if not _ACCOUNT.fullmatch(account)]:
            self._progress.note(f"not an account id, left out: {account[:40]}")
            del found[account]
        for account in (caller, *self._options.accounts):
            found.setdefault(account, "ACTIVE")
        begun = []
        for account, state in sorted(found.items()):
            if not self._aside(account, state):
                assume_role = account != caller
                self.book.plan(account_cells(account, assume_role=assume_role))
                self.book.plan(region_cells(account, None))
                begun.append(account)
            self._planned.add(account)
        if not begun:
            raise NothingToRead(
                f"no account is left to read: {len(found):,} known, all of them excluded or not "
                "active; see --account, --ou and --exclude-account",
                USAGE,
            )
        self._progress.begin(len(begun))
        others = [account for account in begun if account != caller]
        processes, threads = how_many(len(others), self._options)
        with self._lock:
            # The caller's own account is read here: its evidence holds the organization's too.
            elsewhere = bool(processes) or self._options.make_executor is not None
            self._queue.extend(set(begun) - set(others) if elsewhere else begun)
            self._known = True
        if self._options.make_executor is not None and others:
            workers = self._options.executor_workers
            self._pool = OnExecutor(
                self._options.make_executor,
                workers,
                {
                    **self._settings(self._options.workers or _THREADS, workers),
                    "sts_region": self._aws.sts_region,
                },
                self._aws.lend,
                self._progress,
                self._settled,
                self._lost,
            )
            self._pool.start(others)
        elif processes and others:
            workers = min(processes, len(others))
            self._pool = Pool(
                workers,
                self._settings(threads, workers),
                self._aws.lend,
                self._writer.lock,
                self._progress,
                self._settled,
                self._lost,
            )
            self._pool.start(others)
        if self._pool is None:
            self._make_ready()
        self._accounts.work.wake()

    def _make_ready(self) -> None:
        """Load what makes tables; not while workers start, which takes all there is."""
        if not self._ready:
            self._ready = True
            threading.Thread(target=ready_tables, name="tables").start()

    def _settings(self, threads: int, workers: int) -> dict[str, object]:
        """What a worker is told."""
        options: dict[str, Any] = {
            name: getattr(self._options, name)
            for name in ("profile", "role_name", "external_id", "session_name",
                         "source_identity", "regions", "read_since", "call_timeout")
        }  # fmt: skip
        return {
            # A worker may have another working folder.
            "options": {**options, "snapshot": str(self._writer.path.absolute())},
            "caller": asdict(self._aws.caller),
            "rates": self._pace.shared(workers),
            "ses_regions": self._regions,
            "threads": threads,
        }

    def _feed(self, idle: bool) -> bool:
        with self._lock:
            if not self._known:
                return True
            if self._queue and self._accounts.may_start(idle):
                self._accounts.start(self._queue.popleft())
            return bool(self._queue)

    def _ended(self, account: str) -> None:
        rows = self.book.rows(account)
        self._tell(account, rows, self.book.planned(account), len(self.book.missing(account)))

    def _settled(self, account: str, rows: list[CoverageRow], planned: int, missing: int) -> None:
        self._make_ready()
        self.book.settle(account, rows)
        self._tell(account, rows, planned, missing)

    def _tell(self, account: str, rows: list[CoverageRow], planned: int, missing: int) -> None:
        refused = any(
            row.operation == "AssumeRole" and row.state is State.ASSUME_FAILED for row in rows
        )
        self._progress.account(account, planned, missing, refused=refused)

    def _lost(self, account: str) -> None:
        self.book.mark(
            self.book.missing(account), State.NOT_ATTEMPTED, "the processes that read it died"
        )

    def _aside(self, account: str, state: str) -> bool:
        """Whether an account is not to be read; then its cells say why."""
        if state != "ACTIVE":
            ended, detail = State.NOT_AUDITED, f"its state is {state}"
        elif reason := left_out(account, self._options, self._organization.below):
            ended, detail = State.EXCLUDED, reason
        else:
            return False
        self.book.mark(self._cells(account), ended, detail)
        if account != self._aws.caller.account:
            # There may be many: they are held packed. The organization's cells are the caller's.
            self.book.settle(account, self.book.rows(account))
        return True

    def _cells(self, account: str) -> list[Any]:
        assume_role = account != self._aws.caller.account
        return account_cells(account, assume_role=assume_role) + region_cells(account, None)

    def joined(self, account: str, state: str) -> None:
        """An account is there that was not when the run began: the same command reads it."""
        if not _ACCOUNT.fullmatch(account):
            return
        self._planned.add(account)
        self.assume(f"Account {account} joined while the run went on")
        if not self._aside(account, state):
            self.book.mark(
                self._cells(account), State.NOT_ATTEMPTED, "it joined while the run went on"
            )

    def assume(self, sentence: str) -> None:
        """A sentence that every report shows."""
        self._assumptions.append(sentence)

    def finish(self) -> Snapshot:
        """Make the tables of all evidence."""
        for account in self._writer.accounts():
            # Read by an earlier run, and gone since: nothing that was found is deleted.
            if account not in self._planned:
                self.book.observe(account)
        self._assumptions += _unproven(self.book.ledger)
        organization: Facts | None = {"none": True} if self._organization.in_none else None
        return finish_snapshot(
            self._writer,
            self.book.ledger,
            self._options.check_document,
            taken_at=now(),
            caller=self._aws.caller.as_manifest(),
            organization=organization,
            arguments=_arguments(self._options),
            assumptions=self._assumptions,
            make_executor=self._options.make_executor,
            workers=self._options.executor_workers,
        )


def _unproven(rows: Iterable[CoverageRow]) -> list[str]:
    """A sentence of the accounts whose enabled regions no list tells."""
    accounts = [row.account_id for row in rows if row.detail.endswith(UNPROVEN)]
    if not accounts:
        return []
    named = ", ".join(accounts[:_NAMED])
    more = f" and {len(accounts) - _NAMED:,} more" if len(accounts) > _NAMED else ""
    plural = "s" if len(accounts) > 1 else ""
    return [
        (
            f"The enabled regions of account{plural} {named}{more} are not proven: neither "
            "account:ListRegions nor ec2:DescribeRegions was answered, so every region of SES was "
            "tried"
        )
    ]


def _arguments(options: CollectOptions) -> dict[str, object]:
    def texts(values: Iterable[str]) -> list[str]:
        return sorted(values)

    return {
        "command": "collect",
        "role_name": options.role_name,
        "accounts": texts(options.accounts),
        "exclude_accounts": texts(options.exclude_accounts),
        "units": texts(options.units),
        "regions": texts(options.regions),
    }
