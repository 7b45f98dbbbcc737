"""A thousand accounts, every kind of fault in cells drawn at random: the ledger equals the truth.

The kinds, and how each ends, are cases/fault_kinds.json. The faults are real ones on the wire: a
connection that is reset, an answer that does not come within the time of the call, half of a body.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from ses_audit.collect.progress import Silent
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions, Fault, read_fault
from ses_audit.replay.recording import Recording
from ses_audit.replay.uniform import account_id, uniform_records
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.ledger import CoverageRow

ACCOUNTS = 1000
REGIONS = ("eu-west-1", "us-east-1", "af-south-1")
KINDS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases/fault_kinds.json").read_text("utf-8")
)["kinds"]
DETAILS, IDENTITIES = "GetAccountAuthorizationDetails", "ListEmailIdentities"
OF_ACCOUNT = {"ListRegions": "account", DETAILS: "iam"}
OF_REGION = ("GetAccount", IDENTITIES, "GetEmailIdentity", "ListConfigurationSets")
Cells = dict[str, str]


def off(number: int) -> tuple[str, ...]:
    """The regions that an account has off: most have only one of the three on."""
    return tuple(
        r for place, r in enumerate(REGIONS[1:], 1) if (number * 7 + place * 3) % 10 > place
    )


def undisturbed(number: int) -> Cells:
    """Cell below the account → state."""
    cells = {
        "global/account.ListRegions": "OK",
        f"global/iam.{DETAILS}": "OK",
        "global/iam.ListAccessKeys": "EMPTY",
        "global/iam.GetAccessKeyLastUsed": "EMPTY",
    }
    if number:
        cells["global/sts.AssumeRole"] = "OK"
    for region in REGIONS:
        states = ("OK", "OK", "OK", "EMPTY")
        if region in off(number):
            states = ("REGION_DISABLED",) * 4
        for operation, state in zip(OF_REGION, states, strict=True):
            cells[f"{region}/sesv2.{operation}"] = state
    return cells


class Drawn:
    """The faults, and what follows from them."""

    def __init__(self, random: Random) -> None:
        self.faults: list[Fault] = []
        self.truth: dict[str, Cells] = {}
        self.rows: list[tuple[str, str, str, str]] = []
        """(account, cell, layer, policy ARN) of denials."""
        self.gone: set[tuple[str, str]] = set()
        self.hit: set[tuple[str, str]] = set()
        """(kind, region)."""
        numbers = iter(random.sample(range(1, ACCOUNTS), 6 * len(KINDS)))
        for kind in KINDS:
            for _ in range(6):
                self._draw(random, kind, next(numbers))

    def _draw(self, random: Random, kind: dict[str, Any], number: int) -> None:
        account, cells = account_id(number), undisturbed(number)
        self.truth[account] = cells
        if kind.get("member"):
            self._add(kind, account=account, operation="AssumeRole")
            self.hit.add((kind["name"], "global"))
            if "state" in kind:
                own = [cell for cell in cells if cell.startswith("global/")]
                own += [f"*/sesv2.{operation}" for operation in OF_REGION]
                self.truth[account] = dict.fromkeys(own, kind["state"])
            return
        operation = random.choice(kind.get("on", [*OF_ACCOUNT, *OF_REGION]))
        service = OF_ACCOUNT.get(operation, "sesv2")
        region = "global"
        if service == "sesv2":
            region = random.choice([r for r in REGIONS if r not in off(number)])
        self.hit.add((kind["name"], region))
        cell = f"{region}/{service}.{operation}"
        xml = service == "iam"
        self._add(kind, xml=xml, account=account, region=region, operation=operation)
        if kind.get("gone"):
            self.gone.add((account, cell))
        if "state" not in kind:
            return
        cells[cell] = kind["state"]
        self.rows.append((account, cell, kind.get("layer", ""), kind.get("policy_arn", "")))
        if operation == "ListRegions":
            cells["global/ec2.DescribeRegions"] = "OK"
            if kind.get("both"):
                self._add(kind, account=account, operation="DescribeRegions")
                cells["global/ec2.DescribeRegions"] = kind["state"]
                # Each region is tried; of those that are off nothing is recorded.
                cells |= {c: "NOT_ATTEMPTED" for c in cells if cells[c] == "REGION_DISABLED"}
        if operation == DETAILS:
            for name in ("ListAccessKeys", "GetAccessKeyLastUsed"):
                cells[f"global/iam.{name}"] = "NOT_ATTEMPTED"
        if operation == IDENTITIES and kind["state"] != "TRUNCATED" and not kind.get("first_page"):
            cells[f"{region}/sesv2.GetEmailIdentity"] = "NOT_ATTEMPTED"

    def _add(self, kind: dict[str, Any], *, xml: bool = False, **where: str) -> None:
        fault = kind["xml"] if xml and "xml" in kind else kind["fault"]
        self.faults.append(read_fault({**fault, **where}))


def test_the_ledger_equals_what_was_injected(tmp_path: Path) -> None:
    drawn = Drawn(Random(20261123))
    records = uniform_records(ACCOUNTS, REGIONS, identities=2, policies=2, disabled=off)
    made = collect_recording(
        tmp_path / "snapshot",
        Silent(),
        Recording(records, account_id(0)),
        # The two identities of a region come on two pages.
        Conditions(faults=drawn.faults, page_sizes={IDENTITIES: 1}),
        regions=REGIONS,
        processes=2,
        call_timeout=2.5,
    )
    found: dict[str, Cells] = {}
    rows: dict[tuple[str, str], CoverageRow] = {}
    gone: set[tuple[str, str]] = set()
    for row in read_coverage(made.table("coverage")):
        # Regions that were not asked for are in the plan where no list of regions was read.
        if row.service == "organizations" or row.state == "EXCLUDED":
            continue
        cell = f"{row.region}/{row.service}.{row.operation}"
        if row.argument:
            gone |= {(row.account_id, cell)} if row.state == "EMPTY" else set()
            continue
        found.setdefault(row.account_id, {})[cell] = row.state.value
        rows[row.account_id, cell] = row
    assert set(found) == {account_id(number) for number in range(ACCOUNTS)}
    expected = {
        account_id(number): drawn.truth.get(account_id(number)) or undisturbed(number)
        for number in range(ACCOUNTS)
    }
    wrong = {
        (account, cell): (found[account].get(cell), expected[account].get(cell))
        for account in found
        for cell in {*found[account], *expected[account]}
        if found[account].get(cell) != expected[account].get(cell)
    }
    assert wrong == {}
    told = [(a, c, rows[a, c].layer, rows[a, c].policy_arn) for a, c, _, _ in drawn.rows]
    assert told == drawn.rows
    assert gone == drawn.gone


def test_every_kind_is_drawn_in_every_place() -> None:
    """Each kind at all; and the kinds that hit SES in each of the regions, all together."""
    drawn = Drawn(Random(20261123))
    assert {name for name, _ in drawn.hit} == {kind["name"] for kind in KINDS}
    assert {region for _, region in drawn.hit} == {"global", *REGIONS}
    states = {state for cells in drawn.truth.values() for state in cells.values()}
    assert states >= {kind["state"] for kind in KINDS if "state" in kind} | {"REGION_DISABLED"}
    assert {fault.kind for fault in drawn.faults} == {
        "answer", "body", "cut", "delay", "empty_page", "error", "expired", "html", "no_marker",
        "repeat_token", "reset",
    }  # fmt: skip
