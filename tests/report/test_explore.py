"""A selection, what it leaves to choose, its cells."""

from __future__ import annotations

import pytest
from report_worlds import ALICE, EAST, IDLE, MAILER, WEB

from ses_audit.audit import Audit
from ses_audit.report.explore import FIELDS, Explorer


def values(explorer: Explorer, field: str) -> list[str]:
    return [option.value for option in explorer.options(field)]


def test_each_field_offers_what_the_others_leave(small: Audit) -> None:
    explorer = Explorer(small)
    assert values(explorer, "ou") == ["Workloads"]
    assert values(explorer, "account") == [WEB]
    assert set(values(explorer, "principal")) == {
        ALICE,
        IDLE,
        MAILER,
        f"arn:aws:iam::{WEB}:root",
    }
    assert values(explorer, "region") == ["eu-west-1", "us-east-1"]
    assert len(values(explorer, "action")) == 7
    assert values(explorer, "kind") == ["allowed", "conditional", "scp_alone", "denied"]
    conditional = explorer.choose(kind="conditional")
    assert values(conditional, "principal") == [MAILER]
    assert values(conditional, "action") == ["ses:SendRawEmail"]
    # A field's own value does not narrow its own offer.
    assert len(values(conditional, "kind")) == 4


def test_choosing_leaves_the_explorer_as_it_was(small: Audit) -> None:
    explorer = Explorer(small)
    assert explorer.choose(region="eu-west-1").count == 28
    assert explorer.count == 56


def test_wide_is_by_account_narrow_by_principal(small: Audit) -> None:
    explorer = Explorer(small)
    assert "by account and region" in explorer.matrix().text
    narrow = explorer.choose(identity=EAST).matrix().text
    assert "user alice" in narrow
    assert "by account and region" not in narrow


def test_cells_come_strongest_first_and_at_most_so_many(small: Audit) -> None:
    cells = Explorer(small).cells(15)
    assert [cell.kind for cell in cells] == ["allowed"] * 14 + ["conditional"]
    assert cells[-1].label == "◐ conditional: mailer (web) → example.com in eu-west-1, SendRawEmail"
    assert len(Explorer(small).cells(3)) == 3


@pytest.mark.parametrize("field", FIELDS)
def test_the_example_offers_something_for_every_field(example: Audit, field: str) -> None:
    options = Explorer(example).options(field)
    assert options
    assert all(option.label for option in options)
