"""The roll-up by account and by OU."""

from __future__ import annotations

from ses_audit.audit import Audit
from ses_audit.audit.queries import OUTSIDE, Selection
from ses_audit.report.page import Html
from ses_audit.report.rollup_html import account_order, rollup


def test_by_ou_counts_the_same_principals(example: Audit) -> None:
    everything = Selection()
    by_account = Html.of(rollup(example.queries, everything, "account", 12)).text
    by_ou = Html.of(rollup(example.queries, everything, "ou", 12)).text
    assert "Who can send, by account and region: 11 of 12 accounts" in by_account
    assert "Who can send, by OU and region" in by_ou
    # The region that was not read comes last.
    assert by_account.splitlines()[1].strip().endswith("regions not read")
    assert OUTSIDE not in by_account + by_ou


def test_long_names_are_cut_and_the_rest_counted(example: Audit) -> None:
    shown = Html.of(rollup(example.queries, Selection(), "account", 12)).text
    prod = next(line for line in shown.splitlines() if "prod-web" in line)
    assert " more" in prod
    assert all(len(word) <= 26 for word in prod.split())


def test_the_root_comes_first_and_the_outside_last() -> None:
    keys = [("Workloads", "a", "1"), ("Root", "z", "2"), (OUTSIDE, "", None)]
    ordered = sorted(keys, key=lambda key: account_order(*key))
    assert [key[0] for key in ordered] == ["Root", "Workloads", OUTSIDE]
