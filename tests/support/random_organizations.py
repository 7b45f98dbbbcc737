"""Small organizations made at random, with everything in them that a verdict can turn on."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from audit_worlds import ORG, ROOT, World, allow, deny, policy

ACCOUNTS = ("111111111111", "222222222222", "333333333333", "444444444444")
REGIONS = ("eu-west-1", "us-east-1")
SENDS = ("ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail", "ses:SendBulkEmail")


def random_world(seed: int) -> World:
    """An organization of two to four accounts; the same for the same seed."""
    return _Maker(Random(seed)).world()


class _Maker:
    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.accounts = ACCOUNTS[: chance.randint(2, 4)]
        # Few texts, so that accounts hold copies of them.
        self.texts = [self.document() for _ in range(5)]

    def often(self, share: float) -> bool:
        return self.chance.random() < share

    def pick(self, *things: Any) -> Any:
        return self.chance.choice(things)

    def world(self) -> World:
        made = World()
        if self.often(0.1):
            made.manifest["organization"] = {}
            for account in self.accounts:
                made.account(account, f"account {account[0]}", None)
        else:
            self.organization(made)
        for account in self.accounts:
            self.account(made, account)
        self.gaps(made)
        return made

    def organization(self, made: World) -> None:
        made.organization()
        made.unit("ou-a", "A", ROOT)
        made.unit("ou-b", "B", "ou-a")
        for account in self.accounts[1:]:
            made.account(account, f"account {account[0]}", self.pick(ROOT, "ou-a", "ou-b"))
        targets = ["ou-a", "ou-b", *self.accounts]
        made.scp("p-all", policy(allow("*")), *(t for t in targets if self.often(0.95)))
        for number in range(self.chance.randint(0, 4)):
            text = self.pick(
                policy(deny("ses:Send*")),
                policy(deny("*", StringNotEquals={"aws:RequestedRegion": ["eu-west-1"]})),
                policy(deny("ses:*", StringNotLike={"aws:PrincipalArn": "arn:aws:iam::*:role/r1"})),
                policy(deny("ses:*", ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:root"})),
                policy(deny("ses:*", StringNotEquals={"aws:PrincipalTag/team": "mail"})),
                policy(deny("ses:SendEmail", NotIpAddress={"aws:SourceIp": "203.0.113.0/24"})),
                policy(deny("ses:*", StringEquals={"aws:ResourceAccount": self.accounts[-1]})),
                policy(deny("ses:*", StringLike={"aws:PrincipalOrgPaths": f"{ORG}/*/ou-a/*"})),
                policy(allow("s3:*")),
                self.document(),
            )
            chosen = [t for t in (ROOT, *targets) if self.often(0.3)]
            made.scp(f"p-{number}", text if self.often(0.95) else None, *chosen)

    def account(self, made: World, account: str) -> None:
        for number in range(self.chance.randint(1, 6)):
            kind = self.pick("role", "role", "user")
            made.principal(
                f"arn:aws:iam::{account}:{kind}/{kind[0]}{number}",
                *(self.own_policy(account) for _ in range(self.chance.randint(0, 2))),
                boundary=self.pick(None, None, None, self.text(account), policy(allow("s3:*"))),
                tags={"team": self.pick("mail", "web")} if self.often(0.4) else {},
                keys=("Active",) if kind == "user" and self.often(0.5) else (),
                linked=kind == "role" and self.often(0.1),
            )
        sets = ("", "", "default")
        for region in REGIONS[: self.chance.randint(1, 2)]:
            made.region(account, region, production=self.pick(True, True, False, None))
            for number in range(self.chance.randint(0, 3)):
                name = self.pick(f"a{number}.example", f"news@b{number}.example")
                arn = f"arn:aws:ses:{region}:{account}:identity/{name}"
                made.identity(
                    arn,
                    *(self.sending(arn) for _ in range(self.pick(0, 0, 1, 2))),
                    verified=self.often(0.8),
                    configuration_set=self.pick(*sets),
                    details=self.often(0.95),
                )

    def own_policy(self, account: str) -> str | None:
        return None if self.often(0.04) else self.text(account)

    def text(self, account: str) -> str:
        return str(self.pick(*self.texts, self.document())).replace("$ACCOUNT", account)

    def document(self) -> str:
        count = self.chance.randint(1, 2)
        return policy(*(self.statement() for _ in range(count)))

    def statement(self) -> dict[str, Any]:
        make = deny if self.often(0.2) else allow
        action = self.pick("ses:*", "ses:Send*", ["ses:SendEmail", "ses:SendRawEmail"], "*", "s3:*")
        resource = self.pick(
            "*",
            "*",
            "arn:aws:ses:*:*:identity/*",
            "arn:aws:ses:*:$ACCOUNT:identity/a0.example",
            ["arn:aws:ses:*:$ACCOUNT:identity/*", "arn:aws:ses:*:$ACCOUNT:configuration-set/*"],
            ["arn:aws:ses:*:*:template/t*", "arn:aws:ses:eu-west-1:*:identity/*"],
            "arn:aws:ses:*:*:identity/${aws:PrincipalTag/team}.example",
        )
        made = make(action, resource, **self.conditions())
        if self.often(0.1):
            made["NotAction"] = self.pick("iam:*", "ses:SendBounce")
            del made["Action"]
        if self.often(0.1):
            made["NotResource"] = made.pop("Resource")
        return dict(made)

    def conditions(self) -> dict[str, Any]:
        if self.often(0.5):
            return {}
        found: dict[str, Any] = self.pick(
            {"StringEquals": {"aws:PrincipalTag/team": "mail"}},
            {
                "StringLike": {
                    "ses:FromAddress": self.pick("news@*", "*@a0.example", "x@a1.example")
                }
            },
            {"StringLike": {"ses:FromAddress": "${aws:username}@*"}},
            {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}},
            {"IpAddress": {"aws:SourceIp": self.pick("203.0.113.0/24", "198.51.100.7/32")}},
            {"StringEquals": {"aws:RequestedRegion": self.pick(*REGIONS)}},
            {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}},
            {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}},
            {"ForAllValues:StringLike": {"ses:Recipients": "*@a.example"}},
            {"Bool": {"aws:SecureTransport": "true"}},
            {"Null": {"aws:MultiFactorAuthAge": "false"}},
            {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
            {"StringEquals": {"aws:userid": "AIDAEXAMPLE"}},
            {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/r[12]*"}},
        )
        return found

    def sending(self, arn: str) -> str:
        other = self.pick(*self.accounts, "999999999999")
        principal = self.pick(
            "*",
            {"AWS": other},
            {"AWS": f"arn:aws:iam::{other}:root"},
            {"AWS": [f"arn:aws:iam::{other}:role/r1", f"arn:aws:iam::{other}:user/u0"]},
            {"AWS": f"arn:aws:sts::{other}:assumed-role/r0/job"},
            {"Service": "cognito-idp.amazonaws.com"},
        )
        make = deny if self.often(0.25) else allow
        made = make(self.pick("ses:*", ["ses:SendEmail", "ses:SendRawEmail"]), arn)
        if self.often(0.4):
            made["Condition"] = self.pick(
                {"StringEquals": {"aws:PrincipalOrgID": ORG}},
                {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
                {"StringEquals": {"aws:PrincipalTag/team": "mail"}},
                {"StringEquals": {"aws:SourceAccount": self.accounts[0]}},
                {"StringNotEquals": {"aws:PrincipalAccount": self.accounts[0]}},
            )
        made["Principal" if self.often(0.9) else "NotPrincipal"] = principal
        return json.dumps({"Version": "2012-10-17", "Statement": [made]})

    def gaps(self, made: World) -> None:
        for account in self.accounts:
            if self.often(0.06):
                made.cell(account, "global", "iam", "GetAccountAuthorizationDetails", "DENIED")
            if self.often(0.06):
                made.cell(account, "global", "sts", "AssumeRole", "ASSUME_FAILED")
            if self.often(0.06):
                made.cell(account, "eu-west-1", "sesv2", "ListEmailIdentities", "THROTTLED")
            if self.often(0.06):
                made.cell(account, "eu-west-1", "sesv2", "GetAccount", "DENIED")
        if self.often(0.06):
            made.cell("111111111111", "global", "organizations", "ListPolicies", "DENIED")
