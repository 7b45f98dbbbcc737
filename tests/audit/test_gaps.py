"""Which cells are no evidence, and how they are spelled."""

from __future__ import annotations

import pytest

from ses_audit.audit.gaps import COVERAGE, Gaps, organization_gaps

A = "222222222222"
CELL = (A, "eu-west-1", "sesv2", "GetEmailIdentity")


def gaps(*rows: tuple[str, str], cell: tuple[str, str, str, str] = CELL) -> Gaps:
    names = ("account_id", "region", "service", "operation")
    key = dict(zip(names, cell, strict=True))
    return Gaps([{**key, "argument": a, "state": s} for a, s in rows], A)


@pytest.mark.parametrize("state", ["OK", "EMPTY", "REGION_DISABLED", "NO_ENDPOINT"])
def test_evidence_is_no_gap(state: str) -> None:
    found = gaps(("", state))
    assert found.of(*CELL) == ()
    assert found.all() == ()


@pytest.mark.parametrize(
    "state",
    [
        "DENIED",
        "ASSUME_FAILED",
        "EXPIRED",
        "THROTTLED",
        "TIMEOUT",
        "SERVER_ERROR",
        "TRUNCATED",
        "MALFORMED",
        "NOT_ATTEMPTED",
        "EXCLUDED",
        "NOT_AUDITED",
    ],
)
def test_every_other_state_is_a_gap(state: str) -> None:
    text = f"{A}/eu-west-1/sesv2.GetEmailIdentity={state}"
    found = gaps(("", state))
    assert found.of(*CELL) == (text,)
    assert found.all() == (text,)


def test_what_was_never_planned_is_a_gap() -> None:
    assert gaps().of(*CELL) == (f"{A}/eu-west-1/sesv2.GetEmailIdentity=NOT_ATTEMPTED",)
    assert not gaps().planned(*CELL)


def test_an_item_has_its_own_state_or_its_cell_s() -> None:
    found = gaps(("", "DENIED"), ("news@example.com", "THROTTLED"))
    prefix = f"{A}/eu-west-1/sesv2.GetEmailIdentity"
    assert found.item(*CELL, "news@example.com") == f"{prefix}[news@example.com]=THROTTLED"
    assert found.item(*CELL, "other") == f"{prefix}[other]=DENIED"


def test_an_item_that_was_read_and_is_of_no_use_is_malformed() -> None:
    assert gaps(("", "OK")).item(*CELL, "x").endswith("[x]=MALFORMED")
    assert gaps().item(*CELL, "x").endswith("[x]=NOT_ATTEMPTED")


def test_the_organization_s_reads() -> None:
    cell = (A, "global", "organizations", "DescribeOrganization")
    assert organization_gaps(gaps(("", "OK"), cell=cell), "SERVICE_CONTROL_POLICY") == ()
    told = organization_gaps(gaps(), "SERVICE_CONTROL_POLICY")
    assert told == (f"{A}/global/organizations.DescribeOrganization=NOT_ATTEMPTED",)


ORGANIZATION = ("ListRoots", "ListOrganizationalUnitsForParent", "ListAccountsForParent")


@pytest.mark.parametrize(
    ("states", "known"),
    [
        # Stated: no organization. And AWS says so.
        ({}, True),
        ({"DescribeOrganization": "EMPTY"}, True),
        ({"DescribeOrganization": "OK", "ListAccounts": "OK"}, True),
        ({"DescribeOrganization": "DENIED", "ListAccounts": "OK"}, True),
        # The lists below each parent hold every account as well.
        ({"DescribeOrganization": "OK", "ListAccounts": "DENIED",
          **dict.fromkeys(ORGANIZATION, "OK")}, True),
        ({"DescribeOrganization": "OK", "ListAccounts": "TRUNCATED", "ListRoots": "OK",
          "ListOrganizationalUnitsForParent": "OK", "ListAccountsForParent": "THROTTLED"}, False),
        ({"DescribeOrganization": "DENIED"}, False),
        ({"DescribeOrganization": "NOT_ATTEMPTED"}, False),
    ],
)  # fmt: skip
def test_whether_every_account_is_listed(states: dict[str, str], known: bool) -> None:
    """Else one that a sending policy names may be bound by an SCP: its allow is not certain."""
    rows = [
        {"account_id": A, "region": "global", "service": "organizations", "operation": name,
         "argument": "", "state": state}
        for name, state in states.items()
    ]  # fmt: skip
    found = Gaps(rows, A).unlisted_accounts()
    assert (found == ()) is known
    if not known:
        assert found[0].startswith(f"{A}/global/organizations.ListAccounts=")


def test_rows_and_columns_say_the_same() -> None:
    rows = [
        (A, "eu-west-1", "sesv2", "GetEmailIdentity", "", "OK"),
        (A, "eu-west-1", "sesv2", "GetEmailIdentity", "news@example.com", "THROTTLED"),
        (A, "eu-west-1", "sesv2", "ListEmailIdentities", "", "DENIED"),
        # Only an item of it failed, and it was planned all the same.
        (A, "us-east-1", "sesv2", "GetEmailIdentity", "a.example", "DENIED"),
    ]
    found = Gaps.of_columns(list(map(list, zip(*rows, strict=True))), A)
    same = Gaps([dict(zip(COVERAGE, row, strict=True)) for row in rows], A)
    elsewhere = (A, "us-east-1", "sesv2", "GetEmailIdentity")
    for each in (found, same):
        assert each.all() == (f"{A}/eu-west-1/sesv2.ListEmailIdentities=DENIED",)
        assert list(each.cells("sesv2", "ListEmailIdentities")) == [(A, "eu-west-1")]
        item = f"{A}/eu-west-1/sesv2.GetEmailIdentity[news@example.com]=THROTTLED"
        assert each.item(*CELL, "news@example.com") == item
        assert each.of(*elsewhere) == ()
        assert each.planned(*elsewhere)
        assert each.state(*elsewhere) == "NOT_ATTEMPTED"
