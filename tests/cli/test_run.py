"""`ses-audit run`: what it prints and where, its exit codes, one line for bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tiny_notebooks import folder_of, tiny

from ses_audit.report import notebook_files

OPEN = "import ses_audit\nses_audit.open(snapshot).summary()"


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One small notebook in place of those of the package."""
    folder = folder_of(
        tmp_path / "notebooks",
        **{"09_tiny": tiny("09_tiny", OPEN, parameters='snapshot: str = ""\naccount: str = ""')},
    )
    monkeypatch.setattr(notebook_files, "notebooks_folder", lambda: folder)
    return folder


def runs(out: Path) -> list[Path]:
    return [path for path in out.iterdir() if not path.is_symlink()]


def test_the_example_is_audited_over_loopback(
    command, no_aws: None, notebooks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "reports"
    ended = command("run", "--example", "--out", out)
    assert ended.code == 0, ended.err
    (run,) = runs(out)
    # The path alone on standard output, everything else beside it.
    assert ended.out == f"{run / 'index.html'}\n"
    assert "of 11 accounts" in ended.err
    assert "09_tiny: completed" in ended.err
    said = json.loads((run / "run.json").read_text())
    assert said["status"] == "completed"
    assert said["arguments"]["example"] is True
    assert said["snapshot"]["path"] == "snapshot"
    assert said["coverage"]["complete"] is False
    assert (run / "snapshot" / "manifest.json").exists()


def test_a_snapshot_that_is_there_is_not_read_again(
    command, no_aws: None, notebooks: Path, example_snapshot: Path, tmp_path: Path
) -> None:
    out = tmp_path / "reports"
    arguments = ("run", "--snapshot", example_snapshot, "--out", out, "--keep", "1")
    assert command(*arguments, "-p", "account=222222222222").code == 0
    (first,) = runs(out)
    assert json.loads((first / "run.json").read_text())["parameters"] == {"account": "222222222222"}
    ended = command(*arguments, "--require-complete")
    assert ended.code == 4
    assert "removed 1 older report" in ended.err
    (second,) = runs(out)
    said = json.loads((second / "run.json").read_text())
    assert (said["previous_run"], said["exit_code"]) == (first.name, 4)
    assert not (second / "snapshot").exists()


def test_a_failing_notebook_is_exit_code_1_and_still_a_report(
    command, notebooks: Path, example_snapshot: Path, tmp_path: Path
) -> None:
    folder_of(notebooks, **{"09_tiny": tiny("09_tiny", "raise ValueError('no')")})
    ended = command("run", "--snapshot", example_snapshot, "--out", tmp_path / "reports")
    assert ended.code == 1
    assert "09_tiny: failed" in ended.err
    index = Path(ended.out.strip())
    assert "This run failed" in index.read_text()
    assert (index.parent / "report.html").exists()


BAD = {
    "two sources": (
        ("--example", "--snapshot", "{snapshot}"),
        2,
        "--example and --snapshot are two runs: give one of them",
    ),
    "an option of collect": (
        ("--example", "--profile", "x"),
        2,
        "--profile is for reading an organization: leave it out, or --example",
    ),
    "no snapshot": (("--snapshot", "{tmp}/none"), 1, "no snapshot at {tmp}/none"),
    "a foreign folder": (("--snapshot", "{tmp}"), 1, "is not a ses-audit snapshot"),
    "a mistyped parameter": (
        ("--snapshot", "{snapshot}", "-p", "acount=1"),
        2,
        "no notebook has a parameter 'acount'; did you mean account?",
    ),
    "a number for an account": (
        ("--snapshot", "{snapshot}", "-p", "account=12345678901"),
        2,
        "parameter account: '12345678901' is not an account id: twelve digits",
    ),
    "no assignment": (
        ("--snapshot", "{snapshot}", "-p", "account"),
        2,
        "a parameter is name=value",
    ),
    "the runner's own": (
        ("--snapshot", "{snapshot}", "-p", "snapshot=x"),
        2,
        "parameter snapshot is set by the run: use --snapshot",
    ),
    "another notebook": (
        ("--snapshot", "{snapshot}", "--notebook", "9_tiny"),
        2,
        "no notebook '9_tiny'; did you mean 09_tiny?",
    ),
    "a bucket for a folder": (
        ("--snapshot", "{snapshot}", "--out", "s3://audits/reports"),
        2,
        "--out s3://audits/reports: reports stand in a folder of this machine",
    ),
    "a file for a folder": (
        ("--snapshot", "{snapshot}", "--out", "{tmp}/file/reports"),
        2,
        "cannot write to {tmp}/file/reports",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(
    case: str, command, no_aws: None, notebooks: Path, example_snapshot: Path, tmp_path: Path
) -> None:
    arguments, code, says = BAD[case]
    (tmp_path / "file").write_text("")
    names = {"snapshot": str(example_snapshot), "tmp": str(tmp_path)}
    given = [argument.format(**names) for argument in arguments]
    if "--out" not in given:
        given += ["--out", str(tmp_path / "reports")]
    ended = command("run", *given)
    assert ended.code == code, ended.err
    assert ended.said.startswith("ses-audit: ")
    assert says.format(**names) in ended.said
    assert ended.out == ""
    assert not (tmp_path / "reports").exists()


def test_a_truncated_snapshot_is_one_line_and_leaves_nothing(
    command, notebooks: Path, example_snapshot: Path, tmp_path: Path
) -> None:
    import shutil

    damaged = tmp_path / "damaged"
    shutil.copytree(example_snapshot, damaged)
    shutil.rmtree(damaged / "verdicts", ignore_errors=True)
    table = damaged / "tables" / "principals.parquet"
    table.write_bytes(table.read_bytes()[:-10])
    ended = command("run", "--snapshot", damaged, "--out", tmp_path / "reports")
    assert ended.code == 1
    assert "principals.parquet is truncated" in ended.err.splitlines()[-1]
    assert not (tmp_path / "reports").exists()


def test_no_credentials_is_one_line_and_leaves_nothing(
    command, no_aws: None, notebooks: Path, tmp_path: Path
) -> None:
    ended = command("run", "--out", tmp_path / "reports")
    assert ended.code not in (0, 4)
    assert "credentials" in ended.said
    assert not (tmp_path / "reports").exists()


def test_the_external_id_is_nowhere_in_a_report(
    command,
    no_aws: None,
    notebooks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ses_audit.replay.example import example_records
    from ses_audit.replay.recording import Recording
    from ses_audit.replay.server import environment, serve

    folder_of(
        notebooks,
        **{"09_tiny": tiny("09_tiny", "import os\nprint('seen', os.environ.get('OUR_ID'))")},
    )
    monkeypatch.setenv("OUR_ID", "hush-hush-1234")
    recording = Recording(example_records())
    with serve(recording) as server:
        monkeypatch.delenv("AWS_CONFIG_FILE")
        monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE")
        for name, value in environment(server.url, recording.caller_account).items():
            monkeypatch.setenv(name, value)
        ended = command(
            "run",
            *("--out", tmp_path / "reports", "--external-id-env", "OUR_ID"),
            *("--account", "222222222222", "--region", "eu-west-1"),
        )
    assert ended.code == 0, ended.err
    (run,) = runs(tmp_path / "reports")
    assert "seen None" in (run / "09_tiny.html").read_text()
    for path in run.rglob("*"):
        if path.is_file():
            assert b"hush-hush-1234" not in path.read_bytes(), path


def test_a_scheduler_that_stops_it_leaves_what_was_made(
    example_snapshot: Path, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    folder = folder_of(
        tmp_path / "notebooks",
        **{"09_tiny": tiny("09_tiny", f"open({str(begun)!r}, 'w').close()\nwhile True: pass")},
    )
    code = (
        "from pathlib import Path\nfrom ses_audit.report import notebook_files\n"
        f"notebook_files.notebooks_folder = lambda: Path({str(folder)!r})\n"
        "from ses_audit.cli import main\nmain()"
    )
    out = tmp_path / "reports"
    running = subprocess.Popen(
        [sys.executable, "-c", code, "run", "--snapshot", str(example_snapshot), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error::ResourceWarning"},
    )
    waited = threading.Event()
    while not begun.exists() and running.poll() is None:
        waited.wait(0.05)
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate()
    assert running.returncode == 130, err
    (run,) = runs(out)
    assert f"stopped: what was made is in {run}" in err
    assert json.loads((run / "run.json").read_text())["status"] == "stopped"
    assert (run / "report.html").exists()
    assert (run / "09_tiny.ipynb").exists()
