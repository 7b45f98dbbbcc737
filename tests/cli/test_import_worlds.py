"""Import directories made by hand in AWS's own shapes, and verdicts worked out from the rules."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

Command = Any
CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_verdicts_of_an_import(command: Command, tmp_path: Path, path: Path) -> None:
    case = json.loads(path.read_text())
    for name, content in case["files"].items():
        file = tmp_path / "import" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    snapshot, table = tmp_path / "snapshot", tmp_path / "verdicts.csv"
    assert command("import", tmp_path / "import", snapshot).code == 0
    ended = command("verdicts", snapshot, "--all", "--format", "csv", "--out", table)
    assert ended.code == 0
    with table.open(newline="") as rows:
        found = {
            (
                f"{row['identity_name']}@{row['region']}",
                row["principal_arn"].split(":", 4)[-1],
                row["action"].removeprefix("ses:"),
            ): (row["verdict"], row["verdict_without_scp"], row["denied_by"])
            for row in csv.DictReader(rows)
        }
    wrong = {}
    for expect in case["expect"]:
        key = expect["identity"], expect["principal"], expect["action"]
        wanted = expect["verdict"], expect["verdict_without_scp"], expect["denied_by"]
        if found.get(key) != wanted:
            wrong[key] = (expect["rule"], wanted, found.get(key))
    assert not wrong
