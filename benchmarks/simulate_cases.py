"""The cases of `benchmarks/simulate.py`: lines of `ses-audit simulate`, made of a seed.

Each has three identity policies, one of them with 80 actions; one in five a boundary; three SCP
levels of five policies; one sending policy; seven context keys. Documents repeat among the cases as
they do in an organization: some dozens of each kind.
"""

from __future__ import annotations

import json
import random
from typing import Any

__all__ = ["cases"]

_ACCOUNT = "111111111111"
_REGIONS = ("eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-2")
_DOMAINS = tuple(f"team{n}.example.com" for n in range(12))
_SERVICES = (
    "ec2", "s3", "iam", "sqs", "sns", "lambda", "logs", "kms", "dynamodb", "cloudwatch",
)  # fmt: skip
_VERBS = ("Describe", "List", "Get", "Put", "Create", "Delete", "Update", "Tag")


def _text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _send(rng: random.Random, n: int) -> str:
    domain = _DOMAINS[n % len(_DOMAINS)]
    return _text(
        {
            "Sid": f"Send{n}",
            "Effect": "Allow",
            "Action": ["ses:SendEmail", "ses:SendRawEmail"],
            "Resource": f"arn:aws:ses:*:{_ACCOUNT}:identity/{domain}",
            "Condition": {"StringLike": {"ses:FromAddress": [f"*@{domain}", "news@*"]}},
        },
        {"Effect": "Allow", "Action": "ses:Get*", "Resource": "*"},
    )


def _eighty(rng: random.Random, n: int) -> str:
    actions = [
        f"{service}:{verb}{rng.choice(('Item', 'Queue', 'Object', 'Role'))}{n}"
        for service in _SERVICES
        for verb in _VERBS
    ]
    return _text({"Effect": "Allow", "Action": actions, "Resource": "*"})


def _tags(rng: random.Random, n: int) -> str:
    return _text(
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::bucket-{n}/${{aws:username}}/*",
        },
        {
            "Effect": "Deny",
            "Action": "ses:Send*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": f"stopped{n % 7}"}},
        },
    )


def _boundary(rng: random.Random, n: int) -> str:
    allowed = ["ses:*", "s3:*", "logs:*"] if n % 4 else ["s3:*", "logs:*"]
    return _text({"Effect": "Allow", "Action": allowed, "Resource": "*"})


def _scp(rng: random.Random, n: int) -> str:
    kind = n % 5
    if kind == 0:
        return _text({"Effect": "Allow", "Action": "*", "Resource": "*"})
    if kind == 1:
        allowed = ["eu-*", "us-east-1"] if n % 3 else ["eu-*"]
        return _text(
            {
                "Sid": "RegionLock",
                "Effect": "Deny",
                "NotAction": ["iam:*", "organizations:*", "sts:*", "support:*"],
                "Resource": "*",
                "Condition": {"StringNotLike": {"aws:RequestedRegion": allowed}},
            }
        )
    if kind == 2:
        return _text(
            {
                "Sid": "ProtectTrail",
                "Effect": "Deny",
                "Action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "config:Delete*"],
                "Resource": "*",
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::*:role/Admin{n}"}},
            }
        )
    if kind == 3:
        return _text(
            {
                "Sid": "RootOnly",
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}},
            }
        )
    return _text(
        {
            "Sid": "Transport",
            "Effect": "Deny",
            "Action": ["ses:Send*", "s3:*"],
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {"Effect": "Deny", "Action": f"ec2:Run*{n}", "Resource": "*"},
    )


def _sending(rng: random.Random, n: int) -> str:
    domain = _DOMAINS[n % len(_DOMAINS)]
    return _text(
        {
            "Sid": "Grant",
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{_ACCOUNT}:user/user{n % 40}", "222222222222"]},
            "Action": ["ses:SendEmail", "ses:SendRawEmail"],
            "Resource": f"arn:aws:ses:eu-west-1:{_ACCOUNT}:identity/{domain}",
            "Condition": {"StringEquals": {"ses:FromDisplayName": "News"}},
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "ses:SendRawEmail",
            "Resource": "*",
            "Condition": {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24", "203.0.113.0/24"]}},
        },
    )


def cases(count: int) -> list[dict[str, Any]]:
    """So many lines, the same at every call; policies are JSON texts.

    Parameters
    ----------
    count
        How many.
    """
    rng = random.Random(20261124)
    makers = {
        "send": (_send, 60),
        "eighty": (_eighty, 25),
        "tags": (_tags, 40),
        "boundary": (_boundary, 8),
        "sending": (_sending, 40),
    }
    pools = {name: [make(rng, n) for n in range(size)] for name, (make, size) in makers.items()}
    chains = [
        [[_scp(rng, 25 * chain + 5 * level + n) for n in range(5)] for level in range(3)]
        for chain in range(12)
    ]
    found = []
    for number in range(count):
        user = f"user{rng.randrange(40)}"
        region = rng.choice(_REGIONS)
        domain = rng.choice(_DOMAINS)
        context = {
            "aws:RequestedRegion": region,
            "aws:PrincipalArn": f"arn:aws:iam::{_ACCOUNT}:user/{user}",
            "aws:username": user,
            "aws:PrincipalTag/team": f"stopped{rng.randrange(40)}",
            "aws:SecureTransport": "true" if rng.random() < 0.95 else "false",
            "aws:SourceIp": rng.choice(("203.0.113.9", "198.51.100.7", "192.0.2.1")),
            "ses:FromAddress": f"{rng.choice(('news', 'info'))}@{domain}",
        }
        line: dict[str, Any] = {
            "Id": number,
            "CallerArn": context["aws:PrincipalArn"],
            "ActionNames": [rng.choice(("ses:SendEmail", "ses:SendRawEmail"))],
            "ResourceArns": [f"arn:aws:ses:{region}:{_ACCOUNT}:identity/{domain}"],
            "PolicyInputList": [
                rng.choice(pools["send"]),
                rng.choice(pools["eighty"]),
                rng.choice(pools["tags"]),
            ],
            "OrderedOrganizationPolicyInputList": [
                {"ServiceControlPolicyInputList": level} for level in rng.choice(chains)
            ],
            "ResourcePolicy": rng.choice(pools["sending"]),
            "ContextEntries": [
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in context.items()
            ],
        }
        if number % 5 == 0:
            line["PermissionsBoundaryPolicyInputList"] = [rng.choice(pools["boundary"])]
        found.append(line)
    return found
