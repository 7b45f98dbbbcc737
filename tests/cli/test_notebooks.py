"""`ses-audit notebooks`: the list, and pristine copies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from tiny_notebooks import folder_of, tiny

import ses_audit
from ses_audit.report import notebook_files
from ses_audit.report.notebook_files import find_notebooks


@pytest.fixture(autouse=True)
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = folder_of(
        tmp_path / "notebooks",
        **{"01_a": tiny("01_a", "1", title="Who is there?"), "02_b": tiny("02_b", "2")},
    )
    monkeypatch.setattr(notebook_files, "notebooks_folder", lambda: folder)
    return folder


def test_the_list_says_what_each_asks_and_takes(command) -> None:
    ended = command("notebooks", "list")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "01_a  Who is there?"
    assert lines[1] == "  -p snapshot=  (str)  the snapshot folder"
    assert lines[2] == "  -p top=5  (int)  rows"
    assert lines[3].startswith("02_b")


def test_copies_are_pristine_and_say_where_they_came_from(command, tmp_path: Path) -> None:
    ended = command("notebooks", "copy", tmp_path / "mine")
    assert ended.code == 0
    copies = sorted((tmp_path / "mine").glob("*.ipynb"))
    assert ended.out.splitlines() == [str(path) for path in copies]
    for copied, ours in zip(copies, find_notebooks(), strict=True):
        node = nbformat.read(copied, as_version=4)
        assert node.metadata.pop("ses_audit") == {
            "version": ses_audit.__version__,
            "sha256": ours.sha256,
        }
        assert node == ours.read()


def test_what_is_there_is_not_overwritten_unless_asked(command, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "02_b.ipynb").write_text("my work")
    ended = command("notebooks", "copy", mine)
    assert ended.code == 2
    assert "02_b.ipynb is there already" in ended.said
    assert [path.name for path in mine.iterdir()] == ["02_b.ipynb"]
    assert (mine / "02_b.ipynb").read_text() == "my work"
    assert command("notebooks", "copy", mine, "--force").code == 0
    assert nbformat.read(mine / "02_b.ipynb", as_version=4).cells


def test_a_folder_that_cannot_be_made_is_one_line(command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = command("notebooks", "copy", tmp_path / "file" / "mine")
    assert ended.code == 2
    assert "cannot make" in ended.said


def test_it_is_a_command_of_jupyter_too() -> None:
    scripts = Path(sys.executable).parent
    asked = subprocess.run(
        [str(scripts / "jupyter"), "ses-audit", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
    )
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip() == f"ses-audit, version {ses_audit.__version__}"
