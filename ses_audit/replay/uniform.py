"""An organization of equal accounts: for benchmarks, and for faults put into any of its cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.plan import GLOBAL
from ses_audit.snapshot.shapes import is_empty

__all__ = ["account_id", "uniform_records"]

_TAKEN = "2026-11-23T06:00:00Z"
_ROOT, _ORGANIZATION = "r-ab12", "o-abcde12345"
_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
_TRUST = '{"Version":"2012-10-17","Statement":[]}'
_ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
_PER_UNIT = 100


def account_id(number: int) -> str:
    """The id of the nth account; 0 is the management account.

    Examples
    --------
    >>> account_id(7)
    '100000000007'
    """
    return f"{100_000_000_000 + number}"


def uniform_records(
    accounts: int,
    regions: Sequence[str],
    identities: int = 1,
    policies: int = 10,
    disabled: Callable[[int], Collection[str]] = lambda number: (),
) -> Iterator[Record]:
    """What AWS would have answered of the organization, a record a call.

    Parameters
    ----------
    accounts
        How many, the management account included; a hundred in each OU.
    regions
        Of each account.
    identities
        In each account and region.
    policies
        Service control policies, all of them on the root.
    disabled
        Which of the regions the nth account has off.
    """
    yield from _organization(accounts, policies)
    names = [f"mail{number}.example.com" for number in range(identities)]
    found = [{"IdentityName": name, "IdentityType": "DOMAIN"} for name in names]
    identity = {"IdentityType": "DOMAIN", "VerifiedForSendingStatus": True, "Policies": {}}
    state = {"ProductionAccessEnabled": True, "SendingEnabled": True}
    for number in range(accounts):
        account, off = account_id(number), disabled(number)
        listed = [
            {"RegionName": name, "RegionOptStatus": "DISABLED" if name in off else "ENABLED"}
            for name in regions
        ]
        yield _record(account, GLOBAL, "account", "ListRegions", {"Regions": listed})
        role = {
            "Arn": f"arn:aws:iam::{account}:role/mailer",
            "RoleName": "mailer",
            "AssumeRolePolicyDocument": _TRUST,
            "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": _ALLOW}],
        }
        details = {"UserDetailList": [], "RoleDetailList": [role]}
        yield _record(account, GLOBAL, "iam", "GetAccountAuthorizationDetails", details)
        for region in [region for region in regions if region not in off]:
            yield _record(account, region, "sesv2", "GetAccount", state)
            yield _record(
                account, region, "sesv2", "ListEmailIdentities", {"EmailIdentities": found}
            )
            for name in names:
                yield _record(
                    account, region, "sesv2", "GetEmailIdentity", identity, EmailIdentity=name
                )
            yield _record(
                account, region, "sesv2", "ListConfigurationSets", {"ConfigurationSets": []}
            )


def _record(
    account: str, region: str, service: str, operation: str, response: dict[str, Any],
    **request: object,
) -> Record:  # fmt: skip
    state = State.EMPTY if is_empty(operation, response) else State.OK
    return Record(
        account, region, service, operation, dict(request), state, None, response, "", 1, _TAKEN
    )


def _organization(accounts: int, policies: int) -> Iterator[Record]:
    management = account_id(0)

    def asked(operation: str, response: dict[str, Any], **request: object) -> Record:
        return _record(management, GLOBAL, "organizations", operation, response, **request)

    described = {
        "Id": _ORGANIZATION,
        "Arn": f"arn:aws:organizations::{management}:organization/{_ORGANIZATION}",
        "MasterAccountId": management,
        "FeatureSet": "ALL",
    }
    yield asked("DescribeOrganization", {"Organization": described})
    enabled = [{"Type": kind, "Status": "ENABLED"} for kind in _TYPES]
    roots = [{"Id": _ROOT, "Name": "Root", "PolicyTypes": enabled}]
    yield asked("ListRoots", {"Roots": roots})
    everyone = [
        {
            "Id": account_id(number),
            "Arn": f"arn:aws:organizations::{management}:account/{_ORGANIZATION}/"
            f"{account_id(number)}",
            "Name": f"account {number}",
            "State": "ACTIVE",
        }
        for number in range(accounts)
    ]
    yield asked("ListAccounts", {"Accounts": everyone})
    units = [
        {"Id": f"ou-ab12-{number:08}", "Name": f"unit {number}"}
        for number in range(-(-(accounts - 1) // _PER_UNIT))
    ]
    children = {_ROOT: everyone[:1]}
    for number, unit in enumerate(units):
        start = 1 + number * _PER_UNIT
        children[str(unit["Id"])] = everyone[start : start + _PER_UNIT]
    for parent, below in children.items():
        yield asked("ListAccountsForParent", {"Accounts": below}, ParentId=parent)
        nested = units if parent == _ROOT else []
        yield asked(
            "ListOrganizationalUnitsForParent", {"OrganizationalUnits": nested}, ParentId=parent
        )
    summaries = [
        {"Id": f"p-{number:08}", "Name": f"policy {number}", "Type": _TYPES[0], "AwsManaged": False}
        for number in range(policies)
    ]
    yield asked("ListPolicies", {"Policies": summaries}, Filter=_TYPES[0])
    yield asked("ListPolicies", {"Policies": []}, Filter=_TYPES[1])
    for summary in summaries:
        id_ = str(summary["Id"])
        policy = {"PolicySummary": summary, "Content": _ALLOW}
        yield asked("DescribePolicy", {"Policy": policy}, PolicyId=id_)
        targets = [{"TargetId": _ROOT, "Name": "Root", "Type": "ROOT"}]
        yield asked("ListTargetsForPolicy", {"Targets": targets}, PolicyId=id_)
