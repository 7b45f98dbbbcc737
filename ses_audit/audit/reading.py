"""One snapshot, and what is read of it: each once, and not before it is asked."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.audit.decide import Decider
from ses_audit.audit.execute import Sink, decide_snapshot
from ses_audit.audit.explain import Explainer
from ses_audit.audit.inventory import Inventory
from ses_audit.audit.long_files import scp_denial_count
from ses_audit.audit.model import Model, load
from ses_audit.audit.overview import Overview
from ses_audit.audit.partial import LARGE, accounts_in, load_accounts
from ses_audit.audit.queries import Queries, Selection
from ses_audit.audit.stored import stored_verdicts
from ses_audit.audit.summary import Summary
from ses_audit.ses.actions import SEND_ACTIONS
from ses_audit.snapshot.store import Snapshot, open_snapshot

if TYPE_CHECKING:
    import pyarrow as pa

    from ses_audit.audit.organization import Organization

__all__ = ["ACTIONS", "Reading"]

ACTIONS = tuple(action.name for action in SEND_ACTIONS)


class Reading:
    """What an `Audit` is made of.

    Parameters
    ----------
    path
        A snapshot folder.

    Raises
    ------
    ses_audit.snapshot.errors.SnapshotError
        When the folder is no snapshot, of another version, or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.snapshot: Snapshot = open_snapshot(path)

    def __repr__(self) -> str:
        return f"Audit({str(self.snapshot.path)!r})"

    @cached_property
    def model(self) -> Model:
        """The snapshot as what a decision needs."""
        return load(self.snapshot, ACTIONS)

    @cached_property
    def decider(self) -> Decider:
        """Decides single cells of this snapshot."""
        return Decider(self.model)

    @cached_property
    def verdict_tables(self) -> dict[str, pa.Table]:
        """The verdict tables: read from the snapshot, or decided and stored there."""
        return stored_verdicts(self.snapshot, self._decide)

    @cached_property
    def overview(self) -> Overview:
        """The organization and what was not read: no principal is made an object."""
        return Overview(self.snapshot, ACTIONS)

    @property
    def organization(self) -> Organization:
        """Accounts, OUs, organization policies and where they are attached."""
        return self.overview.organization

    @cached_property
    def inventory(self) -> Inventory:
        """Accounts, principals and identities as tables."""
        return Inventory(self.snapshot, self.organization)

    @cached_property
    def queries(self) -> Queries:
        """The verdict tables, asked in SQL."""
        return Queries(self.verdict_tables, self.organization)

    @cached_property
    def denial_rows(self) -> int:
        """How many rows `scp_denies` has: counted, not made."""
        return scp_denial_count(self.queries, self.verdict_tables)

    def _decide(self, sink: Sink) -> None:
        decide_snapshot(self.snapshot, ACTIONS, sink)

    def _about(self, *names: str | None) -> tuple[Model, Decider]:
        """Of the accounts that ARNs name, where the snapshot is large; else of all."""
        accounts = accounts_in(*(name or "" for name in names))
        if accounts is None or "model" in self.__dict__ or self._principals < LARGE:
            return self.model, self.decider
        model = load_accounts(self.snapshot, accounts, ACTIONS)
        return model, Decider(model)

    def _explainer(self, *names: str | None) -> Explainer:
        """Explains cells of the accounts that ARNs name."""
        model, decider = self._about(*names)
        sets = {
            (row["account_id"], row["region"], row["name"]): row["sending_enabled"]
            for row in self.snapshot.table("configuration_sets").to_pylist()
        }
        return Explainer(model, decider, str(self.snapshot.manifest.get("taken_at") or ""), sets)

    @cached_property
    def _principals(self) -> int:
        return self.rows_of("principals")

    def rows_of(self, table: str) -> int:
        """How many rows a table of the snapshot has, by its footer."""
        import pyarrow.parquet as parquet

        path = self.snapshot.path / "tables" / f"{table}.parquet"
        return int(parquet.read_metadata(path).num_rows)

    @cached_property
    def _summary(self) -> Summary:
        organization = self.organization
        counted = self.queries.counts(Selection())
        not_read = self.overview.not_read
        manifest = self.snapshot.manifest
        assumptions = manifest.get("assumptions")
        return Summary(
            organization_id=organization.id,
            taken_at=str(manifest.get("taken_at") or ""),
            accounts_total=len(organization.accounts),
            accounts_read=len(organization.accounts) - len(not_read),
            accounts_not_read=not_read,
            principals=self._principals,
            identities=self.rows_of("identities"),
            cells=sum(counted.values()),
            allowed=counted["allowed"],
            conditional=counted["conditional"],
            stopped_by_scp_alone=counted["scp_alone"],
            denied=counted["denied"],
            unknown=counted["unknown"],
            gaps=self.overview.gaps,
            assumptions=tuple(map(str, assumptions)) if isinstance(assumptions, list) else (),
        )
