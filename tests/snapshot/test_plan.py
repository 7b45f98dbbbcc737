from __future__ import annotations

from ses_audit.snapshot.plan import (
    ARGUMENTS,
    Cell,
    account_cells,
    expected_cells,
    organization_cells,
    region_cells,
)
from ses_audit.snapshot.shapes import wrong_shape


def test_the_whole_plan() -> None:
    cells = expected_cells(
        ["111111111111", "222222222222"],
        {"111111111111": ["eu-west-1"], "222222222222": ["eu-west-1", "us-east-1", "eu-west-1"]},
        caller_account="111111111111",
    )
    assert cells == sorted(set(cells))
    # Eight of the organization; four an account and four a region; a role in the member only.
    assert len(cells) == 8 + 2 * 4 + 3 * 4 + 1
    assert Cell("222222222222", "global", "sts", "AssumeRole") in cells
    assert Cell("111111111111", "global", "sts", "AssumeRole") not in cells


def test_unknown_regions_have_a_cell_of_their_own() -> None:
    cells = expected_cells(["1" * 12], {}, caller_account="1" * 12, has_organization=False)
    assert Cell("1" * 12, "*", "sesv2", "ListEmailIdentities") in cells
    assert not any(cell.service == "organizations" for cell in cells)
    assert region_cells("1" * 12, []) == []


def test_own_credentials_assume_no_role() -> None:
    cells = expected_cells(["2" * 12], {}, caller_account="1" * 12, own_credentials=["2" * 12])
    assert not any(cell.operation == "AssumeRole" for cell in cells)


def test_every_planned_operation_has_a_shape() -> None:
    planned = [
        *organization_cells("1" * 12),
        *account_cells("1" * 12, assume_role=False),
        *region_cells("1" * 12, None),
    ]
    for operation in {cell.operation for cell in planned} | set(ARGUMENTS):
        assert wrong_shape(operation, []) is not None
