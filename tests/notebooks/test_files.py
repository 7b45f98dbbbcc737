"""Notebooks as files: stripped, short, one parameters cell, each parameter text."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from ses_audit.report.pages import PAGES

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TAGS = {"parameters", "interactive-only"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def notebook(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def test_there_is_a_page_for_each_notebook() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(PAGES)


def test_it_is_a_valid_notebook_without_outputs(path: Path, notebook: dict[str, Any]) -> None:
    nbformat.validate(nbformat.read(path, as_version=4))
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        assert set(cell["metadata"]) <= {"tags"}
        assert set(cell["metadata"].get("tags", ())) <= TAGS
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_cells_are_short(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        limit = 10 if "parameters" in cell["metadata"].get("tags", ()) else 8
        assert len(source.splitlines()) <= limit, source
        assert all(
            len(line) <= 100 or cell["cell_type"] == "markdown" for line in source.split("\n")
        )


def test_exactly_one_cell_declares_text_parameters(path: Path, notebook: dict[str, Any]) -> None:
    cells = [c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", ())]
    assert len(cells) == 1
    source = "".join(cells[0]["source"])
    names = []
    for line in source.splitlines():
        match = re.fullmatch(r'([a-z_]+): str = ""  # [^=]+', line)
        assert match, line
        names.append(match[1])
    inferred = papermill.inspect_notebook(path)
    assert list(inferred) == names
    assert all(found["inferred_type_name"] == "str" for found in inferred.values())
    assert all(found["help"] for found in inferred.values())


def test_the_parameters_are_those_of_the_page(path: Path) -> None:
    declared = set(papermill.inspect_notebook(path)) - {"snapshot"}
    taken = set(inspect.signature(PAGES[path.stem]).parameters) - {"audit"}
    assert declared == taken


def test_it_reads_top_to_bottom(path: Path, notebook: dict[str, Any]) -> None:
    first = notebook["cells"][0]
    assert first["cell_type"] == "markdown"
    assert first["source"][0].startswith("# ")
    shown = [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", ())
    ]
    for cell in shown:
        ast.parse(cell)
    parts = ["page.answer", "page.picture", "page.table", "page.unseen", "page.where_next"]
    places = [next(i for i, cell in enumerate(shown) if part in cell) for part in parts]
    assert places == sorted(places)
