"""The notebooks as files: found in a wheel and in a checkout, stamped, pristine."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from tiny_notebooks import folder_of, tiny

from ses_audit.errors import USAGE, UserError
from ses_audit.report import notebook_files
from ses_audit.report.notebook_files import find_notebooks, notebooks_folder, stamped


def test_a_wheel_has_them_inside_the_package_a_checkout_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "ses_audit"
    package.mkdir()
    monkeypatch.setattr(notebook_files, "_PACKAGE", package)
    with pytest.raises(UserError, match="not installed"):
        notebooks_folder()
    (tmp_path / "notebooks").mkdir()
    assert notebooks_folder() == tmp_path / "notebooks"
    (package / "_notebooks").mkdir()
    assert notebooks_folder() == package / "_notebooks"


def test_they_are_found_by_name_in_order(tmp_path: Path) -> None:
    folder_of(tmp_path, **{"02_b": tiny("02_b"), "01_a": tiny("01_a", title="Who is there?")})
    found = find_notebooks(tmp_path)
    assert [n.name for n in found] == ["01_a", "02_b"]
    assert [n.title for n in found] == ["Who is there?", "02_b"]
    assert [n.name for n in find_notebooks(tmp_path, ("02_b.ipynb",))] == ["02_b"]
    with pytest.raises(UserError, match=r"'02_c'; did you mean 02_b\?") as error:
        find_notebooks(tmp_path, ("02_c",))
    assert error.value.exit_code == USAGE


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"nbformat": 4}'])
def test_a_file_that_is_no_notebook_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ipynb").write_bytes(content)
    (found,) = find_notebooks(tmp_path)
    with pytest.raises(UserError, match="is not a notebook"):
        found.read()


def test_a_stamp_says_where_a_copy_came_from(tmp_path: Path) -> None:
    folder_of(tmp_path, x=tiny("x", "1"))
    (ours,) = find_notebooks(tmp_path)
    copied = nbformat.reads(stamped(ours, "1.2.3").decode(), as_version=4)
    assert copied.metadata.pop("ses_audit") == {"version": "1.2.3", "sha256": ours.sha256}
    assert copied == ours.read()
