from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ses_audit.snapshot.texts import Texts, clean, iso_time, tags


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("2019-12-18T19:10:08+00:00", "2019-12-18T19:10:08Z"),
        ("2019-12-18 19:10:08+00:00", "2019-12-18T19:10:08Z"),
        ("2019-12-18T19:10:08Z", "2019-12-18T19:10:08Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1), "2026-01-01T00:00:00Z"),
        (1512345678.5, "2017-12-04T00:01:18.500000Z"),
        (1e300, "1e+300"),
        ("yesterday", "yesterday"),
    ],
)
def test_times(value: object, text: str | None) -> None:
    assert iso_time(value) == text
    assert iso_time(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"


def test_hostile_text_stays_text() -> None:
    for text in ("</script>", "\x1b[31m", "=1+1", "\u202e", "é", ""):
        assert clean(text) == text
    assert clean("\udcff") == "\\udcff"
    assert clean(None) is None
    assert clean(12) == "12"


def test_tags_are_sorted_json() -> None:
    assert tags([{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "é"}]) == '{"a":"é","b":"1"}'
    assert tags(None) == "{}"


def test_a_document_is_kept_verbatim_and_once() -> None:
    texts = Texts()
    # SHA-256 of the empty text, FIPS 180-4.
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert texts.add("") == empty
    assert texts.add(None) is None
    spaced = texts.add('{ "a": 1 }')
    assert spaced != texts.add({"a": 1})
    assert texts.by_sha256[spaced or ""] == '{ "a": 1 }'
    assert len(texts.by_sha256) == 3
