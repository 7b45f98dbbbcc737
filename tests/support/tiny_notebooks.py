"""Notebooks of a few cells, for tests of what runs them."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import v4

PARAMETERS = 'snapshot: str = ""  # the snapshot folder\ntop: int = 5  # rows'


def tiny(name: str, *cells: str, parameters: str = PARAMETERS, title: str = "") -> bytes:
    """A notebook's file: a heading, its parameters, and code cells.

    A cell that begins with `# live` is tagged `interactive-only`.
    """
    made = [v4.new_markdown_cell(f"# {title or name}")]
    if parameters:
        made.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    for source in cells:
        tags = ["interactive-only"] if source.startswith("# live") else []
        made.append(v4.new_code_cell(source, metadata={"tags": tags}))
    for number, cell in enumerate(made):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(v4.new_notebook(cells=made, metadata={"kernelspec": kernel})).encode()


def folder_of(folder: Path, **notebooks: bytes) -> Path:
    """A folder that holds the notebooks."""
    folder.mkdir(exist_ok=True)
    for name, content in notebooks.items():
        (folder / f"{name}.ipynb").write_bytes(content)
    return folder
