"""The compact data of the example → the records of a collection of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any

from ses_audit.replay.example.principals import Details
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.plan import GLOBAL, REGION_OPERATIONS
from ses_audit.snapshot.shapes import is_empty

__all__ = ["example_data", "example_records"]


def example_data(name: str) -> dict[str, Any]:
    """One of the example's data files: organization, policies, principals, identities."""
    text = files("ses_audit.replay.example").joinpath(f"data/{name}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def example_records() -> list[Record]:
    """What AWS would have answered of the whole example, a record a call.

    Examples
    --------
    >>> records = example_records()
    >>> len({r.account for r in records if r.operation == "GetAccountAuthorizationDetails"})
    10
    """
    return list(_Example().records())


class _Example:
    def __init__(self) -> None:
        self.organization = example_data("organization")
        self.identities = example_data("identities")["accounts"]
        self.details = Details(example_data("principals"), example_data("policies"))
        self.id: str = self.organization["id"]
        self.management: str = self.organization["management"]

    def records(self) -> Iterator[Record]:
        yield from self._organization()
        refused = {r["account"]: r for r in self.organization["refused"] if r["service"] == "sts"}
        for account in self.organization["accounts"]:
            id_ = account["id"]
            if account.get("state", "ACTIVE") != "ACTIVE":
                continue
            if id_ in refused:
                yield self._failed(refused[id_], "AssumeRole")
                continue
            yield from self._account(id_)

    def _record(
        self,
        account: str,
        region: str,
        service: str,
        operation: str,
        response: Mapping[str, object],
        **request: object,
    ) -> Record:
        empty = is_empty(operation, response)
        name = f"{account}/{region}/{operation}/{sorted(request.items())}"
        return Record(
            account,
            region,
            service,
            operation,
            dict(request),
            State.EMPTY if empty else State.OK,
            None,
            dict(response),
            sha256(name.encode()).hexdigest()[:32],
            1,
            self.organization["taken"],
        )

    def _failed(self, refusal: Mapping[str, str], operation: str) -> Record:
        return Record(
            refusal["account"],
            refusal["region"],
            refusal["service"],
            operation,
            {},
            State(refusal["state"]),
            {"code": refusal["code"], "message": refusal["message"]},
            None,
            "",
            1,
            self.organization["taken"],
        )

    def _arn(self, kind: str, *parts: str) -> str:
        where = f"arn:aws:organizations::{self.management}:{kind}"
        return "/".join((where, self.id, *parts))

    def _asked(self, operation: str, response: Mapping[str, object], **request: object) -> Record:
        return self._record(
            self.management, GLOBAL, "organizations", operation, response, **request
        )

    def _organization(self) -> Iterator[Record]:
        data, root = self.organization, self.organization["root"]
        yield self._asked(
            "DescribeOrganization",
            {
                "Organization": {
                    "Id": self.id,
                    "Arn": f"arn:aws:organizations::{self.management}:organization/{self.id}",
                    "FeatureSet": "ALL",
                    "MasterAccountId": self.management,
                    "MasterAccountArn": self._arn("account", self.management),
                }
            },
        )
        types = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
        enabled = [{"Type": kind, "Status": "ENABLED"} for kind in types]
        roots = {"Id": root, "Arn": self._arn("root", root), "Name": "Root", "PolicyTypes": enabled}
        yield self._asked("ListRoots", {"Roots": [roots]})
        accounts = [self._listed(account) for account in data["accounts"]]
        yield self._asked("ListAccounts", {"Accounts": accounts})
        for parent in (root, *(unit["id"] for unit in data["units"])):
            units = [
                {"Id": u["id"], "Arn": self._arn("ou", u["id"]), "Name": u["name"]}
                for u in data["units"]
                if u["parent"] == parent
            ]
            yield self._asked(
                "ListOrganizationalUnitsForParent", {"OrganizationalUnits": units}, ParentId=parent
            )
            own = [self._listed(a) for a in data["accounts"] if a["parent"] == parent]
            yield self._asked("ListAccountsForParent", {"Accounts": own}, ParentId=parent)
        yield from self._policies(types)

    def _listed(self, account: Mapping[str, str]) -> dict[str, object]:
        state = account.get("state", "ACTIVE")
        return {
            "Id": account["id"],
            "Arn": self._arn("account", account["id"]),
            "Email": f"{account['name']}@corp.example",
            "Name": account["name"],
            "State": state,
            "Status": state,
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": "2020-01-15T09:00:00Z",
        }

    def _policies(self, types: Sequence[str]) -> Iterator[Record]:
        policies = self.organization["policies"]
        summaries = {}
        for policy in policies:
            kind = policy.get("type", types[0])
            owner = "aws" if policy.get("aws_managed") else self.management
            folder = kind.lower()
            middle = "" if policy.get("aws_managed") else f"{self.id}/"
            summaries[policy["id"]] = {
                "Id": policy["id"],
                "Arn": f"arn:aws:organizations::{owner}:policy/{middle}{folder}/{policy['id']}",
                "Name": policy["name"],
                "Description": "",
                "Type": kind,
                "AwsManaged": bool(policy.get("aws_managed")),
            }
        for kind in types:
            listed = [s for s in summaries.values() if s["Type"] == kind]
            yield self._asked("ListPolicies", {"Policies": listed}, Filter=kind)
        for policy in policies:
            content = json.dumps(policy["document"])
            described = {"PolicySummary": summaries[policy["id"]], "Content": content}
            yield self._asked("DescribePolicy", {"Policy": described}, PolicyId=policy["id"])
            targets = [self._target(target) for target in policy["targets"]]
            yield self._asked("ListTargetsForPolicy", {"Targets": targets}, PolicyId=policy["id"])

    def _target(self, target: str) -> dict[str, object]:
        if target.startswith("r-"):
            return {
                "TargetId": target,
                "Arn": self._arn("root", target),
                "Name": "Root",
                "Type": "ROOT",
            }
        for unit in self.organization["units"]:
            if unit["id"] == target:
                arn = self._arn("ou", target)
                kind = "ORGANIZATIONAL_UNIT"
                return {"TargetId": target, "Arn": arn, "Name": unit["name"], "Type": kind}
        name = next(a["name"] for a in self.organization["accounts"] if a["id"] == target)
        arn = self._arn("account", target)
        return {"TargetId": target, "Arn": arn, "Name": name, "Type": "ACCOUNT"}

    def _account(self, account: str) -> Iterator[Record]:
        regions = self.organization["regions"]
        statuses = [(name, "ENABLED_BY_DEFAULT") for name in regions["enabled"]]
        statuses += [(name, "DISABLED") for name in regions["disabled"]]
        listed = [{"RegionName": name, "RegionOptStatus": s} for name, s in sorted(statuses)]
        yield self._record(account, GLOBAL, "account", "ListRegions", {"Regions": listed})
        details, keys = self.details.of(account, member=account != self.management)
        yield self._record(account, GLOBAL, "iam", "GetAccountAuthorizationDetails", details)
        for user, entries in keys.items():
            metadata = [
                {
                    "UserName": user,
                    "AccessKeyId": key["id"],
                    "Status": key["status"],
                    "CreateDate": "2024-01-05T10:10:10Z",
                }
                for key in entries
            ]
            yield self._record(
                account, GLOBAL, "iam", "ListAccessKeys", {"AccessKeyMetadata": metadata},
                UserName=user,
            )  # fmt: skip
            for key in entries:
                used = key.get("used")
                last: dict[str, object] = {"ServiceName": "N/A", "Region": "N/A"}
                if used:
                    last = dict(zip(("LastUsedDate", "ServiceName", "Region"), used, strict=True))
                yield self._record(
                    account, GLOBAL, "iam", "GetAccessKeyLastUsed",
                    {"UserName": user, "AccessKeyLastUsed": last},
                    AccessKeyId=key["id"],
                )  # fmt: skip
        for region in regions["enabled"]:
            yield from self._region(account, region)

    def _region(self, account: str, region: str) -> Iterator[Record]:
        for refusal in self.organization["refused"]:
            if (refusal["account"], refusal["region"]) == (account, region):
                for operation in REGION_OPERATIONS:
                    if operation != "GetEmailIdentity":
                        yield self._failed(refusal, operation)
                return
        facts = self.identities.get(account, {}).get(region, {})
        yield self._record(
            account, region, "sesv2", "GetAccount",
            {
                "DedicatedIpAutoWarmupEnabled": False,
                "EnforcementStatus": "HEALTHY",
                "ProductionAccessEnabled": bool(facts.get("production")),
                "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0},
                "SendingEnabled": True,
            },
        )  # fmt: skip
        identities = facts.get("identities", [])
        listed = [
            {
                "IdentityType": _kind(identity["name"]),
                "IdentityName": identity["name"],
                "SendingEnabled": True,
                "VerificationStatus": _status(identity),
            }
            for identity in identities
        ]
        yield self._record(
            account, region, "sesv2", "ListEmailIdentities", {"EmailIdentities": listed}
        )
        for identity in identities:
            yield self._record(
                account, region, "sesv2", "GetEmailIdentity",
                _described(identity),
                EmailIdentity=identity["name"],
            )  # fmt: skip
        sets = facts.get("configuration_sets", [])
        yield self._record(
            account, region, "sesv2", "ListConfigurationSets", {"ConfigurationSets": sets}
        )


def _kind(name: str) -> str:
    return "EMAIL_ADDRESS" if "@" in name else "DOMAIN"


def _status(identity: Mapping[str, Any]) -> str:
    return "SUCCESS" if identity.get("verified", True) else "PENDING"


def _described(identity: Mapping[str, Any]) -> dict[str, object]:
    answer: dict[str, object] = {
        "IdentityType": _kind(identity["name"]),
        "FeedbackForwardingStatus": True,
        "VerifiedForSendingStatus": identity.get("verified", True),
        "VerificationStatus": _status(identity),
        "Policies": {
            name: json.dumps(document) for name, document in identity.get("policies", {}).items()
        },
        "Tags": [],
    }
    if "configuration_set" in identity:
        answer["ConfigurationSetName"] = identity["configuration_set"]
    return answer
