"""The numbers at the top of a report, in words."""

from __future__ import annotations

from dataclasses import replace

from ses_audit.audit.summary import Summary

WHOLE = Summary(
    organization_id="o-a1b2c3d4e5",
    taken_at="2026-11-23T06:00:00Z",
    accounts_total=3,
    accounts_read=3,
    accounts_not_read=(),
    principals=1200,
    identities=4,
    cells=1500,
    allowed=1000,
    conditional=100,
    stopped_by_scp_alone=50,
    denied=300,
    unknown=50,
    gaps=(),
)


def test_a_whole_reading() -> None:
    assert WHOLE.complete
    first, second, third = str(WHOLE).splitlines()
    assert first == (
        "Who can send · o-a1b2c3d4e5 · snapshot 2026-11-23 06:00 UTC · 3 of 3 accounts read"
    )
    assert second == (
        "● 1,000 allowed   ◐ 100 conditional   ⊘ 50 stopped by an SCP alone   "
        "○ 300 denied   ? 50 unknown"
    )
    assert third == "1,500 cells, 1,200 principals × 4 identities"


def test_what_was_not_read_is_named_up_to_three() -> None:
    unread = tuple((str(n) * 12, f"account-{n}" if n else "", "refused") for n in range(5))
    partly = replace(WHOLE, accounts_total=8, accounts_not_read=unread, gaps=("x=DENIED",))
    assert not partly.complete
    assert partly.scope == (
        "3 of 8 accounts read, 000000000000: refused, account-1: refused, account-2: refused, "
        "and 2 more"
    )


def test_no_organization() -> None:
    assert "no organization" in str(replace(WHOLE, organization_id=None))


def test_hostile_names_are_text_in_html() -> None:
    hostile = replace(WHOLE, accounts_not_read=(("1", "<script>alert(1)</script>", "r"),))
    assert "<script>" not in hostile._repr_html_()
    assert "&lt;script&gt;" in hostile._repr_html_()
