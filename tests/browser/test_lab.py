"""JupyterLab: it starts, the notebooks run, the controls work; an untrusted report is readable."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser_pages import Open
from example_world import make_example
from playwright.sync_api import Page, expect

from ses_audit.report.notebook_files import find_notebooks, stamped

TOKEN = "a-token-of-the-tests"
SLOW = 120_000
"""Milliseconds after which a kernel that says nothing is given up; no bound on how fast it is."""


@dataclass(frozen=True)
class Lab:
    """A JupyterLab on loopback."""

    url: str
    folder: Path

    def at(self, name: str) -> str:
        """The address at which a file is open."""
        return f"{self.url}lab/tree/{name}?token={TOKEN}&reset"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, report: Path) -> Iterator[Lab]:
    """JupyterLab as `make lab` starts it, with a home of its own; the report lies beside."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    for notebook in find_notebooks():
        (folder / f"{notebook.name}.ipynb").write_bytes(stamped(notebook, "0"))
    shutil.copytree(report, folder / "report", ignore=shutil.ignore_patterns("snapshot"))
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "SES_AUDIT_SNAPSHOT": str(make_example(home / "snapshot")),
    }
    log = (home / "log").open("wb")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", "--port=0", f"--IdentityProvider.token={TOKEN}"),
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            f"--ServerApp.root_dir={folder}",
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    log.close()
    waited = threading.Event()
    try:
        while not (found := list((home / "runtime").glob("jpserver-*.json"))):
            assert server.poll() is None, (home / "log").read_text()
            waited.wait(0.1)
        said = _read(found[0])
        yield Lab(str(said["url"]), folder)
    finally:
        server.terminate()
        server.wait()


def _read(path: Path) -> dict[str, object]:
    """The server's own file, once it is whole."""
    waited = threading.Event()
    while True:
        try:
            return dict(json.loads(path.read_text()))
        except json.JSONDecodeError:
            waited.wait(0.1)


def run_all(page: Page) -> None:
    """Run every cell, by the menu, and wait until the kernel has nothing left to do."""
    # Cells that are run before the kernel is there are forgotten.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=SLOW)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    last = page.locator(".jp-CodeCell").last.locator(".jp-InputPrompt")
    expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=SLOW)


def test_06_explore_runs_and_its_controls_change_the_matrix(lab: Lab, open_page: Open) -> None:
    opened = open_page(lab.at("06_explore.ipynb"))
    page = opened.page
    page.locator(".jp-CodeCell").first.wait_for(timeout=SLOW)
    run_all(page)
    assert page.locator(".jp-RenderedText[data-mime-type*=error]").count() == 0
    matrix = page.locator(".ses-audit-matrix").first
    expect(matrix).to_contain_text("prod-web")
    expect(matrix).to_contain_text("marketing")

    account = page.locator(".ses-audit-account select").first
    wanted = account.locator("option", has_text="222222222222").first
    account.select_option(value=wanted.evaluate("option => option.value"))
    expect(matrix).not_to_contain_text("marketing")
    expect(matrix).to_contain_text("us-east-1")

    region = page.locator(".ses-audit-region select").first
    region.select_option(value="eu-west-1")
    expect(matrix).not_to_contain_text("us-east-1")

    # From a cell to its layers, to a statement, and back.
    cells = page.locator(".ses-audit-cells select").first
    cells.locator("option").first.click()
    layers = page.locator(".ses-audit-layers").first
    expect(layers).to_contain_text(re.compile(r"service control\s*polic"))
    statements = page.locator(".ses-audit-statements select").first
    statements.locator("option").first.click()
    expect(page.locator(".ses-audit-statement").first).to_contain_text("Effect")
    page.locator("button.ses-audit-to-layers").first.click()
    expect(layers).to_be_visible()
    page.locator("button.ses-audit-to-cells").first.click()
    expect(page.locator(".ses-audit-matrix").first).to_be_visible()
    page.locator("button.ses-audit-everything").first.click()
    expect(page.locator(".ses-audit-matrix").first).to_contain_text("marketing")
    assert opened.left == []


@pytest.mark.parametrize("name", ["01_inventory", "02_send_matrix", "03_scp_denies"])
def test_an_untrusted_report_keeps_its_words_and_runs_nothing(
    lab: Lab, open_page: Open, name: str
) -> None:
    opened = open_page(lab.at(f"report/{name}.ipynb"))
    page = opened.page
    page.locator(".jp-OutputArea-output table").first.wait_for(timeout=SLOW)
    shown = page.locator(".jp-Notebook").inner_text()
    assert "prod-web" in shown
    assert re.search(r"\d+ of \d+", shown)
    assert page.locator(".jp-OutputArea-output script").count() == 0
    assert opened.left == []


def test_untrusted_chips_keep_glyph_word_and_colour(lab: Lab, open_page: Open) -> None:
    page = open_page(lab.at("report/02_send_matrix.ipynb")).page
    chip = page.locator(".jp-OutputArea-output .chip", has_text="allowed").first
    chip.wait_for(timeout=SLOW)
    assert chip.inner_text().startswith("●")
    colour = chip.evaluate("e => getComputedStyle(e).backgroundColor")
    assert colour not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")


def test_a_table_sorts_and_searches(lab: Lab, open_page: Open) -> None:
    opened = open_page(lab.at("02_send_matrix.ipynb"))
    page = opened.page
    page.locator(".jp-CodeCell").first.wait_for(timeout=SLOW)
    run_all(page)
    table = page.locator(".dt-container").first
    table.wait_for()
    table.scroll_into_view_if_needed()
    rows = table.locator("tbody tr")
    first = rows.first.inner_text()
    everything = table.locator(".dt-info").inner_text()

    table.locator(".dt-search input").fill("newsletter")
    expect(table.locator(".dt-info")).not_to_have_text(everything)
    assert all("newsletter" in text for text in rows.all_inner_texts())
    table.locator(".dt-search input").fill("")
    expect(table.locator(".dt-info")).to_have_text(everything)

    header = table.locator("thead th").first
    column = "table => [...table.querySelectorAll('tbody tr')].map(r => r.cells[0].textContent)"
    for order in ("ascending", "descending"):
        header.get_by_role("button").click()
        expect(header).to_have_attribute("aria-sort", order)
    values = table.evaluate(column)
    assert values == sorted(values, reverse=True)
    assert rows.first.inner_text() != first
    assert opened.left == []
