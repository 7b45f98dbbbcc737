"""Questions in SQL give what the data frames give."""

from __future__ import annotations

from pathlib import Path

import pytest

import ses_audit
from ses_audit.audit import Audit
from ses_audit.audit.frames import kinds
from ses_audit.audit.queries import OUTSIDE, RANKS, Selection


@pytest.fixture(scope="module")
def audit(example_snapshot: Path) -> Audit:
    return ses_audit.open(example_snapshot)


def test_every_kind_is_counted_as_the_long_table_counts(audit: Audit) -> None:
    counted = kinds(audit.verdicts()).value_counts().to_dict()
    assert {k: n for k, n in audit.queries.counts(Selection()).items() if n} == counted


@pytest.mark.parametrize(
    "selection",
    [
        Selection(region="us-east-1"),
        Selection(action="ses:SendRawEmail", kind="allowed"),
        Selection(principal="arn:aws:iam::222222222222:role/deploy"),
        Selection(identity="arn:aws:ses:us-east-1:666666666666:identity/open.example"),
    ],
)
def test_a_selection_is_the_long_tables_filter(audit: Audit, selection: Selection) -> None:
    frame = audit.verdicts(
        principal=selection.principal or None,
        identity=selection.identity or None,
        region=selection.region or None,
        action=selection.action or None,
        verdict=selection.kind.upper() or None,
    )
    assert sum(audit.queries.counts(selection).values()) == len(frame) > 0


def test_an_account_is_that_of_the_principal_or_of_the_identity(audit: Audit) -> None:
    account = "222222222222"
    frame = audit.verdicts()
    either = (frame["principal_account"] == account) | (frame["identity_account"] == account)
    counted = audit.queries.counts(Selection(account=account))
    assert sum(counted.values()) == either.sum()


def test_an_ou_holds_those_below_it(audit: Audit) -> None:
    ous = audit.queries.choices("principal_ou", Selection(ou="Workloads / Production"))
    assert "Workloads / Production / Regulated" in ous
    assert "Root" in audit.queries.choices("principal_ou", Selection())
    # A sending policy lets others in, whose OU is none of the organization's.
    assert OUTSIDE in audit.queries.choices("principal_ou", Selection())


def test_actions_come_in_their_own_order(audit: Audit) -> None:
    assert audit.queries.actions()[:2] == ["ses:SendEmail", "ses:SendRawEmail"]
    assert len(audit.queries.actions()) == 7


def test_a_text_of_a_person_is_no_sql(audit: Audit) -> None:
    nasty = "x' OR '1'='1"
    assert sum(audit.queries.counts(Selection(region=nasty, ou=nasty)).values()) == 0


def test_an_empty_selection_is_all() -> None:
    assert Selection().all
    assert not Selection(kind=RANKS[0]).all
