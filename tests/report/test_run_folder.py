"""A run's folder: whole or not there; the latest; only runs are ever removed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from ses_audit.errors import USAGE, UserError
from ses_audit.report.run_folder import (
    RunFolder,
    earlier_runs,
    new_run_id,
    point_latest,
    remove_old,
)

RECORD = json.dumps({"format": "ses-audit run"})


def a_run(out: Path, name: str) -> Path:
    (out / name).mkdir(parents=True)
    (out / name / "run.json").write_text(RECORD)
    return out / name


def test_a_run_is_moved_into_place_in_one_step(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    folder = RunFolder.begin(out, new_run_id("2026-11-23T06:00:00Z"))
    assert stat.S_IMODE(folder.work.stat().st_mode) == 0o700
    assert folder.work == out / ".20261123T060000Z"
    (folder.work / "run.json").write_text(RECORD)
    assert earlier_runs(out) == []
    assert folder.place() == out / "20261123T060000Z"
    assert [path.name for path in out.iterdir()] == ["20261123T060000Z"]
    assert earlier_runs(out) == ["20261123T060000Z"]


def test_two_runs_of_one_second_are_two_folders(tmp_path: Path) -> None:
    a_run(tmp_path, "20261123T060000Z")
    # One that goes on has its id already.
    folders = [RunFolder.begin(tmp_path, "20261123T060000Z") for _ in range(2)]
    assert [folder.run_id for folder in folders] == ["20261123T060000Z-2", "20261123T060000Z-3"]
    for folder in reversed(folders):
        (folder.work / "run.json").write_text(RECORD)
        assert folder.place().name == folder.run_id
    assert earlier_runs(tmp_path) == [
        "20261123T060000Z",
        "20261123T060000Z-2",
        "20261123T060000Z-3",
    ]


def test_a_run_that_cannot_be_moved_stays_where_it_was_made(tmp_path: Path) -> None:
    folder = RunFolder.begin(tmp_path, "20261123T060000Z")
    (folder.work / "run.json").write_text(RECORD)
    (tmp_path / "20261123T060000Z").write_text("a file of someone else")
    with pytest.raises(UserError, match="it is in ") as error:
        folder.place()
    assert str(folder.work) in str(error.value)
    assert (folder.work / "run.json").exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="choose another --out") as error:
        RunFolder.begin(tmp_path / "file" / "reports", "20261123T060000Z")
    assert error.value.exit_code == USAGE


def test_what_was_never_used_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    RunFolder.begin(out, "20261123T060000Z").discard()
    assert not out.exists()
    a_run(out, "20261123T050000Z")
    RunFolder.begin(out, "20261123T060000Z").discard()
    assert earlier_runs(out) == ["20261123T050000Z"]


def test_latest_names_the_newest_and_spares_what_is_not_ours(tmp_path: Path) -> None:
    a_run(tmp_path, "20261123T060000Z")
    a_run(tmp_path, "20261124T060000Z")
    for name in ("20261123T060000Z", "20261124T060000Z"):
        point_latest(tmp_path, name)
        assert (tmp_path / "latest").readlink() == Path(name)
    other = tmp_path / "other"
    (other / "latest").mkdir(parents=True)
    point_latest(other, "20261123T060000Z")
    assert not (other / "latest").is_symlink()


def test_only_the_oldest_runs_are_removed(tmp_path: Path) -> None:
    for day in ("21", "22", "23"):
        a_run(tmp_path, f"202611{day}T060000Z")
    a_run(tmp_path, "20261123T060000Z-2")
    a_run(tmp_path, "sample")
    (tmp_path / "20261101T060000Z").mkdir()  # a run's name, and not a run
    point_latest(tmp_path, "20261123T060000Z-2")
    assert remove_old(tmp_path, 2) == ["20261121T060000Z", "20261122T060000Z"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "20261101T060000Z",
        "20261123T060000Z",
        "20261123T060000Z-2",
        "latest",
        "sample",
    ]
    assert remove_old(tmp_path, 9) == []


def test_a_removal_that_was_cut_short_is_ended(tmp_path: Path) -> None:
    a_run(tmp_path, "20261122T060000Z")
    a_run(tmp_path, "20261123T060000Z")
    a_run(tmp_path, ".20261122T060000Z.removed")
    assert remove_old(tmp_path, 1) == ["20261122T060000Z"]
    assert [path.name for path in tmp_path.iterdir()] == ["20261123T060000Z"]


def test_a_link_to_a_run_is_not_a_run(tmp_path: Path) -> None:
    elsewhere = a_run(tmp_path / "elsewhere", "20261101T060000Z")
    out = tmp_path / "reports"
    out.mkdir()
    (out / "20261101T060000Z").symlink_to(elsewhere)
    a_run(out, "20261102T060000Z")
    assert remove_old(out, 1) == []
    assert elsewhere.exists()
