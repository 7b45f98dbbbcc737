"""A whole run: a snapshot, its verdicts, the notebooks, the report; placed in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.errors import INCOMPLETE, TOOL_FAILURE, UserError
from ses_audit.report.notebook_files import Notebook, find_notebooks, parse
from ses_audit.report.page import Html
from ses_audit.report.parameters import Value, declared, validate
from ses_audit.report.run_folder import (
    RunFolder,
    earlier_runs,
    new_run_id,
    point_latest,
    remove_old,
)
from ses_audit.report.run_record import RunRecord, versions
from ses_audit.report.runner import Outcome, run_notebooks
from ses_audit.report.shell import Link, navigation
from ses_audit.report.time_limit import TimeLimit, time_limit
from ses_audit.snapshot.files import write_file

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.report.exports import DataFile
    from ses_audit.report.page import Page
    from ses_audit.snapshot.store import Snapshot

__all__ = ["OWN_SNAPSHOT", "Finished", "RunOptions", "run_report"]

OWN_SNAPSHOT = "snapshot"
"""Where a run that reads an organization keeps what it read, below its folder."""

_DATA = "data"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is asked to do.

    Parameters
    ----------
    out
        Where runs stand.
    parameters
        Name → text, of the notebooks.
    notebooks
        Only these; all when empty.
    folder
        Where the notebooks are; None for those of the package.
    seconds
        The time limit of the whole run.
    keep
        How many runs stay in `out`; None for all.
    require_complete
        Whether a cell that was not read makes the exit code 4.
    arguments
        Of the command, for the record; no secret.
    hidden
        Environment variables that no notebook sees.
    """

    out: Path
    parameters: Mapping[str, object] = field(default_factory=dict)
    notebooks: tuple[str, ...] = ()
    folder: Path | None = None
    seconds: float | None = None
    keep: int | None = None
    require_complete: bool = False
    arguments: Mapping[str, object] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to its end, good or bad."""

    path: Path
    record: RunRecord
    removed: Sequence[str] = ()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def run_report(
    options: RunOptions,
    take: Callable[[Path], Snapshot],
    tell: Callable[[str], None] = lambda text: None,
    clock: Callable[[], str] = _now,
) -> Finished:
    """Make a report; whatever happens, what was made is kept and `run.json` says how it ended.

    Parameters
    ----------
    options
        What to do.
    take
        Gives the snapshot: one that is there, or one it makes in the folder it is called with.
    tell
        Told in a line how it goes.
    clock
        The time, ISO 8601, UTC.

    Returns
    -------
    Finished
        With status `failed` or `timed out` and exit code 1 when a notebook or a page failed.

    Raises
    ------
    UserError
        For parameters that no notebook has, a folder that cannot be written, and whatever `take`
        raises: then nothing is left behind unless a snapshot was begun.
    """
    notebooks = find_notebooks(options.folder, options.notebooks)
    parameters = validate(
        options.parameters, {n.name: declared(n.read(), n.name) for n in notebooks}
    )
    started = clock()
    work = _Work(options, notebooks, parameters, tell, clock, started)
    try:
        work.go(take)
    except BaseException as error:
        if work.nothing_made and not isinstance(error, TimeLimit):
            work.folder.discard()
            raise
        work.broke(error)
        finished = work.place()
        if isinstance(error, TimeLimit):
            return finished
        if isinstance(error, UserError):
            raise UserError(
                f"{error}; what was read is in {finished.path}", error.exit_code
            ) from error
        tell(f"{finished.record.status}: what was made is in {finished.path}")
        raise
    return work.place()


class _Work:
    """The steps of a run, and what they left."""

    def __init__(
        self,
        options: RunOptions,
        notebooks: Sequence[Notebook],
        parameters: Mapping[str, Mapping[str, Value]],
        tell: Callable[[str], None],
        clock: Callable[[], str],
        started: str,
    ) -> None:
        self.options = options
        self.notebooks = notebooks
        self.parameters = parameters
        self.tell = tell
        self.clock = clock
        self.deadline = None if options.seconds is None else time.monotonic() + options.seconds
        self.folder = RunFolder.begin(options.out, new_run_id(started))
        earlier = earlier_runs(options.out)
        self.record = RunRecord(
            run_id=self.folder.run_id,
            started_at=started,
            arguments=options.arguments,
            parameters=options.parameters,
            previous_run=earlier[-1] if earlier else None,
            versions=versions(),
        )
        self.audit: Audit | None = None
        self.data: list[DataFile] = []
        self.pages: dict[str, Page] = {}
        self.numbers = Html("")

    @property
    def nothing_made(self) -> bool:
        """Whether the folder holds nothing that anyone could want."""
        return not any(self.folder.work.iterdir())

    def go(self, take: Callable[[Path], Snapshot]) -> None:
        """Take the snapshot, decide, run the notebooks, write the pages."""
        from ses_audit.audit import Audit

        with time_limit(self.deadline):
            snapshot = take(self.folder.work / OWN_SNAPSHOT)
            own = snapshot.path == self.folder.work / OWN_SNAPSHOT
            shown_as = OWN_SNAPSHOT if own else str(snapshot.path.resolve())
            self.record.take(snapshot, snapshot.where or shown_as)
            self.tell("deciding")
            self.audit = Audit(snapshot.path)
            summary = self.audit.summary()
            self.record.count(summary)
            self.tell(summary.headline)
        with ThreadPoolExecutor(1, thread_name_prefix="pages") as pool:
            aside = pool.submit(self._write_without_jupyter, self.audit)
            self.record.notebooks = self._run_notebooks(shown_as)
            aside.result()
        self._write_notebook_pages()
        self._judge()

    def _run_notebooks(self, snapshot: str) -> list[Outcome]:
        given: dict[str, dict[str, Value]] = {}
        for notebook in self.notebooks:
            names = declared(notebook.read(), notebook.name)
            own: dict[str, Value] = {"snapshot": snapshot, "data": _DATA}
            given[notebook.name] = {
                **{name: value for name, value in own.items() if name in names},
                **self.parameters[notebook.name],
            }

        def ended(outcome: Outcome) -> None:
            error = f": {outcome.error}" if outcome.error else ""
            self.tell(f"{outcome.name}: {outcome.status} in {outcome.seconds:.1f} s{error}")

        if self.notebooks:
            self.tell(f"running {len(self.notebooks):,} notebooks")
        return run_notebooks(
            self.notebooks,
            self.folder.work,
            given,
            seconds=None if self.deadline is None else self.deadline - time.monotonic(),
            hidden=self.options.hidden,
            tell=ended,
        )

    def _write_without_jupyter(self, audit: Audit) -> None:
        """The data files, and every page; one that fails leaves the others alone."""
        from ses_audit.report.exports import write_data
        from ses_audit.report.index import overview
        from ses_audit.report.pages import PAGES

        self.data = write_data(audit, self.folder.work)
        failed: dict[str, str] = {}
        chosen = {notebook.name: notebook for notebook in self.notebooks}
        for name, make in PAGES.items():
            if name not in chosen:
                continue
            values = {
                key: value for key, value in self.parameters[name].items() if key != "snapshot"
            }
            if "data" in declared(chosen[name].read(), name):
                values["data"] = _DATA
            try:
                self.pages[name] = make(audit, **values)
            except Exception as error:  # noqa: BLE001  (the other pages are still worth having)
                failed[name] = _words(error)
        try:
            self.numbers = overview(audit)
        except Exception as error:  # noqa: BLE001  (so is the rest of the index)
            failed["index"] = _words(error)
        self.record.pages_failed = failed

    def _links(self, there: str) -> list[Link]:
        """The pages of the report in the order of reading; `there` is the suffix they exist by."""
        found = [Link("index.html", "Overview")]
        found += [
            Link(f"{notebook.name}.html", _short(notebook.name))
            for notebook in self.notebooks
            if (self.folder.work / f"{notebook.name}{there}").exists()
        ]
        if self.audit is not None:
            found.append(Link("report.html", "All in one"))
        return found

    def _write_notebook_pages(self) -> None:
        from ses_audit.report.to_html import to_html

        outcomes = {outcome.name: outcome for outcome in self.record.notebooks}
        links = self._links(".ipynb")
        for notebook in self.notebooks:
            path = self.folder.work / f"{notebook.name}.ipynb"
            before = navigation(links, f"{notebook.name}.html")
            outcome = outcomes[notebook.name]
            if not outcome.completed:
                before += _partial(outcome)
            others = {
                other.name: f"{other.name}.html" for other in self.notebooks if other != notebook
            }
            text = to_html(parse(path.read_bytes()), notebook.title, before, targets=others)
            write_file(path.with_suffix(".html"), text.encode())

    def _judge(self) -> None:
        """The status and the exit code, from what happened."""
        worst = {outcome.status for outcome in self.record.notebooks} - {"completed"}
        if self.record.pages_failed:
            worst.add("failed")
        if worst:
            self.record.status = "failed" if "failed" in worst else "timed out"
            self.record.exit_code = TOOL_FAILURE
            return
        self.record.status = "completed"
        complete = self.record.coverage.get("complete") is True
        self.record.exit_code = INCOMPLETE if self.options.require_complete and not complete else 0

    def broke(self, error: BaseException) -> None:
        """Note the error that ended the run."""
        self.record.exit_code = TOOL_FAILURE
        if isinstance(error, TimeLimit):
            self.record.status = "timed out"
            self.record.error = "the time limit was reached before the notebooks were run"
        elif isinstance(error, Exception):
            self.record.status = "failed"
            self.record.error = _words(error)
            if isinstance(error, UserError):
                self.record.error, self.record.exit_code = str(error), error.exit_code
        else:
            self.record.status, self.record.error = "stopped", "it was stopped from outside"

    def place(self) -> Finished:
        """Write the index and the record, and move the folder to its name."""
        self._write_front()
        self.record.write(self.folder.work)
        path = self.folder.place()
        point_latest(self.options.out, path.name)
        removed: Sequence[str] = ()
        if self.options.keep is not None:
            try:
                removed = remove_old(self.options.out, self.options.keep)
            except OSError as error:
                self.tell(f"older reports could not be removed: {error.strerror}")
        return Finished(path, self.record, removed)

    def _write_front(self) -> None:
        from ses_audit.report.index import Entry, index_page, report_page

        self.record.ended_at = self.clock()
        work = self.folder.work
        links = self._links(".html")
        summary = None if self.audit is None or not self.record.verdicts else self.audit.summary()
        errors = {o.name: f"{o.status}: {o.error}" for o in self.record.notebooks if o.error}
        entries = [
            Entry(
                f"{notebook.name}.html",
                self.pages[notebook.name].question
                if notebook.name in self.pages
                else notebook.title,
                self.pages[notebook.name].answer if notebook.name in self.pages else Html("", ""),
                errors.get(notebook.name, ""),
            )
            for notebook in self.notebooks
            if (work / f"{notebook.name}.html").exists()
        ]
        if self.audit is not None:
            text = report_page(self.record, summary, self.numbers, self.pages, links)
            write_file(work / "report.html", text.encode())
        sized = [
            (file, 0 if file.left_out else (work / file.name).stat().st_size) for file in self.data
        ]
        page = index_page(self.record, summary, self.numbers, entries, sized, links)
        write_file(work / "index.html", page.encode())


def _short(name: str) -> str:
    """A notebook's name as a link says it.

    Examples
    --------
    >>> _short("03_scp_denies")
    'SCP denies'
    """
    words = name.lstrip("0123456789_").replace("_", " ")
    return f"SCP{words[3:]}" if words.startswith("scp") else words.capitalize()


def _words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _partial(outcome: Outcome) -> str:
    from ses_audit.escape import html as escape

    return (
        '<div class="alert" role="note"><p>'
        f"<strong>This notebook {escape(outcome.status)}.</strong> "
        f"{escape(outcome.error)}. What follows is what it showed before.</p></div>"
    )
