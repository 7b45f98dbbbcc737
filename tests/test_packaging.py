"""The ways to install the package say the same, and nothing names a registry."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# conda-forge's names where they differ.
CONDA_NAMES = {"python-duckdb": "duckdb"}


def _requirement(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9_.-]+)(.*)", text.strip())
    assert match, text
    name = match.group(1).lower()
    return CONDA_NAMES.get(name, name), match.group(2).strip()


def _environment() -> set[tuple[str, str]]:
    lines = (ROOT / "environment.yml").read_text().splitlines()
    inside = lines[lines.index("dependencies:") + 1 :]
    entries = [line.strip()[2:] for line in inside if line.startswith("  - ")]
    return {_requirement(entry) for entry in entries if entry not in ("pip", "pip:")}


def test_environment_equals_pyproject() -> None:
    wanted = {_requirement(text) for text in PYPROJECT["dependencies"]}
    wanted |= {_requirement(text) for text in PYPROJECT["optional-dependencies"]["interactive"]}
    wanted.add(("python", PYPROJECT["requires-python"]))
    assert _environment() == wanted


def test_locks_are_hashed_and_name_no_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "http" not in "".join(
            line for line in text.splitlines() if not re.match(r"[a-z0-9_.-]+==", line)
        )
        assert "--index-url" not in text
        for block in re.split(r"\n(?=\S)", text):
            if "==" in block:
                assert "--hash=sha256:" in block, block.splitlines()[0]


def test_every_dependency_is_locked() -> None:
    lock = (ROOT / "requirements" / "run.txt").read_text()
    for text in PYPROJECT["dependencies"]:
        name, _ = _requirement(text)
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), name


def _committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [path for name in filter(None, listed.split("\0")) if (path := ROOT / name).is_file()]


def test_committed_files_are_small() -> None:
    for path in _committed():
        assert path.stat().st_size <= 2 * 1024 * 1024, path


def test_nothing_names_a_registry_or_a_machine() -> None:
    # Put together here, so that this file does not name them either.
    hosts = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs.org", "deb." + "debian"]
    folders = ["/" + "work/main", "/" + "work/shared", "/" + "tmp/bash_jobs"]
    for path in _committed():
        content = path.read_bytes()
        for name in hosts + folders:
            assert name.encode() not in content, (path, name)


def test_a_file_has_one_subject() -> None:
    for path in _committed():
        if path.suffix == ".py" and path.is_relative_to(ROOT / "ses_audit"):
            assert len(path.read_text().splitlines()) <= 500, path
