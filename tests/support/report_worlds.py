"""Snapshots on the disk whose numbers can be counted by hand, for tests of pages."""

from __future__ import annotations

from pathlib import Path

from audit_worlds import ROOT, World, allow, deny, policy

from ses_audit.audit import Audit
from ses_audit.snapshot.ledger import Totals
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import create_snapshot

WEB = "222222222222"
ALICE = f"arn:aws:iam::{WEB}:user/alice"
MAILER = f"arn:aws:iam::{WEB}:role/mailer"
IDLE = f"arn:aws:iam::{WEB}:role/idle"
WEST = f"arn:aws:ses:eu-west-1:{WEB}:identity/example.com"
EAST = f"arn:aws:ses:us-east-1:{WEB}:identity/example.com"

HOSTILE = "</script><svg/onload=alert(1)>\u202e\x1b[31m'\"=1+1"


def save(world: World, path: Path) -> Audit:
    """Write a world as a snapshot, and open it."""
    states = [row["state"] for row in world.rows["coverage"]]
    read = sum(state in ("OK", "EMPTY", "REGION_DISABLED") for state in states)
    with create_snapshot(path, started_at=world.manifest["taken_at"]) as writer:
        writer.finish(
            {name: world.table(name) for name in TABLES},
            taken_at=world.manifest["taken_at"],
            totals=Totals(len(states), read, {s: states.count(s) for s in sorted(set(states))}),
            caller=world.manifest["caller"],
            organization=world.manifest["organization"],
            assumptions=world.manifest["assumptions"],
        )
    return Audit(path)


def two_regions() -> World:
    """Four principals, two identities, a region lock.

    Of 7 actions each, in eu-west-1: alice and the root user are allowed (14), mailer is
    conditional for SendRawEmail (1) and denied else (6), idle is denied (7). In us-east-1 the SCP
    stops alice and the root user (14) and mailer's SendRawEmail (1) alone; mailer's other actions
    (6) and idle (7) are denied by their own policies too.
    """
    world = World().organization()
    world.unit("ou-work", "Workloads", ROOT)
    world.account(WEB, "web", "ou-work")
    world.scp("p-Full2", policy(allow("*")), "ou-work", WEB, name="FullAWSAccess")
    lock = deny(StringNotEquals={"aws:RequestedRegion": "eu-west-1"})
    world.scp("p-lock", policy({"Sid": "Lock", **lock}), "ou-work", name="RegionLock")
    world.principal(ALICE, policy(allow()), keys=("Active", "Inactive"))
    office = {"aws:SourceIp": "203.0.113.0/24"}
    world.principal(MAILER, policy(allow("ses:SendRawEmail", IpAddress=office)))
    world.principal(IDLE)
    for region, arn in (("eu-west-1", WEST), ("us-east-1", EAST)):
        world.region(WEB, region)
        world.identity(arn)
    return world


def hostile() -> World:
    """Every text that AWS lets a member account choose is an attack."""
    world = World().organization()
    world.unit("ou-bad", HOSTILE, ROOT)
    world.account(WEB, HOSTILE, "ou-bad", reason=HOSTILE)
    world.rows["accounts"][-1]["state"] = "ACTIVE"
    world.scp("p-full-2", policy(allow("*")), "ou-bad", WEB, name=HOSTILE + "full")
    world.scp(
        "p-bad",
        policy({"Sid": HOSTILE, **deny("ses:SendEmail", StringEquals={"aws:x": HOSTILE})}).replace(
            '"StringEquals"', '"StringNotEquals"'
        ),
        "ou-bad",
        name=HOSTILE,
    )
    world.principal(
        f"arn:aws:iam::{WEB}:role/{HOSTILE}",
        policy(allow("ses:SendRawEmail", StringLike={"aws:PrincipalTag/" + HOSTILE: HOSTILE})),
        kind="role",
    )
    world.principal(f"arn:aws:iam::{WEB}:user/{HOSTILE}", policy(allow()), keys=("Active",))
    world.region(WEB, "eu-west-1")
    world.identity(f"arn:aws:ses:eu-west-1:{WEB}:identity/{HOSTILE}", configuration_set=HOSTILE)
    world.identity(
        f"arn:aws:ses:eu-west-1:{WEB}:identity/open.example",
        policy({**allow("ses:SendEmail"), "Principal": "*", "Sid": HOSTILE}),
    )
    world.cell(WEB, "eu-west-2", "sesv2", "ListEmailIdentities", "DENIED")
    world.rows["coverage"][-1]["detail"] = HOSTILE
    world.manifest["assumptions"] = [HOSTILE]
    return world


def lone_account(*, none: bool) -> World:
    """One account without an organization: not known, or stated that there is none."""
    world = World()
    world.manifest["organization"] = {"none": True} if none else {}
    world.account(WEB, "", None)
    world.principal(ALICE, policy(allow()), keys=("Active",))
    world.region(WEB, "eu-west-1")
    world.identity(WEST)
    return world


def empty_organization() -> World:
    """An organization of which nothing but its root was read."""
    world = World()
    world.unit(ROOT, "Root", None)
    return world


def no_identities() -> World:
    """Principals, and not one identity."""
    world = World().organization()
    world.region("111111111111", "eu-west-1")
    world.cell("111111111111", "eu-west-1", "sesv2", "ListEmailIdentities", "EMPTY")
    return world
