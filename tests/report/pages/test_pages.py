"""What every page holds to: parts, N of M, nothing live from AWS, sensible in small worlds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from audit_worlds import World
from report_worlds import (
    HOSTILE,
    empty_organization,
    hostile,
    lone_account,
    no_identities,
    save,
)

from ses_audit.audit import Audit
from ses_audit.report.pages import PAGES

TAGS = frozenset(
    {"article", "section", "h1", "h2", "h3", "p", "ul", "ol", "li", "dl", "dt", "dd"}
    | {"strong", "code", "span", "br", "div", "pre", "a", "details", "summary"}
    | {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    | {"svg", "rect", "path", "text"}
)
VOID = frozenset({"br", "rect", "path"})
ATTRIBUTES = frozenset(
    {"class", "id", "style", "scope", "colspan", "rowspan", "tabindex", "role", "href", "open"}
    | {"aria-label", "aria-labelledby", "start", "x", "y", "width", "height", "rx", "d"}
    | {"font-size", "font-weight", "text-anchor", "viewbox", "textlength", "lengthadjust"}
)


class Reader(HTMLParser):
    """Holds the markup to known elements and attributes, closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.captions: list[str] = []
        self.links: list[str] = []
        self.headers: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES, (tag, name)
            if name == "id":
                self.ids.append(str(value))
            if name == "href":
                self.links.append(str(value))
        if tag == "th":
            self.headers.append(dict(attrs))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and "caption" in self.stack:
            if self.stack[-1] == "strong":
                self.captions.append("")
            self.captions[-1] += data

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert reader.stack == []
    assert len(reader.ids) == len(set(reader.ids))
    return reader


@pytest.fixture(params=list(PAGES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_page_has_all_its_parts(example: Audit, name: str) -> None:
    page = PAGES[name](example, data="data")
    assert page.name == name
    assert page.question.endswith("?")
    parts = dict(page.parts())
    assert list(parts) == ["answer", "picture", "table", "unseen", "where_next"]
    assert all(part.text for part in parts.values())
    read(page._repr_html_())


def test_every_table_says_how_many_of_how_many(example: Audit, name: str) -> None:
    reader = read(PAGES[name](example)._repr_html_())
    assert reader.captions
    for caption in reader.captions:
        assert re.search(r"[\d,]+ of [\d,]+ ", caption), caption
    assert all(header.get("scope") for header in reader.headers)


def test_whole_tables_are_linked_where_there_are_files(example: Audit, name: str) -> None:
    links = read(PAGES[name](example, data="data")._repr_html_()).links
    assert links
    assert all(re.fullmatch(r"data/[a-z_]+\.(csv|parquet)", link) for link in links)
    assert read(PAGES[name](example)._repr_html_()).links == []


def test_what_was_not_read_is_on_every_page(example: Audit, name: str) -> None:
    unseen = PAGES[name](example).unseen.text
    assert "2 of 12 accounts not read" in unseen
    assert "partner-integration 121212121212: refused the audit role" in unseen
    assert "old-shop 131313131313: its state is SUSPENDED" in unseen


def test_a_page_is_small(example: Audit, name: str) -> None:
    assert len(PAGES[name](example)._repr_html_().encode()) < 500_000


def test_nothing_from_aws_comes_out_live(tmp_path: Path, name: str) -> None:
    page = PAGES[name](save(hostile(), tmp_path / "snapshot"), data="data")
    markup = page._repr_html_()
    read(markup)
    assert "onload=alert(1)&gt;" in markup
    assert "<svg/" not in markup
    assert "</script" not in markup
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x08\x0b-\x1f\x7f]", markup)
    assert "\\u{202e}\\u{1b}[31m" in page.unseen.text


WORLDS: dict[str, Callable[[], World]] = {
    "empty": empty_organization,
    "alone, organization not known": lambda: lone_account(none=False),
    "alone, no organization": lambda: lone_account(none=True),
    "no identities": no_identities,
}


@pytest.fixture(params=list(WORLDS))
def little(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Audit]]:
    yield request.param, save(WORLDS[request.param](), tmp_path / "snapshot")


def test_small_worlds_have_sensible_pages(little: tuple[str, Audit], name: str) -> None:
    _, audit = little
    page = PAGES[name](audit)
    reader = read(page._repr_html_())
    text = page.answer.text
    assert text
    # Nothing was chosen, so nothing is left out.
    assert "Only:" not in text
    assert "nan" not in page._repr_html_().lower().replace("finance", "")
    assert "None" not in text
    for caption in reader.captions:
        assert " of " in caption


ANSWERS = {
    ("empty", "01_inventory"): "Nothing was read: no principal and no identity.",
    ("empty", "02_send_matrix"): "No cell: no principal was read, so it is not known who can send.",
    ("empty", "03_scp_denies"): "The SCPs deny nothing of 0 cells.",
    ("alone, organization not known", "01_inventory"): "2 principals (1 user and 1 root user)",
    # The SCPs are not known, so whatever the account allows is unknown.
    ("alone, organization not known", "02_send_matrix"): "0 of 2 principals can send",
    ("alone, organization not known", "03_scp_denies"): "Not known: no organization was read",
    ("alone, no organization", "01_inventory"): "2 principals (1 user and 1 root user)",
    ("alone, no organization", "02_send_matrix"): "2 of 2 principals can send",
    ("alone, no organization", "03_scp_denies"): "No SCP applies",
    ("no identities", "01_inventory"): "1 principal (1 root user) and 0 identities",
    ("no identities", "02_send_matrix"): "No cell: the snapshot holds no identity",
    ("no identities", "03_scp_denies"): "The SCPs deny nothing of 0 cells.",
}


def test_small_worlds_are_answered(little: tuple[str, Audit], name: str) -> None:
    world, audit = little
    if (world, name) in ANSWERS:
        assert ANSWERS[world, name] in PAGES[name](audit).answer.text


def test_the_hostile_text_is_what_it_should_be() -> None:
    assert HOSTILE.startswith("</script>")
    assert "\x1b" in HOSTILE
