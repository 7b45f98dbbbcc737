"""A real browser: Debian's Chromium, no network, and a report opened from its folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_pages import CHROMIUM, FLAGS, Open, Opened, dismiss, note
from example_world import make_example
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from ses_audit.report.audit_run import RunOptions, run_report
from ses_audit.snapshot.store import open_snapshot


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip("no chromium: .ci/run installs Debian's"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, started once a file: its event loop must not run beneath other files' tests."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a file or an address in a context of its own; files without any network."""
    contexts: list[BrowserContext] = []

    def open_(target: Path | str, **options: object) -> Opened:
        local = isinstance(target, Path)
        context = browser.new_context(offline=local, **options)  # type: ignore[arg-type]
        contexts.append(context)
        opened = Opened(context.new_page())
        context.on("request", lambda request: opened.asked.append(request.url))
        context.on("requestfailed", lambda r: opened.failed.update({r.url: r.failure}))
        context.on("console", lambda message: note(opened, message))
        context.on("weberror", lambda error: opened.errors.append(str(error.error)))
        opened.page.on("dialog", lambda dialog: dismiss(opened, dialog))
        opened.page.goto(target.as_uri() if isinstance(target, Path) else target)
        return opened

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every notebook over the example organization."""
    folder = tmp_path_factory.mktemp("run")
    options = RunOptions(out=folder / "reports")
    finished = run_report(options, lambda own: open_snapshot(make_example(own)))
    assert finished.record.status == "completed", finished.record
    return finished.path
