"""A small organization in moto, and the environment that leads boto3 to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3

MANAGEMENT = "123456789012"  # moto's own account
SENDER = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ses:Send*", "Resource": "*"}],
}
SCP = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ses:*","Resource":"*"}]}'


@dataclass(frozen=True)
class Seeded:
    """What was put in."""

    unit: str
    member: str
    policy: str


def seed() -> Seeded:
    """Fill moto: one OU with one member account, an SCP on it, a user with a key, identities."""
    organizations = boto3.client("organizations", region_name="us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="Workloads")
    unit_id = unit["OrganizationalUnit"]["Id"]
    created = organizations.create_account(AccountName="mail", Email="mail@example.com")
    member = created["CreateAccountStatus"]["AccountId"]
    organizations.move_account(AccountId=member, SourceParentId=root, DestinationParentId=unit_id)
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    policy = organizations.create_policy(
        Content=SCP, Description="", Name="NoMail", Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=unit_id)
    _principals(boto3.client("iam", region_name="us-east-1"))
    with_role = _assume(member)
    _principals(boto3.client("iam", region_name="us-east-1", **with_role))
    ses = boto3.client("sesv2", region_name="eu-west-1", **with_role)
    for name in ("example.com", "news@example.com"):
        ses.create_email_identity(EmailIdentity=name)
    return Seeded(unit_id, member, policy)


def _principals(iam: Any) -> None:
    iam.create_user(UserName="mailer")
    iam.put_user_policy(
        UserName="mailer", PolicyName="send", PolicyDocument=json.dumps(SENDER, indent=1)
    )
    iam.create_access_key(UserName="mailer")
    iam.create_user(UserName="idle")


def _assume(account: str) -> dict[str, str]:
    sts = boto3.client("sts", region_name="us-east-1")
    keys = sts.assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/ses-audit", RoleSessionName="seeding"
    )["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
