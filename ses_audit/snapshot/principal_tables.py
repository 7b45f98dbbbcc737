"""Users, roles, groups, their policies and access keys: the rows of one account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ses_audit.snapshot.readings import Answers, entries
from ses_audit.snapshot.texts import Texts, clean, iso_time, tags

__all__ = ["principal_rows", "root_row"]

Row = dict[str, object]

_DETAILS = ("iam", "GetAccountAuthorizationDetails")

# https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")
_PERMISSION_SET_PATH = "/aws-reserved/sso.amazonaws.com/"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
_SERVICE_LINKED_PATH = "/aws-service-role/"


def principal_rows(
    account: str, answers: Answers, texts: Texts, partition: str
) -> dict[str, list[Row]]:
    """The rows of `principals`, `principal_policies`, `groups` and `access_keys` of one account.

    The root user is not among them: `root_row` gives it, whatever was read.

    Parameters
    ----------
    account
        Twelve digits.
    answers
        What the account answered.
    texts
        Where the policy documents go.
    partition
        Of the account's ARNs.
    """
    managed = _managed(answers)
    groups = {str(g["Arn"]): g for g in answers.items(*_DETAILS, "GroupDetailList")}
    by_name = {str(group["GroupName"]): group for group in groups.values()}
    principals: dict[str, Row] = {}
    policies: dict[str, list[Row]] = {}
    users: dict[str, str] = {}
    for user in answers.items(*_DETAILS, "UserDetailList"):
        arn = str(user["Arn"])
        users[str(user["UserName"])] = arn
        principals[arn] = _principal(account, user, "user", managed, texts)
        own = _own_policies(arn, user, "UserPolicyList", managed, texts)
        for name in _texts(user, "GroupList"):
            own += _group_policies(arn, account, partition, name, by_name.get(name), managed, texts)
        policies[arn] = own
    for role in answers.items(*_DETAILS, "RoleDetailList"):
        arn = str(role["Arn"])
        principals[arn] = _principal(account, role, "role", managed, texts)
        policies[arn] = _own_policies(arn, role, "RolePolicyList", managed, texts)
    return {
        "principals": list(principals.values()),
        "principal_policies": [row for rows in policies.values() for row in rows],
        "groups": [
            {
                "group_arn": clean(arn),
                "account_id": account,
                "name": clean(group["GroupName"]),
                "path": clean(group.get("Path") or "/"),
            }
            for arn, group in groups.items()
        ],
        "access_keys": _access_keys(account, answers, users, partition),
    }


def root_row(account: str, partition: str) -> Row:
    """The root user of an account, which exists whether or not anything was read."""
    return {
        "principal_arn": f"arn:{partition}:iam::{account}:root",
        "account_id": account,
        "type": "root",
        "name": "root",
        "path": "/",
        "tags": "{}",
        "service_linked": False,
    }


def _managed(answers: Answers) -> dict[str, object]:
    """The default version's document of each managed policy, by ARN."""
    found: dict[str, object] = {}
    for policy in answers.items(*_DETAILS, "Policies"):
        default = policy.get("DefaultVersionId")
        for version in entries(policy, "PolicyVersionList"):
            if version.get("IsDefaultVersion") or (
                default is not None and version.get("VersionId") == default
            ):
                found[str(policy["Arn"])] = version.get("Document")
    return found


def _principal(
    account: str,
    detail: Mapping[str, object],
    kind: str,
    managed: Mapping[str, object],
    texts: Texts,
) -> Row:
    name = str(detail[f"{kind.capitalize()}Name"])
    path = str(detail.get("Path") or "/")
    boundary = detail.get("PermissionsBoundary")
    boundary_arn = boundary["PermissionsBoundaryArn"] if isinstance(boundary, dict) else None
    used = detail.get("RoleLastUsed")
    trusted = _PERMISSION_SET.fullmatch(name) if path.startswith(_PERMISSION_SET_PATH) else None
    return {
        "principal_arn": clean(detail["Arn"]),
        "principal_id": clean(detail.get(f"{kind.capitalize()}Id")),
        "account_id": account,
        "type": kind,
        "name": clean(name),
        "path": clean(path),
        "created": iso_time(detail.get("CreateDate")),
        "boundary_arn": clean(boundary_arn),
        "boundary_sha256": texts.add(managed.get(str(boundary_arn))) if boundary_arn else None,
        "tags": tags(detail.get("Tags")),
        "service_linked": kind == "role" and path.startswith(_SERVICE_LINKED_PATH),
        "permission_set": clean(trusted[1]) if trusted and kind == "role" else None,
        "trust_sha256": texts.add(detail.get("AssumeRolePolicyDocument")),
        "last_used": (iso_time(used.get("LastUsedDate")) or "") if isinstance(used, dict) else None,
    }


def _own_policies(
    arn: str,
    detail: Mapping[str, object],
    inline: str,
    managed: Mapping[str, object],
    texts: Texts,
    group_arn: str | None = None,
) -> list[Row]:
    prefix = "" if group_arn is None else "group_"
    rows = [
        _policy(
            arn,
            f"{prefix}inline",
            policy["PolicyName"],
            None,
            group_arn,
            texts.add(policy["PolicyDocument"]),
        )
        for policy in entries(detail, inline)
    ]
    for policy in entries(detail, "AttachedManagedPolicies"):
        policy_arn = str(policy["PolicyArn"])
        name = policy.get("PolicyName") or policy_arn.rsplit("/", 1)[-1]
        digest = texts.add(managed.get(policy_arn))
        rows.append(_policy(arn, f"{prefix}managed", name, policy_arn, group_arn, digest))
    return rows


def _group_policies(
    arn: str,
    account: str,
    partition: str,
    name: str,
    group: Mapping[str, object] | None,
    managed: Mapping[str, object],
    texts: Texts,
) -> list[Row]:
    if group is not None:
        group_arn = str(group["Arn"])
        return _own_policies(arn, group, "GroupPolicyList", managed, texts, group_arn)
    # The group was not in the answer: what it allows or denies is not known.
    group_arn = f"arn:{partition}:iam::{account}:group/{name}"
    return [_policy(arn, "group_inline", f"(group {name})", None, group_arn, None)]


def _policy(
    arn: str,
    source: str,
    name: object,
    policy_arn: str | None,
    group_arn: str | None,
    digest: str | None,
) -> Row:
    return {
        "principal_arn": clean(arn),
        "source": source,
        "policy_name": clean(name),
        "policy_arn": clean(policy_arn),
        "group_arn": clean(group_arn),
        "document_sha256": digest,
    }


def _access_keys(
    account: str, answers: Answers, users: Mapping[str, str], partition: str
) -> list[Row]:
    used: dict[str, Mapping[str, object]] = {}
    for record, response in answers.of("iam", "GetAccessKeyLastUsed"):
        last = response["AccessKeyLastUsed"]
        if isinstance(last, dict):
            used[str(record.request.get("AccessKeyId", ""))] = last
    rows: dict[str, Row] = {}
    for record, response in answers.of("iam", "ListAccessKeys"):
        for key in entries(response, "AccessKeyMetadata"):
            user = str(key.get("UserName") or record.request.get("UserName") or "")
            key_id = str(key["AccessKeyId"])
            last = used.get(key_id)
            rows[key_id] = {
                "principal_arn": clean(
                    users.get(user, f"arn:{partition}:iam::{account}:user/{user}")
                ),
                "access_key_id": clean(key_id),
                "status": clean(key["Status"]),
                "created": iso_time(key.get("CreateDate")),
                "last_used": None if last is None else iso_time(last.get("LastUsedDate")) or "",
                "last_used_service": None if last is None else _named(last.get("ServiceName")),
                "last_used_region": None if last is None else _named(last.get("Region")),
            }
    return list(rows.values())


def _named(value: object) -> str:
    """A service or region; IAM says `N/A` for a key that was never used."""
    text = clean(value) or ""
    return "" if text == "N/A" else text


def _texts(detail: Mapping[str, object], name: str) -> Iterable[str]:
    value = detail.get(name) or []
    return [str(item) for item in value] if isinstance(value, list) else []
