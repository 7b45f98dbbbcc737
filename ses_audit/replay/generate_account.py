"""One account of a generated organization: its principals, policies, identities and regions."""

from __future__ import annotations

import json
from hashlib import blake2b
from random import Random
from typing import NamedTuple

from ses_audit.replay.generate import ORGANIZATION, Generated, data, text_of

__all__ = ["Account", "Identity", "Principal", "account_of"]

CREATED = "2024-01-05T10:10:10Z"
_PLACES = 3
"""In how many regions an account's identities stand."""


class Principal(NamedTuple):
    """A user or a role."""

    kind: str
    name: str
    path: str
    id: str
    managed: tuple[str, ...]
    """ARNs."""
    inline: tuple[tuple[str, str], ...]
    """(name, document)."""
    boundary: str | None
    tags: tuple[tuple[str, str], ...]
    trust: str | None
    keys: tuple[tuple[str, str], ...]
    """(access key id, status)."""


class Identity(NamedTuple):
    """An identity."""

    region: str
    name: str
    verified: bool
    configuration_set: str
    policies: tuple[tuple[str, str], ...]


class Account(NamedTuple):
    """What one account holds."""

    id: str
    principals: tuple[Principal, ...]
    managed: dict[str, str]
    """ARN → document, of every managed policy that is attached or a boundary."""
    identities: tuple[Identity, ...]
    production: dict[str, bool]
    """By region."""


def _id(prefix: str, arn: str) -> str:
    digits = int.from_bytes(blake2b(arn.encode(), digest_size=11).digest(), "big")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return prefix + "".join(letters[(digits >> (5 * place)) & 31] for place in range(17))


def _pick(chance: Random, weighted: list[list[object]]) -> list[object]:
    place = chance.random()
    for entry in weighted:
        place -= float(str(entry[0]))
        if place < 0:
            return entry
    return weighted[-1]


class _Builder:
    def __init__(self, made: Generated, number: int) -> None:
        self.made = made
        self.account = made.account_id(number)
        self.chance = made.random("account", number)
        self.managed: dict[str, str] = {}

    def managed_arn(self, name: str) -> str:
        owner, _, short = name.partition(":")
        account = "aws" if owner == "aws" else self.account
        arn = f"arn:aws:iam::{account}:policy/{short}"
        if arn not in self.managed:
            self.managed[arn] = _shared(name)
        return arn

    def principal(self, kind: str, name: str, path: str = "/", **given: object) -> Principal:
        arn = f"arn:aws:iam::{self.account}:{kind}{path}{name}"
        prefix = "AROA" if kind == "role" else "AIDA"
        values: dict[str, object] = {
            "managed": (),
            "inline": (),
            "boundary": None,
            "tags": (),
            "trust": _TRUST if kind == "role" else None,
            "keys": (),
            **given,
        }
        return Principal(kind, name, path, _id(prefix, arn), **values)  # type: ignore[arg-type]

    def everywhere(self) -> list[Principal]:
        return [
            self.principal(
                "role",
                role["name"],
                role.get("path", "/"),
                managed=tuple(map(self.managed_arn, role["managed"])),
                boundary=self.managed_arn(role["boundary"]) if "boundary" in role else None,
            )
            for role in data()["everywhere"]
        ]

    def own(self, number: int, unique: list[str]) -> Principal:
        chance, shares = self.chance, self.made.shares
        user = chance.random() < shares["users"]
        kind, name = ("user", f"user-{number}") if user else ("role", f"app-{number}")
        attached = tuple(
            self.managed_arn(policy)
            for share, policy in data()["attached"]
            if chance.random() < share
        )
        inline: list[tuple[str, str]] = []
        if unique and chance.random() < shares["account_unique_document"]:
            inline.append(("account", chance.choice(unique)))
        if chance.random() < shares["own_inline_document"]:
            inline.append(("own", _filled(data()["own_inline"], self.account, name)))
        boundary = None
        if chance.random() < shares["boundary"]:
            boundary = self.managed_arn(str(_pick(chance, data()["boundaries"])[1]))
        tags: tuple[tuple[str, str], ...] = ()
        if chance.random() < shares["tagged"]:
            tags = (("team", chance.choice(("mail", "crm", "ops", "web", "data"))),)
        keys: tuple[tuple[str, str], ...] = ()
        if user:
            status = "Active" if chance.random() < 0.7 else "Inactive"
            keys = ((_id("AKIA", f"{self.account}/{name}")[:20], status),)
        return self.principal(
            kind, name, managed=attached, inline=tuple(inline), boundary=boundary, tags=tags,
            keys=keys,
        )  # fmt: skip

    def build(self) -> Account:
        made, size = self.made, self.made.size
        identities = self.identities()
        names = [identity.name for identity in identities] or ["none.example"]
        unique = [
            _filled(statements, self.account, "", self.chance.choice(names))
            for statements in data()["account_unique"]
        ]
        principals = self.everywhere()[: max(0, size.principals - 1)]
        for number in range(size.principals - 1 - len(principals)):
            principals.append(self.own(number, unique))
        principals.sort(key=lambda p: f"{p.kind}{p.path}{p.name}")
        production = {
            region: self.chance.random() >= made.shares["sandbox"] for region in made.regions
        }
        return Account(self.account, tuple(principals), self.managed, identities, production)

    def identities(self) -> tuple[Identity, ...]:
        chance, shares = self.chance, self.made.shares
        regions = chance.sample(self.made.regions, min(_PLACES, len(self.made.regions)))
        found: list[Identity] = []
        for number in range(self.made.size.identities):
            domain = f"mail{number}-{self.account}.example"
            name = f"news@{domain}" if chance.random() < shares["address_identity"] else domain
            region = regions[number % len(regions)]
            default = chance.random() < shares["default_configuration_set"]
            policies: tuple[tuple[str, str], ...] = ()
            if chance.random() < shares["sending_policy"]:
                arn = f"arn:aws:ses:{region}:{self.account}:identity/{name}"
                policies = (self.sending_policy(arn),)
            found.append(
                Identity(
                    region,
                    name,
                    chance.random() >= shares["unverified_identity"],
                    "default" if default else "",
                    policies,
                )
            )
        return tuple(sorted(found))

    def sending_policy(self, arn: str) -> tuple[str, str]:
        chance = self.chance
        if (
            chance.random()
            * data()["identities_a_grant_to_everyone"]
            * (self.made.shares["sending_policy"])
            < 1
        ):
            return "everyone", _sending(data()["everyone"], arn, "*", self.account)
        _, kind, statements = _pick(chance, data()["sending_policies"])
        other = self.made.account_id(chance.randrange(self.made.size.accounts))
        principal = f"arn:aws:iam::{other}:root"
        if kind == "role":
            principal = f"arn:aws:iam::{other}:role/org-mailer"
        return str(kind), _sending(statements, arn, principal, self.account)


def _filled(statements: object, account: str, name: str, identity: str = "") -> str:
    text = text_of(statements).replace("$ACCOUNT", account).replace("$NAME", name)
    return text.replace("$IDENTITY", identity)


def _sending(statements: object, arn: str, principal: str, account: str) -> str:
    text = text_of(statements).replace("$IDENTITY", arn).replace("$PRINCIPAL", principal)
    return text.replace("$ACCOUNT", account).replace("$ORGANIZATION", ORGANIZATION)


_SHARED: dict[str, str] = {}


def _shared(name: str) -> str:
    if name not in _SHARED:
        _SHARED[name] = text_of(data()["policies"][name])
    return _SHARED[name]


_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    },
    separators=(",", ":"),
)


def account_of(made: Generated, number: int) -> Account:
    """The content of one account; the same whatever else was made.

    Examples
    --------
    >>> from ses_audit.replay.generate import Size
    >>> account = account_of(Generated(Size(accounts=2, principals=15)), 1)
    >>> account.id, len(account.principals)
    ('100000000001', 14)
    """
    return _Builder(made, number).build()
