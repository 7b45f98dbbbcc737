"""The parts of all accounts → the tables of a snapshot, account by account.

What is held is one part, the distinct documents, and what stands once in an organization. Rows go
to a sink in the order of the accounts, those of an account in the order of their keys, so that the
tables depend neither on who made the parts nor on when.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

import pyarrow as pa

from ses_audit.snapshot.coverage_tables import coverage_table, times_table
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.identity_tables import GivenIdentity, given_rows
from ses_audit.snapshot.ledger import CoverageRow
from ses_audit.snapshot.organization_tables import Facts, account_rows, paths
from ses_audit.snapshot.principal_tables import root_row
from ses_audit.snapshot.table_files import GROUP, Memory, Sink
from ses_audit.snapshot.tables import AccountPart, Row, account_part, sorted_table, table_of

__all__ = ["Check", "Joining", "build_tables", "join_parts", "organization_of", "write_times"]

Item = TypeVar("Item")

Check = Callable[[str], str | None]
"""Says why a policy text is malformed, or None when it parses."""

CheckAll = Callable[[Iterable[str]], Iterator[str | None]]
"""The same of many texts, in their order."""

_BY_ACCOUNT = (
    "principals",
    "principal_policies",
    "groups",
    "access_keys",
    "identities",
    "configuration_sets",
    "ses_account_regions",
)
_GLOBAL = ("organizational_units", "organization_policies", "policy_attachments")
_OF_ORGANIZATION: Mapping[str, tuple[str, ...]] = {
    "listed": ("account_id",),
    "organizational_units": ("id",),
    "organization_policies": ("policy_id",),
    "policy_attachments": ("policy_id", "target_id"),
}


def organization_of(parts: Iterable[AccountPart]) -> Facts:
    """`manifest["organization"]`, from the account that saw most of it."""
    facts = [part.facts for part in parts if part.facts]
    return max(facts, key=lambda f: (len(f), str(f.get("read_from"))), default={})


class Joining:
    """The tables of one snapshot under construction.

    Parameters
    ----------
    readers
        The parts of the accounts that were asked for the organization.
    coverage
        The ledger's rows, as far as they tell which accounts are audited.
    given
        Identities named by hand; one that was read is taken as it was read.
    organization
        `manifest["organization"]`; by default what the parts say.
    """

    def __init__(
        self,
        readers: Iterable[AccountPart],
        coverage: Iterable[CoverageRow],
        given: Iterable[GivenIdentity] = (),
        organization: Facts | None = None,
    ) -> None:
        self._readers = {part.account: part for part in readers}
        every = [self._readers[account] for account in sorted(self._readers)]
        self.facts = organization_of(every) if organization is None else organization
        self._rows = {name: _joined(every, name, *keys) for name, keys in _OF_ORGANIZATION.items()}
        paths(self._rows["organizational_units"], self.facts.get("id"))
        self._accounts = account_rows(self._rows["listed"], coverage, self.facts)
        self._given: dict[str, list[GivenIdentity]] = {}
        for item in sorted(set(given), key=lambda i: i.arn):
            self._given.setdefault(item.account, []).append(item)
        self._of_account: dict[str, str] = {}
        """The ARN of each audited account in Organizations."""
        self._texts: dict[str, str] = {}
        self._policies: list[pa.Table] = []

    def parts(self, sink: Sink, others: Iterable[AccountPart]) -> None:
        """Give the rows of all accounts to a sink.

        Parameters
        ----------
        sink
            Takes them.
        others
            The parts of the accounts that are no readers, in the order of their accounts.
        """
        for name in _BY_ACCOUNT:
            sink.write(name, table_of(name, []))
        self._of_account = {
            str(row["account_id"]): str(row.get("arn")) for row in self._accounts if row["audited"]
        }
        places = {*self._of_account, *self._given}
        # Accounts before the first one that tells its partition wait for it, so that those that
        # tell none have the same whichever stands first.
        default = ""
        waiting: deque[tuple[str, AccountPart | None]] = deque()
        for account, part in _in_line(places, self._readers, others):
            default = default or (part.partition if part is not None else "")
            waiting.append((account, part))
            while default and waiting:
                self._account(sink, *waiting.popleft(), default)
        for account, part in waiting:
            self._account(sink, account, part, "aws")

    def _account(self, sink: Sink, account: str, part: AccountPart | None, default: str) -> None:
        tables = dict(part.tables) if part is not None else {}
        if part is not None:
            if part.tells_of_the_organization and account not in self._readers:
                raise ValueError(f"account {account} asked for the organization, and is no reader")
            for sha, text in part.texts.items():
                self._texts.setdefault(sha, text)
            if "identity_policies" in tables:
                self._policies.append(tables["identity_policies"])
        if account in self._of_account:
            own = part.partition if part is not None else ""
            named = self._of_account[account].split(":")[1:2]
            root = root_row(account, own or "".join(named) or default)
            tables["principals"] = _inserted(tables.get("principals"), root)
        if account in self._given:
            tables |= _with_given(tables, self._given[account])
        for name in _BY_ACCOUNT:
            if name in tables:
                sink.write(name, tables[name])

    def rest(self, sink: Sink, coverage: Iterable[CoverageRow], check: CheckAll) -> None:
        """Give what stands once in a snapshot to a sink, after the accounts.

        Parameters
        ----------
        sink
            Takes it.
        coverage
            The ledger's rows, sorted.
        check
            Says of each distinct text why it is malformed.
        """
        sink.write("accounts", sorted_table("accounts", table_of("accounts", self._accounts)))
        for name in _GLOBAL:
            sink.write(name, sorted_table(name, table_of(name, self._rows[name])))
        policies = pa.concat_tables([table_of("identity_policies", []), *self._policies])
        sink.write("identity_policies", sorted_table("identity_policies", policies))
        shas = sorted(self._texts)
        malformed = check(self._texts[sha] for sha in shas)
        sink.write("policy_documents", table_of("policy_documents", []))
        for chunk in _chunks(shas):
            rows: list[Row] = [
                {"sha256": sha, "document": self._texts[sha], "malformed": next(malformed)}
                for sha in chunk
            ]
            sink.write("policy_documents", table_of("policy_documents", rows))
        sink.write("coverage", coverage_table([]))
        for cells in _chunks(coverage):
            sink.write("coverage", coverage_table(cells))


def write_times(sink: Sink, coverage: Iterable[CoverageRow]) -> None:
    """Give when each cell was read to a sink: `schema.TIMES`."""
    sink.write("times", times_table([]))
    for cells in _chunks(coverage):
        sink.write("times", times_table(cells))


def _chunks(items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    coming = iter(items)
    while chunk := list(islice(coming, GROUP)):
        yield chunk


def _in_line(
    places: Iterable[str], readers: Mapping[str, AccountPart], others: Iterable[AccountPart]
) -> Iterator[tuple[str, AccountPart | None]]:
    """Every account that has a part or a place of its own, in order, with its part."""
    ahead = deque(sorted({*places, *readers}))
    last = ""
    for part in others:
        if part.account <= last:
            raise ValueError(f"the part of account {part.account} comes after that of {last}")
        last = part.account
        while ahead and ahead[0] < part.account:
            account = ahead.popleft()
            yield account, readers.get(account)
        if ahead and ahead[0] == part.account:
            ahead.popleft()
        yield part.account, part
    for account in ahead:
        yield account, readers.get(account)


def _inserted(principals: pa.Table | None, root: Row) -> pa.Table:
    """The principals of an account with its root user in its place."""
    row = table_of("principals", [root])
    if principals is None:
        return row
    arns = principals.column("principal_arn").to_pylist()
    place = bisect_left(arns, str(root["principal_arn"]))
    return pa.concat_tables([principals.slice(0, place), row, principals.slice(place)])


def _with_given(
    tables: Mapping[str, pa.Table], given: Iterable[GivenIdentity]
) -> dict[str, pa.Table]:
    """The identities and regions of an account with those named by hand, where they lack."""
    identities, regions = (
        tables.get(name) or table_of(name, []) for name in ("identities", "ses_account_regions")
    )
    known = set(identities.column("identity_arn").to_pylist())
    there = set(regions.column("region").to_pylist())
    rows: dict[str, list[Row]] = {"identities": [], "ses_account_regions": []}
    for item in given:
        identity, state = given_rows(item)
        if item.arn not in known:
            rows["identities"].append(identity)
        if item.region not in there:
            there.add(item.region)
            rows["ses_account_regions"].append(state)
    return {
        name: sorted_table(name, pa.concat_tables([table, table_of(name, rows[name])]))
        for name, table in (("identities", identities), ("ses_account_regions", regions))
    }


def _joined(parts: Iterable[AccountPart], name: str, *keys: str) -> list[Row]:
    rows: dict[tuple[object, ...], Row] = {}
    for part in parts:
        for row in part.organization.get(name, []):
            key = tuple(row[k] for k in keys)
            kept = rows.setdefault(key, dict(row))
            # What one account could not read another may have.
            kept.update({k: v for k, v in row.items() if v is not None})
    return list(rows.values())


def join_parts(
    parts: Iterable[AccountPart],
    coverage: Iterable[CoverageRow],
    check_document: Check,
    given: Iterable[GivenIdentity] = (),
    organization: Facts | None = None,
) -> dict[str, pa.Table]:
    """Join the parts of all accounts to tables in memory.

    Parameters
    ----------
    parts
        One for each account, in any order.
    coverage
        The ledger's rows.
    check_document
        Says why a policy text is malformed; called once for each distinct text.
    given, organization
        As for `Joining`.

    Raises
    ------
    ValueError
        When two parts are of the same account.
    """
    cells = list(coverage)
    ordered = sorted(parts, key=lambda part: part.account)
    readers = [part for part in ordered if part.tells_of_the_organization]
    sink = Memory()
    joining = Joining(readers, cells, given, organization)
    joining.parts(sink, (part for part in ordered if not part.tells_of_the_organization))
    joining.rest(sink, cells, lambda texts: map(check_document, texts))
    return sink.tables()


def build_tables(
    records: Iterable[Record],
    coverage: Iterable[CoverageRow],
    check_document: Check,
    given: Iterable[GivenIdentity] = (),
    organization: Facts | None = None,
) -> dict[str, pa.Table]:
    """All tables from all records at once, in memory.

    Parameters
    ----------
    records
        Of any accounts, in any order.
    coverage, check_document, given, organization
        As for `join_parts`.

    Examples
    --------
    >>> tables = build_tables([], [], lambda text: None)
    >>> tables["principals"].num_rows
    0
    """
    by_account: dict[str, list[Record]] = {}
    for record in records:
        by_account.setdefault(record.account, []).append(record)
    parts = [account_part(account, own) for account, own in sorted(by_account.items())]
    return join_parts(parts, coverage, check_document, given, organization)
