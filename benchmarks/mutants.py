"""Mutation testing of ses_audit/policy: how many small wrong changes do the tests notice?

`make mutants` tries every file (hours); name files to try some:

    python benchmarks/mutants.py principals.py 'operators/*.py' --tests tests/policy/operators

It works in a copy of the checkout, so that nothing here changes, and prints how many mutants were
killed and each that survived. Found: docs/mutants.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("ses_audit", "tests/policy", "tests/support", "tests/reference")
# What stands for other parts of the project, and for chance, tells nothing of a mutant.
LEFT_OUT = (
    "test_differential.py",
    "test_properties.py",
    "test_simulation.py",
    "test_simulation_call.py",
    "test_iam_simulate.py",
)
BOUND = 90.0

PLUGIN = '''"""Each mutant meets modules that were never imported, and no memory of other runs."""

import functools
import sys


def _without_memory(function):
    @functools.wraps(function)
    def call(*given, **named):
        return function(*given, **named)

    call.cache_clear = lambda: None
    return call


def _forgetful(*given, **_):
    return _without_memory(given[0]) if given and callable(given[0]) else _without_memory


functools.lru_cache = functools.cache = _forgetful


def pytest_configure(config):
    ours = ("ses_audit", "policy_", "tests")
    for name in [name for name in sys.modules if name.startswith(ours)]:
        del sys.modules[name]
'''


def copy_checkout(folder: Path, files: list[str], tests: list[str]) -> None:
    """The package and its tests, with mutmut's settings."""
    for name in COPIED:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", *LEFT_OUT)
        )
    (folder / "tests/support/mutant_plugin.py").write_text(PLUGIN)
    settings = {
        "source_paths": ["ses_audit"],
        "only_mutate": [f"ses_audit/policy/{name}" for name in files],
        "also_copy": ["tests"],
        "pytest_add_cli_args": ["-p", "mutant_plugin"],
        "pytest_add_cli_args_test_selection": tests,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (folder / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\n"
        'addopts = "-q -p no:cacheprovider --import-mode=importlib"\n'
        'pythonpath = ["tests/support", "tests/reference"]\n'
        "[tool.mutmut]\n" + "\n".join(lines) + "\n"
    )


def mutmut(folder: Path, *arguments: str) -> str:
    """Run mutmut in the copy; its progress goes to a file there."""
    environment = os.environ | {"PYTHONPATH": str(folder / "tests/support")}
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    with (folder / "mutmut.log").open("a") as log:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=log,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise SystemExit(
            f"mutmut {arguments[0]} ended with {done.returncode}: see {folder}/mutmut.log"
        )
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description="mutation testing of ses_audit/policy")
    parser.add_argument("files", nargs="*", default=["*.py", "operators/*.py"])
    parser.add_argument("--tests", action="append", help="tests to try (default: tests/policy)")
    parser.add_argument("--children", default="1", help="mutants tried at once")
    parser.add_argument("--keep", type=Path, help="work in this folder, and go on where it stopped")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="ses-audit-mutants-"))
    if not (folder / "pyproject.toml").exists():
        folder.mkdir(parents=True, exist_ok=True)
        copy_checkout(folder, options.files, options.tests or ["tests/policy"])
    os.nice(19)
    mutmut(folder, "run", "--max-children", options.children)
    results = re.findall(
        r"^\s*(\S+): (.+)$", mutmut(folder, "results", "--all", "true"), re.MULTILINE
    )
    counts = Counter(status for _, status in results)
    survived = [name for name, status in results if status == "survived"]
    for name in survived:
        change = [
            line
            for line in mutmut(folder, "show", name).splitlines()
            if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
        ]
        print(name, *change, sep="\n")
    tried = counts["killed"] + counts["timeout"] + counts["survived"]
    percent = 100 * (tried - counts["survived"]) / tried if tried else 0.0
    print(f"{dict(counts)}: {percent:.1f} % of {tried} killed (bound {BOUND:.0f} %)")
    if options.keep is None:
        shutil.rmtree(folder)
    return 0 if percent >= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
