"""A hostile organization: whatever can be named is named like an attack, and nothing runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from browser_pages import Open
from example_world import make_snapshot
from hostile_world import make_hostile

from ses_audit.replay.example import example_records
from ses_audit.report.audit_run import RunOptions, run_report
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.store import open_snapshot

ATTACK = (
    "<img src=x onerror=\"document.title='ran'\"></script><script>document.title='ran'</script>"
)
MARK = "HOSTILE"
NAMES = ("Name", "Description", "Sid")


def hostile(value: object, key: str = "") -> object:
    """The value with an attack behind each name, those inside policy texts included."""
    if isinstance(value, dict):
        return {name: hostile(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner, key) for inner in value]
    if isinstance(value, str):
        if key in NAMES:
            return f"{value} {MARK} {ATTACK}"
        if value.lstrip().startswith("{") and '"Statement"' in value:
            return json.dumps(hostile(json.loads(value)))
    return value


def records() -> Iterator[Record]:
    for record in example_records():
        error = record.error and {**record.error, "message": f"{MARK} {ATTACK}"}
        response = record.response and hostile(record.response)
        yield replace(record, response=response, error=error)  # type: ignore[arg-type]


def named(path: Path) -> Path:
    """The example with an attack in each name of an account, OU, policy and statement."""
    return make_snapshot(path, records())


# How the organization attacks, and what of the attack is seen as text.
WORLDS = {"names": (named, MARK), "paths and identities": (make_hostile, "evil.example")}


@pytest.fixture(scope="module", params=list(WORLDS))
def world(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def attacked(world: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    make, _ = WORLDS[world]
    finished = run_report(RunOptions(out=folder / "reports"), lambda own: open_snapshot(make(own)))
    assert finished.record.status == "completed", finished.record
    return finished.path


def test_names_are_text_and_nothing_runs(world: str, attacked: Path, open_page: Open) -> None:
    seen = 0
    for path in sorted(attacked.glob("*.html")):
        # Without the policy as well: escaping is what protects, the policy stands behind it.
        for bypass in (False, True):
            opened = open_page(path, bypass_csp=bypass)
            page = opened.page
            seen += WORLDS[world][1] in page.locator("main").inner_text()
            assert page.title() != "ran", path.name
            assert page.locator("img, script, iframe, object, embed").count() == 0, path.name
            handlers = "() => [...document.querySelectorAll('*')].flatMap(e => "
            handlers += "e.getAttributeNames().filter(n => n.startsWith('on')))"
            assert page.evaluate(handlers) == [], path.name
            assert opened.asked == [path.as_uri()], path.name
            assert (opened.errors, opened.dialogs) == ([], []), path.name
    assert seen >= 2


def test_the_attack_itself_can_be_read(world: str, attacked: Path, open_page: Open) -> None:
    text = open_page(attacked / "report.html").page.locator("main").inner_text()
    assert WORLDS[world][1] in text
    assert "</script>" in text


def test_no_file_name_and_no_output_carries_it(world: str, attacked: Path) -> None:
    mark = WORLDS[world][1]
    assert all(mark not in str(path) for path in attacked.rglob("*"))
    for path in (attacked / "data").glob("*.csv"):
        with path.open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "@", "+"))] == [], path.name
    executed = nbformat.read(attacked / "02_send_matrix.ipynb", as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    shown = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
    assert mark in shown
    assert "<script" not in shown
    assert "<img" not in shown
