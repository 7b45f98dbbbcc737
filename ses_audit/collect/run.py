"""A run: the organization, each account, and at the end the tables."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ses_audit.collect.account import AccountReader
from ses_audit.collect.aws import Aws
from ses_audit.collect.book import Book
from ses_audit.collect.call import Call, now
from ses_audit.collect.errors import NothingToRead
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.organization import OrganizationReader
from ses_audit.collect.pace import Pace
from ses_audit.collect.progress import Progress
from ses_audit.collect.work import Steps, Work
from ses_audit.errors import USAGE
from ses_audit.snapshot.build import finish_snapshot
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.organization_tables import Facts
from ses_audit.snapshot.plan import account_cells, region_cells
from ses_audit.snapshot.store import Snapshot, SnapshotWriter, create_snapshot

__all__ = ["collect"]

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
        Before anything is written: no credentials, or expired ones, a wrong profile.
    SnapshotError
        When the snapshot cannot be written.
    """
    started = now()
    aws = Aws(options)
    caller = aws.caller
    regions = _ses_regions(options, aws, caller.partition)
    with create_snapshot(
        options.snapshot,
        started_at=started,
        resume=True,
        caller=caller.as_manifest(),
        arguments=_arguments(options),
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
        return run.finish(writer)


def _ses_regions(options: CollectOptions, aws: Aws, partition: str) -> tuple[str, ...]:
    return tuple(sorted({*options.ses_regions(partition), *aws.sdk_regions(partition)}))


class _Run:
    def __init__(
        self,
        options: CollectOptions,
        aws: Aws,
        writer: SnapshotWriter,
        progress: Progress,
        pace: Pace,
        ses_regions: tuple[str, ...],
    ) -> None:
        self.options = options
        self.aws = aws
        self.book = Book(writer)
        self.progress = progress
        self._ses_regions = ses_regions
        self._work = Work(aws.ask, self._settle, aws.renew, pace, options.workers)
        self._left: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._accounts: dict[str, AccountReader] = {}
        self._organization = OrganizationReader(self, aws.caller.account, self._found)
        self._assumptions: list[str] = []
        if not ses_regions:
            self._assumptions.append(
                f"Amazon SES is not offered in the partition {aws.caller.partition}"
            )

    def add(self, account: str, steps: Steps, size: int) -> None:
        """More work of an account."""
        with self._lock:
            self._left[account] += 1
        self._work.add(steps, size, lambda: self._done(account))

    def _done(self, account: str) -> None:
        with self._lock:
            self._left[account] -= 1
            left = self._left[account]
        if left:
            return
        reader = self._accounts.get(account)
        if reader is not None:
            reader.ended()
        self.book.close(account)
        self.aws.leave(account)
        if reader is not None:
            self.progress.account(
                account, self.book.planned(account), len(self.book.missing(account))
            )

    def _settle(self, call: Call, record: Record) -> Record:
        if call.cell.operation == "AssumeRole" and record.status is not State.OK:
            record = replace(record, status=State.ASSUME_FAILED)
        self.progress.called()
        if call.kept:
            self.book.write(record)
        return record

    def read(self) -> None:
        """Ask AWS for all that is not there yet."""
        caller = self.aws.caller.account
        self.book.open(caller)
        self.add(caller, self._organization.steps(), 1)
        self._work.run()
        self.book.open(caller)
        self.add(caller, self._organization.again(), 1)
        self._work.run()

    def _found(self, states: dict[str, str] | None) -> None:
        """Begin with the accounts: those of the organization, or the caller's alone."""
        caller = self.aws.caller.account
        if self._organization.listed is not None:
            self._check_filters(self._organization.listed)
        found = dict(states or {})
        for account in [account for account in found if not _ACCOUNT.fullmatch(account)]:
            self.progress.note(f"not an account id, left out: {account[:40]}")
            del found[account]
        for account in (caller, *self.options.accounts):
            found.setdefault(account, "ACTIVE")
        begun = []
        for account, state in sorted(found.items()):
            reader = AccountReader(
                self,
                account,
                assume_role=account != caller,
                ses_regions=self._ses_regions,
            )
            reason = self._excluded(account)
            if state != "ACTIVE":
                self._aside(account, State.NOT_AUDITED, f"its state is {state}")
            elif reason:
                self._aside(account, State.EXCLUDED, reason)
            else:
                reader.plan()
                begun.append(account)
                self._accounts[account] = reader
        if not begun:
            raise NothingToRead(
                f"no account is left to read: {len(found):,} known, all of them excluded or not "
                "active; see --account and --exclude-account",
                USAGE,
            )
        self.progress.begin(len(begun))
        for account in begun:
            self.add(account, self._begin(account), 1)

    def _check_filters(self, listed: Mapping[str, str]) -> None:
        """Refuse a filter that names what is not there, before an account is read."""
        named = {"--account": self.options.accounts}
        named["--exclude-account"] = self.options.exclude_accounts
        for option, accounts in named.items():
            for account in accounts:
                if account not in listed and account != self.aws.caller.account:
                    raise NothingToRead(
                        f"{option} {account}: the organization has no such account; it has "
                        f"{len(listed):,}: `aws organizations list-accounts`",
                        USAGE,
                    )

    def _begin(self, account: str) -> Steps:
        """An account's evidence is opened when its work begins, not before."""
        self.book.open(account)
        yield from self._accounts[account].steps()

    def _excluded(self, account: str) -> str:
        if account in self.options.exclude_accounts:
            return "excluded by --exclude-account"
        if self.options.accounts and account not in self.options.accounts:
            return "not among the accounts that were asked for"
        return ""

    def _aside(self, account: str, state: State, detail: str) -> None:
        assume_role = account != self.aws.caller.account
        cells = account_cells(account, assume_role=assume_role) + region_cells(account, None)
        self.book.mark(cells, state, detail)

    def joined(self, account: str, state: str) -> None:
        """An account is there that was not when the run began: the same command reads it."""
        if not _ACCOUNT.fullmatch(account):
            return
        self.assume(f"Account {account} joined while the run went on")
        if state != "ACTIVE":
            self._aside(account, State.NOT_AUDITED, f"its state is {state}")
        elif reason := self._excluded(account):
            self._aside(account, State.EXCLUDED, reason)
        else:
            self._aside(account, State.NOT_ATTEMPTED, "it joined while the run went on")

    def assume(self, sentence: str) -> None:
        """A sentence that every report shows."""
        self._assumptions.append(sentence)

    def finish(self, writer: SnapshotWriter) -> Snapshot:
        """Make the tables of all evidence."""
        caller = self.aws.caller
        organization: Facts | None = {"none": True} if self._organization.in_none else None
        return finish_snapshot(
            writer,
            self.book.ledger,
            self.options.check_document,
            taken_at=now(),
            caller=caller.as_manifest(),
            organization=organization,
            arguments=_arguments(self.options),
            assumptions=self._assumptions,
        )


def _arguments(options: CollectOptions) -> dict[str, object]:
    def texts(values: Iterable[str]) -> list[str]:
        return sorted(values)

    return {
        "command": "collect",
        "role_name": options.role_name,
        "accounts": texts(options.accounts),
        "exclude_accounts": texts(options.exclude_accounts),
        "regions": texts(options.regions),
    }
