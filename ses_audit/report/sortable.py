"""A table to sort and search in a live notebook, by itables; the plain table where it is missing.

Only in cells tagged `interactive-only`: its script is a megabyte, and a report has none.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ses_audit.escape import html as escape
from ses_audit.escape import terminal
from ses_audit.report.html_table import LIMIT, table
from ses_audit.report.page import Html

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sortable"]


def sortable(
    frame: pd.DataFrame,
    caption: str,
    what: str = "rows",
    limit: int = LIMIT,
    total: int | None = None,
) -> Html:
    """A data frame as a table with sorting and a search field, offline.

    Parameters
    ----------
    frame
        The rows; control and format characters in texts are shown by their codes.
    caption
        What it holds; plain text.
    what
        What a row is, in the plural.
    limit
        The most rows; the caption says "N of M".
    total
        How many there are, where the frame is only the first of them.
    """
    shown = frame.head(limit)
    whole = len(frame) if total is None else total
    count = f"{len(shown):,} of {whole:,} {what}"
    if find_spec("itables") is None:
        rows = [[escape(value) for value in row] for row in shown.itertuples(index=False)]
        plain = table(caption, list(map(str, frame.columns)), rows, total=whole, what=what)
        return Html.of(f'<div class="ses-audit">{plain}</div>')
    itables: Any = import_module("itables")
    markup = itables.to_html_datatable(
        _visible(shown),
        caption=f"{caption}: {count}",
        connected=False,
        allow_html=False,
        maxBytes=0,
        maxColumns=0,
        showIndex=False,
        lengthMenu=[10, 25, 100, 500],
        layout={"topEnd": "search", "topStart": "pageLength"},
    )
    return Html(f'<div class="ses-audit-sortable">{_script()}{markup}</div>', f"{caption}: {count}")


@cache
def _script() -> str:
    """DataTables and its style, from the package itself: nothing is asked of a network."""
    javascript: Any = import_module("itables.javascript")
    options: Any = import_module("itables.options")
    return str(javascript.generate_init_offline_itables_html(options.dt_bundle))


def _visible(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts without anything that moves, hides or colours."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            columns[str(name)] = column
            continue
        texts = {value: terminal(value) for value in column.dropna().unique()}
        columns[str(name)] = column.astype(object).map(texts).fillna("")
    return pd.DataFrame(columns)
