"""The report of the example organization, as people open it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser_pages import Open, violations

import ses_audit


def pages(report: Path) -> list[Path]:
    found = sorted(report.glob("*.html"))
    assert [path.name for path in found][-2:] == ["index.html", "report.html"]
    return found


def test_no_page_asks_for_anything_and_none_fails(report: Path, open_page: Open) -> None:
    for path in pages(report):
        opened = open_page(path)
        assert opened.page.locator("h1").count() == 1, path.name
        assert opened.asked == [path.as_uri()], path.name
        assert opened.errors == [], path.name


def test_the_first_screen_says_who_can_send_and_what_scps_stop(
    report: Path, open_page: Open
) -> None:
    summary = ses_audit.open(report / "snapshot").summary()
    size = {"width": 1280, "height": 800}
    for name in ("index", "02_send_matrix"):
        page = open_page(report / f"{name}.html", viewport=size).page
        for count, word in ((summary.allowed, "allowed"), (summary.unknown, "unknown")):
            chip = page.locator(".counts .chip", has_text=f"{count:,} {word}").first
            box = chip.bounding_box()
            assert box is not None, (name, word)
            assert box["y"] + box["height"] < size["height"], (name, word)
    page = open_page(report / "03_scp_denies.html", viewport=size).page
    answer = page.locator(".answer").first
    box = answer.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < size["height"]
    assert f"{summary.stopped_by_scp_alone:,}" in answer.inner_text()


def test_without_script_every_word_is_there(report: Path, open_page: Open) -> None:
    for path in pages(report):
        with_script = open_page(path).page.locator("main").inner_text()
        without = open_page(path, java_script_enabled=False).page.locator("main").inner_text()
        assert without == with_script, path.name
        assert len(without) > 500, path.name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(report: Path, open_page: Open, scheme: str) -> None:
    for path in pages(report):
        page = open_page(path, bypass_csp=True, color_scheme=scheme).page
        assert violations(page) == [], path.name


def test_the_policy_is_obeyed(report: Path, open_page: Open) -> None:
    opened = open_page(report / "index.html")
    opened.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
          const image = document.createElement('img');
          image.src = 'https://192.0.2.1/x.png';
          document.body.append(image);
        }"""
    )
    assert opened.page.evaluate("() => window.ran") is None
    # Refused by the policy, before the network that is closed.
    assert opened.failed == {"https://192.0.2.1/x.png": "csp"}
    assert len(opened.errors) == 2


def test_every_link_of_the_index_opens(report: Path, open_page: Open) -> None:
    page = open_page(report / "index.html").page
    links = page.locator("a[href]").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert "run.json" in links
    for link in links:
        target = link.partition("#")[0]
        if target:
            assert (report / target).is_file(), link


def test_the_keyboard_reaches_content_and_tables(report: Path, open_page: Open) -> None:
    page = open_page(report / "02_send_matrix.html").page
    page.keyboard.press("Tab")
    focused = page.evaluate("() => document.activeElement.textContent")
    assert focused == "To the content"
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_a_narrow_screen_scrolls_tables_not_the_page(report: Path, open_page: Open) -> None:
    for path in pages(report):
        page = open_page(path, viewport={"width": 390, "height": 800}).page
        over = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert over <= 0, path.name


def test_print_shows_everything_that_is_folded(report: Path, open_page: Open) -> None:
    page = open_page(report / "02_send_matrix.html").page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    overflow = page.locator(".scroll").evaluate_all(
        "all => all.map(e => getComputedStyle(e).overflowX)"
    )
    assert set(overflow) <= {"visible"}


def test_the_report_is_small(report: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in pages(report)}
    assert sum(sizes.values()) <= 1_500_000, sizes
    assert json.loads((report / "run.json").read_text())["status"] == "completed"
