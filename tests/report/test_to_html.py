"""A notebook as a page: nothing from a network, no input, no live cells, nothing that runs."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from tiny_notebooks import tiny

from ses_audit.report.notebook_files import Notebook
from ses_audit.report.runner import run_notebooks
from ses_audit.report.to_html import to_html

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    folder = tmp_path_factory.mktemp("run")
    cells = (
        (
            "secret_source = 1\nfrom IPython.display import HTML, display\n"
            "display(HTML('<table><caption>3 of 4</caption></table>'))"
        ),
        f"print({HOSTILE!r}, '\\x1b[31mred')",
        f"{HOSTILE!r}",
        "# live\n'only with a kernel'",
        "import sys; print('to stderr', file=sys.stderr)",
        f"raise ValueError({HOSTILE!r})",
    )
    run_notebooks([Notebook(Path("x.ipynb"), tiny("x", *cells, title="A <b> title"))], folder, {})
    return nbformat.read(folder / "x.ipynb", as_version=4)


def test_outputs_are_there_and_inputs_are_not(executed: nbformat.NotebookNode) -> None:
    before = copy.deepcopy(executed)
    page = to_html(executed, "A <b> title", before="<nav>here</nav>", after="<footer>end</footer>")
    assert executed == before
    assert "<caption>3 of 4</caption>" in page
    assert "secret_source" not in page
    assert "only with a kernel" not in page
    assert "to stderr" in page
    assert "<title>A &lt;b&gt; title</title>" in page
    assert page.index("<nav>here</nav>") < page.index("<main") < page.index("<footer>end</footer>")


def test_nothing_hostile_becomes_markup(executed: nbformat.NotebookNode) -> None:
    page = to_html(executed, HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 3


def test_nothing_is_loaded_and_scripts_are_off_unless_declared(
    executed: nbformat.NotebookNode,
) -> None:
    page = to_html(executed, "x")
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", page)
    assert "require" not in page
    assert "mathjax" not in page.lower()
    policy = re.search(r'content="(default-src[^"]+)"', page)
    assert policy
    assert "script-src" not in policy[1]
    assert "connect-src 'none'" in policy[1]
    with_scripts = copy.deepcopy(executed)
    with_scripts.metadata["ses_audit"] = {"scripts": True}
    assert "script-src 'unsafe-inline' blob: data:" in to_html(with_scripts, "x")
    # Only the word of the source counts, not something like it.
    with_scripts.metadata["ses_audit"] = {"scripts": "yes"}
    assert "script-src" not in to_html(with_scripts, "x")


def test_the_base_page_is_small() -> None:
    assert len(to_html(v4.new_notebook(), "x").encode()) < 60_000


def test_names_of_other_pages_become_links() -> None:
    cells = [v4.new_markdown_cell("Next: 02_x, `02_x`, 02_xy and [02_x](y.html).")]
    page = to_html(v4.new_notebook(cells=cells), "02_x", targets={"02_x": "02_x.html"})
    assert page.count('<a href="02_x.html">02_x</a>') == 1
    assert "<title>02_x</title>" in page
    assert "<code>02_x</code>" in page
    assert "02_xy" in page
