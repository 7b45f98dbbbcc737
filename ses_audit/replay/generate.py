"""Organizations of any size, made up from a seed: for benchmarks, demonstrations and tests.

The same `Size` gives the same organization. What it is made of, and in which shares, is data:
`data/generate.json`, told in docs/scale.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from ses_audit.errors import USAGE, UserError

__all__ = ["Generated", "Organization", "Scp", "Size", "Unit", "data", "parse_size", "text_of"]

ORGANIZATION = "o-gen0000001"
ROOT = "r-gen1"
TAKEN = "2026-11-23T06:00:00Z"
MOST_REGIONS = 17


@cache
def data() -> dict[str, Any]:
    """What generated organizations are made of."""
    text = files("ses_audit.replay").joinpath("data/generate.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def text_of(statements: object) -> str:
    """A policy document as AWS would give it."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Size:
    """How large a generated organization is.

    Parameters
    ----------
    accounts
        Accounts, the management account among them.
    principals
        Principals of each account, its root user among them.
    identities
        Identities of each account.
    units
        OUs.
    scps
        Service control policies, FullAWSAccess apart.
    regions
        Regions that are enabled in each account, at most 17; identities stand in three of them.
    seed
        Another seed, another organization.
    """

    accounts: int = 20
    principals: int = 30
    identities: int = 6
    units: int = 8
    scps: int = 12
    regions: int = 3
    seed: int = 1


def parse_size(text: str) -> Size:
    """Read `accounts=100,principals=20,seed=7`; what is not named keeps its default.

    Raises
    ------
    UserError
        For a name or a number that is none.

    Examples
    --------
    >>> parse_size("accounts=5,seed=2").accounts
    5
    """
    known = {field.name for field in fields(Size)}
    given: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, number = part.partition("=")
        name, number = name.strip(), number.strip().replace("_", "")
        if name not in known or not number.isascii() or not number.isdigit():
            raise UserError(
                f"--generate does not read {part[:60]!r}: write NAME=NUMBER, the names being "
                f"{', '.join(sorted(known))}",
                USAGE,
            )
        given[name] = int(number)
    size = Size(**given)
    if not 1 <= size.accounts <= 99_999 or size.principals < 1:
        raise UserError("--generate takes 1 to 99,999 accounts of 1 or more principals", USAGE)
    if not 1 <= size.regions <= MOST_REGIONS:
        raise UserError(f"--generate takes 1 to {MOST_REGIONS} regions", USAGE)
    return size


@dataclass(frozen=True, slots=True)
class Unit:
    """One OU."""

    id: str
    name: str
    parent: str
    depth: int


@dataclass(frozen=True, slots=True)
class Scp:
    """One service control policy and what it is attached to."""

    id: str
    name: str
    text: str
    targets: tuple[str, ...]
    aws_managed: bool = False


@dataclass(frozen=True, slots=True)
class Organization:
    """What the management account would tell."""

    units: tuple[Unit, ...]
    scps: tuple[Scp, ...]
    parents: tuple[str, ...]
    """The parent of each account, in the accounts' order."""


class Generated:
    """One generated organization.

    Parameters
    ----------
    size
        How large it is.

    Examples
    --------
    >>> made = Generated(Size(accounts=3))
    >>> [made.account_id(n) for n in range(3)]
    ['100000000000', '100000000001', '100000000002']
    """

    def __init__(self, size: Size) -> None:
        self.size = size
        self.shares: dict[str, float] = data()["shares"]
        self.regions: tuple[str, ...] = tuple(data()["regions"][: size.regions])
        self.organization = self._organization()

    @property
    def management(self) -> str:
        """The management account."""
        return self.account_id(0)

    def account_id(self, number: int) -> str:
        """The id of an account by its number."""
        return f"{100_000_000_000 + number}"

    def account_ids(self) -> Iterator[str]:
        """All ids, sorted."""
        return map(self.account_id, range(self.size.accounts))

    def account_arn(self, account: str) -> str:
        """An account's ARN in Organizations."""
        return f"arn:aws:organizations::{self.management}:account/{ORGANIZATION}/{account}"

    def policy_arn(self, scp: Scp) -> str:
        """An SCP's ARN."""
        if scp.aws_managed:
            return f"arn:aws:organizations::aws:policy/service_control_policy/{scp.id}"
        owner = f"arn:aws:organizations::{self.management}:policy/{ORGANIZATION}"
        return f"{owner}/service_control_policy/{scp.id}"

    def random(self, *what: object) -> Random:
        """Chance that depends on the seed and on what it is for, and on nothing else."""
        return Random("/".join(map(str, (self.size.seed, *what))))  # noqa: S311

    def read(self, account: str) -> bool:
        """Whether the audit role could be assumed there."""
        if account == self.management:
            return True
        return self.random("read", account).random() >= self.shares["unread_account"]

    def _organization(self) -> Organization:
        chance = self.random("organization")
        units: list[Unit] = []
        for number in range(self.size.units):
            # Five levels at most, as AWS has it; a third stands directly under the root.
            above = [u for u in units if u.depth < 4]
            parent = chance.choice(above) if above and chance.random() > 0.33 else None
            units.append(
                Unit(
                    f"ou-gen1-{number:08d}",
                    f"Unit {number}",
                    parent.id if parent else ROOT,
                    parent.depth + 1 if parent else 0,
                )
            )
        places = [unit.id for unit in units] or [ROOT]
        parents = tuple(
            ROOT if number == 0 else chance.choice(places) for number in range(self.size.accounts)
        )
        return Organization(tuple(units), tuple(self._scps(chance, units)), parents)

    def _scps(self, chance: Random, units: list[Unit]) -> Iterator[Scp]:
        everywhere = (ROOT, *(unit.id for unit in units), *self.account_ids())
        full = text_of([{"Effect": "Allow", "Action": "*", "Resource": "*"}])
        yield Scp("p-FullAWSAccess", "FullAWSAccess", full, everywhere, aws_managed=True)
        kinds: list[dict[str, Any]] = data()["scps"]
        wanted = [kind for kind in kinds for _ in range(kind["count"])]
        filler = next(kind for kind in kinds if not kind["count"])
        wanted = (wanted + [filler] * self.size.scps)[: self.size.scps]
        for number, kind in enumerate(wanted):
            statements = json.loads(json.dumps(kind["document"]).replace("$NAME", f"Set{number}"))
            yield Scp(
                f"p-gen{number:05d}",
                f"{kind['name']}{number}",
                text_of(statements),
                self._targets(chance, kind["on"], units),
            )

    def _targets(self, chance: Random, where: str, units: list[Unit]) -> tuple[str, ...]:
        if where == "root" or not units:
            return (ROOT,)
        if where == "account":
            most = max(1, int(self.size.accounts * self.shares["scp_on_account"]))
            numbers = chance.sample(range(self.size.accounts), min(most, self.size.accounts))
            return tuple(sorted(map(self.account_id, numbers)))
        most = max(1, len(units) // 40)
        return tuple(sorted(unit.id for unit in chance.sample(units, min(most, len(units)))))
