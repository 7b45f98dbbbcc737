"""Controls of a live notebook, driven without a browser."""

from __future__ import annotations

import ipywidgets
import pytest
from report_worlds import ALICE, EAST, IDLE, WEB, WEST

from ses_audit.audit import Audit
from ses_audit.audit.queries import Selection
from ses_audit.report import widgets
from ses_audit.report.asker import Asker
from ses_audit.report.controls import Controls
from ses_audit.report.explore import FIELDS, Explorer
from ses_audit.report.page import Html


@pytest.fixture
def controls(small: Audit) -> Controls:
    return Controls(Explorer(small))


def shown(controls: Controls) -> str:
    return Html.of("".join(getattr(w, "value", "") for w in controls.view.children if w)).text


def test_it_begins_with_everything(controls: Controls) -> None:
    assert controls.selection.all
    assert "56 of 56 cells" in Html.of(controls.counts.value).text
    assert "Cells: 56 of 56" in Html.of(controls.counts.value).text
    assert len(controls.cells.options) == 56
    assert "Who can send, by account and region" in Html.of(controls.matrix.value).text


def test_a_choice_changes_the_matrix_the_cells_and_what_is_left(controls: Controls) -> None:
    controls.fields["region"].value = "us-east-1"
    assert controls.selection == Selection(region="us-east-1")
    assert "28 of 56 cells" in Html.of(controls.counts.value).text
    assert "eu-west-1" not in Html.of(controls.matrix.value).text
    assert [value for _, value in controls.fields["kind"].options] == ["", "scp_alone", "denied"]
    assert controls.fields["identity"].options[0][0] == "all (1)"
    controls.fields["principal"].value = ALICE
    assert "7 of 56 cells" in Html.of(controls.counts.value).text
    assert "SCP RegionLock @ Workloads" in Html.of(controls.matrix.value).text
    controls.everything.click()
    assert controls.selection.all
    assert all(controls.fields[field].value == "" for field in FIELDS)


def test_from_a_cell_to_its_layers_to_the_statement_and_back(controls: Controls) -> None:
    controls.fields["kind"].value = "scp_alone"
    place = next(i for i, label in enumerate(controls.cells.options) if "alice" in label)
    controls.cells.index = place
    assert controls.view.children == (controls.to_matrix, controls.cell.box)
    layers = Html.of(controls.cell.layers.value).text
    assert "✗ closed" in layers
    assert "RegionLock" in layers
    titles = controls.cell.statements.options
    controls.cell.statements.index = next(i for i, t in enumerate(titles) if "RegionLock" in t)
    assert controls.cell.box.children == (controls.cell.to_layers, controls.cell.statement)
    assert '"aws:RequestedRegion": "eu-west-1"' in Html.of(controls.cell.statement.value).text
    controls.cell.to_layers.click()
    assert controls.cell.layers in controls.cell.box.children
    controls.to_matrix.click()
    assert controls.matrix in controls.view.children
    # The same cell can be chosen again.
    controls.cells.index = place
    assert controls.view.children == (controls.to_matrix, controls.cell.box)


def test_a_lone_cell_is_explained_at_once(small: Audit) -> None:
    one = Selection(principal=IDLE, identity=WEST, action="ses:SendEmail")
    controls = Controls(Explorer(small, one))
    assert controls.view.children == (controls.to_matrix, controls.cell.box)
    assert "1 cause" in Html.of(controls.cell.layers.value).text


def test_parameters_are_where_it_begins(small: Audit) -> None:
    box = widgets.explorer(small, Selection(account=WEB, identity=EAST))
    assert isinstance(box, ipywidgets.VBox)


def test_without_ipywidgets_there_is_a_line(small: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widgets, "find_spec", lambda name: None)
    for found in (widgets.explorer(small, Selection()), widgets.asker(small)):
        assert isinstance(found, Html)
        assert "ses-audit[interactive]" in found.text


def test_a_message_is_explained(small: Audit) -> None:
    asker = Asker(small, "", "", "", "")
    assert asker.action.value == "ses:SendRawEmail"
    assert asker.cell.box.children == ()
    asker.message.value = (
        f"554 Access denied: User `{ALICE}' is not authorized to perform `ses:SendRawEmail' on "
        f"resource `{EAST}'"
    )
    asker.explain.click()
    assert "Denied by RegionLock on Workloads." in Html.of(asker.cell.layers.value).text


def test_a_cell_is_explained_at_once_when_the_parameters_name_it(small: Audit) -> None:
    asker = Asker(small, "", "idle", WEST, "SendEmail")
    assert "1 cause" in Html.of(asker.cell.layers.value).text
    assert asker.action.value == "ses:SendEmail"


def test_nothing_to_explain_is_said(small: Audit) -> None:
    asker = Asker(small, "", "", "", "")
    asker.explain.click()
    assert "paste a message" in Html.of(asker.cell.layers.value).text


def test_candidates_are_listed(small: Audit) -> None:
    asker = Asker(small, "", "alice", "example.com", "")
    assert "It may mean: 2 of 2 candidates" in Html.of(asker.cell.layers.value).text
