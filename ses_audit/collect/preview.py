"""What a run would do, without doing it: only the accounts are listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from typing import Any

from ses_audit.collect.aws import Aws, Caller
from ses_audit.collect.book import Reading
from ses_audit.collect.call import Call
from ses_audit.collect.errors import NothingToRead
from ses_audit.collect.estimate import Bound, bound, planned_calls
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.pace import Pace
from ses_audit.collect.reader import account_states, read
from ses_audit.collect.run import check_filters, how_many, left_out, ses_regions
from ses_audit.errors import NOTHING_COLLECTED, USAGE
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.organization_tables import NO_ORGANIZATION
from ses_audit.snapshot.plan import GLOBAL, Cell

__all__ = ["Preview", "preview"]


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan of a run."""

    caller: Caller
    accounts: tuple[str, ...]
    """To be read."""
    aside: dict[str, str]
    """Account → why it is not read."""
    regions: tuple[str, ...]
    calls: int
    """At least so many: no opt-in region is on."""
    most: int
    """As many where every region is on."""
    bound: Bound
    note: str
    """What is not known of the organization; "" where its accounts were listed."""


def preview(
    options: CollectOptions,
    pace: Pace | None = None,
    wait: Callable[[float], None] = time.sleep,
    opt_in: Callable[[str], Collection[str]] = lambda partition: (),
) -> Preview:
    """Plan a run: who the caller is, and which accounts there are; nothing else is asked.

    Parameters
    ----------
    options, pace
        As for `collect`.
    wait
        Sleeps.
    opt_in
        Partition → the regions that are off until an account enables them
        (`ses.regions.opt_in_regions`).

    Raises
    ------
    UserError
        As for `collect`, where it can be known.
    """
    aws = Aws(options)
    regions = ses_regions(options, aws)
    if options.regions:
        regions = tuple(region for region in regions if region in options.regions)
    lists = _Lists(options, aws, pace or Pace(), wait)
    listing = lists.read("ListAccounts")
    caller = aws.caller.account
    note = ""
    states = account_states(listing)
    if listing.code == NO_ORGANIZATION:
        note = "no organization: the caller's account is read alone"
    elif not listing.state.is_evidence:
        note = (
            f"the accounts are not known: ListAccounts ended as {listing.state.value} "
            f"({listing.message or listing.code})"
        )
    elif not states:
        raise NothingToRead(
            "AWS Organizations lists no account: there is nothing to plan", NOTHING_COLLECTED
        )
    else:
        check_filters(options, states, caller)
    below = lists.below(options.units) if options.units else None
    for account in (caller, *options.accounts):
        states.setdefault(account, "ACTIVE")
    aside = {
        account: f"its state is {state}" if state != "ACTIVE" else reason
        for account, state in sorted(states.items())
        if state != "ACTIVE" or (reason := left_out(account, options, below))
    }
    accounts = tuple(account for account in sorted(states) if account not in aside)
    if not accounts:
        raise NothingToRead(
            f"no account is left to read: {len(states):,} known, all of them excluded or not "
            "active; see --account, --ou and --exclude-account",
            USAGE,
        )
    off = opt_in(aws.caller.partition)
    organization = listing.code != NO_ORGANIZATION
    on = sum(region not in off for region in regions)
    planned = planned_calls(len(accounts), on, organization=organization)
    most = planned_calls(len(accounts), len(regions), organization=organization)
    buckets = {
        (service, name): calls if service == "organizations" else 1
        for (service, name), calls in planned.items()
    }
    calls = sum(planned.values())
    processes, threads = how_many(len(accounts), options)
    return Preview(
        aws.caller, accounts, aside, regions, calls,
        sum(most.values()),
        bound(buckets, calls, in_flight=max(1, processes) * threads), note,
    )  # fmt: skip


class _Lists:
    """The lists of the organization, asked one after another."""

    def __init__(
        self, options: CollectOptions, aws: Aws, pace: Pace, wait: Callable[[float], None]
    ) -> None:
        self._aws = aws
        self._pace = pace
        self._wait = wait
        # `read` asks a run for its book only where answers are kept.
        self._run: Any = None

    def read(self, operation: str, argument: str = "") -> Reading:
        caller = self._aws.caller.account
        cell = Cell(caller, GLOBAL, "organizations", operation)
        return self._drive(read(self._run, cell, caller, argument, kept=False))

    def _drive(self, steps: Generator[Call, Record, Reading]) -> Reading:
        call = next(steps)
        while True:
            try:
                call = steps.send(self._send(call))
            except StopIteration as ended:
                found: Reading = ended.value
                return found

    def _send(self, call: Call) -> Record:
        attempts = 0
        while True:
            now = time.monotonic()
            self._wait(max(0.0, self._pace.reserve(call.pace_key, now) - now))
            record = self._aws.ask(call)
            attempts += 1
            self._pace.answered(call.pace_key, record.status)
            pause = self._pace.again(record.status, attempts)
            if pause is None:
                return record
            self._wait(pause)

    def below(self, units: tuple[str, ...]) -> set[str]:
        """The accounts below OUs, at any depth."""
        found: set[str] = set()
        left = list(units)
        while left:
            unit = left.pop()
            accounts = self.read("ListAccountsForParent", unit)
            children = self.read("ListOrganizationalUnitsForParent", unit)
            for reading in (accounts, children):
                if not reading.state.is_evidence:
                    raise NothingToRead(
                        f"--ou {unit}: {reading.message or reading.code}: "
                        "`aws organizations list-organizational-units-for-parent` lists OUs",
                        USAGE,
                    )
            found |= set(account_states(accounts))
            left += [str(item["Id"]) for item in children.items("OrganizationalUnits")]
        return found
