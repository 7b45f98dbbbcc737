"""A hostile organization: whatever can be named is named like an attack, and nothing runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from browser_pages import Open
from example_world import make_snapshot

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


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    finished = run_report(
        RunOptions(out=folder / "reports"),
        lambda own: open_snapshot(make_snapshot(own, records())),
    )
    assert finished.record.status == "completed", finished.record
    return finished.path


def test_names_are_text_and_nothing_runs(attacked: Path, open_page: Open) -> None:
    for path in sorted(attacked.glob("*.html")):
        # Without the policy as well: escaping is what protects, the policy stands behind it.
        for bypass in (False, True):
            opened = open_page(path, bypass_csp=bypass)
            page = opened.page
            assert MARK in page.locator("main").inner_text(), path.name
            assert page.title() != "ran", path.name
            assert page.locator("img, script, iframe, object, embed").count() == 0, path.name
            handlers = "() => [...document.querySelectorAll('*')].flatMap(e => "
            handlers += "e.getAttributeNames().filter(n => n.startsWith('on')))"
            assert page.evaluate(handlers) == [], path.name
            assert opened.asked == [path.as_uri()], path.name
            assert (opened.errors, opened.dialogs) == ([], []), path.name


def test_the_attack_itself_can_be_read(attacked: Path, open_page: Open) -> None:
    text = open_page(attacked / "report.html").page.locator("main").inner_text()
    assert "onerror=" in text
    assert "<script>" in text


def test_no_file_name_and_no_output_carries_it(attacked: Path) -> None:
    assert all(MARK not in str(path) for path in attacked.rglob("*"))
    data = (attacked / "data" / "scp_denies.csv").read_text()
    assert MARK in data
    executed = nbformat.read(attacked / "02_send_matrix.ipynb", as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    shown = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
    assert MARK in shown
    assert "<script" not in shown
    assert "<img" not in shown
