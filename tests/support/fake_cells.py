"""The cells of the organization of fake_aws and their states, written by hand; runs over it."""

from __future__ import annotations

from collections.abc import Callable

from fake_aws import MANAGEMENT, MEMBER, REFUSING, SUSPENDED

from ses_audit.collect.options import CollectOptions
from ses_audit.collect.pace import Pace
from ses_audit.collect.progress import Silent
from ses_audit.collect.run import collect
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.store import Snapshot

Make = Callable[..., CollectOptions]

GLOBAL_CELLS = {
    "account.ListRegions": "OK",
    "iam.GetAccountAuthorizationDetails": "OK",
    "iam.ListAccessKeys": "OK",
    "iam.GetAccessKeyLastUsed": "OK",
}
ORGANIZATION_CELLS = {
    "organizations.DescribeOrganization": "OK",
    "organizations.ListRoots": "OK",
    "organizations.ListOrganizationalUnitsForParent": "OK",
    "organizations.ListAccounts": "OK",
    "organizations.ListAccountsForParent": "OK",
    "organizations.ListPolicies": "OK",
    "organizations.DescribePolicy": "OK",
    "organizations.ListTargetsForPolicy": "OK",
}
SES = ("GetAccount", "ListEmailIdentities", "GetEmailIdentity", "ListConfigurationSets")


def ses(region: str, *states: str) -> dict[str, str]:
    every = states * 4 if len(states) == 1 else states
    return {f"{region}/sesv2.{name}": state for name, state in zip(SES, every, strict=True)}


def expected() -> dict[str, str]:
    """Every cell of the organization of fake_aws, and the state in which it ends."""
    everything = {**GLOBAL_CELLS, "sts.AssumeRole": "OK"}
    here = {f"global/{k}": v for k, v in {**GLOBAL_CELLS, **ORGANIZATION_CELLS}.items()}
    here |= ses("af-south-1", "REGION_DISABLED")
    for region in ("eu-west-1", "us-east-1"):
        here |= ses(region, "OK", "EMPTY", "EMPTY", "EMPTY")
    there = {f"global/{k}": v for k, v in everything.items()}
    there |= ses("af-south-1", "REGION_DISABLED")
    there |= ses("eu-west-1", "OK") | ses("us-east-1", "OK", "EMPTY", "EMPTY", "OK")
    accounts = {MANAGEMENT: here, MEMBER: there}
    for account, state in ((REFUSING, "ASSUME_FAILED"), (SUSPENDED, "NOT_AUDITED")):
        accounts[account] = {f"global/{k}": state for k in everything} | ses("*", state)
    return {f"{account}/{cell}": s for account, own in accounts.items() for cell, s in own.items()}


def cells(made: Snapshot) -> dict[str, str]:
    rows = read_coverage(made.table("coverage"))
    return {str(row.cell): row.state.value for row in rows if not row.argument}


def run(make: Make, fast: Pace, **changes: object) -> Snapshot:
    regions = ("af-south-1", "eu-west-1", "us-east-1")
    return collect(make(ses_regions=lambda _: regions, **changes), Silent(), fast)
