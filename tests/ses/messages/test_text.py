"""Taking the wrapping off."""

from __future__ import annotations

import html
import json

import pytest

from ses_audit.ses.messages.text import plain

WORDS = "User `a' is not authorized to perform"


@pytest.mark.parametrize(
    ("wrapped", "bare"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        (r"a\nb\r\nc\td", "a\nb\nc d"),
        (r"\u0060x\x60", "`x`"),
        (r"\\\"x\\\"", '"x"'),
        (r"C:\Program Files", r"C:\Program Files"),
        ("&lt;x&gt; &amp; &quot;&#39;&#x60;&apos;", "<x> & \"'`'"),
        ("&amp;#39;&amp;amp;#39;", "''"),
        ("x&region=y&copy", "x&region=y&copy"),
        ("‘a’ “b” «c» ´d´ ＇e＇", "'a' \"b\" \"c\" 'd' 'e'"),
        ("â€˜aâ€™", "'a'"),
        ("a\u00a0b\u200bc\u202ed\u2066e\u3000f", "a bcde f"),
        ("a\u2028b\x85c", "a\nb\nc"),
        ("a\x00b\ud800c", "ab\ufffdc"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("a#012b#011c#0123", "a\nb\nc#0123"),
        ("<code>a</code><br/><p class='x'>b</p>", "a\n\nb\n"),
        ("identity/<name> </Message>", "identity/<name> </Message>"),
        ("> a\n>> b\n// c\n## d\n| e", "a\nb\nc\nd\ne"),
        ("resource:\n* because", "resource:\n* because"),
        ("is not > authorized >> to", "is not  authorized  to"),
        ("not%20authorized%20to%20perform%60", "not authorized to perform`"),
        ("100% authorized", "100% authorized"),
        ("a=\nb", "a=\nb"),
        ("x" * 70 + "=\ny=3Dz", "x" * 70 + "y=z"),
        ("554-a b\n554-c\n554 d\n554 e", "554  a b c d\n554 e".replace("  ", " ")),
        ("said: 554-a 554 b", "said: 554 a b"),
        ("554-5.7.1 a\n554 5.7.1 b", "554 5.7.1 a b"),
        ("554-alone", "554 alone"),
        ("554-a\n554", "554 a "),
        (
            "Nov 24 06:12:01 h p[1]: x\nNov 24 06:12:01 h p[1]: is not authorized",
            "Nov 24 06:12:01 h p[1]: x\nis not authorized",
        ),
        ("", ""),
    ],
)
def test_the_wrapping_is_gone(wrapped: str, bare: str) -> None:
    assert plain(wrapped) == bare


def test_any_number_of_json_wrappings_is_undone() -> None:
    text = 'say "hi"'
    for _ in range(5):
        text = json.dumps(text)
    assert 'say "hi' in plain(text)


def test_what_html_escapes_comes_back() -> None:
    assert plain(html.escape(html.escape(WORDS))) == WORDS


def test_plain_text_stays() -> None:
    for text in (WORDS, "Grüße, 東京: ok", "a  b", "1 < 2, 3>0"):
        assert plain(text) == text
