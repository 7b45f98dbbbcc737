"""An organization in moto, seeded through its own API with what records hold.

moto makes ids up; here it is told which to take, so that both organizations have the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.core.responses import BaseResponse
from moto.iam.models import AWSManagedPolicy, iam_backends

from ses_audit.snapshot.evidence import Record

Item = dict[str, Any]


@contextmanager
def _id(kind: str, value: str) -> Iterator[None]:
    with patch(f"moto.organizations.utils.make_random_{kind}_id", lambda *_: value):
        yield


class Seed:
    """Fills moto from records; `run` in a `mock_aws` block whose account is the management's."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._answers: dict[tuple[str, str, str], list[tuple[Item, Item]]] = {}
        for record in records:
            if record.response is not None:
                key = (record.account, record.region, record.operation)
                self._answers.setdefault(key, []).append((record.request, record.response))
        (found,) = (key for key in self._answers if key[2] == "DescribeOrganization")
        self._management = found[0]

    def _of(self, operation: str, **request: str) -> Item:
        key = (self._management, "global", operation)
        return next(answer for asked, answer in self._answers[key] if asked == request)

    def run(self) -> None:
        """Make everything."""
        self._organization(boto3.client("organizations", region_name="us-east-1"))
        for account, region, operation in list(self._answers):
            if operation == "GetAccountAuthorizationDetails":
                self._account(account)
            elif operation == "ListEmailIdentities":
                self._ses(account, region)

    def _organization(self, organizations: Any) -> None:
        described = self._of("DescribeOrganization")["Organization"]
        root = self._of("ListRoots")["Roots"][0]["Id"]
        with _id("org", described["Id"]), _id("root", root):
            organizations.create_organization(FeatureSet="ALL")
        for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
            organizations.enable_policy_type(RootId=root, PolicyType=kind)
        self._units(organizations, root)
        for account in self._of("ListAccounts")["Accounts"]:
            if account["Id"] == self._management:
                continue
            with _id("account", account["Id"]):
                organizations.create_account(AccountName=account["Name"], Email=account["Email"])
        self._place(organizations, root, root)
        for account in self._of("ListAccounts")["Accounts"]:
            if account["State"] == "SUSPENDED":
                organizations.close_account(AccountId=account["Id"])
        for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
            for policy in self._of("ListPolicies", Filter=kind)["Policies"]:
                self._policy(organizations, policy)

    def _units(self, organizations: Any, parent: str) -> None:
        children = self._of("ListOrganizationalUnitsForParent", ParentId=parent)
        for unit in children["OrganizationalUnits"]:
            with _id("ou", unit["Id"]):
                organizations.create_organizational_unit(ParentId=parent, Name=unit["Name"])
            self._units(organizations, unit["Id"])

    def _place(self, organizations: Any, root: str, parent: str) -> None:
        for account in self._of("ListAccountsForParent", ParentId=parent)["Accounts"]:
            if parent != root:
                organizations.move_account(
                    AccountId=account["Id"], SourceParentId=root, DestinationParentId=parent
                )
        children = self._of("ListOrganizationalUnitsForParent", ParentId=parent)
        for unit in children["OrganizationalUnits"]:
            self._place(organizations, root, unit["Id"])

    def _policy(self, organizations: Any, policy: Item) -> None:
        id_ = policy["Id"]
        if not policy["AwsManaged"]:
            content = self._of("DescribePolicy", PolicyId=id_)["Policy"]["Content"]
            with _id("policy", id_):
                organizations.create_policy(
                    Content=content, Description="", Name=policy["Name"], Type=policy["Type"]
                )
        there = organizations.list_targets_for_policy(PolicyId=id_)["Targets"]
        wanted = {t["TargetId"] for t in self._of("ListTargetsForPolicy", PolicyId=id_)["Targets"]}
        # moto attaches FullAWSAccess to whatever is made, as AWS does.
        for target in {t["TargetId"] for t in there} - wanted:
            organizations.detach_policy(PolicyId=id_, TargetId=target)
        for target in wanted - {t["TargetId"] for t in there}:
            organizations.attach_policy(PolicyId=id_, TargetId=target)

    def _client(self, service: str, account: str, region: str) -> Any:
        if account == self._management:
            return boto3.client(service, region_name=region)
        keys = boto3.client("sts", region_name="us-east-1").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/ses-audit", RoleSessionName="seeding"
        )["Credentials"]
        return boto3.client(
            service,
            region_name=region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def _account(self, account: str) -> None:
        iam = self._client("iam", account, "us-east-1")
        ((_, details),) = self._answers[account, "global", "GetAccountAuthorizationDetails"]
        for role in iam.list_roles()["Roles"]:
            # moto makes OrganizationAccountAccessRole; it comes with the records, as they have it.
            for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                iam.delete_role_policy(RoleName=role["RoleName"], PolicyName=policy)
            iam.delete_role(RoleName=role["RoleName"])
        for policy in details["Policies"]:
            document = policy["PolicyVersionList"][0]["Document"]
            if ":iam::aws:" in policy["Arn"]:
                # moto holds AWS's own texts, or none; the example's are cut.
                made = AWSManagedPolicy.from_data(
                    policy["PolicyName"],
                    account,
                    "us-east-1",
                    {
                        "DefaultVersionId": "v1",
                        "Path": policy["Path"],
                        "Document": {},
                        "CreateDate": policy["CreateDate"],
                        "UpdateDate": policy["UpdateDate"],
                    },
                )
                made.versions[0].document = document
                iam_backends[account]["aws"].managed_policies[policy["Arn"]] = made
            else:
                iam.create_policy(
                    PolicyName=policy["PolicyName"], Path=policy["Path"], PolicyDocument=document
                )
        for group in details["GroupDetailList"]:
            iam.create_group(GroupName=group["GroupName"], Path=group["Path"])
            self._policies(iam, "group", group["GroupName"], group, group["GroupPolicyList"])
        for user in details["UserDetailList"]:
            iam.create_user(**_new(user, "User"))
            self._policies(iam, "user", user["UserName"], user, user["UserPolicyList"])
            for group in user["GroupList"]:
                iam.add_user_to_group(GroupName=group, UserName=user["UserName"])
        for role in details["RoleDetailList"]:
            trust = role["AssumeRolePolicyDocument"]
            iam.create_role(**_new(role, "Role"), AssumeRolePolicyDocument=trust)
            self._policies(iam, "role", role["RoleName"], role, role["RolePolicyList"])
        self._keys(iam, account)

    @staticmethod
    def _policies(iam: Any, kind: str, name: str, item: Item, inline: list[Item]) -> None:
        who = {f"{kind.capitalize()}Name": name}
        for policy in inline:
            getattr(iam, f"put_{kind}_policy")(
                **who, PolicyName=policy["PolicyName"], PolicyDocument=policy["PolicyDocument"]
            )
        for policy in item["AttachedManagedPolicies"]:
            getattr(iam, f"attach_{kind}_policy")(**who, PolicyArn=policy["PolicyArn"])

    def _keys(self, iam: Any, account: str) -> None:
        for asked, answer in self._answers.get((account, "global", "ListAccessKeys"), ()):
            for key in answer["AccessKeyMetadata"]:
                made = iam.create_access_key(UserName=asked["UserName"])["AccessKey"]
                if key["Status"] != "Active":
                    iam.update_access_key(
                        UserName=asked["UserName"],
                        AccessKeyId=made["AccessKeyId"],
                        Status=key["Status"],
                    )

    def _ses(self, account: str, region: str) -> None:
        ((_, listed),) = self._answers[account, region, "ListEmailIdentities"]
        ((_, sets),) = self._answers[account, region, "ListConfigurationSets"]
        if not listed["EmailIdentities"] and not sets["ConfigurationSets"]:
            return
        ses = self._client("sesv2", account, region)
        for name in sets["ConfigurationSets"]:
            ses.create_configuration_set(ConfigurationSetName=name)
        for asked, answer in self._answers.get((account, region, "GetEmailIdentity"), ()):
            default = answer.get("ConfigurationSetName")
            given = {"ConfigurationSetName": default} if default else {}
            ses.create_email_identity(EmailIdentity=asked["EmailIdentity"], **given)
            for name, text in answer["Policies"].items():
                json.loads(text)
                ses.create_email_identity_policy(
                    EmailIdentity=asked["EmailIdentity"], PolicyName=name, Policy=text
                )


def _new(item: Item, kind: str) -> Item:
    given: Item = {f"{kind}Name": item[f"{kind}Name"], "Path": item["Path"]}
    if item["Tags"]:
        given["Tags"] = item["Tags"]
    if "PermissionsBoundary" in item:
        given["PermissionsBoundary"] = item["PermissionsBoundary"]["PermissionsBoundaryArn"]
    return given


@contextmanager
def moto_as(account: str) -> Iterator[None]:
    """moto whose own account is `account`; a call that it lacks is answered with 501."""
    whole = BaseResponse.call_action

    def call_action(self: BaseResponse) -> Any:
        try:
            return whole(self)
        except NotImplementedError as error:
            return 501, {}, json.dumps({"__type": "NotImplemented", "message": str(error)})

    with (
        mock_aws(),
        patch("moto.iam.models.DEFAULT_ACCOUNT_ID", account),
        patch.object(BaseResponse, "call_action", call_action),
    ):
        yield
