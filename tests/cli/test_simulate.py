"""`ses-audit simulate`: lines in, results out, in order; a bad line does not stop the rest."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from random_requests import line

from ses_audit.cli import simulate as command_module
from ses_audit.policy.simulation import simulate

Command = Any
GOOD = {"Id": "good", "ActionNames": ["ses:SendEmail"]}


def _file(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "requests.jsonl"
    texts = (each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)
    path.write_bytes(b"\n".join(texts) + b"\n")
    return path


def _results(out: str) -> list[Any]:
    return [json.loads(text) for text in out.splitlines()]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_in_the_order_of_the_lines(command: Command, tmp_path: Path, workers: int) -> None:
    lines = [line(seed, open_context=seed % 7 == 0) for seed in range(450)]
    ended = command("simulate", _file(tmp_path, *lines), "--workers", workers)
    assert ended.code == 0
    assert _results(ended.out) == [simulate(each) for each in lines]


def test_a_bad_line_has_its_error_and_the_rest_go_on(command: Command, tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        b"\xef\xbb\xbf" + json.dumps({**GOOD, "Id": 1}).encode(),
        b"{",
        b"",
        b"\xff\xfe",
        {"Id": "bad", "ActionNames": ["ses:SendEmail"], "Polices": []},
        GOOD,
    )
    ended = command("simulate", file)
    assert ended.code == 4
    assert ended.said == "3 of 5 lines have an error; see their Error"
    first, malformed, bytes_, unknown, last = _results(ended.out)
    assert (first["Id"], last["Id"]) == (1, "good")
    assert malformed["Id"] is None
    assert malformed["Error"].startswith("line 2: the line is malformed: not JSON")
    assert bytes_ == {"Id": None, "Error": "line 4: not UTF-8 at byte 0"}
    assert unknown == {"Id": "bad", "Error": "line 5: unknown field 'Polices'"}


def test_a_line_too_long_is_passed_over(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_module, "_LONGEST", 100)
    ended = command("simulate", _file(tmp_path, {**GOOD, "Id": "x" * 1000}, GOOD))
    assert ended.code == 4
    assert [each["Id"] for each in _results(ended.out)] == [None, "good"]
    assert _results(ended.out)[0]["Error"] == "line 1: longer than 100 bytes"


def test_standard_input(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = SimpleNamespace(buffer=io.BytesIO(json.dumps(GOOD).encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    ended = command("simulate", "-")
    assert [each["Id"] for each in _results(ended.out)] == ["good"]
    assert (ended.code, ended.err) == (0, "")


def test_lines_are_read_no_further_than_they_are_needed() -> None:
    read = 0

    def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield read, json.dumps(GOOD).encode()

    results = command_module._results(endless(), 1)
    for _ in range(50):
        next(results)
    assert read == 50


def test_the_aws_command_of_one_line(command: Command, tmp_path: Path) -> None:
    file = _file(tmp_path, b"{", {**GOOD, "Id": 7, "OpenContext": True}, GOOD)
    ended = command("simulate", file, "--aws-command", "7")
    assert ended.code == 0
    assert ended.out.startswith("aws iam simulate-custom-policy --cli-input-json '{")
    assert ended.said == "left out, AWS does not know it: OpenContext"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--aws-command", "none"), "has the Id none: name one that is there"),
        (("--aws-command", "bad"), "line 2 of"),
    ],
)
def test_an_aws_command_that_cannot_be_given(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    file = _file(tmp_path, GOOD, {"Id": "bad", "ActionNames": []})
    ended = command("simulate", file, *arguments)
    assert ended.code == 2
    assert said in ended.said


def test_a_file_that_is_not_there(command: Command, tmp_path: Path) -> None:
    ended = command("simulate", tmp_path / "none.jsonl")
    assert ended.code == 2
    assert ended.said.endswith("No such file or directory; name another file")
