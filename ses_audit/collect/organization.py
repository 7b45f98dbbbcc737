"""Reads the organization: accounts, OUs, policies and where they are attached.

Policies are walked (ListPolicies, ListTargetsForPolicy), not targets: there are far fewer.
"""

from __future__ import annotations

from collections.abc import Generator

from ses_audit.collect.book import Reading
from ses_audit.collect.call import Call
from ses_audit.collect.errors import NothingToRead
from ses_audit.collect.reader import Organization, Run, account_states, read, unread
from ses_audit.collect.work import Steps
from ses_audit.errors import NOTHING_COLLECTED, USAGE
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.organization_tables import NO_ORGANIZATION
from ses_audit.snapshot.plan import GLOBAL, Cell, organization_cells

__all__ = ["OrganizationReader"]

_POLICY_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


class OrganizationReader:
    """The organization, read with the caller's credentials.

    Parameters
    ----------
    run
        The run.
    account
        The caller's.
    told
        Told of what is found.
    """

    def __init__(self, run: Run, account: str, told: Organization) -> None:
        self._run = run
        self._account = account
        self._told = told
        self.in_none = False
        """Whether AWS says that the account is in no organization."""
        self.listed: dict[str, str] | None = None
        """Account → state as ListAccounts named them; None where it could not be read whole."""
        self.below: set[str] | None = None
        """The accounts below the OUs that were asked for; None where no OU was."""
        self._children_of: dict[str, list[str]] = {}
        self._units_of: dict[str, list[str]] = {}
        self._second: dict[tuple[str, str], Reading] = {}

    def _cell(self, operation: str) -> Cell:
        return Cell(self._account, GLOBAL, "organizations", operation)

    def _read(self, operation: str, argument: str = "") -> Generator[Call, Record, Reading]:
        return read(self._run, self._cell(operation), self._account, argument)

    def steps(self) -> Steps:
        """Whether there is an organization, and its accounts; the rest is added as more work."""
        described = yield from self._read("DescribeOrganization")
        if described.code == NO_ORGANIZATION:
            self.in_none = True
            self._run.progress.note("no organization: the caller's account is read alone")
            self._told.found(None)
            return
        self._run.book.plan(organization_cells(self._account))
        options = self._run.options
        # A filter is looked at before anything but the accounts is read.
        filtered = bool(options.accounts or options.excluded or options.units)
        if not filtered:
            self._begin_policies()
        listing = yield from self._read("ListAccounts")
        states = account_states(listing)
        if listing.state.is_evidence:
            if not states:
                raise NothingToRead(
                    "AWS Organizations lists no account, not even the caller's: nothing was "
                    "collected; run again, and compare `aws organizations list-accounts`",
                    NOTHING_COLLECTED,
                )
            self.listed = states
        else:
            self._run.progress.note(
                f"the accounts of the organization are not known: ListAccounts ended as "
                f"{listing.state.value} ({listing.message or listing.code}); "
                + ("those seen are read" if states else "the caller's account is read alone")
                + ", and what service control policies could forbid is UNKNOWN"
            )
        if options.units:
            # Who is below the OUs decides who is read, so the tree comes first.
            yield from self._tree()
            self.below = self._below(options.units)
            self._told.found(states or None)
        else:
            self._told.found(states or None)
            self._run.add(self._account, self._tree(), 2 * len(states))
        if filtered:
            self._begin_policies()

    def _begin_policies(self) -> None:
        for kind in _POLICY_TYPES:
            self._run.add(self._account, self._policies(kind), 1)

    def look_again(self) -> None:
        """Add the work of a second look at the accounts, once all else is read.

        What is read whole is evidence, and newer than the first look.
        """
        if self.listed is not None:
            self._run.add(self._account, self._again("ListAccounts"), len(self.listed))
            for parent in self._children_of:
                self._run.add(self._account, self._again("ListAccountsForParent", parent), 1)

    def compare(self) -> None:
        """Say which accounts joined, left, moved, or changed their state between the looks."""
        if self.listed is None:
            return
        accounts = self._second.get(("ListAccounts", ""))
        if accounts is None:
            self._told.assume(
                "The accounts could not be listed a second time: one that joined, left or moved "
                "during the run would not be noticed"
            )
            return
        now = account_states(accounts)
        for account in sorted(now.keys() - self.listed.keys()):
            self._told.joined(account, now[account])
        for account, state in sorted(self.listed.items()):
            if account not in now:
                self._told.assume(f"Account {account} left while the run went on")
            elif now[account] != state:
                self._told.assume(
                    f"The state of account {account} changed while the run went on, from {state} "
                    f"to {now[account]}"
                )
        self._moved()

    def _moved(self) -> None:
        places: dict[str, str] = {}
        for parent in sorted(self._children_of):
            below = self._second.get(("ListAccountsForParent", parent))
            if below is None:
                self._told.assume(
                    f"The accounts of {parent} could not be listed a second time: one that moved "
                    "during the run would not be noticed"
                )
                return
            places |= {str(item["Id"]): parent for item in below.items("Accounts")}
        before = {id_: parent for parent, own in self._children_of.items() for id_ in own}
        for account in sorted(places.keys() & before.keys()):
            if places[account] != before[account]:
                self._told.assume(
                    f"Account {account} moved while the run went on, from {before[account]} to "
                    f"{places[account]}: it is decided where it is now"
                )

    def _again(self, operation: str, argument: str = "") -> Steps:
        found = yield from read(
            self._run, self._cell(operation), self._account, argument, kept=False
        )
        if found.state.is_evidence:
            for record in found.records:
                self._run.book.write(record)
            self._second[operation, argument] = found

    def _tree(self) -> Steps:
        below = [
            self._cell(n) for n in ("ListOrganizationalUnitsForParent", "ListAccountsForParent")
        ]
        roots = yield from self._read("ListRoots")
        parents = [str(root["Id"]) for root in roots.items("Roots")]
        if not parents:
            unread(self._run, below, self._cell("ListRoots"), roots)
        while parents:
            parent = parents.pop()
            if self._run.options.units:
                yield from self._children(parent)
            else:
                self._run.add(self._account, self._children(parent), 1)
            units = yield from self._read("ListOrganizationalUnitsForParent", parent)
            known = [str(unit["Id"]) for unit in units.items("OrganizationalUnits")]
            parents += known
            if units.state.is_evidence:
                self._units_of[parent] = known

    def _below(self, units: tuple[str, ...]) -> set[str]:
        """The accounts below OUs, at any depth."""
        known = {*self._units_of, *(unit for own in self._units_of.values() for unit in own)}
        missing = sorted(set(units) - known)
        if missing:
            raise NothingToRead(
                f"--ou {missing[0]}: no such OU is known; {len(known):,} are: `ses-audit collect` "
                "reads them with organizations:ListOrganizationalUnitsForParent",
                USAGE,
            )
        below: set[str] = set()
        left = list(units)
        while left:
            unit = left.pop()
            if unit not in self._children_of or unit not in self._units_of:
                raise NothingToRead(
                    f"--ou: what is below {unit} could not be read: name accounts (--account)",
                    USAGE,
                )
            below |= set(self._children_of[unit])
            left += self._units_of[unit]
        return below

    def _children(self, parent: str) -> Steps:
        below = yield from self._read("ListAccountsForParent", parent)
        if below.state.is_evidence:
            self._children_of[parent] = [str(item["Id"]) for item in below.items("Accounts")]

    def _policies(self, kind: str) -> Steps:
        listing = yield from self._read("ListPolicies", kind)
        policies = [str(policy["Id"]) for policy in listing.items("Policies")]
        self._run.add(self._account, self._each("DescribePolicy", policies), len(policies))
        self._run.add(self._account, self._each("ListTargetsForPolicy", policies), len(policies))
        if kind == _POLICY_TYPES[0] and not policies:
            cells = [self._cell(name) for name in ("DescribePolicy", "ListTargetsForPolicy")]
            unread(self._run, cells, self._cell("ListPolicies"), listing)

    def _each(self, operation: str, policies: list[str]) -> Steps:
        for policy in policies:
            yield from self._read(operation, policy)
