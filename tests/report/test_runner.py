"""The runner: what ran, what did not, and what is left of it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from tiny_notebooks import tiny

from ses_audit.report.notebook_files import Notebook
from ses_audit.report.runner import Outcome, run_notebooks


def book(name: str, *cells: str) -> Notebook:
    return Notebook(Path(f"{name}.ipynb"), tiny(name, *cells))


def run(folder: Path, *notebooks: Notebook, **options: object) -> dict[str, Outcome]:
    parameters = {n.name: {"snapshot": "S", "top": 7} for n in notebooks}
    found = run_notebooks(notebooks, folder, parameters, **options)  # type: ignore[arg-type]
    return {outcome.name: outcome for outcome in found}


def text(path: Path) -> str:
    return path.read_text()


def test_a_notebook_runs_with_its_parameters_and_leaves_nothing_of_the_machine(
    tmp_path: Path,
) -> None:
    ours = book("01_a", "print(snapshot, top)", "top + 1")
    outcome = run(tmp_path, ours)["01_a"]
    assert outcome.completed
    assert outcome.sha256 == ours.sha256
    assert outcome.parameters == {"snapshot": "S", "top": 7}
    executed = nbformat.read(tmp_path / "01_a.ipynb", as_version=4)
    nbformat.validate(executed)
    assert executed.cells[-2].outputs[0].text == "S 7\n"
    assert executed.cells[-1].outputs[0].data["text/plain"] == "8"
    assert executed.metadata.papermill == {"parameters": {"snapshot": "S", "top": 7}}
    assert executed.metadata.language_info == {"name": "python"}
    assert all("papermill" not in cell.metadata for cell in executed.cells)
    assert "execution" not in {key for cell in executed.cells for key in cell.metadata}
    # Twice the same.
    first = (tmp_path / "01_a.ipynb").read_bytes()
    run(tmp_path, ours)
    assert (tmp_path / "01_a.ipynb").read_bytes() == first


FAILURES = {
    # name: (cells, what the error says, the last output that is kept)
    "raises": (("print('before')", "raise ValueError('no\\x1b[31m')", "1"), "ValueError: no"),
    "leaves": (("print('before')", "import sys; sys.exit(0)", "1"), "SystemExit: 0"),
    "leaves_last": (("print('before')", "import sys; sys.exit()"), "SystemExit"),
    "dies": (("print('before')", "import os; os._exit(0)", "1"), "DeadKernelError"),
}


def test_failures_are_seen_and_what_was_made_is_kept(tmp_path: Path) -> None:
    notebooks = [book(name, *cells) for name, (cells, _) in FAILURES.items()]
    told: list[Outcome] = []
    found = run(tmp_path, *notebooks, book("well", "1"), tell=told.append)
    for name, (_, says) in FAILURES.items():
        assert found[name].status == "failed", name
        assert says in found[name].error
        assert "\x1b" not in found[name].error
        assert "before" in text(tmp_path / f"{name}.ipynb")
    assert found["well"].completed
    assert {outcome.name for outcome in told} == {*FAILURES, "well"}


def test_a_crash_is_told_with_the_kernels_last_words(tmp_path: Path) -> None:
    outcome = run(tmp_path, book("x", "import os; os.write(2, b'Killed: no memory'); os._exit(9)"))
    assert "no memory" in outcome["x"].error


def test_the_time_limit_ends_kernels_and_those_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    # The limit is reached once the loop runs, however long the kernel takes to start.
    monkeypatch.setattr(
        "ses_audit.report.runner.monotonic", lambda: 1000.0 if begun.exists() else 0.0
    )
    loop = "open('begun', 'w').close()\nwhile True: pass"
    slow, waiting = book("a_slow", "print('before')", loop), book("b_waiting", "1")
    found = run(tmp_path, slow, waiting, seconds=0.5, side_by_side=1)
    assert {outcome.status for outcome in found.values()} == {"timed out"}
    assert found["a_slow"].error == "the time limit was reached"
    assert "before" in text(tmp_path / "a_slow.ipynb")
    # One that never began is there as it was handed out.
    assert nbformat.read(tmp_path / "b_waiting.ipynb", as_version=4).cells[-1].outputs == []


def test_stopping_kills_what_runs_and_keeps_it(tmp_path: Path) -> None:
    class Stop(BaseException):
        pass

    def stop(outcome: Outcome) -> None:
        raise Stop

    endless = book("a_endless", "print('before', flush=True)", "while True: pass")
    with pytest.raises(Stop):
        run(tmp_path, endless, book("b_short", "1"), tell=stop, side_by_side=2)
    assert (tmp_path / "a_endless.ipynb").exists()


def test_nothing_to_run_is_no_error(tmp_path: Path) -> None:
    assert run_notebooks([], tmp_path, {}) == []


def test_widgets_are_not_left_behind(tmp_path: Path) -> None:
    shown = book(
        "w",
        "from IPython.display import display\n"
        "display({'application/vnd.jupyter.widget-view+json': {'model_id': 'x',"
        " 'version_major': 2, 'version_minor': 0}, 'text/plain': 'Dropdown'}, raw=True)",
    )
    assert run(tmp_path, shown)["w"].completed
    executed = nbformat.read(tmp_path / "w.ipynb", as_version=4)
    assert executed.cells[-1].outputs == []
    assert "widgets" not in executed.metadata
