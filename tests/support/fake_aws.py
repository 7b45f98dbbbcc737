# ruff: noqa: N802  (methods are named as AWS's operations)
"""AWS in a few lines: answers requests in the process, where a test says how.

The account is told by the access key that signed, the region and service by the signature's
scope, so an answer for the wrong account is a request signed with the wrong keys.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from botocore.awsrequest import AWSResponse

MANAGEMENT, MEMBER, REFUSING, SUSPENDED = (digit * 12 for digit in "1234")
OWN_KEY = "AKIAEXAMPLEEXAMPLE00"
SCP_ARN = (
    f"arn:aws:organizations::{MANAGEMENT}:policy/o-abcde12345/service_control_policy/p-nomail00"
)
_SCOPE = re.compile(r"Credential=([^/]+)/[0-9]+/([^/]+)/([^/]+)/")
_REST = (
    ("POST", r"/listRegions", "ListRegions"),
    ("GET", r"/v2/email/account", "GetAccount"),
    ("POST", r"/v2/email/list-identities", "ListEmailIdentities"),
    ("GET", r"/v2/email/identities/(?P<EmailIdentity>.+)", "GetEmailIdentity"),
    ("POST", r"/v2/email/list-configuration-sets", "ListConfigurationSets"),
)


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    account: str
    region: str
    service: str
    operation: str
    parameters: dict[str, Any]
    user_agent: str

    @property
    def item(self) -> str:
        """The item or page that was asked for."""
        names = ("ParentId", "PolicyId", "Filter", "UserName", "AccessKeyId", "EmailIdentity")
        return next((str(self.parameters[n]) for n in names if n in self.parameters), "")


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Any:
        yield self._body


@dataclass(frozen=True)
class Reply:
    """What goes back."""

    status: int
    body: str
    content_type: str = "application/json"


def error(code: str, message: str = "no", status: int = 400) -> Reply:
    """An error of a JSON service."""
    return Reply(status, json.dumps({"__type": code, "message": message}))


def query_error(code: str, message: str = "no", status: int = 400) -> Reply:
    """An error of IAM or STS."""
    return Reply(
        status,
        f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>r</RequestId></ErrorResponse>",
        "text/xml",
    )


def ec2_error(code: str, message: str = "no", status: int = 403) -> Reply:
    """An error of EC2."""
    return Reply(
        status,
        f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        "<RequestID>r</RequestID></Response>",
        "text/xml",
    )


HTML = Reply(200, "<html><body><p>Please log in to the proxy.</p></body></html>", "text/html")
Answer = Callable[[Asked], Any]


@dataclass
class FakeAws:
    """The organization: a management account, a member, one that refuses, one suspended.

    `faults` maps (account, region, operation, item or "") to replies that are used up in order,
    one a request, or to a function; an exception among them is raised.
    """

    faults: dict[tuple[str, str, str, str], list[Any] | Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sessions: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event_name: str, request: Any, **_: object) -> AWSResponse:
        asked = _parse(request, self)
        with self.lock:
            self.asked.append(asked)
        reply = self._reply(asked)
        if isinstance(reply, BaseException):
            raise reply
        if not isinstance(reply, Reply):
            reply = Reply(200, json.dumps(reply))
        headers = {"content-type": reply.content_type, "x-amzn-requestid": "req-1"}
        return AWSResponse(request.url, reply.status, headers, _Raw(reply.body.encode()))

    def _reply(self, asked: Asked) -> Any:
        for item in (asked.item, ""):
            fault = self.faults.get((asked.account, asked.region, asked.operation, item))
            if callable(fault):
                return fault(asked)
            if fault:
                with self.lock:
                    return fault.pop(0)
        return self.answer(asked)

    def answer(self, asked: Asked) -> Any:
        """The answer where nothing is wrong."""
        return getattr(self, f"_{asked.operation}")(asked)

    def calls(self, operation: str) -> list[Asked]:
        """The requests of one operation."""
        return [asked for asked in self.asked if asked.operation == operation]

    def _GetCallerIdentity(self, asked: Asked) -> Reply:
        arn = f"arn:aws:iam::{asked.account}:user/auditor"
        return _xml("GetCallerIdentity", f"<Account>{asked.account}</Account><Arn>{arn}</Arn>")

    def _AssumeRole(self, asked: Asked) -> Reply:
        role = asked.parameters["RoleArn"]
        account = role.split(":")[4]
        if account == REFUSING:
            return query_error(
                "AccessDenied", f"not authorized to perform sts:AssumeRole on {role}", 403
            )
        with self.lock:
            self.sessions[account] += 1
        return assumed(account)

    def _DescribeOrganization(self, asked: Asked) -> Any:
        arn = f"arn:aws:organizations::{MANAGEMENT}:organization/o-abcde12345"
        described = {"Id": "o-abcde12345", "Arn": arn, "MasterAccountId": MANAGEMENT}
        return {"Organization": {**described, "FeatureSet": "ALL"}}

    def _ListRoots(self, asked: Asked) -> Any:
        types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
        return {"Roots": [{"Id": "r-ab12", "Name": "Root", "PolicyTypes": types}]}

    def _ListOrganizationalUnitsForParent(self, asked: Asked) -> Any:
        child = [{"Id": "ou-ab12-11111111", "Name": "Mail"}] if asked.item == "r-ab12" else []
        return {"OrganizationalUnits": child}

    def _ListAccounts(self, asked: Asked) -> Any:
        # Two pages, and the first of them is empty: Organizations may do that.
        if "NextToken" not in asked.parameters:
            return {"Accounts": [], "NextToken": "page-2"}
        states = {
            MANAGEMENT: "ACTIVE",
            MEMBER: "ACTIVE",
            REFUSING: "ACTIVE",
            SUSPENDED: "SUSPENDED",
        }
        return {"Accounts": [_account(id_, state) for id_, state in states.items()]}

    def _ListAccountsForParent(self, asked: Asked) -> Any:
        here = (MANAGEMENT,) if asked.item == "r-ab12" else (MEMBER, REFUSING, SUSPENDED)
        return {"Accounts": [_account(id_, "ACTIVE") for id_ in here]}

    def _ListPolicies(self, asked: Asked) -> Any:
        if asked.item == "RESOURCE_CONTROL_POLICY":
            return {"Policies": []}
        return {"Policies": [_policy()]}

    def _DescribePolicy(self, asked: Asked) -> Any:
        return {"Policy": {"PolicySummary": _policy(), "Content": SCP_TEXT}}

    def _ListTargetsForPolicy(self, asked: Asked) -> Any:
        target = {"TargetId": "ou-ab12-11111111", "Name": "Mail", "Type": "ORGANIZATIONAL_UNIT"}
        return {"Targets": [target]}

    def _ListRegions(self, asked: Asked) -> Any:
        states = {
            "af-south-1": "DISABLED",
            "eu-west-1": "ENABLED_BY_DEFAULT",
            "us-east-1": "ENABLED",
        }
        listed = [{"RegionName": name, "RegionOptStatus": how} for name, how in states.items()]
        return {"Regions": listed}

    def _DescribeRegions(self, asked: Asked) -> Reply:
        states = {
            "af-south-1": "not-opted-in",
            "eu-west-1": "opt-in-not-required",
            "us-east-1": "opted-in",
        }
        assert asked.parameters == {"AllRegions": "true"}
        items = "".join(
            f"<item><regionName>{name}</regionName><optInStatus>{how}</optInStatus></item>"
            for name, how in states.items()
        )
        body = (
            '<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
            f"<requestId>r</requestId><regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
        )
        return Reply(200, body, "text/xml")

    def _GetAccountAuthorizationDetails(self, asked: Asked) -> Reply:
        # Users on the first page, a role on the second.
        if "Marker" not in asked.parameters:
            users = "".join(_user(asked.account, name) for name in ("mailer", "idle"))
            return details(f"<UserDetailList>{users}</UserDetailList>", marker="m-2")
        role = f"<member>{_arn(asked.account, 'role/app')}<RoleName>app</RoleName></member>"
        return details(f"<RoleDetailList>{role}</RoleDetailList>")

    def _ListAccessKeys(self, asked: Asked) -> Reply:
        key = f"<AccessKeyId>AKIA{asked.account}KEY0</AccessKeyId><Status>Active</Status>"
        named = (
            f"<member><UserName>mailer</UserName>{key}</member>" if asked.item == "mailer" else ""
        )
        inner = f"<AccessKeyMetadata>{named}</AccessKeyMetadata><IsTruncated>false</IsTruncated>"
        return _xml("ListAccessKeys", inner)

    def _GetAccessKeyLastUsed(self, asked: Asked) -> Reply:
        used = "<ServiceName>ses</ServiceName><Region>eu-west-1</Region>"
        return _xml(
            "GetAccessKeyLastUsed",
            f"<UserName>mailer</UserName><AccessKeyLastUsed>{used}</AccessKeyLastUsed>",
        )

    def _GetAccount(self, asked: Asked) -> Any:
        return {
            "ProductionAccessEnabled": True,
            "SendingEnabled": True,
            "EnforcementStatus": "HEALTHY",
        }

    def _ListEmailIdentities(self, asked: Asked) -> Any:
        if asked.account != MEMBER or asked.region != "eu-west-1":
            return {"EmailIdentities": []}
        names = {"example.com": "DOMAIN", "news@example.com": "EMAIL_ADDRESS"}
        listed = [{"IdentityName": name, "IdentityType": kind} for name, kind in names.items()]
        return {"EmailIdentities": listed}

    def _GetEmailIdentity(self, asked: Asked) -> Any:
        return {"VerifiedForSendingStatus": True, "Policies": {"grant": SENDING}, "Tags": []}

    def _ListConfigurationSets(self, asked: Asked) -> Any:
        return {"ConfigurationSets": ["default"] if asked.account == MEMBER else []}


SCP_TEXT = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"ses:*","Resource":"*"}}'
SENDING = '{ "Version":"2012-10-17","Statement":[] }'
# Spaces, order and a doubled key must survive.
USER_POLICY = '{ "Version" : "2012-10-17", "Statement" : [] , "Id":"1+1%","Id":"x" }'


def assumed(account: str, key: str = "", expires: str = "2100-01-01T00:00:00Z") -> Reply:
    """An answer of AssumeRole."""
    user = (
        f"<AssumedRoleId>AROA:ses</AssumedRoleId><Arn>arn:aws:sts::{account}:assumed-role/x</Arn>"
    )
    keys = (
        f"<AccessKeyId>{key or 'ASIA' + account + '0000'}</AccessKeyId>"
        f"<SecretAccessKey>secret-of-{account}</SecretAccessKey>"
        f"<SessionToken>token-of-{account}</SessionToken><Expiration>{expires}</Expiration>"
    )
    inner = f"<AssumedRoleUser>{user}</AssumedRoleUser><Credentials>{keys}</Credentials>"
    return _xml("AssumeRole", inner)


def details(inner: str, marker: str = "", truncated: str = "") -> Reply:
    """An answer of GetAccountAuthorizationDetails."""
    more = truncated or ("true" if marker else "false")
    end = f"<IsTruncated>{more}</IsTruncated>" + (f"<Marker>{marker}</Marker>" if marker else "")
    return _xml("GetAccountAuthorizationDetails", inner + end)


def _xml(operation: str, inner: str) -> Reply:
    body = (
        f"<{operation}Response><{operation}Result>{inner}</{operation}Result>"
        f"<ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Reply(200, body, "text/xml")


def _arn(account: str, name: str) -> str:
    return f"<Arn>arn:aws:iam::{account}:{name}</Arn>"


def _user(account: str, name: str) -> str:
    policy = f"<PolicyName>p</PolicyName><PolicyDocument>{quote(USER_POLICY)}</PolicyDocument>"
    inline = f"<UserPolicyList><member>{policy}</member></UserPolicyList>"
    return f"<member>{_arn(account, f'user/{name}')}<UserName>{name}</UserName>{inline}</member>"


def _account(id_: str, state: str) -> dict[str, str]:
    arn = f"arn:aws:organizations::{MANAGEMENT}:account/o-abcde12345/{id_}"
    return {"Id": id_, "Arn": arn, "Name": f"account {id_[0]}", "State": state}


def _policy() -> dict[str, Any]:
    named = {"Id": "p-nomail00", "Arn": SCP_ARN, "Name": "NoMail", "AwsManaged": False}
    return {**named, "Type": "SERVICE_CONTROL_POLICY"}


def _parse(request: Any, fake: FakeAws) -> Asked:
    authorization = request.headers["Authorization"]
    text = authorization.decode() if isinstance(authorization, bytes) else authorization
    scope = _SCOPE.search(text)
    assert scope is not None, text
    key, region, service = scope.groups()
    account = MANAGEMENT if key == OWN_KEY else key[4:16]
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
    url = urlsplit(request.url)
    service = {"ses": "sesv2"}.get(service, service)
    if service in ("iam", "sts", "ec2"):
        fields = {name: values[0] for name, values in parse_qs(body).items()}
        operation = fields.pop("Action")
        del fields["Version"]
    elif service == "organizations":
        target = request.headers["X-Amz-Target"]
        name = target.decode() if isinstance(target, bytes) else target
        operation, fields = name.split(".")[1], json.loads(body)
    else:
        operation, fields = _rest(request.method, url.path, body)
        fields |= {name: values[0] for name, values in parse_qs(url.query).items()}
    agent = request.headers["User-Agent"]
    agent = agent.decode() if isinstance(agent, bytes) else agent
    if service != "sesv2":
        region = "global"
    return Asked(account, region, service, operation, fields, agent)


def _rest(method: str, path: str, body: str) -> tuple[str, dict[str, Any]]:
    for verb, pattern, operation in _REST:
        match = re.fullmatch(pattern, path)
        if verb == method and match:
            named = {name: unquote(value) for name, value in match.groupdict().items()}
            return operation, {**(json.loads(body) if body else {}), **named}
    raise AssertionError(f"{method} {path}")
