"""Each notebook under plain papermill, as a scheduler starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from report_worlds import save, two_regions

FOLDER = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notebooks") / "snapshot"
    save(two_regions(), path)
    return path


def papermill(notebook: str, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", "--no-progress-bar"]
    return subprocess.run(
        [*command, str(FOLDER / notebook), str(out), *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=out.parent,
    )


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.ipynb")))
def test_it_runs_and_shows_its_parts(name: str, snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    done = papermill(name, out, "-p", "snapshot", str(snapshot))
    assert done.returncode == 0, done.stderr
    cells = nbformat.read(out, as_version=4).cells
    shown = [
        output["data"]["text/html"]
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    assert len(shown) >= 5
    assert "<style>" in shown[0]
    assert all("ses-audit" in markup for markup in shown)


def test_a_mistyped_value_is_one_line(snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    given = ("-p", "snapshot", str(snapshot), "-p", "region", "eu-wst-1")
    done = papermill("02_send_matrix.ipynb", out, *given)
    assert done.returncode == 1
    assert "no region 'eu-wst-1' in this snapshot; did you mean eu-west-1?" in done.stderr
    assert "ses_audit/report" not in done.stderr
