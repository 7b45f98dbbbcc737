"""Tables to sort and search: offline, escaped, N of M; plain where itables is missing."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from report_worlds import HOSTILE

from ses_audit.report import sortable as module
from ses_audit.report.sortable import sortable

FRAME = pd.DataFrame({"name": [HOSTILE, "b", None], "count": [1, 2, 3]})


def test_it_brings_its_own_script_and_asks_for_nothing() -> None:
    found = sortable(FRAME, "Names", "names")
    assert repr(found) == "Names: 3 of 3 names"
    assert "Names: 3 of 3 names" in found.markup
    assert not re.search(r"""(src|import)[^<>]{0,40}['"]https?://""", found.markup)


def test_more_rows_than_the_limit_are_said() -> None:
    assert repr(sortable(FRAME, "Names", "names", limit=2)) == "Names: 2 of 3 names"


def test_the_first_of_many_are_said() -> None:
    assert repr(sortable(FRAME, "Names", "names", total=9_000)) == "Names: 3 of 9,000 names"


def test_texts_are_harmless() -> None:
    markup = sortable(FRAME, "Names").markup
    assert "<svg/onload" not in markup
    assert "\u202e" not in markup
    assert "\x1b" not in markup


def test_without_itables_it_is_a_plain_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found = sortable(FRAME, "Names", "names", limit=2)
    assert "Names: 2 of 3 names" in found.text
    assert "<svg/onload" not in found.markup
    assert '<th scope="col">count</th>' in found.markup
