"""Runs notebooks through papermill, and says how each ended; papermill's own word is not asked.

papermill writes "completed" into a notebook whose kernel died, and leaves a `sys.exit(0)` without
an error. So a notebook has completed when the call returned, every code cell was executed and
none shows an error.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ses_audit.report.notebook_files import Notebook, parse, to_bytes
from ses_audit.report.parameters import Value
from ses_audit.snapshot.files import write_file

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from ses_audit.report.kernel import Kernel

__all__ = ["Outcome", "run_notebooks"]

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_INTERACTIVE = "interactive-only"
_WIDGET = "application/vnd.jupyter.widget-view+json"
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a notebook ended."""

    name: str
    sha256: str
    """Of the notebook before it ran."""
    status: str
    """`completed`, `failed` or `timed out`."""
    error: str = ""
    """One line; "" when it completed."""
    seconds: float = 0.0
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @property
    def completed(self) -> bool:
        """Whether every cell ran without an error."""
        return self.status == "completed"


class _Job:
    """One notebook and its kernel, run in a thread of its own."""

    def __init__(
        self,
        notebook: Notebook,
        folder: Path,
        parameters: Mapping[str, Value],
        hidden: Sequence[str],
    ) -> None:
        self.notebook = notebook
        self.output = folder / f"{notebook.name}.ipynb"
        self.parameters = dict(parameters)
        self.timed_out = False
        self.seconds = 0.0
        self._hidden = hidden
        self._kernel: Kernel | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        """Kill the kernel, from any thread; one that did not start yet never will."""
        with self._lock:
            self._stopped = True
            if self._kernel is not None:
                self._kernel.kill()

    def run(self) -> Outcome:
        """Run it and say how it ended."""
        began = monotonic()
        error = self._execute()
        self.seconds = monotonic() - began
        executed = _tidied(self.output, self.notebook, self.parameters)
        error = error or _incomplete(executed)
        if self.timed_out:
            error = "the time limit was reached"
        status = "timed out" if self.timed_out else "failed" if error else "completed"
        return Outcome(
            self.notebook.name,
            self.notebook.sha256,
            status,
            error,
            round(self.seconds, 3),
            self.parameters,
        )

    def _execute(self) -> str:
        """Run the cells; the error that ended them, as one line."""
        from jupyter_core.utils import ensure_event_loop, run_sync
        from papermill.exceptions import PapermillExecutionError
        from papermill.execute import execute_notebook

        from ses_audit.report.kernel import Kernel, kernel_environment

        # A socket's path is short, so its folder does not lie below the report's.
        with tempfile.TemporaryDirectory(prefix="ses-audit-") as own:
            folder = Path(own)
            with self._lock:
                if self._stopped:
                    return "stopped before it began"
                self._kernel = Kernel(
                    folder, self.output.parent, kernel_environment(folder, self._hidden)
                )
            kernel = self._kernel
            try:
                execute_notebook(  # type: ignore[no-untyped-call]
                    self.notebook.read(),
                    str(self.output),
                    parameters=self.parameters,
                    km=kernel,
                    kernel_name="python3",
                    language="python",
                    progress_bar=False,
                )
            except PapermillExecutionError as error:
                return _line(f"cell {error.cell_index + 1}: {error.ename}: {error.evalue}")
            except Exception as error:  # noqa: BLE001  (whatever ends a notebook, the run goes on)
                return _line(f"{type(error).__name__}: {error}", kernel.last_words())
            finally:
                run_sync(kernel.stop)()
                ensure_event_loop().close()
        return ""


def run_notebooks(
    notebooks: Sequence[Notebook],
    folder: Path,
    parameters: Mapping[str, Mapping[str, Value]],
    *,
    seconds: float | None = None,
    side_by_side: int | None = None,
    hidden: Sequence[str] = (),
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run notebooks side by side; each leaves `folder/NAME.ipynb`, whatever became of it.

    Parameters
    ----------
    notebooks
        The notebooks.
    folder
        Where they run and leave what they made.
    parameters
        Notebook → its parameters, as `parameters.validate` gives them.
    seconds
        The time limit of all together; kernels that still run then are killed.
    side_by_side
        Kernels at a time; by default one a core, four at most.
    hidden
        Environment variables that no kernel sees; credentials of AWS are never among them.
    tell
        Told of each notebook as it ends, in the caller's thread.

    Returns
    -------
    list of Outcome
        In the order of `notebooks`.
    """
    if not notebooks:
        return []
    jobs = [_Job(n, folder, parameters.get(n.name, {}), hidden) for n in notebooks]
    deadline = None if seconds is None else monotonic() + seconds
    workers = side_by_side or min(len(jobs), os.cpu_count() or 1, 4)
    with _quiet(), ThreadPoolExecutor(workers, thread_name_prefix="notebook") as pool:
        futures = {pool.submit(job.run): job for job in jobs}
        left = set(futures)
        try:
            while left:
                # Looked at each second: the clock may jump, as when a laptop slept.
                remaining = None if deadline is None else min(1.0, max(0.0, deadline - monotonic()))
                done, left = wait(left, timeout=remaining, return_when="FIRST_COMPLETED")
                for future in done:
                    tell(future.result())
                if deadline is not None and left and monotonic() >= deadline:
                    deadline = None
                    for future in left:
                        futures[future].timed_out = True
                        futures[future].stop()
        except BaseException:
            # Ctrl-C and the like: what runs is stopped, and its notebook kept.
            for job in jobs:
                job.stop()
            raise
        return [future.result() for future in futures]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """papermill and jupyter_client log what we say better ourselves."""
    loggers = [logging.getLogger(name) for name in ("papermill", "traitlets")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _line(*texts: str) -> str:
    text = " ".join(_ANSI.sub("", " ".join(texts)).split())
    return text if len(text) <= _LONGEST_ERROR else f"{text[:_LONGEST_ERROR]}…"


def _incomplete(executed: NotebookNode) -> str:
    """Why a notebook that raised nothing is not whole; "" when it is."""
    for number, cell in enumerate(executed.cells, 1):
        if cell.cell_type != "code" or not str(cell.source).strip():
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                return _line(f"cell {number}: {output.ename}: {output.evalue}")
        if cell.execution_count is None:
            return f"cell {number} and those after it were not run"
    return ""


def _tidied(path: Path, notebook: Notebook, parameters: Mapping[str, Value]) -> NotebookNode:
    """Rewrite an executed notebook without what depends on the machine, the hour or a live kernel.

    papermill's own status is left out: it is not to be trusted, and `run.json` has the truth.
    """
    executed = parse(path.read_bytes()) if path.exists() else notebook.read()
    executed.metadata.pop("widgets", None)
    executed.metadata["language_info"] = {"name": "python"}
    executed.metadata["papermill"] = {"parameters": dict(parameters)}
    for number, cell in enumerate(executed.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        tags = cell.metadata.get("tags", ())
        if "injected-parameters" in tags:
            cell["id"] = "injected-parameters"
        elif "papermill-error-cell-tag" in tags:
            cell["id"] = f"papermill-error-{number}"
        if cell.cell_type == "code":
            # A widget lives as long as its kernel: what is left of it says nothing.
            live = _INTERACTIVE in tags
            cell["outputs"] = [
                output
                for output in cell.outputs
                if output.output_type == "error" or not (live or _WIDGET in output.get("data", {}))
            ]
    write_file(path, to_bytes(executed))
    return executed
