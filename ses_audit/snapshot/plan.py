"""The cells that a snapshot should hold, listed before anything is read.

A cell is (account, region, service, operation). What is not known yet is planned as soon as it
is: first the organization, then each account, then each account's regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = [
    "ACCOUNT_OPERATIONS",
    "ARGUMENTS",
    "GLOBAL",
    "ORGANIZATION_OPERATIONS",
    "REGIONS_BY_EC2",
    "REGION_OPERATIONS",
    "UNKNOWN_REGION",
    "Cell",
    "account_cells",
    "expected_cells",
    "organization_cells",
    "region_cells",
]

GLOBAL = "global"
"""The region of IAM, Organizations, STS and Account Management cells, and of EC2's one."""

UNKNOWN_REGION = "*"
"""Stands for the regions of an account whose regions are not known."""

ORGANIZATION_OPERATIONS = (
    "DescribeOrganization",
    "ListRoots",
    "ListOrganizationalUnitsForParent",
    "ListAccounts",
    "ListAccountsForParent",
    "ListPolicies",
    "DescribePolicy",
    "ListTargetsForPolicy",
)
ACCOUNT_OPERATIONS = (
    ("account", "ListRegions"),
    ("iam", "GetAccountAuthorizationDetails"),
    ("iam", "ListAccessKeys"),
    ("iam", "GetAccessKeyLastUsed"),
)
REGIONS_BY_EC2 = ("ec2", "DescribeRegions")
"""Which regions are enabled, asked where `account.ListRegions` does not tell; planned only then."""
REGION_OPERATIONS = (
    "GetAccount",
    "ListEmailIdentities",
    "GetEmailIdentity",
    "ListConfigurationSets",
)

ARGUMENTS = {
    "ListOrganizationalUnitsForParent": "ParentId",
    "ListAccountsForParent": "ParentId",
    "ListParents": "ChildId",
    "ListPolicies": "Filter",
    "DescribePolicy": "PolicyId",
    "ListTargetsForPolicy": "PolicyId",
    "ListPoliciesForTarget": "TargetId",
    "ListAccessKeys": "UserName",
    "GetAccessKeyLastUsed": "AccessKeyId",
    "GetEmailIdentity": "EmailIdentity",
    "GetConfigurationSet": "ConfigurationSetName",
}
"""Operation → the request's parameter that names the item; the others are called once a cell."""


class Cell(NamedTuple):
    """What is read as one: an operation of a service, in a region of an account.

    Examples
    --------
    >>> str(Cell("222222222222", "eu-west-1", "sesv2", "GetEmailIdentity"))
    '222222222222/eu-west-1/sesv2.GetEmailIdentity'
    """

    account: str
    region: str
    service: str
    operation: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}/{self.service}.{self.operation}"


def organization_cells(account: str) -> list[Cell]:
    """The cells of the organization, read with the credentials of `account`.

    Examples
    --------
    >>> {cell.service for cell in organization_cells("111111111111")}
    {'organizations'}
    """
    return [Cell(account, GLOBAL, "organizations", name) for name in ORGANIZATION_OPERATIONS]


def account_cells(account: str, *, assume_role: bool) -> list[Cell]:
    """The cells of one account that have no region.

    Parameters
    ----------
    account
        Twelve digits.
    assume_role
        Whether a role is assumed there; False for the caller's own account.

    Examples
    --------
    >>> account_cells("222222222222", assume_role=True)[0].operation
    'AssumeRole'
    >>> any(cell.service == "sts" for cell in account_cells("222222222222", assume_role=False))
    False
    """
    first = [Cell(account, GLOBAL, "sts", "AssumeRole")] if assume_role else []
    return first + [Cell(account, GLOBAL, service, name) for service, name in ACCOUNT_OPERATIONS]


def region_cells(account: str, regions: Iterable[str] | None) -> list[Cell]:
    """The SES cells of one account, for each region; None where the regions are not known.

    Examples
    --------
    >>> [str(cell) for cell in region_cells("222222222222", None)][1]
    '222222222222/*/sesv2.ListEmailIdentities'
    """
    known = (UNKNOWN_REGION,) if regions is None else sorted(set(regions))
    return [Cell(account, region, "sesv2", name) for region in known for name in REGION_OPERATIONS]


def expected_cells(
    accounts: Iterable[str],
    regions_by_account: Mapping[str, Iterable[str] | None],
    *,
    caller_account: str,
    has_organization: bool = True,
    own_credentials: Iterable[str] = (),
) -> list[Cell]:
    """Every cell of a snapshot, sorted.

    Parameters
    ----------
    accounts
        The accounts to read, the management account and the caller's among them.
    regions_by_account
        The regions in which SES is read: all of its regions in the partition, the disabled
        ones included (their cells end as `REGION_DISABLED`). An account that is absent, or
        None, has unknown regions.
    caller_account
        The account whose credentials the run starts with; it reads the organization.
    has_organization
        False when the caller's account is in no organization.
    own_credentials
        Further accounts that are read without assuming a role.

    Examples
    --------
    >>> cells = expected_cells(["111111111111"], {"111111111111": ["eu-west-1"]},
    ...                        caller_account="111111111111", has_organization=False)
    >>> len(cells)
    8
    """
    own = {caller_account, *own_credentials}
    cells = set(organization_cells(caller_account)) if has_organization else set()
    for account in accounts:
        cells.update(account_cells(account, assume_role=account not in own))
        cells.update(region_cells(account, regions_by_account.get(account)))
    return sorted(cells)
