"""A generated organization as the records of a collection: for the server, and as evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path

from ses_audit.replay.generate import ORGANIZATION, ROOT, TAKEN, Generated
from ses_audit.replay.generate_account import CREATED, Account, Identity, Principal, account_of
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.plan import GLOBAL, account_cells, organization_cells, region_cells
from ses_audit.snapshot.shapes import is_empty

__all__ = [
    "account_records",
    "generated_records",
    "organization_records",
    "write_evidence",
    "write_snapshot",
]

SCP = "SERVICE_CONTROL_POLICY"


def _record(
    account: str,
    region: str,
    service: str,
    operation: str,
    response: Mapping[str, object],
    **request: object,
) -> Record:
    state = State.EMPTY if is_empty(operation, response) else State.OK
    return Record(
        account, region, service, operation, dict(request), state, None, dict(response), "", 1,
        TAKEN,
    )  # fmt: skip


def generated_records(made: Generated) -> Iterator[Record]:
    """Every record, account by account; one account is in memory at a time.

    Examples
    --------
    >>> from ses_audit.replay.generate import Size
    >>> records = generated_records(Generated(Size(accounts=2, principals=12, units=1)))
    >>> len({record.account for record in records})
    2
    """
    yield from organization_records(made)
    for number, account in enumerate(made.account_ids()):
        if made.read(account):
            yield from account_records(made, account_of(made, number))
        else:
            yield refused(account)


def refused(account: str) -> Record:
    """The record of an account in which the audit role could not be assumed."""
    error = {"code": "AccessDenied", "message": "not authorized to perform: sts:AssumeRole"}
    return Record(
        account, GLOBAL, "sts", "AssumeRole", {}, State.ASSUME_FAILED, error, None, "", 1, TAKEN
    )


def organization_records(made: Generated) -> Iterator[Record]:
    """What the management account tells of the organization."""
    management, organization = made.management, made.organization

    def asked(operation: str, response: Mapping[str, object], **request: object) -> Record:
        return _record(management, GLOBAL, "organizations", operation, response, **request)

    prefix = f"arn:aws:organizations::{management}"
    yield asked(
        "DescribeOrganization",
        {
            "Organization": {
                "Id": ORGANIZATION,
                "Arn": f"{prefix}:organization/{ORGANIZATION}",
                "FeatureSet": "ALL",
                "MasterAccountId": management,
            }
        },
    )
    kinds = [{"Type": SCP, "Status": "ENABLED"}]
    root = {"Id": ROOT, "Arn": f"{prefix}:root/{ORGANIZATION}/{ROOT}", "Name": "Root"}
    yield asked("ListRoots", {"Roots": [{**root, "PolicyTypes": kinds}]})
    listed: list[dict[str, object]] = [
        {
            "Id": account,
            "Arn": made.account_arn(account),
            "Email": f"{account}@corp.example",
            "Name": f"account-{number}",
            "State": "ACTIVE",
            "Status": "ACTIVE",
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": CREATED,
        }
        for number, account in enumerate(made.account_ids())
    ]
    yield asked("ListAccounts", {"Accounts": listed})
    units: dict[str, list[dict[str, object]]] = {}
    for unit in organization.units:
        arn = f"{prefix}:ou/{ORGANIZATION}/{unit.id}"
        units.setdefault(unit.parent, []).append({"Id": unit.id, "Arn": arn, "Name": unit.name})
    members: dict[str, list[dict[str, object]]] = {}
    for account_entry, parent in zip(listed, organization.parents, strict=True):
        members.setdefault(parent, []).append(account_entry)
    names = {ROOT: "Root", **{unit.id: unit.name for unit in organization.units}}
    for place in names:
        yield asked(
            "ListOrganizationalUnitsForParent",
            {"OrganizationalUnits": units.get(place, [])},
            ParentId=place,
        )
        yield asked("ListAccountsForParent", {"Accounts": members.get(place, [])}, ParentId=place)
    summaries = {
        scp.id: {
            "Id": scp.id,
            "Arn": made.policy_arn(scp),
            "Name": scp.name,
            "Description": "",
            "Type": SCP,
            "AwsManaged": scp.aws_managed,
        }
        for scp in organization.scps
    }
    yield asked("ListPolicies", {"Policies": list(summaries.values())}, Filter=SCP)
    yield asked("ListPolicies", {"Policies": []}, Filter="RESOURCE_CONTROL_POLICY")
    for scp in organization.scps:
        described = {"PolicySummary": summaries[scp.id], "Content": scp.text}
        yield asked("DescribePolicy", {"Policy": described}, PolicyId=scp.id)
        targets = [_target(made, target, names) for target in scp.targets]
        yield asked("ListTargetsForPolicy", {"Targets": targets}, PolicyId=scp.id)


def _target(made: Generated, target: str, names: Mapping[str, str]) -> dict[str, object]:
    if target in names:
        kind = "ROOT" if target == ROOT else "ORGANIZATIONAL_UNIT"
        short = "root" if target == ROOT else "ou"
        arn = f"arn:aws:organizations::{made.management}:{short}/{ORGANIZATION}/{target}"
        return {"TargetId": target, "Arn": arn, "Name": names[target], "Type": kind}
    return {
        "TargetId": target,
        "Arn": made.account_arn(target),
        "Name": target,
        "Type": "ACCOUNT",
    }


def account_records(made: Generated, account: Account) -> Iterator[Record]:
    """What one account tells of itself."""
    regions = [
        {"RegionName": region, "RegionOptStatus": "ENABLED_BY_DEFAULT"}
        for region in sorted(made.regions)
    ]
    yield _record(account.id, GLOBAL, "account", "ListRegions", {"Regions": regions})
    yield _record(
        account.id, GLOBAL, "iam", "GetAccountAuthorizationDetails",
        {
            "UserDetailList": [_detail(account, p) for p in account.principals if p.kind == "user"],
            "GroupDetailList": [],
            "RoleDetailList": [_detail(account, p) for p in account.principals if p.kind == "role"],
            "Policies": [_managed(arn, text) for arn, text in sorted(account.managed.items())],
        },
    )  # fmt: skip
    for principal in account.principals:
        if principal.kind == "user":
            yield from _keys(account, principal)
    for region in sorted(made.regions):
        yield from _region(account, region)


def _detail(account: Account, principal: Principal) -> dict[str, object]:
    kind = principal.kind.capitalize()
    arn = f"arn:aws:iam::{account.id}:{principal.kind}{principal.path}{principal.name}"
    found: dict[str, object] = {
        "Path": principal.path,
        f"{kind}Name": principal.name,
        f"{kind}Id": principal.id,
        "Arn": arn,
        "CreateDate": CREATED,
        "AttachedManagedPolicies": [
            {"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn} for arn in principal.managed
        ],
        f"{kind}PolicyList": [
            {"PolicyName": name, "PolicyDocument": text} for name, text in principal.inline
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in principal.tags],
    }
    if principal.boundary is not None:
        found["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": principal.boundary,
        }
    if principal.kind == "role":
        found["AssumeRolePolicyDocument"] = principal.trust
        found["InstanceProfileList"] = []
    else:
        found["GroupList"] = []
    return found


def _managed(arn: str, text: str) -> dict[str, object]:
    version = {
        "Document": text,
        "VersionId": "v1",
        "IsDefaultVersion": True,
        "CreateDate": CREATED,
    }
    return {
        "PolicyName": arn.rsplit("/", 1)[-1],
        "PolicyId": "ANPA" + arn[-17:].upper(),
        "Arn": arn,
        "Path": "/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 1,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": CREATED,
        "UpdateDate": CREATED,
        "PolicyVersionList": [version],
    }


def _keys(account: Account, user: Principal) -> Iterator[Record]:
    metadata = [
        {"UserName": user.name, "AccessKeyId": key, "Status": status, "CreateDate": CREATED}
        for key, status in user.keys
    ]
    yield _record(
        account.id, GLOBAL, "iam", "ListAccessKeys", {"AccessKeyMetadata": metadata},
        UserName=user.name,
    )  # fmt: skip
    for key, _ in user.keys:
        last = {"ServiceName": "N/A", "Region": "N/A"}
        yield _record(
            account.id, GLOBAL, "iam", "GetAccessKeyLastUsed",
            {"UserName": user.name, "AccessKeyLastUsed": last},
            AccessKeyId=key,
        )  # fmt: skip


def _region(account: Account, region: str) -> Iterator[Record]:
    own = [identity for identity in account.identities if identity.region == region]
    yield _record(
        account.id, region, "sesv2", "GetAccount",
        {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": account.production[region],
            "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0},
            "SendingEnabled": True,
        },
    )  # fmt: skip
    listed = [
        {
            "IdentityType": _kind(identity),
            "IdentityName": identity.name,
            "SendingEnabled": True,
            "VerificationStatus": "SUCCESS" if identity.verified else "PENDING",
        }
        for identity in own
    ]
    yield _record(account.id, region, "sesv2", "ListEmailIdentities", {"EmailIdentities": listed})
    for identity in own:
        answer: dict[str, object] = {
            "IdentityType": _kind(identity),
            "FeedbackForwardingStatus": True,
            "VerifiedForSendingStatus": identity.verified,
            "VerificationStatus": "SUCCESS" if identity.verified else "PENDING",
            "Policies": dict(identity.policies),
            "Tags": [],
        }
        if identity.configuration_set:
            answer["ConfigurationSetName"] = identity.configuration_set
        yield _record(
            account.id, region, "sesv2", "GetEmailIdentity", answer, EmailIdentity=identity.name
        )
    sets = sorted({identity.configuration_set for identity in own} - {""})
    yield _record(account.id, region, "sesv2", "ListConfigurationSets", {"ConfigurationSets": sets})


def _kind(identity: Identity) -> str:
    return "EMAIL_ADDRESS" if "@" in identity.name else "DOMAIN"


def write_evidence(folder: Path, made: Generated) -> int:
    """Write the records as evidence, one file an account.

    Returns
    -------
    int
        How many records were written.
    """
    from ses_audit.snapshot.build import append_records
    from ses_audit.snapshot.store import create_snapshot

    written = 0
    with create_snapshot(folder, started_at=TAKEN) as writer:
        own: list[Record] = []
        for record in generated_records(made):
            if own and own[-1].account != record.account:
                append_records(writer, own)
                own = []
            own.append(record)
            written += 1
        append_records(writer, own)
    return written


def write_snapshot(
    folder: Path,
    made: Generated,
    check: Callable[[str], str | None],
    make_executor: Callable[[], Executor] | None = None,
    workers: int = 1,
) -> None:
    """Write the records as evidence, and the tables that they make, as after a collection.

    Parameters
    ----------
    folder
        A new one.
    made
        The organization.
    check
        Says why a policy text is malformed, or None.
    make_executor, workers
        As for `snapshot.build.finish_snapshot`.
    """
    from ses_audit.snapshot.build import finish_snapshot
    from ses_audit.snapshot.store import create_snapshot

    write_evidence(folder, made)
    whole = Ledger()
    with create_snapshot(folder, started_at=TAKEN, resume=True) as writer:
        for account in made.account_ids():
            own = _ledger(made, account)
            for record in writer.records(account):
                own.observe(record)
            failed = None if made.read(account) else refused(account)
            for cell in own.cells():
                if own.state(cell) is not State.NOT_ATTEMPTED:
                    continue
                if failed is not None:
                    own.mark(cell, failed.status, (failed.error or {})["message"])
                else:
                    # Of the role no record tells, nor of the keys and identities of who has none.
                    own.mark(cell, State.OK if cell.service == "sts" else State.EMPTY)
            whole.settle(own.rows())
        finish_snapshot(
            writer,
            whole,
            check,
            taken_at=TAKEN,
            make_executor=make_executor,
            workers=workers,
        )


def _ledger(made: Generated, account: str) -> Ledger:
    """What should be read of an account, unread."""
    ledger, caller = Ledger(), account == made.management
    ledger.plan(organization_cells(account) if caller else [])
    ledger.plan(account_cells(account, assume_role=not caller))
    ledger.plan(region_cells(account, made.regions if made.read(account) else None))
    return ledger
