"""Reads one account: its principals and keys, its regions, and SES in each of them."""

from __future__ import annotations

from collections.abc import Generator

from ses_audit.collect.book import Reading
from ses_audit.collect.call import Call
from ses_audit.collect.reader import Run, read, unread
from ses_audit.collect.work import Steps
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.plan import (
    GLOBAL,
    REGIONS_BY_EC2,
    Cell,
    account_cells,
    region_cells,
)
from ses_audit.snapshot.region_lists import DISABLED, region_states

__all__ = ["UNPROVEN", "AccountReader"]

UNPROVEN = "its regions are not proven: every region of SES is tried"

# IAM tells nothing of keys in its details, so each user is asked; in so many pieces of work.
_KEY_PIECES = 4


class AccountReader:
    """One account.

    Parameters
    ----------
    run
        The run.
    account
        Twelve digits.
    assume_role
        False where the caller's credentials are used as they are.
    ses_regions
        The regions that SES is in.
    """

    def __init__(
        self, run: Run, account: str, *, assume_role: bool, ses_regions: tuple[str, ...]
    ) -> None:
        self._run = run
        self._account = account
        self._assume_role = assume_role
        self._entered = not assume_role
        self._ses_regions = ses_regions
        self.refusal = ""
        """Why the role could not be assumed; "" while it was not refused."""

    def plan(self) -> None:
        """Put the account's cells into the plan, its regions as yet unknown."""
        self._run.book.plan(account_cells(self._account, assume_role=self._assume_role))
        self._run.book.plan(region_cells(self._account, None))

    def _cell(self, service: str, operation: str, region: str = GLOBAL) -> Cell:
        return Cell(self._account, region, service, operation)

    def _read(self, cell: Cell, argument: str = "") -> Generator[Call, Record, Reading]:
        """As `read`; the role is assumed before the first call that is needed."""
        before = self._run.book.earlier(cell, argument)
        if before is not None:
            return before
        if not self._entered and not self.refusal:
            yield from self._enter()
        if self.refusal:
            return Reading((), State.ASSUME_FAILED, message=self.refusal)
        found = yield from read(self._run, cell, self._account, argument)
        return found

    def _enter(self) -> Generator[Call, Record, None]:
        cell = self._cell("sts", "AssumeRole")
        request: dict[str, object] = {
            "RoleArn": self._run.aws.role_arn(self._account),
            "RoleSessionName": self._run.options.session_name,
        }
        record = yield Call(cell, request, self._run.aws.caller.account)
        if record.status is State.OK:
            self._entered = True
        else:
            error = record.error or {}
            self.refusal = error.get("message") or error.get("code") or record.status.value

    def begin(self) -> Steps:
        """Which regions there are, before anything else: each is added as more work."""
        states, whole = yield from self._regions()
        if not self.refusal:
            self._plan_regions(states, whole)

    def principals(self) -> Steps:
        """Whom IAM knows, and their keys."""
        details = self._cell("iam", "GetAccountAuthorizationDetails")
        principals = yield from self._read(details)
        users = [str(user["UserName"]) for user in principals.items("UserDetailList")]
        keys, used = self._cell("iam", "ListAccessKeys"), self._cell("iam", "GetAccessKeyLastUsed")
        if not users:
            unread(self._run, [keys, used], details, principals)
        for piece in range(min(_KEY_PIECES, len(users))):
            own = users[piece::_KEY_PIECES]
            self._run.add(self._account, self._keys(keys, used, own), 2 * len(own))

    def ended(self) -> None:
        """Say how the cells ended of which no call tells; all work of the account is over."""
        book = self._run.book
        keys, used = self._cell("iam", "ListAccessKeys"), self._cell("iam", "GetAccessKeyLastUsed")
        if book.state(used) is State.NOT_ATTEMPTED and book.state(keys).is_evidence:
            # Nobody has a key.
            book.mark([used], State.EMPTY)
        if self.refusal:
            book.mark(book.missing(self._account), State.ASSUME_FAILED, self.refusal)

    def _keys(self, keys: Cell, used: Cell, users: list[str]) -> Steps:
        for user in users:
            listed = yield from self._read(keys, user)
            for key in listed.items("AccessKeyMetadata"):
                yield from self._read(used, str(key["AccessKeyId"]))

    def _regions(self) -> Generator[Call, Record, tuple[dict[str, str], bool]]:
        """Region → state, and whether the list is whole: by EC2 where Account Management fails."""
        book, second = self._run.book, self._cell(*REGIONS_BY_EC2)
        listing = yield from self._read(self._cell("account", "ListRegions"))
        states = region_states(listing.items("Regions"))
        if listing.state.is_evidence:
            # Where an earlier run had to ask EC2, that is no part of the plan any more.
            book.drop([second])
        if listing.state.is_evidence or self.refusal:
            return states, listing.state.is_evidence
        book.plan([second])
        described = yield from self._read(second)
        whole = described.state.is_evidence
        if not whole and not self.refusal:
            book.annotate(second, UNPROVEN)
        by_ec2 = region_states(described.items("Regions"))
        return (by_ec2 if whole else states), whole

    def _plan_regions(self, states: dict[str, str], whole: bool) -> None:
        book, options = self._run.book, self._run.options
        # Without the list every region is tried; with it, one it lacks is not there.
        for region in [r for r in self._ses_regions if not whole or r in states]:
            cells = region_cells(self._account, [region])
            if options.regions and region not in options.regions:
                book.mark(cells, State.EXCLUDED, "not among the regions that were asked for")
            elif states.get(region) == DISABLED:
                book.mark(cells, State.REGION_DISABLED, "disabled")
            else:
                book.plan(cells)
                self._run.add(self._account, self._region(region), 1)
        book.drop(region_cells(self._account, None))

    def _region(self, region: str) -> Steps:
        listing = self._cell("sesv2", "ListEmailIdentities", region)
        details = self._cell("sesv2", "GetEmailIdentity", region)
        identities = yield from self._read(listing)
        names = [str(item["IdentityName"]) for item in identities.items("EmailIdentities")]
        if names:
            self._run.add(self._account, self._identities(details, names), len(names))
        else:
            unread(self._run, [details], listing, identities)
        yield from self._read(self._cell("sesv2", "GetAccount", region))
        yield from self._read(self._cell("sesv2", "ListConfigurationSets", region))

    def _identities(self, cell: Cell, names: list[str]) -> Steps:
        for name in names:
            yield from self._read(cell, name)
