"""The last step of a run: evidence, account by account, to a finished snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.evidence import Record, must_see, snapshot_records
from ses_audit.snapshot.fan_out import FanOut, MakeExecutor
from ses_audit.snapshot.identity_tables import GivenIdentity
from ses_audit.snapshot.joining import Check, Joining, write_times
from ses_audit.snapshot.ledger import CoverageRow, Ledger
from ses_audit.snapshot.organization_tables import Facts, tells_of_account
from ses_audit.snapshot.store import Snapshot, SnapshotWriter
from ses_audit.snapshot.tables import AccountPart, account_part

__all__ = ["append_records", "finish_snapshot", "ready_tables"]

_ASIDE = (State.NOT_AUDITED, State.EXCLUDED)
_TOGETHER = 8
"""Accounts that a worker reads in one task, one after the other."""
_AT_ONCE = 500
"""Documents that are checked in one task."""


def ready_tables() -> None:
    """Load what makes tables, while there is nothing to do but to wait for answers."""
    # pyarrow loads pandas when it makes an array: a third of a second.
    import pandas as pd  # noqa: F401
    import pyarrow.parquet  # noqa: F401


def append_records(writer: SnapshotWriter, records: Iterable[Record]) -> None:
    """Append records to the evidence of their accounts, one file at a time."""
    by_account: dict[str, list[Record]] = {}
    for record in records:
        by_account.setdefault(record.account, []).append(record)
    for account, own in sorted(by_account.items()):
        with writer.evidence(account) as file:
            for record in own:
                file.write(record)


def finish_snapshot(
    writer: SnapshotWriter,
    ledger: Ledger,
    check_document: Check,
    *,
    taken_at: str,
    caller: Mapping[str, object] | None = None,
    organization: Facts | None = None,
    arguments: Mapping[str, object] | None = None,
    assumptions: Sequence[str] = (),
    given: Iterable[GivenIdentity] = (),
    make_executor: MakeExecutor | None = None,
    workers: int = 1,
) -> Snapshot:
    """Make the tables of all evidence, and the manifest: the snapshot can be opened.

    Workers read a few accounts each, one at a time, and rows are written as they come: the tables
    are the same bytes whatever the executor and the number of workers. An account whose evidence
    is corrupt, or over which workers die again and again, has all its cells `MALFORMED`; the
    others go on.

    Parameters
    ----------
    writer
        The open snapshot, its evidence files closed.
    ledger
        The plan and how each cell ended.
    check_document
        Says why a policy text is malformed, or None; of a module, where there is an executor.
    taken_at, caller, arguments, assumptions
        As for `manifest.make_manifest`.
    organization
        `manifest["organization"]`; by default what the evidence says.
    given
        Identities named by hand.
    make_executor
        Makes an executor whose workers see the snapshot at the same path; None makes the tables
        in this process.
    workers
        How many workers it has.

    Raises
    ------
    SnapshotError
        When something cannot be written (the disk is full): no half of a table stays.
    """
    accounts = writer.accounts()
    asked: set[str] = set()
    # Corrupt evidence of an account that is not audited changes nothing.
    aside: set[str] = set()
    plan: list[CoverageRow] = []
    for row in ledger:
        if row.service == "organizations":
            asked.add(row.account_id)
        if row.state in _ASIDE and not row.argument:
            aside.add(row.account_id)
        if tells_of_account(row):
            plan.append(row)
    spoiled: dict[str, str] = {}
    # A worker may have another working folder.
    root = str(writer.path.absolute())
    with writer.table_files() as files, FanOut(make_executor, workers) as hands:

        def parts_of(wanted: Iterable[str]) -> Iterator[AccountPart]:
            calls = ((root, account) for account in wanted)
            for account, part, error in hands.in_order(_read_part, calls, _lost, _TOGETHER):
                if part is not None:
                    yield part
                elif account not in aside:
                    spoiled[account] = error

        joining = Joining(parts_of(a for a in accounts if a in asked), plan, given, organization)
        joining.parts(files, parts_of(a for a in accounts if a not in asked))
        for account, error in spoiled.items():
            ledger.spoil(account, error)
        joining.rest(files, ledger, partial(_checked, hands, check_document))
        write_times(files, ledger)
        return writer.finish(
            files,
            taken_at=taken_at,
            totals=ledger.totals(),
            caller=caller,
            organization=joining.facts,
            arguments=arguments,
            assumptions=assumptions,
        )


Read = tuple[str, AccountPart | None, str]
"""An account, its part, or why there is none."""


def _read_part(root: str, account: str) -> Read:
    """The part of one account, read from its evidence: the task of a worker."""
    must_see(Path(root))
    try:
        return account, account_part(account, snapshot_records(Path(root), account)), ""
    except SnapshotError as error:
        return account, None, str(error)


def _lost(root: str, account: str) -> Read:
    return account, None, "worker processes died over its evidence"


def _checked(hands: FanOut, check: Check, texts: Iterable[str]) -> Iterator[str | None]:
    """Why texts are malformed, each checked by one worker."""
    every = list(texts)
    calls = ((check, every[n : n + _AT_ONCE]) for n in range(0, len(every), _AT_ONCE))
    for found in hands.in_order(_check, calls):
        yield from found


def _check(check: Check, texts: Sequence[str]) -> list[str | None]:
    return [check(text) for text in texts]
