"""`ses-audit replay` as a process: what it prints is enough for boto3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from ses_audit.replay.example.build import example_data

# A job in the background of a shell would ignore Ctrl-C.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from ses_audit.cli import main; main()"
)


@contextmanager
def serving(*arguments: object, **inherited: str) -> Iterator[tuple[dict[str, str], list[str]]]:
    """The exported variables and the other lines; stopped with Ctrl-C, which is no failure."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "replay", *map(str, arguments), "--print-env"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **inherited},
    )
    assert process.stdout is not None
    try:
        exported: dict[str, str] = {}
        other: list[str] = []
        while "NO_PROXY" not in exported:
            line = process.stdout.readline().rstrip("\n")
            assert line, process.communicate()[1]
            word, _, rest = line.partition(" ")
            if word == "export":
                name, _, value = rest.partition("=")
                exported[name] = value
            else:
                other.append(line)
        yield exported, other
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "calls served" in err
    finally:
        process.kill()
        process.wait()


def accounts(exported: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in exported.items():
        monkeypatch.setenv(name, value)
    listed = (
        boto3.session.Session().client("organizations").get_paginator("list_accounts").paginate()
    )
    return [account["Id"] for page in listed for account in page["Accounts"]]


def test_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [account["id"] for account in example_data("organization")["accounts"]]
    inherited = {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL_STS": "https://sts.example"}
    with serving(**inherited) as (exported, other):
        assert exported["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
        assert exported["NO_PROXY"] == "*"
        # What would win over the exported variables is taken away.
        assert {"unset AWS_PROFILE", "unset AWS_ENDPOINT_URL_STS"} <= set(other)
        assert accounts(exported, monkeypatch) == expected


def test_a_snapshot(example_snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(f"file://{example_snapshot}") as (exported, _):
        assert len(accounts(exported, monkeypatch)) == 12


def test_an_import_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "111111111111/global"
    folder.mkdir(parents=True)
    text = json.dumps({"Accounts": [{"Id": "222222222222", "State": "ACTIVE"}]})
    (folder / "organizations.list-accounts.json").write_text(text)
    with serving(tmp_path) as (exported, _):
        assert accounts(exported, monkeypatch) == ["222222222222"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["none"], 2, "nothing to import: none does not exist"),
        (["--account", "000000000000"], 2, "nothing is recorded of account 000000000000"),
        (["--port", "70000"], 2, "70000"),
        (["--conditions", "none.json"], 2, "none.json"),
    ],
)
def test_what_cannot_be_served(
    command: object, arguments: list[str], code: int, says: str, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    ended = command("replay", *arguments)  # type: ignore[operator]
    assert ended.code == code
    assert says in ended.err
    assert ended.out == ""


def test_a_foreign_folder_is_refused(command: object, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    ended = command("replay", tmp_path)  # type: ignore[operator]
    assert ended.code == 1
    assert "is not a ses-audit snapshot: its manifest.json is another tool's" in ended.said
