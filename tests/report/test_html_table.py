"""Tables: N of M, at most 2,000 rows, headers with a scope."""

from __future__ import annotations

from ses_audit.report.html_table import LIMIT, Group, cut, table
from ses_audit.report.page import Html


def test_more_rows_than_the_limit_are_cut_and_said() -> None:
    rows = [[str(n)] for n in range(LIMIT + 5)]
    markup = table("Numbers", ["n"], rows, total=3_000, what="numbers")
    assert "2,000 of 3,000 numbers" in Html.of(markup).text
    assert markup.count('<th scope="row">') == LIMIT


def test_what_is_said_gives_way_where_rows_are_cut() -> None:
    assert "7 of 9 things" in table("A", ["n"], [["1"]], total=1, said="7 of 9 things")
    many = [["1"]] * (LIMIT + 1)
    assert "7 of 9" not in table("A", ["n"], many, total=len(many), said="7 of 9 things")


def test_cutting_goes_group_by_group() -> None:
    groups = [Group("a", [["1"], ["2"]]), Group("b", [["3"]]), Group("c", [["4"]])]
    assert cut(groups, 3) == groups[:2]
    assert cut(groups, 1) == [Group("a", [["1"]])]


def test_groups_have_a_row_or_a_column_and_neighbours_are_one() -> None:
    groups = [Group("a", [["1", "x"]]), Group("a", [["2", "y"]]), Group("b", [["3", "z"]])]
    rows = table("T", ["n", "letter"], groups, total=3)
    assert rows.count('scope="rowgroup" colspan="2"') == 2
    beside = table("T", ["n", "letter"], groups, total=3, group="Group")
    assert '<th scope="rowgroup" rowspan="2">a</th>' in beside
    assert Html.of(beside).text.splitlines()[1] == "Group  n  letter"


def test_an_empty_table_says_so() -> None:
    markup = table("T", ["a", "b"], [], total=0, what="things", group="G")
    assert '<td colspan="3" class="quiet">none</td>' in markup
    assert "0 of 0 things" in markup


def test_texts_are_escaped_and_numbers_aligned() -> None:
    markup = table("<T>", ["<a>", "n"], [["x", "1"]], total=1, numeric=(1,), group="")
    assert "<T>" not in markup
    assert "<a>" not in markup
    assert '<th scope="col" class="number">n</th>' in markup
    assert '<td class="number">1</td>' in markup
