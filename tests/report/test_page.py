"""What a page is made of."""

from __future__ import annotations

from ses_audit.report.page import Html, Page, section


def test_the_words_of_markup() -> None:
    markup = "<style>p{}</style><h2>A</h2><table><tr><th>x</th><td>1 &lt; 2</td></tr></table>"
    assert Html.of(markup).text == "A\nx  1 < 2"
    assert repr(Html("<p></p>")) == "<Html>"


def test_a_section_is_named_by_its_heading() -> None:
    named = section("02_send_matrix", "table", "Row & row", "<p>x</p>").markup
    assert 'aria-labelledby="02-send-matrix-table"' in named
    assert '<h2 id="02-send-matrix-table">Row &amp; row</h2>' in named
    bare = section("02_send_matrix", "answer", "", "<p>x</p>").markup
    assert "<h2" not in bare
    assert 'id="02-send-matrix-answer"' in bare


def test_a_page_shows_its_question_and_its_parts_in_order() -> None:
    parts = [Html(f"<p>{n}</p>") for n in range(5)]
    page = Page("x_y", "Who?", *parts)
    markup = page._repr_html_()
    assert markup.index("<h1 id=") < markup.index("<p>0</p>") < markup.index("<p>4</p>")
    assert [name for name, _ in page.parts()] == [
        "answer",
        "picture",
        "table",
        "unseen",
        "where_next",
    ]
