"""A snapshot without its principals: the organization, and what was not read of it.

What pages say of a large organization is counted from its tables; no object is made for a
principal, an identity or a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from ses_audit.audit.documents import Documents
from ses_audit.audit.gaps import EVIDENCE, Gaps
from ses_audit.audit.model import (
    ORGANIZATION_TABLES,
    Source,
    described,
    organization_account,
    organization_of,
)
from ses_audit.audit.organization import Organization
from ses_audit.audit.senders import GAAD

__all__ = ["Overview", "chosen"]

_ENTERED = ("global", "sts", "AssumeRole")


class _Texts(Mapping[str, str]):
    """The documents that parse, by SHA-256; a text becomes an object when it is asked for."""

    def __init__(self, source: Source) -> None:
        table = source.table("policy_documents")
        kept = table.filter(table.column("malformed").is_null())
        self._texts = kept.column("document")
        self._places = {sha: n for n, sha in enumerate(kept.column("sha256").to_pylist())}

    def __getitem__(self, sha: str) -> str:
        return str(self._texts[self._places[sha]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def chosen(table: pa.Table, **values: str) -> pa.Table:
    """The rows of a table whose columns have these values."""
    for name, value in values.items():
        # A scalar of pyarrow: given Python's, it would import pandas first.
        table = table.filter(pc.equal(table.column(name), pa.scalar(value, pa.string())))
    return table


class Overview:
    """The organization of a snapshot and what was not read.

    Parameters
    ----------
    source
        The snapshot.
    actions
        The send actions.
    """

    def __init__(self, source: Source, actions: tuple[str, ...]) -> None:
        self._source = source
        self._actions = actions

    @cached_property
    def coverage(self) -> pa.Table:
        """How the reading of every planned cell ended."""
        table = self._source.table("coverage")
        place = table.schema.get_field_index("argument")
        return table.set_column(place, "argument", table.column("argument").fill_null(""))

    @cached_property
    def organization(self) -> Organization:
        """Accounts, OUs, organization policies and where they are attached."""
        manifest = self._source.manifest
        reader = organization_account(manifest)
        return organization_of(
            {name: self._source.table(name).to_pylist() for name in ORGANIZATION_TABLES},
            Documents(_Texts(self._source), self._actions),
            Gaps(chosen(self.coverage, account_id=reader).to_pylist(), reader),
            described(manifest),
        )

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """Every planned cell that is not evidence, as text, sorted."""
        return Gaps(self.missing.to_pylist(), "").all()

    @cached_property
    def missing(self) -> pa.Table:
        """The rows of the coverage table that are not evidence: cells, and items of cells."""
        return self.coverage.filter(
            pc.invert(pc.is_in(self.coverage.column("state"), pa.array(sorted(EVIDENCE))))
        )

    @property
    def cells(self) -> tuple[int, int]:
        """How many cells were planned, and how many of them were read."""
        planned = len(chosen(self.coverage, argument=""))
        return planned, planned - len(chosen(self.missing, argument=""))

    @cached_property
    def not_read(self) -> tuple[tuple[str, str, str], ...]:
        """The accounts that were not read: (id, name, reason)."""
        details, entered = self._states(*GAAD), self._states(*_ENTERED)
        found: list[tuple[str, str, str]] = []
        for account in self.organization.accounts.values():
            unread = details.get(account.id, "NOT_ATTEMPTED") not in EVIDENCE
            if account.audited and not unread:
                continue
            reason = account.not_audited_reason or (
                "refused the audit role"
                if entered.get(account.id, "OK") not in EVIDENCE
                else "its principals could not be read"
            )
            found.append((account.id, account.name, reason))
        return tuple(found)

    @cached_property
    def unlisted(self) -> frozenset[tuple[str, str]]:
        """(account, region) of which the identities could not be listed; `*` is all regions."""
        entered = self._states(*_ENTERED)
        refused = {
            account.id
            for account in self.organization.accounts.values()
            if account.audited and entered.get(account.id, "OK") not in EVIDENCE
        }
        lists = chosen(self.missing, operation="ListEmailIdentities", argument="")
        pairs = zip(*(lists.column(n).to_pylist() for n in ("account_id", "region")), strict=True)
        return frozenset(
            {(account, "*") for account in refused}
            | {(account, region) for account, region in pairs if account not in refused}
        )

    def _states(self, region: str, service: str, operation: str) -> dict[str, str]:
        """How one cell of each account ended; nothing of an account where it was not planned."""
        rows = chosen(
            self.coverage, operation=operation, service=service, region=region, argument=""
        )
        return dict(
            zip(*(rows.column(name).to_pylist() for name in ("account_id", "state")), strict=True)
        )
