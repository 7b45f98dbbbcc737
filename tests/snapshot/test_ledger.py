from __future__ import annotations

import pytest

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.ledger import Ledger, argument_of, continues
from ses_audit.snapshot.plan import Cell

CELL = Cell("222222222222", "eu-west-1", "sesv2", "GetEmailIdentity")
POLICIES = Cell("111111111111", "global", "organizations", "ListPolicies")


def test_what_was_not_heard_of_is_not_attempted() -> None:
    ledger = Ledger()
    ledger.plan([CELL])
    (row,) = ledger.rows()
    assert (row.state, row.argument, row.text) == (
        State.NOT_ATTEMPTED, "", "222222222222/eu-west-1/sesv2.GetEmailIdentity=NOT_ATTEMPTED",
    )  # fmt: skip
    assert not ledger.totals().complete
    assert ledger.state(CELL) is State.NOT_ATTEMPTED
    assert ledger.state(CELL, "x") is State.NOT_ATTEMPTED


def test_planning_again_keeps_what_is_known_and_dropping_forgets() -> None:
    ledger = Ledger()
    ledger.mark(CELL, State.OK)
    ledger.plan([CELL])
    assert ledger.state(CELL) is State.OK
    ledger.drop([CELL])
    assert ledger.cells() == []


def test_a_cell_is_as_good_as_its_worst_item() -> None:
    ledger = Ledger()
    ledger.mark(CELL, State.OK, argument="a")
    ledger.mark(CELL, State.DENIED, "no\nway", argument="b", layer="service_control_policy",
                policy_arn="arn:p", calls=2)  # fmt: skip
    ledger.mark(CELL, State.THROTTLED, "slow", argument="c")
    whole, b, c = ledger.rows()
    assert (whole.state, whole.detail) == (State.DENIED, "2 of 3 failed; the first: no way")
    assert (b.argument, b.detail, b.layer, b.policy_arn) == (
        "b", "no way", "service_control_policy", "arn:p",
    )  # fmt: skip
    assert c.argument == "c"
    assert whole.calls == 2
    ledger.mark(CELL, State.OK, argument="b")
    ledger.mark(CELL, State.EMPTY, argument="c")
    (whole,) = ledger.rows()
    assert (whole.state, whole.detail) == (State.OK, "")
    assert ledger.totals().complete


@pytest.mark.parametrize("state", list(State))
def test_every_state_can_end_a_cell(state: State) -> None:
    ledger = Ledger()
    ledger.mark(CELL, state)
    assert ledger.state(CELL) is state
    assert ledger.totals().by_state == {state.value: 1}
    aside = state in (State.NOT_AUDITED, State.EXCLUDED)
    assert ledger.totals().complete is (state.is_evidence or aside)


def test_an_answer_with_a_next_page_is_not_finished(record) -> None:
    ledger = Ledger()
    page = record("ListRoots", {"Roots": [{"Id": "r-1"}], "NextToken": "x"})
    ledger.observe(page)
    cell = Cell(page.account, "global", "organizations", "ListRoots")
    assert ledger.state(cell) is State.NOT_ATTEMPTED
    ledger.observe(record("ListRoots", {"Roots": []}, status=State.EMPTY, NextToken="x"))
    assert ledger.state(cell) is State.OK
    assert ledger.rows()[0].calls == 2


def test_an_error_in_the_middle_of_the_pages_stands(record) -> None:
    ledger = Ledger()
    ledger.observe(record("ListRoots", {"Roots": [], "NextToken": "x"}))
    ledger.observe(
        record("ListRoots", None, status=State.EXPIRED, NextToken="x",
               error={"code": "ExpiredToken", "message": "expired"})
    )  # fmt: skip
    (row,) = ledger.rows()
    assert (row.state, row.detail) == (State.EXPIRED, "expired")


def test_an_answer_of_another_shape_is_malformed(record) -> None:
    ledger = Ledger()
    ledger.observe(record("ListRoots", {"html": "<h1>Proxy</h1>"}))
    (row,) = ledger.rows()
    assert (row.state, row.detail) == (State.MALFORMED, "Roots is absent")


def test_resource_control_policies_do_not_spoil_the_cell(record) -> None:
    ledger = Ledger()
    ledger.observe(record("ListPolicies", {"Policies": []}, Filter="SERVICE_CONTROL_POLICY",
                          status=State.EMPTY))  # fmt: skip
    ledger.observe(record("ListPolicies", None, Filter="RESOURCE_CONTROL_POLICY",
                          status=State.DENIED, error={"code": "AccessDenied"}))  # fmt: skip
    whole, aside = ledger.rows()
    assert whole.state is State.EMPTY
    assert (aside.argument, aside.state) == ("RESOURCE_CONTROL_POLICY", State.DENIED)
    only = Ledger()
    only.mark(POLICIES, State.OK, argument="RESOURCE_CONTROL_POLICY")
    assert only.state(POLICIES) is State.NOT_ATTEMPTED


def test_arguments_and_pages(record) -> None:
    assert argument_of(record("DescribePolicy", PolicyId="p-1")) == "p-1"
    assert argument_of(record("ListRoots")) == ""
    assert continues({"NextToken": ""}) is None
    assert continues({"NextMarker": "x"}) == "x"
    assert continues({"IsTruncated": True}) == ""
    assert continues({"IsTruncated": True, "Marker": "m"}) == "m"
    assert continues({"IsTruncated": False, "Marker": "m"}) is None


def test_rows_of_other_ledgers_are_in_their_places() -> None:
    """Whether an account was read here, elsewhere, or both; whatever its texts hold."""
    first, second, third = (f"{number}" * 12 for number in (1, 2, 3))

    def filled(ledger: Ledger, account: str) -> None:
        cell = Cell(account, "eu-west-1", "sesv2", "GetEmailIdentity")
        ledger.mark(cell, State.OK, argument="a", calls=2, read_at="2026-11-25T01:00:00Z")
        ledger.mark(
            cell, State.DENIED, "no \ud800 <b>", argument="é.example", layer="identity_policy",
            policy_arn="arn:aws:iam::aws:policy/x", calls=1,
        )  # fmt: skip

    alone, shared = Ledger(), Ledger()
    for account in (third, first, second):
        filled(alone, account)
    filled(shared, second)
    for account in (third, first):
        other = Ledger()
        filled(other, account)
        shared.settle(other.rows())
    more = Ledger()
    more.mark(Cell(first, "global", "iam", "ListAccessKeys"), State.EMPTY)
    for ledger in (alone, shared):
        ledger.settle(more.rows())
    assert shared.rows() == alone.rows()
    assert [row.account_id for row in shared] == [first] * 3 + [second] * 2 + [third] * 2
    assert shared.totals() == alone.totals()
    for ledger in (alone, shared):
        ledger.spoil(first, "torn")
    states = {(row.account_id, row.operation): row.state for row in shared}
    assert states[first, "GetEmailIdentity"] is State.MALFORMED
    assert states[first, "ListAccessKeys"] is State.MALFORMED
    assert states[third, "GetEmailIdentity"] is State.DENIED
    assert [row.text for row in shared] == [row.text for row in alone]


def test_many_accounts_are_held_in_little_memory() -> None:
    """A region's three cells in 17 regions, as each account has: less than 30 bytes a cell."""
    own = Ledger()
    for number in range(17):
        for operation in ("GetAccount", "ListConfigurationSets", "ListEmailIdentities"):
            cell = Cell("111111111111", f"eu-west-{number}", "sesv2", operation)
            own.mark(cell, State.OK, calls=1, read_at=f"2026-11-25T01:00:{number:02}.123456Z")
    shared = Ledger()
    shared.settle(own.rows())
    assert len(shared._settled["111111111111"]) < 17 * 3 * 30
