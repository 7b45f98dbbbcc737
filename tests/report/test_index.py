"""The front door: what is wrong stands first, hostile names are text, every state has a page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ses_audit.audit.summary import Summary
from ses_audit.report.exports import DataFile
from ses_audit.report.index import Entry, index_page, report_page
from ses_audit.report.page import Html, Page
from ses_audit.report.run_record import RunRecord
from ses_audit.report.runner import Outcome
from ses_audit.report.shell import Link, document, navigation, policy

HOSTILE = "</script><svg/onload=alert(1)>"
NOTHING = Html("")

SUMMARY = Summary(
    organization_id="o-a1b2c3d4e5",
    taken_at="2026-11-23T06:00:00Z",
    accounts_total=2,
    accounts_read=2,
    accounts_not_read=(),
    principals=3,
    identities=2,
    cells=12,
    allowed=5,
    conditional=1,
    stopped_by_scp_alone=2,
    denied=4,
    unknown=0,
    gaps=(),
)


def record(**changes: object) -> RunRecord:
    made = RunRecord("20261123T060000Z", "2026-11-23T06:00:00Z", status="completed", exit_code=0)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def index(made: RunRecord, summary: Summary | None, *entries: Entry) -> str:
    data = [(DataFile("data/verdicts.csv", 12, "one row a cell"), 1_500_000)]
    links = [Link("index.html", "Overview"), Link("01_x.html", "X")]
    return index_page(made, summary, Html("<p>NUMBERS</p>"), entries, data, links)


def test_a_whole_run_has_no_alert() -> None:
    page = index(record(), SUMMARY, Entry("01_x.html", "Who?", Html("<p>three of four</p>")))
    assert 'class="alert"' not in page
    assert "o-a1b2c3d4e5 · snapshot 2026-11-23 06:00 UTC · 2 of 2 accounts read" in page
    assert '<a href="01_x.html">Who?</a></h3><p>three of four</p>' in page
    assert '<td class="number">1.5 MB</td>' in page
    assert '<a href="run.json">' in page
    assert '<a href="index.html" aria-current="page">Overview</a>' in page


def test_what_was_not_read_stands_before_the_numbers() -> None:
    summary = replace(
        SUMMARY,
        accounts_read=1,
        accounts_not_read=(("111111111111", HOSTILE, "refused the audit role"),),
        unknown=7,
        gaps=("111111111111/global/sts.AssumeRole=ASSUME_FAILED", "222222222222/x=DENIED"),
    )
    made = record(coverage={"planned": 30, "read": 28, "complete": False})
    page = index(made, summary)
    assert page.index("Not everything was read") < page.index("NUMBERS")
    assert "28 of 30 planned calls were answered" in page
    assert "7 of 12 verdicts are unknown" in page
    assert "refused the audit role" in page
    # The gap of the account that is named is not said twice.
    assert "1 call in other accounts was not answered" in page
    assert "<svg" not in page
    assert "&lt;svg/onload" in page


def test_many_accounts_are_cut_and_counted() -> None:
    lost = tuple((f"{n:012d}", f"a{n}", "refused") for n in range(1, 51))
    page = index(record(), replace(SUMMARY, accounts_total=60, accounts_not_read=lost))
    assert "20 of 50 accounts not read are listed" in page
    assert "a20 " in page
    assert "a21 " not in page


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("failed", "This run failed"),
        ("timed out", "This run reached its time limit"),
        ("stopped", "This run was stopped"),
    ],
)
def test_a_run_that_did_not_end_well_says_so_first(status: str, says: str) -> None:
    broken = Outcome("02_y", "0" * 64, "failed", f"cell 3: {HOSTILE}")
    made = record(
        status=status, error="the disk is full", notebooks=[broken], pages_failed={"03_z": "E: no"}
    )
    page = index(made, SUMMARY, Entry("02_y.html", "Y?", NOTHING, f"failed: {HOSTILE}"))
    assert page.index(says) < page.index("NUMBERS")
    for text in ("02_y: failed: cell 3", "the disk is full", "03_z: E: no"):
        assert text in page
    assert "<svg" not in page


def test_a_run_without_a_snapshot_has_a_page_all_the_same() -> None:
    page = index_page(record(status="failed", error="no"), None, NOTHING, [], [], [])
    assert "This run failed" in page
    assert "<h2>Pages</h2>" not in page
    assert "<h2>Data</h2>" not in page


def test_the_report_holds_every_page_and_names_those_it_lacks() -> None:
    piece = Html("<p>piece</p>")
    pages = {"01_x": Page("01_x", f"Who {HOSTILE}?", piece, piece, piece, piece, piece)}
    made = record(pages_failed={"02_y": f"ValueError: {HOSTILE}"})
    page = report_page(made, SUMMARY, NOTHING, pages, [Link("report.html", "All in one")])
    assert page.count("<p>piece</p>") == 5
    assert '<section id="02_y">' in page
    assert "could not be made: ValueError" in page
    assert "<svg" not in page


def test_pages_inside_the_report_are_a_level_down_and_no_landmarks() -> None:
    part = Html(
        '<section class="part" aria-labelledby="x"><h2 id="x">What?</h2><h3>More</h3></section>'
    )
    empty = Html("")
    pages = {"01_x": Page("01_x", "Who?", part, empty, empty, empty, empty)}
    page = report_page(record(), SUMMARY, NOTHING, pages, [])
    assert '<section class="part"><h3 id="x">What?</h3><h4>More</h4></section>' in page
    assert "<h2>Who?</h2>" in page


def test_a_document_loads_nothing_and_runs_nothing() -> None:
    page = document(HOSTILE, navigation([Link(f"{HOSTILE}.html", HOSTILE)], ""), "<p>x</p>")
    assert not re.search(r"<(script|link|iframe|object|embed|svg)", page)
    assert f'content="{policy()}"' in page
    assert "@import" not in page
    assert "url(" not in page
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in page
