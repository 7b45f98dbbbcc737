"""A snapshot in memory, written as a person would tell it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ses_audit.audit.documents import check_document
from ses_audit.snapshot.schema import TABLES

ORG = "o-a1b2c3d4e5"
ROOT = "r-ab12"


def allow(action: object = "ses:*", resource: object = "*", **condition: object) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def deny(action: object = "ses:*", resource: object = "*", **condition: object) -> dict[str, Any]:
    return {**allow(action, resource, **condition), "Effect": "Deny"}


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass
class World:
    """Tables under construction; account 1… is the management account."""

    manifest: dict[str, Any] = field(
        default_factory=lambda: {
            "organization": {"id": ORG, "management_account_id": "111111111111"},
            "caller": {"account": "111111111111"},
            "taken_at": "2026-11-23T06:00:00Z",
            "assumptions": [],
        }
    )
    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {name: [] for name in TABLES}
    )

    def table(self, name: str) -> pa.Table:
        columns = TABLES[name].names
        rows = [{column: row.get(column) for column in columns} for row in self.rows[name]]
        return pa.Table.from_pylist(rows, schema=TABLES[name])

    def document(self, text: str) -> str:
        digest = hashlib.sha256(text.encode()).hexdigest()
        row = {"sha256": digest, "document": text, "malformed": check_document(text)}
        if row not in self.rows["policy_documents"]:
            self.rows["policy_documents"].append(row)
        return digest

    def organization(self) -> World:
        self.unit(ROOT, "Root", None)
        self.account("111111111111", "management", ROOT, is_management=True)
        for operation in (
            "DescribeOrganization",
            "ListRoots",
            "ListOrganizationalUnitsForParent",
            "ListAccountsForParent",
            "ListPolicies",
            "ListTargetsForPolicy",
        ):
            self.cell("111111111111", "global", "organizations", operation)
        self.scp("p-FullAWSAccess", policy(allow("*")), ROOT, name="FullAWSAccess")
        return self

    def unit(self, unit: str, name: str, parent: str | None) -> None:
        above = next(
            (u["path"] for u in self.rows["organizational_units"] if u["id"] == parent), f"{ORG}/"
        )
        self.rows["organizational_units"].append(
            {"id": unit, "name": name, "parent_id": parent, "path": f"{above}{unit}/"}
        )

    def account(
        self,
        account: str,
        name: str,
        parent: str | None,
        *,
        is_management: bool = False,
        audited: bool = True,
        reason: str = "",
    ) -> None:
        self.rows["accounts"].append(
            {
                "account_id": account,
                "name": name,
                "parent_id": parent,
                "state": "ACTIVE",
                "is_management": is_management,
                "audited": audited,
                "not_audited_reason": reason,
            }
        )
        if audited:
            self.cell(account, "global", "iam", "GetAccountAuthorizationDetails")
            self.principal(f"arn:aws:iam::{account}:root", kind="root")

    def cell(
        self,
        account: str,
        region: str,
        service: str,
        operation: str,
        state: str = "OK",
        argument: str = "",
    ) -> None:
        key = {
            "account_id": account,
            "region": region,
            "service": service,
            "operation": operation,
            "argument": argument,
        }
        for row in self.rows["coverage"]:
            if all(row[name] == value for name, value in key.items()):
                row["state"] = state
                return
        self.rows["coverage"].append({**key, "state": state, "detail": "", "calls": 1})

    def scp(
        self,
        policy_id: str,
        text: str | None,
        *targets: str,
        name: str = "",
        kind: str = "SERVICE_CONTROL_POLICY",
    ) -> str:
        arn = f"arn:aws:organizations::111111111111:policy/{ORG}/{policy_id}"
        self.rows["organization_policies"].append(
            {
                "policy_id": policy_id,
                "arn": arn,
                "name": name or policy_id,
                "type": kind,
                "document_sha256": None if text is None else self.document(text),
            }
        )
        for target in targets:
            self.rows["policy_attachments"].append({"policy_id": policy_id, "target_id": target})
        return arn

    def principal(
        self,
        arn: str,
        *policies: str | None,
        kind: str | None = None,
        boundary: str | None = None,
        tags: Mapping[str, str] | None = None,
        keys: tuple[str, ...] = (),
        linked: bool = False,
    ) -> str:
        parts = arn.split(":")
        resource = parts[5]
        self.rows["principals"].append(
            {
                "principal_arn": arn,
                "account_id": parts[4],
                "type": kind or resource.split("/")[0],
                "name": resource.split("/")[-1],
                "path": "/",
                "principal_id": "AIDAEXAMPLE" if "user/" in resource else None,
                "tags": json.dumps(dict(tags or {})),
                "service_linked": linked,
                "boundary_arn": None
                if boundary is None
                else f"arn:aws:iam::{parts[4]}:policy/boundary",
                "boundary_sha256": None if not boundary else self.document(boundary),
            }
        )
        for number, text in enumerate(policies):
            self.rows["principal_policies"].append(
                {
                    "principal_arn": arn,
                    "source": "inline",
                    "policy_name": f"policy-{number}",
                    "document_sha256": None if text is None else self.document(text),
                }
            )
        for number, status in enumerate(keys):
            self.rows["access_keys"].append(
                {"principal_arn": arn, "access_key_id": f"AKIA{number}", "status": status}
            )
        return arn

    def region(self, account: str, region: str, *, production: bool | None = True) -> None:
        self.cell(account, region, "sesv2", "ListEmailIdentities")
        self.cell(account, region, "sesv2", "GetEmailIdentity")
        self.cell(account, region, "sesv2", "GetAccount")
        self.rows["ses_account_regions"].append(
            {
                "account_id": account,
                "region": region,
                "production_access": production,
                "sending_enabled": True,
                "enforcement_status": "HEALTHY",
            }
        )

    def identity(
        self,
        arn: str,
        *policies: str,
        verified: bool = True,
        configuration_set: str = "",
        details: bool = True,
    ) -> str:
        _, _, _, region, account, resource = arn.split(":", 5)
        name = resource.split("/", 1)[1]
        self.rows["identities"].append(
            {
                "identity_arn": arn,
                "account_id": account,
                "region": region,
                "name": name,
                "type": "address" if "@" in name else "domain",
                "verified": verified,
                "configuration_set": configuration_set if details else None,
                "details_read": details,
                "tags": "{}",
            }
        )
        for number, text in enumerate(policies):
            self.rows["identity_policies"].append(
                {
                    "identity_arn": arn,
                    "policy_name": f"sending-{number}",
                    "document_sha256": self.document(text),
                }
            )
        return arn
