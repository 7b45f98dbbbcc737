"""The cells of a snapshot that are not evidence, and which of them a decision can miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["COVERAGE", "EVIDENCE", "Gaps", "organization_gaps"]

Row = Mapping[str, object]
_Key = tuple[str, str, str, str]

COVERAGE = ("account_id", "region", "service", "operation", "argument", "state")
"""The columns of the coverage table that are read."""

EVIDENCE = frozenset({"OK", "EMPTY", "REGION_DISABLED", "NO_ENDPOINT"})

# What must have been read for the layer to be known.
_ORGANIZATION_READS = (
    "DescribeOrganization",
    "ListRoots",
    "ListOrganizationalUnitsForParent",
    "ListAccountsForParent",
    "ListPolicies",
    "ListTargetsForPolicy",
)
# The accounts of each root and OU; together they are all there are.
_TREE = ("ListRoots", "ListOrganizationalUnitsForParent", "ListAccountsForParent")


class Gaps:
    """The coverage table, asked by cell.

    Parameters
    ----------
    coverage
        Rows of the coverage table.
    organization_account
        The account from which the organization was read.
    """

    def __init__(self, coverage: Iterable[Row], organization_account: str) -> None:
        names = COVERAGE
        self._take([[row[name] for name in names] for row in coverage], organization_account)

    @classmethod
    def of_columns(cls, columns: Sequence[Sequence[object]], organization_account: str) -> Gaps:
        """From the columns `COVERAGE` of the table, each a list."""
        found = cls((), organization_account)
        found._take(zip(*columns, strict=True), organization_account)
        return found

    def _take(self, rows: Iterable[Sequence[object]], organization_account: str) -> None:
        self.organization_account = organization_account
        self._states: dict[_Key, str] = {}
        self._items: dict[_Key, dict[str, str]] = {}
        """Of cells that were read item by item."""
        for *cell, argument, state in rows:
            key: _Key = tuple(cell)  # type: ignore[assignment]
            if argument:
                self._items.setdefault(key, {})[str(argument)] = str(state)
            else:
                self._states[key] = str(state)

    def cells(self, service: str, operation: str) -> Iterator[tuple[str, str]]:
        """The account and the region of each planned cell of an operation."""
        for key in self._states:
            if key[3] == operation and key[2] == service:
                yield key[0], key[1]

    def all(self) -> tuple[str, ...]:
        """Every planned cell that is not evidence, as text, sorted."""
        return tuple(
            sorted(
                _cell(*key, "", state)
                for key, state in self._states.items()
                if state not in EVIDENCE
            )
        )

    def of(self, account: str, region: str, service: str, operation: str) -> tuple[str, ...]:
        """The cell as text when it is not evidence, else nothing.

        A cell that was never planned is not evidence either: `NOT_ATTEMPTED`.
        """
        key = (account, region, service, operation)
        state = self._states.get(key)
        if state is None:
            state = "OK" if key in self._items else "NOT_ATTEMPTED"
        if state in EVIDENCE:
            return ()
        return (_cell(account, region, service, operation, "", state),)

    def state(self, account: str, region: str, service: str, operation: str) -> str:
        """How the reading of a cell ended; `NOT_ATTEMPTED` when it was never planned."""
        return self._states.get((account, region, service, operation), "NOT_ATTEMPTED")

    def planned(self, account: str, region: str, service: str, operation: str) -> bool:
        """Whether the cell was planned at all."""
        key = (account, region, service, operation)
        return key in self._states or key in self._items

    def unlisted_accounts(self) -> tuple[str, ...]:
        """The missing cells without which an account that is not known may be the organization's.

        The list of all accounts tells them, and so do the lists of each root and OU together.
        """
        organization = (self.organization_account, "global", "organizations")
        described = "DescribeOrganization"
        if not self.planned(*organization, described) or (
            self.state(*organization, described) == "EMPTY"
        ):
            # No organization.
            return ()
        listed = self.of(*organization, "ListAccounts")
        places = tuple(cell for name in _TREE for cell in self.of(*organization, name))
        return (*listed, *places) if listed and places else ()

    def item(self, account: str, region: str, service: str, operation: str, argument: str) -> str:
        """One item of a cell as text, with the state it ended in."""
        key = (account, region, service, operation)
        state = self._items.get(key, {}).get(argument) or self._states.get(key, "NOT_ATTEMPTED")
        return _cell(
            account,
            region,
            service,
            operation,
            argument,
            "MALFORMED" if state in EVIDENCE else state,
        )


def _cell(
    account: str, region: str, service: str, operation: str, argument: str, state: str
) -> str:
    name = f"{service}.{operation}" + (f"[{argument}]" if argument else "")
    return f"{account}/{region}/{name}={state}"


def organization_gaps(gaps: Gaps, policy_type: str) -> tuple[str, ...]:
    """The organization cells that are missing; any of them could hide an attached policy."""
    found: list[str] = []
    for operation in _ORGANIZATION_READS:
        if (
            gaps.planned(gaps.organization_account, "global", "organizations", operation)
            or operation == "DescribeOrganization"
        ):
            found += gaps.of(gaps.organization_account, "global", "organizations", operation)
    return tuple(found)
