"""The last step of a run: evidence, account by account, to a finished snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ses_audit.snapshot.coverage_tables import times_table
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.identity_tables import GivenIdentity
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.organization_tables import Facts
from ses_audit.snapshot.store import Snapshot, SnapshotWriter
from ses_audit.snapshot.tables import AccountPart, account_part, join_parts, organization_of

__all__ = ["append_records", "finish_snapshot", "ready_tables"]


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
    check_document: Callable[[str], str | None],
    *,
    taken_at: str,
    caller: Mapping[str, object] | None = None,
    organization: Facts | None = None,
    arguments: Mapping[str, object] | None = None,
    assumptions: Sequence[str] = (),
    given: Iterable[GivenIdentity] = (),
) -> Snapshot:
    """Make the tables of all evidence, and the manifest: the snapshot can be opened.

    One account's records are in memory at a time. An account whose evidence is corrupt has all
    its cells `MALFORMED`; the others go on.

    Parameters
    ----------
    writer
        The open snapshot, its evidence files closed.
    ledger
        The plan and how each cell ended.
    check_document
        Says why a policy text is malformed, or None.
    taken_at, caller, arguments, assumptions
        As for `manifest.make_manifest`.
    organization
        `manifest["organization"]`; by default what the evidence says.
    given
        Identities named by hand.
    """
    parts: list[AccountPart] = []
    for account in writer.accounts():
        try:
            parts.append(account_part(account, writer.records(account)))
        except SnapshotError as error:
            ledger.spoil(account, str(error))
    facts = organization_of(parts) if organization is None else organization
    rows = ledger.rows()
    tables = join_parts(parts, rows, check_document, given, facts)
    return writer.finish(
        tables,
        times=times_table(rows),
        taken_at=taken_at,
        totals=ledger.totals(),
        caller=caller,
        organization=facts,
        arguments=arguments,
        assumptions=assumptions,
    )
