"""The example's principals as GetAccountAuthorizationDetails gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

__all__ = ["Details"]

_CREATED = "2024-01-05T10:10:10Z"
_SSO = "arn:aws:iam::{account}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"


def _unique(prefix: str, arn: str) -> str:
    """An id of AWS's form that depends on the ARN alone."""
    digits = int(sha256(arn.encode()).hexdigest(), 16)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return prefix + "".join(letters[(digits >> (5 * n)) & 31] for n in range(17))


class Details:
    """Principals and managed policies by account.

    Parameters
    ----------
    principals, policies
        The data files of those names.
    """

    def __init__(self, principals: Mapping[str, Any], policies: Mapping[str, Any]) -> None:
        self._principals = principals
        self._aws: Mapping[str, Any] = policies["aws"]
        self._own: Mapping[str, Any] = policies["own"]

    def of(
        self, account: str, *, member: bool
    ) -> tuple[dict[str, object], dict[str, list[dict[str, Any]]]]:
        """The answer for one account, and the access keys of its users."""
        special = self._principals["accounts"].get(account, {})
        roles = [*self._principals["everywhere"]["roles"], *special.get("roles", ())]
        if member:
            roles += self._principals["members"]["roles"]
        users, groups = special.get("users", ()), special.get("groups", ())
        used: set[str] = set()
        for entry in (*roles, *users, *groups):
            used.update(entry.get("managed", ()))
            used.update([entry["boundary"]] if "boundary" in entry else [])
        details: dict[str, object] = {
            "UserDetailList": [self._user(account, user) for user in users],
            "GroupDetailList": [self._group(account, group) for group in groups],
            "RoleDetailList": [self._role(account, role) for role in roles],
            "Policies": [self._policy(account, name) for name in sorted(used)],
        }
        keys = {
            user["name"]: [
                {**key, "id": _unique("AKIA", f"{account}/{user['name']}/{place}")[:20]}
                for place, key in enumerate(user.get("keys", ()))
            ]
            for user in users
        }
        return details, keys

    def _arn(self, account: str, name: str) -> str:
        if name.startswith("own:"):
            return f"arn:aws:iam::{account}:policy/{name.removeprefix('own:')}"
        return f"arn:aws:iam::aws:policy/{name}"

    def _policy(self, account: str, name: str) -> dict[str, object]:
        own = name.startswith("own:")
        document = self._own[name.removeprefix("own:")] if own else self._aws[name]
        arn, (path, _, short) = self._arn(account, name), name.rpartition("/")
        return {
            "PolicyName": short.removeprefix("own:"),
            "PolicyId": _unique("ANPA", arn),
            "Arn": arn,
            "Path": f"/{path}/" if path else "/",
            "DefaultVersionId": "v1",
            "AttachmentCount": 1,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": _CREATED,
            "UpdateDate": _CREATED,
            "PolicyVersionList": [
                {
                    "Document": json.dumps(document),
                    "VersionId": "v1",
                    "IsDefaultVersion": True,
                    "CreateDate": _CREATED,
                }
            ],
        }

    def _attached(self, account: str, entry: Mapping[str, Any]) -> list[dict[str, object]]:
        return [
            {
                "PolicyName": name.removeprefix("own:").rpartition("/")[2],
                "PolicyArn": self._arn(account, name),
            }
            for name in entry.get("managed", ())
        ]

    @staticmethod
    def _inline(entry: Mapping[str, Any]) -> list[dict[str, object]]:
        return [
            {"PolicyName": name, "PolicyDocument": json.dumps(document)}
            for name, document in entry.get("inline", {}).items()
        ]

    def _common(self, account: str, entry: Mapping[str, Any], kind: str) -> dict[str, object]:
        path = entry.get("path", "/")
        found: dict[str, object] = {
            "Path": path,
            "Arn": f"arn:aws:iam::{account}:{kind}{path}{entry['name']}",
            "CreateDate": _CREATED,
            "AttachedManagedPolicies": self._attached(account, entry),
        }
        if "boundary" in entry:
            found["PermissionsBoundary"] = {
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": self._arn(account, entry["boundary"]),
            }
        if kind != "group":
            tags = entry.get("tags", {})
            found["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return found

    def _user(self, account: str, entry: Mapping[str, Any]) -> dict[str, object]:
        found = self._common(account, entry, "user")
        return {
            **found,
            "UserName": entry["name"],
            "UserId": _unique("AIDA", str(found["Arn"])),
            "UserPolicyList": self._inline(entry),
            "GroupList": list(entry.get("groups", ())),
        }

    def _group(self, account: str, entry: Mapping[str, Any]) -> dict[str, object]:
        found = self._common(account, entry, "group")
        return {
            **found,
            "GroupName": entry["name"],
            "GroupId": _unique("AGPA", str(found["Arn"])),
            "GroupPolicyList": self._inline(entry),
        }

    def _role(self, account: str, entry: Mapping[str, Any]) -> dict[str, object]:
        found = self._common(account, entry, "role")
        return {
            **found,
            "RoleName": entry["name"],
            "RoleId": _unique("AROA", str(found["Arn"])),
            "AssumeRolePolicyDocument": json.dumps(_trust(account, entry["trust"])),
            "RolePolicyList": self._inline(entry),
            "InstanceProfileList": [],
            "RoleLastUsed": {},
        }


def _trust(account: str, trusted: str) -> dict[str, object]:
    action = "sts:AssumeRole"
    if trusted == "sso":
        principal, action = {"Federated": _SSO.format(account=account)}, "sts:AssumeRoleWithSAML"
    elif trusted.isdecimal():
        principal = {"AWS": f"arn:aws:iam::{trusted}:root"}
    else:
        principal = {"Service": trusted}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": action}],
    }
