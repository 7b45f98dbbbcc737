"""Controls on an `Explorer`: choices, the matrix and its cells, a cell's layers, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

from ses_audit.audit.queries import Selection
from ses_audit.errors import UserError
from ses_audit.report.cell_view import CellView, classed, wrapped
from ses_audit.report.explore import FIELDS, Cell, Explorer
from ses_audit.report.style import style_element

__all__ = ["Controls"]

_LABELS = {
    "ou": "OU",
    "account": "Account",
    "principal": "Principal",
    "identity": "Identity",
    "region": "Region",
    "action": "Action",
    "kind": "Verdict",
}


class Controls:
    """The widgets and what they do.

    Parameters
    ----------
    explorer
        Where to begin.
    """

    def __init__(self, explorer: Explorer) -> None:
        widgets: Any = import_module("ipywidgets")
        self._explorer = explorer
        self._cells: list[Cell] = []
        self._busy = False
        self.fields: dict[str, Any] = {
            field: widgets.Dropdown(
                description=_LABELS[field],
                options=[("all", "")],
                layout=widgets.Layout(width="24rem"),
            )
            for field in FIELDS
        }
        self.everything = widgets.Button(description="Everything", icon="undo")
        self.counts = widgets.HTML()
        self.cells = widgets.Select(
            description="Cells", options=[], rows=8, layout=widgets.Layout(width="98%")
        )
        self.matrix = widgets.HTML()
        self.to_matrix = widgets.Button(description="← to the matrix")
        self.cell = CellView()
        self.view = widgets.VBox()
        choices = widgets.HBox(
            [*self.fields.values(), self.everything], layout=widgets.Layout(flex_flow="row wrap")
        )
        self.box: Any = widgets.VBox([widgets.HTML(style_element()), choices, self.view])
        classed(
            **self.fields,
            everything=self.everything,
            counts=self.counts,
            cells=self.cells,
            matrix=self.matrix,
            to_cells=self.to_matrix,
            explorer=self.box,
        )
        self._show()
        for field, widget in self.fields.items():
            widget.observe(self._chooser(field), names="value")
        self.cells.observe(self._cell_chosen, names="index")
        self.everything.on_click(lambda _: self._choose_all())
        self.to_matrix.on_click(lambda _: self._show_matrix())

    @property
    def selection(self) -> Selection:
        """What is chosen now."""
        return self._explorer.selection

    def _chooser(self, field: str) -> Callable[[object], None]:
        def chosen(_: object) -> None:
            if not self._busy:
                self._explorer = self._explorer.choose(**{field: self.fields[field].value or ""})
                self._show()

        return chosen

    def _choose_all(self) -> None:
        self._explorer = replace(self._explorer, selection=Selection())
        self._show()

    def _show(self) -> None:
        """The matrix, its cells, and what is left to choose; a lone cell is explained at once."""
        self._busy = True
        try:
            for field, widget in self.fields.items():
                self._offer(field, widget)
            self._cells = self._explorer.cells()
            self.cells.options = [cell.label for cell in self._cells]
        finally:
            self._busy = False
        total = self._explorer.count
        self.counts.value = wrapped(
            f"{self._explorer.counts().markup}"
            f"<p>Cells: {len(self._cells):,} of {total:,}. Choose one to see its layers.</p>"
        )
        self.matrix.value = wrapped(self._explorer.matrix().markup)
        self._show_matrix()
        if total == 1:
            self._explain(self._cells[0])

    def _offer(self, field: str, widget: Any) -> None:
        given = getattr(self.selection, field)
        options = [(option.label, option.value) for option in self._explorer.options(field)]
        if given and given not in (value for _, value in options):
            options.insert(0, (given, given))
        widget.options = [(f"all ({len(options):,})", ""), *options]
        widget.value = given

    def _show_matrix(self) -> None:
        self._busy = True
        try:
            self.cells.index = None
        finally:
            self._busy = False
        self.view.children = (self.counts, self.cells, self.matrix)

    def _cell_chosen(self, _: object) -> None:
        if not self._busy and self.cells.index is not None:
            self._explain(self._cells[self.cells.index])

    def _explain(self, cell: Cell) -> None:
        try:
            found = self._explorer.audit.explain(cell.principal, cell.action, cell.identity)
        except UserError as error:
            self.cell.refuse(error)
        else:
            self.cell.show(found)
        self.view.children = (self.to_matrix, self.cell.box)
