"""A whole run on the example organization: what it leaves, when all is well and when not."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from example_world import make_example
from report_worlds import empty_organization, lone_account, no_identities, save
from tiny_notebooks import folder_of, tiny

import ses_audit
from ses_audit.errors import INCOMPLETE, NOTHING_COLLECTED, USAGE, UserError
from ses_audit.report import audit_run
from ses_audit.report.audit_run import Finished, RunOptions, run_report
from ses_audit.snapshot.store import Snapshot, open_snapshot

OPEN = "import ses_audit\naudit = ses_audit.open(snapshot)\naudit.summary()"
TIMES = ("2026-11-23T06:00:00Z", "2026-11-23T06:00:30Z")


def clock() -> Callable[[], str]:
    times = iter(TIMES)
    return lambda: next(times)


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    return folder_of(
        tmp_path / "notebooks",
        **{
            "01_inventory": tiny(
                "01_inventory", OPEN, parameters='snapshot: str = ""', title="Who is there?"
            ),
            "08_rows": tiny("08_rows", "print('rows', top)", title="How many rows?"),
        },
    )


def taking(snapshot: Path) -> Callable[[Path], Snapshot]:
    return lambda folder: open_snapshot(snapshot)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {str(value) for name, value in attrs if name in ("href", "src")}


def dead_links(folder: Path) -> set[str]:
    found = set()
    for page in folder.glob("*.html"):
        reader = _Links()
        reader.feed(page.read_text())
        for link in reader.found:
            target = link.partition("#")[0]
            if target and not (folder / target).exists():
                found.add(f"{page.name}: {link}")
    return found


def record(finished: Finished) -> dict[str, object]:
    return dict(json.loads((finished.path / "run.json").read_text()))


def test_a_run_leaves_a_whole_report(
    example_snapshot: Path, notebooks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "reports"
    options = RunOptions(
        out=out, folder=notebooks, parameters={"top": "9"}, arguments={"command": "run"}
    )
    told: list[str] = []
    finished = run_report(options, taking(example_snapshot), told.append, clock())
    assert finished.path == out / "20261123T060000Z"
    assert (out / "latest").readlink() == Path("20261123T060000Z")
    assert sorted(p.name for p in out.iterdir()) == ["20261123T060000Z", "latest"]

    said = record(finished)
    summary = ses_audit.open(example_snapshot).summary()
    manifest = (example_snapshot / "manifest.json").read_bytes()
    assert (said["started_at"], said["ended_at"]) == TIMES
    assert (said["status"], said["exit_code"], said["error"]) == ("completed", 0, "")
    assert said["parameters"] == {"top": "9"}
    assert said["previous_run"] is None
    assert said["organization"] == json.loads(manifest)["organization"]
    assert said["caller"] == json.loads(manifest)["caller"]
    assert said["coverage"] == json.loads(manifest)["coverage"]
    assert said["snapshot"] == {
        "path": str(example_snapshot),
        "sha256": hashlib.sha256(manifest).hexdigest(),
        "taken_at": "2026-11-23T06:00:00Z",
        "schema_version": json.loads(manifest)["schema_version"],
    }
    verdicts = said["verdicts"]
    assert isinstance(verdicts, dict)
    assert verdicts.pop("cells") == summary.cells == sum(verdicts.values())
    assert verdicts["stopped_by_scp_alone"] == summary.stopped_by_scp_alone > 0
    assert verdicts["unknown"] == summary.unknown > 0
    ran = said["notebooks"]
    assert isinstance(ran, list)
    assert [(n["name"], n["status"], n["error"]) for n in ran] == [
        ("01_inventory", "completed", ""),
        ("08_rows", "completed", ""),
    ]
    for one in ran:
        content = (notebooks / f"{one['name']}.ipynb").read_bytes()
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
    assert [one["parameters"] for one in ran] == [
        {"snapshot": str(example_snapshot)},
        {"snapshot": str(example_snapshot), "top": 9},
    ]
    versions = said["versions"]
    assert isinstance(versions, dict)
    assert versions["ses-audit"] == ses_audit.__version__

    files = said["artefacts"]
    assert isinstance(files, dict)
    there = {
        p.relative_to(finished.path).as_posix() for p in finished.path.rglob("*") if p.is_file()
    }
    assert set(files) == there - {"run.json"}
    for name, file in files.items():
        content = (finished.path / name).read_bytes()
        assert file == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    stored = parquet.read_table(finished.path / "data/verdicts.parquet")
    assert stored.num_rows == summary.cells
    assert stored.column("verdict").to_pylist().count("ALLOWED") == summary.allowed

    index = (finished.path / "index.html").read_text()
    assert f"● {summary.allowed:,}" in index
    assert f"? {summary.unknown:,}" in index
    # What was not read stands above every number.
    assert index.index("Not everything was read") < index.index(f"● {summary.allowed:,}")
    assert "refused the audit role" in index
    assert "How many rows?" in index
    assert f"{summary.allowed:,} allowed" in (finished.path / "01_inventory.html").read_text()
    assert "rows 9" in (finished.path / "08_rows.html").read_text()
    assert '<section id="01_inventory">' in (finished.path / "report.html").read_text()
    assert dead_links(finished.path) == set()
    assert any("01_inventory: completed" in line for line in told)


def test_a_run_that_reads_keeps_its_snapshot_and_the_next_knows_of_it(
    notebooks: Path, tmp_path: Path
) -> None:
    options = RunOptions(out=tmp_path / "reports", folder=notebooks, notebooks=("01_inventory",))
    first = run_report(options, lambda folder: open_snapshot(make_example(folder)))
    assert first.record.snapshot["path"] == "snapshot"
    assert ses_audit.open(first.path / "snapshot").summary().cells > 0
    # The executed notebook opens it from its own folder, and names no machine.
    executed = (first.path / "01_inventory.ipynb").read_text()
    assert 'snapshot = \\"snapshot\\"' in executed
    assert str(tmp_path) not in executed
    assert not [n for n in first.record.to_json({}) if n == "path"]

    again = run_report(options, taking(first.path / "snapshot"))
    assert again.record.previous_run == first.path.name
    assert record(again)["previous_run"] == first.path.name


def test_require_complete_is_exit_code_4(
    example_snapshot: Path, notebooks: Path, tmp_path: Path
) -> None:
    options = RunOptions(out=tmp_path / "reports", folder=notebooks, require_complete=True)
    finished = run_report(options, taking(example_snapshot))
    assert (finished.record.status, finished.record.exit_code) == ("completed", INCOMPLETE)
    assert record(finished)["exit_code"] == INCOMPLETE


BROKEN = {
    "a failing cell": ("raise ValueError('no')", "failed", "ValueError: no"),
    "a cell that leaves": ("import sys; sys.exit(0)", "failed", "SystemExit"),
    "a kernel that dies": ("import os; os._exit(1)", "failed", "DeadKernelError"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_notebook_that_fails_fails_the_run_and_spoils_nothing_else(
    case: str, example_snapshot: Path, notebooks: Path, tmp_path: Path
) -> None:
    source, status, error = BROKEN[case]
    folder_of(notebooks, **{"02_send_matrix": tiny("02_send_matrix", "print('before')", source)})
    out = tmp_path / "reports"
    finished = run_report(RunOptions(out=out, folder=notebooks), taking(example_snapshot))
    said = record(finished)
    assert (said["status"], said["exit_code"]) == (status, 1)
    ran = said["notebooks"]
    assert isinstance(ran, list)
    by_name = {one["name"]: one for one in ran}
    assert by_name["02_send_matrix"]["status"] == "failed"
    assert error in by_name["02_send_matrix"]["error"]
    assert by_name["01_inventory"]["status"] == "completed"
    partial = (finished.path / "02_send_matrix.html").read_text()
    assert "This notebook failed" in partial
    assert "before" in partial
    # The page itself was made without a kernel.
    report = (finished.path / "report.html").read_text()
    assert '<section id="02_send_matrix">' in report
    assert "could not be made" not in report
    index = (finished.path / "index.html").read_text()
    assert "This run failed" in index
    assert error in index
    assert (out / "latest").readlink() == Path(finished.path.name)
    assert dead_links(finished.path) == set()


def test_a_run_past_its_time_limit_is_kept(
    example_snapshot: Path, notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    monkeypatch.setattr("ses_audit.report.runner.monotonic", lambda: 1e6 if begun.exists() else 0.0)
    loop = f"print('before')\nopen({str(begun)!r}, 'w').close()\nwhile True: pass"
    shutil.rmtree(notebooks)
    folder_of(notebooks, **{"01_inventory": tiny("01_inventory", loop)})
    options = RunOptions(out=tmp_path / "reports", folder=notebooks, seconds=3600)
    finished = run_report(options, taking(example_snapshot))
    said = record(finished)
    assert (said["status"], said["exit_code"]) == ("timed out", 1)
    assert "reached its time limit" in (finished.path / "index.html").read_text()
    assert '<section id="01_inventory">' in (finished.path / "report.html").read_text()


@pytest.mark.parametrize("begun", [True, False])
def test_the_time_limit_holds_while_the_organization_is_read(
    begun: bool, notebooks: Path, tmp_path: Path
) -> None:
    def endless(folder: Path) -> Snapshot:
        if begun:
            make_example(folder)
        # The limit is reached now, however long that took.
        signal.raise_signal(signal.SIGALRM)
        raise AssertionError

    options = RunOptions(out=tmp_path / "reports", folder=notebooks, seconds=3600)
    finished = run_report(options, endless)
    assert (finished.record.status, finished.record.exit_code) == ("timed out", 1)
    assert (finished.path / "snapshot" / "manifest.json").exists() is begun
    assert "time limit" in (finished.path / "index.html").read_text()
    assert dead_links(finished.path) == set()


def test_a_page_that_fails_is_named_and_the_others_stand(
    example_snapshot: Path, notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ses_audit.report.pages as pages

    def broken(audit: object, **parameters: object) -> None:
        raise KeyError("<script>")

    monkeypatch.setattr(pages, "PAGES", {**pages.PAGES, "08_rows": broken})
    options = RunOptions(out=tmp_path / "reports", folder=notebooks)
    finished = run_report(options, taking(example_snapshot))
    assert finished.record.status == "failed"
    assert record(finished)["pages_failed"] == {"08_rows": "KeyError: '<script>'"}
    report = (finished.path / "report.html").read_text()
    assert '<section id="01_inventory">' in report
    assert "could not be made" in report
    assert "<script" not in report


def test_nothing_is_left_when_nothing_was_begun(notebooks: Path, tmp_path: Path) -> None:
    out = tmp_path / "reports"

    def refuse(folder: Path) -> Snapshot:
        raise UserError("no credentials: set AWS_PROFILE", USAGE)

    with pytest.raises(UserError, match=r"^no credentials: set AWS_PROFILE$"):
        run_report(RunOptions(out=out, folder=notebooks), refuse)
    assert not out.exists()
    with pytest.raises(UserError, match="did you mean top"):
        run_report(RunOptions(out=out, folder=notebooks, parameters={"tpo": "1"}), refuse)
    assert not out.exists()


def test_what_was_read_is_kept_when_it_is_not_enough(notebooks: Path, tmp_path: Path) -> None:
    def little(folder: Path) -> Snapshot:
        make_example(folder)
        raise UserError("nothing was collected", NOTHING_COLLECTED)

    out = tmp_path / "reports"
    with pytest.raises(UserError, match="nothing was collected; what was read is in ") as error:
        run_report(RunOptions(out=out, folder=notebooks), little)
    assert error.value.exit_code == NOTHING_COLLECTED
    (run,) = [p for p in out.iterdir() if not p.is_symlink()]
    said = json.loads((run / "run.json").read_text())
    assert (said["status"], said["exit_code"]) == ("failed", NOTHING_COLLECTED)
    assert said["error"] == "nothing was collected"
    assert ses_audit.open(run / "snapshot").summary().cells > 0


def test_a_run_that_is_stopped_keeps_what_was_made(
    example_snapshot: Path, notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(audit_run, "run_notebooks", stopped)
    told: list[str] = []
    out = tmp_path / "reports"
    with pytest.raises(KeyboardInterrupt):
        run_report(RunOptions(out=out, folder=notebooks), taking(example_snapshot), told.append)
    (run,) = [p for p in out.iterdir() if not p.is_symlink()]
    assert json.loads((run / "run.json").read_text())["status"] == "stopped"
    assert (run / "report.html").exists()
    assert str(run) in told[-1]
    assert dead_links(run) == set()


def test_two_runs_of_one_second_know_their_own_names(
    example_snapshot: Path, notebooks: Path, tmp_path: Path
) -> None:
    options = RunOptions(out=tmp_path / "reports", folder=notebooks, notebooks=("08_rows",))
    runs = [run_report(options, taking(example_snapshot), clock=clock()) for _ in range(2)]
    assert [record(run)["run_id"] for run in runs] == [run.path.name for run in runs]
    assert runs[1].path.name == "20261123T060000Z-2"


def test_keep_removes_the_oldest(example_snapshot: Path, notebooks: Path, tmp_path: Path) -> None:
    out = tmp_path / "reports"
    options = RunOptions(out=out, folder=notebooks, notebooks=("08_rows",), keep=1)
    first = run_report(options, taking(example_snapshot), clock=lambda: "2026-11-22T06:00:00Z")
    second = run_report(options, taking(example_snapshot), clock=clock())
    assert second.removed == [first.path.name]
    assert second.record.previous_run == first.path.name
    assert re.fullmatch(r"\d{8}T\d{6}Z", second.path.name)
    assert sorted(p.name for p in out.iterdir()) == [second.path.name, "latest"]


SMALL = {
    "an empty organization": (empty_organization, "0 of 0 cells"),
    "one principal, no identity": (no_identities, "0 of 0 cells"),
    "a lone account": (lambda: lone_account(none=False), "no organization"),
}


@pytest.mark.parametrize("case", SMALL)
def test_small_worlds_have_a_whole_report(case: str, notebooks: Path, tmp_path: Path) -> None:
    make, says = SMALL[case]
    audit = save(make(), tmp_path / "snapshot")
    finished = run_report(
        RunOptions(out=tmp_path / "reports", folder=notebooks), taking(audit.snapshot.path)
    )
    assert finished.record.status == "completed", finished.record
    index = (finished.path / "index.html").read_text()
    assert says in index.lower()
    words = re.sub(r"<style>.*?</style>|<[^>]*>", " ", index, flags=re.DOTALL)
    assert not re.search(r"\b(nan|None|NaT)\b", words)
    assert dead_links(finished.path) == set()
