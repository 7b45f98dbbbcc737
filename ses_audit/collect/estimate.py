"""How long a run must take: the documented rates, and the latency of what is asked at once.

Source of the rates: data/rates.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ses_audit.collect.reference import load_data

__all__ = ["Bound", "bound", "planned_calls"]

IN_FLIGHT = 64
LATENCY = 0.15
_PAGE = 20


@dataclass(frozen=True, slots=True)
class Bound:
    """Lower bounds in seconds; a run takes at least the longer of the two."""

    rates: float
    """Of the slowest bucket: (calls - burst) / rate."""
    slowest: str
    """Which bucket that is."""
    latency: float
    """Of all calls, `in_flight` at a time."""

    @property
    def seconds(self) -> float:
        """The bound."""
        return max(self.rates, self.latency)


def bound(
    buckets: Mapping[tuple[str, str], int],
    calls: int,
    latency: float = LATENCY,
    in_flight: int = IN_FLIGHT,
) -> Bound:
    """The lower bound of a run.

    Parameters
    ----------
    buckets
        (service, operation) → the calls of its fullest bucket: of the caller for Organizations,
        of one account for IAM, of one account and region for SES.
    calls
        All calls.
    latency
        Seconds that a call takes.
    in_flight
        Calls at a time.

    Examples
    --------
    >>> found = bound({("organizations", "DescribePolicy"): 102}, 640)
    >>> (found.rates, found.slowest, found.latency, found.seconds)
    (50.0, 'organizations.DescribePolicy', 1.5, 50.0)
    """
    rates: Mapping[str, Any] = load_data("rates.json")["rates"]
    slowest, longest = "", 0.0
    for (service, operation), count in buckets.items():
        rate, burst = rates[service].get(operation) or rates[service]["*"]
        seconds = (count - burst) / rate
        if seconds > longest:
            slowest, longest = f"{service}.{operation}", seconds
    return Bound(longest, slowest, calls * latency / in_flight)


def planned_calls(
    accounts: int, regions: int, *, organization: bool = True
) -> dict[tuple[str, str], int]:
    """The calls of a whole run that are certain before anything but the accounts is known.

    One more comes for each further page, identity, user, access key and OU, two for each policy.

    Parameters
    ----------
    accounts, regions
        How many are read.
    organization
        Whether there is one.

    Examples
    --------
    >>> sum(planned_calls(10, 17).values())
    558
    """
    certain = {
        ("organizations", "DescribeOrganization"): 1,
        ("sts", "AssumeRole"): accounts - 1,
        # After each AssumeRole the session is asked whose it is.
        ("sts", "GetCallerIdentity"): accounts,
        ("account", "ListRegions"): accounts,
        ("iam", "GetAccountAuthorizationDetails"): accounts,
    }
    if organization:
        certain |= {
            # A second look follows at the end.
            ("organizations", "ListAccounts"): 2 * max(1, -(-accounts // _PAGE)),
            ("organizations", "ListAccountsForParent"): 2,
            ("organizations", "ListPolicies"): 2,
            ("organizations", "ListRoots"): 1,
            ("organizations", "ListOrganizationalUnitsForParent"): 1,
        }
    in_regions = ("GetAccount", "ListEmailIdentities", "ListConfigurationSets")
    return certain | {("sesv2", name): accounts * regions for name in in_regions}
