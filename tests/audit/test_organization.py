"""Each account's chain of targets, by what was read of the organization."""

from __future__ import annotations

import pytest
from audit_worlds import ROOT, World, allow, deny, policy

from ses_audit.audit.model import load
from ses_audit.audit.organization import Organization
from ses_audit.ses.actions import SEND_ACTIONS

A = "222222222222"
ACTIONS = tuple(action.name for action in SEND_ACTIONS)
OUTER, INNER = "ou-ab12-11111111", "ou-ab12-22222222"


@pytest.fixture
def nested(world: World) -> World:
    world.unit(OUTER, "Workloads", ROOT)
    world.unit(INNER, "Prod", OUTER)
    world.account(A, "web", INNER)
    return world


def organization(world: World) -> Organization:
    return load(world, ACTIONS).organization


def test_a_chain_is_root_first(nested: World) -> None:
    chain = organization(nested).scp_chain(A)
    assert chain.targets == (ROOT, OUTER, INNER, A)
    assert (chain.missing, chain.open_levels) == ((), frozenset())
    assert [len(level) for level in chain.levels or ()] == [1, 0, 0, 0]


def test_a_policy_of_another_type_is_no_scp(nested: World) -> None:
    nested.scp("p-rcp", policy(deny()), A, kind="RESOURCE_CONTROL_POLICY")
    assert (organization(nested).scp_chain(A).levels or ())[3] == ()


def test_the_management_account_has_no_levels(nested: World) -> None:
    assert organization(nested).scp_chain("111111111111").levels is None


def test_a_broken_line_keeps_the_root_and_opens_every_level(nested: World) -> None:
    # The OU above was not seen: what is attached between is not known, the root binds all the same.
    nested.rows["organizational_units"] = [
        {**unit, "parent_id": "ou-ab12-99999999"} if unit["id"] == INNER else unit
        for unit in nested.rows["organizational_units"]
    ]
    chain = organization(nested).scp_chain(A)
    assert chain.targets == (ROOT, INNER, A)
    assert chain.open_levels == {0, 1, 2}
    assert chain.missing == (
        "111111111111/global/organizations.ListAccountsForParent=NOT_ATTEMPTED",
    )


def test_an_account_without_a_parent(nested: World) -> None:
    nested.rows["accounts"][-1]["parent_id"] = None
    assert organization(nested).scp_chain(A).targets == (ROOT, A)


def test_an_unknown_account(nested: World) -> None:
    chain = organization(nested).scp_chain("909090909090")
    assert (chain.levels, chain.missing) == ((), ("organizations=NOT_ATTEMPTED",))


def test_an_attachment_of_a_policy_that_was_not_listed(nested: World) -> None:
    nested.rows["policy_attachments"].append({"policy_id": "p-gone", "target_id": OUTER})
    chain = organization(nested).scp_chain(A)
    assert chain.open_levels == {1}
    assert "DescribePolicy[p-gone]" in chain.missing[0]


def test_units_that_name_each_other_end(nested: World) -> None:
    for unit in nested.rows["organizational_units"]:
        if unit["id"] == OUTER:
            unit["parent_id"] = INNER
    assert set(organization(nested).scp_chain(A).targets) == {ROOT, OUTER, INNER, A}


def test_names(nested: World) -> None:
    arn = nested.scp("p-x", policy(allow()), A, name="Shown")
    found = organization(nested)
    assert found.accounts[A].ou == "Workloads / Prod"
    assert found.target_name(OUTER) == "Workloads"
    assert found.target_name(A) == "web"
    assert found.target_name("r-gone") == "r-gone"
    assert found.target_name(None) == ""
    assert found.policy_name(arn) == "Shown"
    assert found.policy_name("arn:gone") == "arn:gone"
    assert found.policy_name(None) == ""


def test_nobody_is_bound_where_no_organization_applies(lone: World) -> None:
    lone.manifest["organization"] = {"none": True}
    assert organization(lone).scp_chain(A).levels is None
