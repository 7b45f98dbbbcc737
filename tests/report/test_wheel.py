"""What is installed holds what a report needs: the notebooks, the template, the styles."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ASK = """
import sys
sys.path.insert(0, sys.argv[1])
import ses_audit
from pathlib import Path
from nbformat import v4
from ses_audit.report.notebook_files import find_notebooks, notebooks_folder
from ses_audit.report.to_html import TEMPLATES, to_html
assert Path(ses_audit.__file__).is_relative_to(sys.argv[1]), ses_audit.__file__
assert notebooks_folder().is_relative_to(sys.argv[1])
assert TEMPLATES.is_relative_to(sys.argv[1])
page = to_html(v4.new_notebook(cells=[v4.new_markdown_cell("# Heading")]), "title")
assert "<h1" in page and ".ses-audit" in page and "Content-Security-Policy" in page
print(*(n.name for n in find_notebooks()), sep="\\n")
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_renders_notebooks_without_the_checkout(unpacked: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-I", "-c", ASK, str(unpacked)],
        cwd=unpacked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    ours = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert asked.stdout.split() == ours
    assert ours


def test_the_template_is_where_nbconvert_looks_too(unpacked: Path) -> None:
    (data,) = unpacked.glob("*.data")
    shared = data / "data" / "share" / "jupyter" / "nbconvert" / "templates" / "ses_audit"
    assert {path.name for path in shared.iterdir()} == {"conf.json", "index.html.j2"}
