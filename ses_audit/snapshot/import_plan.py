"""What an import should hold: the ledger of a folder of files, absent ones included."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.identity_tables import GivenIdentity
from ses_audit.snapshot.ledger import Ledger, argument_of
from ses_audit.snapshot.organization_tables import NO_ORGANIZATION
from ses_audit.snapshot.plan import (
    GLOBAL,
    REGIONS_BY_EC2,
    Cell,
    account_cells,
    organization_cells,
    region_cells,
)
from ses_audit.snapshot.readings import Answers
from ses_audit.snapshot.region_lists import region_states

__all__ = ["plan_import"]

_ABSENT = "no file"
_SCP = "SERVICE_CONTROL_POLICY"
_ENABLED = ("ENABLED", "ENABLED_BY_DEFAULT")


def plan_import(
    records: Iterable[Record],
    *,
    organization: bool = True,
    given: Iterable[GivenIdentity] = (),
    ses_regions: Collection[str] | None = None,
) -> Ledger:
    """The ledger of an import: each call that the audit needs, read or not.

    Parameters
    ----------
    records
        Of all files.
    organization
        False when the person states that no organization applies.
    given
        Identities named by hand.
    ses_regions
        The regions that SES is in; None counts every enabled region.
    """
    ledger = Ledger()
    by_account: dict[str, list[Record]] = {}
    for record in records:
        by_account.setdefault(record.account, []).append(record)
        ledger.observe(record)
        if record.status is State.TRUNCATED:
            # The ledger awaits the next page; no file will bring it.
            message = (record.error or {}).get("message", "")
            ledger.mark(_cell(record), State.TRUNCATED, message, argument=argument_of(record))
    answers = {account: Answers(own) for account, own in by_account.items()}
    states: dict[str, str] = {}
    if organization:
        reader = _reader(by_account)
        if reader and not _in_none(by_account[reader]):
            ledger.plan(organization_cells(reader))
            states = _Organization(reader, answers[reader], ledger).plan()
        elif not reader and by_account:
            # Nothing of an organization: whether there is one is not known.
            lone = Cell(min(by_account), GLOBAL, "organizations", "DescribeOrganization")
            ledger.plan([lone])
    named = {item.account for item in given}
    for account in sorted({*by_account, *states, *named}):
        state = states.get(account, "ACTIVE")
        cells = account_cells(account, assume_role=False)
        # The last use of keys is told where it is known; no verdict needs it.
        cells = [cell for cell in cells if cell.operation != "GetAccessKeyLastUsed"]
        ledger.plan(cells)
        if state != "ACTIVE":
            for cell in cells:
                ledger.mark(cell, State.NOT_AUDITED, f"its state is {state}")
            continue
        own = answers.get(account)
        if own is None:
            if account not in named:
                ledger.plan(region_cells(account, None))
            continue
        regions = {record.region for record in by_account[account]} - {GLOBAL}
        _plan_account(account, own, regions, ledger, account in named, ses_regions)
    _mark_given(ledger, given)
    return ledger


def _cell(record: Record) -> Cell:
    return Cell(record.account, record.region, record.service, record.operation)


def _reader(by_account: dict[str, list[Record]]) -> str | None:
    """The account that answers for the organization: the one with most of its files."""
    counts = {
        account: sum(record.service == "organizations" for record in records)
        for account, records in by_account.items()
    }
    best = max(sorted(counts), key=lambda account: counts[account], default="")
    return best if counts.get(best) else None


def _in_none(records: list[Record]) -> bool:
    return any((record.error or {}).get("code") == NO_ORGANIZATION for record in records)


class _Organization:
    """Which organization cells the files answer, directly or by way of one another."""

    def __init__(self, account: str, answers: Answers, ledger: Ledger) -> None:
        self._account = account
        self._answers = answers
        self._ledger = ledger

    def _mark(self, operation: str, state: State, detail: str, argument: str = "") -> None:
        cell = Cell(self._account, GLOBAL, "organizations", operation)
        self._ledger.mark(cell, state, detail, argument=argument)

    def _state(self, operation: str, argument: str | None = None) -> State:
        cell = Cell(self._account, GLOBAL, "organizations", operation)
        return self._ledger.state(cell, argument)

    def _ids(self, operation: str, name: str) -> dict[str, dict[str, object]]:
        return {
            str(item["Id"]): item for item in self._answers.items("organizations", operation, name)
        }

    def plan(self) -> dict[str, str]:
        """Mark what is absent; the accounts with their states."""
        accounts = self._ids("ListAccountsForParent", "Accounts")
        accounts |= self._ids("ListAccounts", "Accounts")
        units = list(self._ids("ListRoots", "Roots"))
        units += self._ids("ListOrganizationalUnitsForParent", "OrganizationalUnits")
        self._describe(accounts)
        self._tree(accounts, units)
        self._policies(accounts, units)
        return {
            account: str(item.get("State") or item.get("Status") or "ACTIVE")
            for account, item in accounts.items()
        }

    def _describe(self, accounts: dict[str, dict[str, object]]) -> None:
        told = any(str(item.get("Arn")).count("/") == 2 for item in accounts.values())
        if told and self._state("DescribeOrganization") is State.NOT_ATTEMPTED:
            # An account's ARN names the organization and its management account.
            self._mark("DescribeOrganization", State.OK, "")

    def _tree(self, accounts: dict[str, dict[str, object]], units: list[str]) -> None:
        placed = set(self._ids("ListAccountsForParent", "Accounts"))
        placed |= {
            str(record.request.get("ChildId"))
            for record, _ in self._answers.of("organizations", "ListParents")
        }
        whole = (
            bool(units)
            and self._state("ListAccounts").is_evidence
            and self._state("ListRoots").is_evidence
            and placed >= set(accounts)
        )
        for operation in ("ListAccountsForParent", "ListOrganizationalUnitsForParent"):
            absent = [unit for unit in units if self._state(operation, unit) is State.NOT_ATTEMPTED]
            if not absent:
                continue
            if whole:
                # Every account has its place: an OU without a file can hold none.
                if self._state(operation) is State.NOT_ATTEMPTED:
                    self._mark(operation, State.OK, "")
                continue
            for unit in absent:
                self._mark(operation, State.NOT_ATTEMPTED, _ABSENT, unit)

    def _policies(self, accounts: dict[str, dict[str, object]], units: list[str]) -> None:
        targets = [*units, *accounts]
        by_target = {
            str(record.request["TargetId"])
            for record, _ in self._answers.of("organizations", "ListPoliciesForTarget")
            if record.request.get("Filter") == _SCP
        }
        every_target = bool(units) and by_target >= set(targets)
        if every_target and self._state("ListPolicies", _SCP) is State.NOT_ATTEMPTED:
            self._mark("ListPolicies", State.OK, "", _SCP)
        elif self._state("ListPolicies", _SCP) is State.NOT_ATTEMPTED:
            self._mark("ListPolicies", State.NOT_ATTEMPTED, _ABSENT, _SCP)
        policies = [
            id_
            for operation in ("ListPolicies", "ListPoliciesForTarget")
            for id_, item in self._ids(operation, "Policies").items()
            if item.get("Type") in (None, _SCP)
        ]
        for policy in dict.fromkeys(policies):
            if self._state("DescribePolicy", policy) is State.NOT_ATTEMPTED:
                self._mark("DescribePolicy", State.NOT_ATTEMPTED, _ABSENT, policy)
            targets_read = self._state("ListTargetsForPolicy", policy)
            if targets_read is State.NOT_ATTEMPTED and not every_target:
                self._mark("ListTargetsForPolicy", State.NOT_ATTEMPTED, _ABSENT, policy)
        if every_target and self._state("ListTargetsForPolicy") is State.NOT_ATTEMPTED:
            self._mark("ListTargetsForPolicy", State.OK, "")
        if not policies and self._state("ListPolicies").is_evidence:
            for operation in ("DescribePolicy", "ListTargetsForPolicy"):
                self._mark(operation, State.EMPTY, "")


def _plan_account(
    account: str,
    answers: Answers,
    regions: set[str],
    ledger: Ledger,
    named: bool,
    ses_regions: Collection[str] | None,
) -> None:
    """Plan what files should tell of an account; `regions` are those of which one tells."""
    _plan_keys(account, answers, ledger)
    listed = region_states(answers.items("account", "ListRegions", "Regions"))
    if not listed:
        listed = region_states(answers.items(*REGIONS_BY_EC2, "Regions"))
        own = Cell(account, GLOBAL, "account", "ListRegions")
        if listed and ledger.state(own) is State.NOT_ATTEMPTED:
            # The one file stands in the place of the other.
            ledger.mark(own, State.OK)
    if listed:
        for region, status in listed.items():
            if ses_regions is not None and region not in ses_regions:
                continue
            if status in _ENABLED:
                regions.add(region)
            elif region not in regions:
                for cell in region_cells(account, [region]):
                    ledger.mark(cell, State.REGION_DISABLED, status.lower())
    if regions or not named:
        ledger.plan(region_cells(account, regions or None))
    for region in regions:
        _plan_region(account, region, answers, ledger)


def _plan_keys(account: str, answers: Answers, ledger: Ledger) -> None:
    cell = Cell(account, GLOBAL, "iam", "ListAccessKeys")
    details = ("iam", "GetAccountAuthorizationDetails")
    users = [str(user["UserName"]) for user in answers.items(*details, "UserDetailList")]
    read = [user for user in users if ledger.state(cell, user) is not State.NOT_ATTEMPTED]
    if not users and ledger.state(Cell(account, GLOBAL, *details)).is_evidence:
        ledger.mark(cell, State.EMPTY)
    elif read:
        for user in sorted(set(users) - set(read)):
            ledger.mark(cell, State.NOT_ATTEMPTED, _ABSENT, argument=user)


def _plan_region(account: str, region: str, answers: Answers, ledger: Ledger) -> None:
    details = Cell(account, region, "sesv2", "GetEmailIdentity")
    names = [
        str(item["IdentityName"])
        for record, response in answers.of("sesv2", "ListEmailIdentities")
        if record.region == region
        for item in _items(response.get("EmailIdentities"))
    ]
    for name in names:
        if ledger.state(details, name) is State.NOT_ATTEMPTED:
            ledger.mark(details, State.NOT_ATTEMPTED, _ABSENT, argument=name)
    listing = Cell(account, region, "sesv2", "ListEmailIdentities")
    if not names and ledger.state(listing).is_evidence:
        ledger.mark(details, State.EMPTY)


def _items(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []


def _mark_given(ledger: Ledger, given: Iterable[GivenIdentity]) -> None:
    """Identities named by hand stand for the account's list, where no file gives one."""
    for item in given:
        regions = Cell(item.account, GLOBAL, "account", "ListRegions")
        if ledger.state(regions) is State.NOT_ATTEMPTED:
            ledger.mark(regions, State.EXCLUDED, "its identities were named by hand")
        for cell in region_cells(item.account, [item.region]):
            if ledger.state(cell) is State.NOT_ATTEMPTED:
                ledger.mark(cell, State.OK, "")
