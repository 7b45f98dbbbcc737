"""What was not read never turns into an answer: the monotone rule, call by call.

Each kind of call of the example's collection fails in turn. A verdict then stays as it was, or
becomes UNKNOWN and names the call; it never turns from one answer into another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from example_world import make_snapshot

from ses_audit.audit.decide import Decider, Ruling
from ses_audit.audit.model import Model, load
from ses_audit.policy.types import Verdict
from ses_audit.replay.example import example_records
from ses_audit.replay.example.build import example_data
from ses_audit.ses.actions import SEND_ACTIONS
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.store import open_snapshot

ACTIONS = tuple(action.name for action in SEND_ACTIONS)
CELLS = [
    (cell["principal"], cell["identity"], cell.get("action", "ses:SendRawEmail"))
    for cell in example_data("truth")["cells"]
    if not cell.get("absent") and "|" not in cell["identity"]
]
Cell = tuple[str, str, str]


def without(test: Callable[[Record], bool]) -> list[Record]:
    """The example's records, those of the test refused."""
    error = {"code": "AccessDeniedException", "message": "no"}
    return [
        replace(record, status=State.DENIED, response=None, error=error) if test(record) else record
        for record in example_records()
    ]


def decided(path: Path) -> tuple[Model, dict[Cell, Ruling]]:
    model = load(open_snapshot(path), ACTIONS)
    decider = Decider(model)
    found: dict[Cell, Ruling] = {}
    for principal, arn, action in CELLS:
        identity = model.identities.get(arn)
        if identity is None:
            continue
        senders = {sender.arn: sender for sender in model.crossing.senders_of(identity)}
        sender = senders.get(principal) or model.senders.get(principal)
        if sender is not None:
            found[principal, arn, action] = decider.decide(sender, identity, action)
    return model, found


@pytest.fixture(scope="module")
def whole(example_snapshot: Path) -> dict[Cell, Ruling]:
    return decided(example_snapshot)[1]


def of(operation: str, **where: str) -> Callable[[Record], bool]:
    account, region = where.get("account"), where.get("region")
    item = where.get("item")
    return lambda record: (
        record.operation == operation
        and account in (None, record.account)
        and region in (None, record.region)
        and (item is None or item in record.request.values())
    )


FAILURES: dict[str, Callable[[Record], bool]] = {
    "roots": of("ListRoots"),
    "OUs": of("ListOrganizationalUnitsForParent"),
    "accounts of one OU": of("ListAccountsForParent", item="ou-a1b2-producti"),
    "policies": of("ListPolicies"),
    "one policy's text": of("DescribePolicy", item="p-regionlk"),
    "one policy's targets": of("ListTargetsForPolicy", item="p-denysesx"),
    "full access's targets": of("ListTargetsForPolicy", item="p-FullAWSAccess"),
    "one account's principals": of("GetAccountAuthorizationDetails", account="222222222222"),
    "one region's SES": lambda record: (
        (record.account, record.region) == ("222222222222", "eu-west-1")
    ),
    "one identity": of("GetEmailIdentity", item="org.example"),
    "one account's identities' details": of("GetEmailIdentity", account="222222222222"),
    "a recipient in the sandbox": of("GetEmailIdentity", item="tester@elsewhere.example"),
    "the SES account": of("GetAccount", account="222222222222"),
    "a sandbox's account": of("GetAccount", account="999999999999"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_call_that_fails(whole: dict[Cell, Ruling], tmp_path: Path, name: str) -> None:
    model, found = decided(make_snapshot(tmp_path / "snapshot", without(FAILURES[name])))
    changed = 0
    for cell, ruling in found.items():
        before = whole[cell]
        if ruling.verdict is before.verdict:
            continue
        changed += 1
        assert ruling.verdict is Verdict.UNKNOWN, cell
        assert set(ruling.missing) - set(before.missing), cell
        assert ruling.denials == ()
    lost = set(whole) - set(found)
    assert changed or lost
    for principal, arn, _ in lost:
        assert stands_for(model, principal, arn), (principal, arn)


def stands_for(model: Model, principal: str, arn: str) -> bool:
    """Whether a row stands for a cell that can't be seen any more."""
    identity = model.identities.get(arn)
    if identity is None:
        return arn.rsplit("/", 1)[0] + "/*" in model.identities
    senders = {sender.arn for sender in model.crossing.senders_of(identity)}
    account = principal.split(":")[4] if principal.startswith("arn:") else ""
    return bool(senders & {"*", f"arn:aws:iam::{account}:*"})


@pytest.mark.parametrize("name", ["roots", "OUs", "policies", "one policy's text"])
def test_whom_no_scp_binds_no_gap_of_scps_concerns(
    whole: dict[Cell, Ruling], tmp_path: Path, name: str
) -> None:
    model, found = decided(make_snapshot(tmp_path / "snapshot", without(FAILURES[name])))
    unbound = 0
    for cell, ruling in found.items():
        sender = model.senders.get(cell[0])
        managed = sender is not None and sender.account == "111111111111"
        linked = sender is not None and sender.service_linked
        if managed or linked or cell[0] == "cognito-idp.amazonaws.com":
            unbound += 1
            assert ruling.verdict is whole[cell].verdict, cell
    assert unbound >= 5


def test_a_denial_in_hand_stays(whole: dict[Cell, Ruling], tmp_path: Path) -> None:
    """Explicit denials that were read deny, whatever else was not."""
    path = make_snapshot(tmp_path / "snapshot", without(FAILURES["one policy's targets"]))
    _, found = decided(path)
    locked = [
        cell
        for cell, ruling in whole.items()
        if any(
            d.kind == "explicit" and str(d.policy).endswith("p-regionlk") for d in ruling.denials
        )
    ]
    assert locked
    assert {found[cell].verdict for cell in locked} == {Verdict.DENIED}
