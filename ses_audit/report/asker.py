"""A field for an error message and fields for a cell; the explanation follows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ses_audit.errors import UserError
from ses_audit.report.cell_view import CellView, classed
from ses_audit.report.style import style_element
from ses_audit.ses.messages import parse_message

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["Asker"]

_ACTION = "ses:SendRawEmail"


class Asker:
    """Explains what is pasted, or the cell that is named.

    Parameters
    ----------
    audit
        The snapshot.
    message, principal, identity, action
        Where to begin: the notebook's parameters.
    """

    def __init__(
        self, audit: Audit, message: str, principal: str, identity: str, action: str
    ) -> None:
        widgets: Any = import_module("ipywidgets")
        self._audit = audit
        wide = widgets.Layout(width="98%")
        self.message = widgets.Textarea(
            description="Message",
            value=message,
            rows=4,
            placeholder="554 Access denied: User … is not authorized to perform …",
            layout=wide,
        )
        self.principal = widgets.Text(description="Principal", value=principal, layout=wide)
        self.identity = widgets.Text(description="Identity", value=identity, layout=wide)
        self.action = widgets.Dropdown(
            description="Action",
            options=audit.queries.actions(),
            value=_action(audit, action),
        )
        self.explain = widgets.Button(description="Explain", button_style="primary")
        self.cell = CellView()
        self.box: Any = widgets.VBox(
            [
                widgets.HTML(style_element()),
                self.message,
                self.principal,
                self.identity,
                self.action,
                self.explain,
                self.cell.box,
            ]
        )
        classed(
            message=self.message,
            principal=self.principal,
            identity=self.identity,
            action=self.action,
            explain=self.explain,
        )
        self.explain.on_click(lambda _: self._ask())
        if self._asked:
            self._ask()

    @property
    def _asked(self) -> bool:
        return any(field.value.strip() for field in (self.message, self.principal, self.identity))

    def _ask(self) -> None:
        """The message goes before the cell."""
        try:
            if not self._asked:
                raise UserError("paste a message, or name a principal and an identity")
            if self.message.value.strip():
                found = self._audit.explain_message(parse_message(self.message.value))
            else:
                found = self._audit.explain(
                    self.principal.value.strip(), self.action.value, self.identity.value.strip()
                )
        except UserError as error:
            self.cell.refuse(error)
        else:
            self.cell.show(found)


def _action(audit: Audit, action: str) -> str:
    """The action a person typed, with its prefix; what SMTP is checked as by default."""
    from ses_audit.report.choices import choose

    named = action.strip()
    named = f"ses:{named}" if named and ":" not in named else named
    return choose("action", named, audit.queries.actions()) or _ACTION
