"""One snapshot, and what is read of it: each once, and not before it is asked.

What a question needs is imported when it is asked: to explain one cell takes a second, half of it
for imports.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.audit.decide import Decider
from ses_audit.audit.explain import Explainer
from ses_audit.audit.model import Model, load
from ses_audit.audit.partial import LARGE, about, load_accounts
from ses_audit.audit.summary import Summary
from ses_audit.ses.actions import SEND_ACTIONS
from ses_audit.snapshot.parts import Parts
from ses_audit.snapshot.store import Snapshot, open_snapshot

if TYPE_CHECKING:
    import pyarrow as pa

    from ses_audit.audit.execute import Sink
    from ses_audit.audit.inventory import Inventory
    from ses_audit.audit.organization import Organization
    from ses_audit.audit.overview import Overview
    from ses_audit.audit.queries import Queries

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
        from ses_audit.audit.stored import stored_verdicts

        return stored_verdicts(self.snapshot, self._decide)

    @cached_property
    def overview(self) -> Overview:
        """The organization and what was not read: no principal is made an object."""
        from ses_audit.audit.overview import Overview

        return Overview(self.snapshot, ACTIONS)

    @property
    def organization(self) -> Organization:
        """Accounts, OUs, organization policies and where they are attached."""
        return self.overview.organization

    @cached_property
    def inventory(self) -> Inventory:
        """Accounts, principals and identities as tables."""
        from ses_audit.audit.inventory import Inventory

        return Inventory(self.snapshot, self.organization)

    @cached_property
    def queries(self) -> Queries:
        """The verdict tables, asked in SQL."""
        from ses_audit.audit.queries import Queries

        return Queries(self.verdict_tables, self.organization)

    @cached_property
    def denial_rows(self) -> int:
        """How many rows `scp_denies` has: counted, not made."""
        from ses_audit.audit.long_files import scp_denial_count

        return scp_denial_count(self.queries, self.verdict_tables)

    def _decide(self, sink: Sink) -> None:
        from ses_audit.audit.execute import decide_snapshot

        decide_snapshot(self.snapshot, ACTIONS, sink)

    def _about(self, principal: str, *identities: str) -> tuple[Model, Decider]:
        """Of the accounts that texts name, where the snapshot is large; else of all."""
        if "model" in self.__dict__ or self._principals < LARGE:
            return self.model, self.decider
        model = load_accounts(self.snapshot, about(self.snapshot, principal, identities), ACTIONS)
        return model, Decider(model)

    def _explainer(self, principal: str, *identities: str) -> Explainer:
        """Explains cells of a principal on some identities."""
        model, decider = self._about(principal, *identities)
        accounts = {identity.account for identity in model.identities.values()}
        rows = Parts(self.snapshot).rows("configuration_sets", "account_id", accounts)
        sets = {
            (str(row["account_id"]), str(row["region"]), str(row["name"])): _flag(row)
            for row in rows
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
        from ses_audit.audit.queries import Selection

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


def _flag(row: dict[str, object]) -> bool | None:
    enabled = row["sending_enabled"]
    return None if enabled is None else bool(enabled)
