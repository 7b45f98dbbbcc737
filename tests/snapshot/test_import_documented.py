"""docs/import.md names every file that an import uses, as an import reads it."""

from __future__ import annotations

import re
from pathlib import Path

from ses_audit.snapshot.import_files import USED, Call, call_of

PAGE = (Path(__file__).parents[2] / "docs/import.md").read_text("utf-8")
# The first cell of a table's row, and the command beside it.
ROWS = re.findall(
    r"^\| `((?:organizations|iam|account|ec2|sesv2)\.\S+)\.json` \| (.+) \|$", PAGE, re.M
)


def call(name: str) -> Call:
    region = "eu-west-1" if name.startswith("sesv2") else "global"
    found = call_of(("222222222222", region, f"{name}.json"))
    assert isinstance(found, Call), (name, found)
    return found


def test_every_file_that_is_used_is_documented_and_the_other_way_round() -> None:
    documented = {(found.service, found.operation) for found in (call(name) for name, _ in ROWS)}
    assert documented == USED


def test_the_command_beside_a_file_makes_it() -> None:
    commands = re.compile(r"`aws ([a-z0-9-]+) ([a-z-]+)")
    for name, text in ROWS:
        command = commands.search(text)
        assert command is not None, text
        service, operation = name.split(".")[:2]
        assert command.groups() == (service, operation)
        # The argument stands in the command as it stands in the name.
        argument = name.split(".")[2:]
        assert all(part in text for part in argument)
