"""One explanation in a live notebook: its layers, then one of its statements, and back."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ses_audit.escape import html as escape
from ses_audit.report.explain_html import (
    candidates_html,
    checklist_html,
    evidence_html,
    gates_html,
    headline_html,
    message_html,
    notes_html,
    repairs_html,
)

if TYPE_CHECKING:
    from ses_audit.audit.explanation import Evidence, Explanation

__all__ = ["CellView", "classed", "wrapped"]


def wrapped(markup: str) -> str:
    """Markup under the stylesheet's scope."""
    return f'<div class="ses-audit">{markup}</div>'


def classed(**widgets: Any) -> None:
    """Give each widget the class `ses-audit-<name>`, by which a page or a test finds it."""
    for name, widget in widgets.items():
        widget.add_class(f"ses-audit-{name.replace('_', '-')}")


class CellView:
    """The layers of one explanation and the statements behind it."""

    def __init__(self) -> None:
        widgets: Any = import_module("ipywidgets")
        self._evidence: list[Evidence] = []
        self._busy = False
        self.layers = widgets.HTML()
        self.statements = widgets.Select(
            description="Statements", options=[], rows=6, layout=widgets.Layout(width="98%")
        )
        self.statement = widgets.HTML()
        self.to_layers = widgets.Button(description="← to the layers")
        self.box = widgets.VBox()
        classed(
            layers=self.layers,
            statements=self.statements,
            statement=self.statement,
            to_layers=self.to_layers,
        )
        self.statements.observe(self._chosen, names="index")
        self.to_layers.on_click(lambda _: self._show_layers())

    def show(self, found: Explanation) -> None:
        """Show an explanation, from its layers on."""
        pieces = [headline_html(found), notes_html(found), message_html(found)]
        if found.candidates:
            pieces.append(candidates_html(found))
        if found.checklist:
            pieces += [gates_html(found), checklist_html(found), repairs_html(found)]
        self.layers.value = wrapped("".join(pieces))
        self._offer(list(dict.fromkeys(e for item in found.checklist for e in item.evidence)))
        self._show_layers()

    def refuse(self, error: Exception) -> None:
        """Show an error as a line where the layers would stand."""
        self.layers.value = wrapped(f'<p class="alert">{escape(error)}</p>')
        self._offer([])
        self._show_layers()

    def _show_layers(self) -> None:
        self._offer(self._evidence)
        chosen = (self.statements,) if self._evidence else ()
        self.box.children = (*chosen, self.layers)

    def _offer(self, evidence: list[Evidence]) -> None:
        self._busy = True
        try:
            self._evidence = evidence
            self.statements.options = [each.title for each in evidence]
            self.statements.index = None
        finally:
            self._busy = False

    def _chosen(self, _: object) -> None:
        if self._busy or self.statements.index is None:
            return
        each = self._evidence[self.statements.index]
        self.statement.value = wrapped(evidence_html(each, opened=True))
        self.box.children = (self.to_layers, self.statement)
