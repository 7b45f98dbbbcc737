"""From classes to single cells: the rows of the long table, made for what is asked and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import numpy as np

    Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
    Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]

__all__ = ["MOST_ROWS", "class_counts", "related", "spread"]

MOST_ROWS = 5_000_000
"""The most rows of the long table that are held at once."""


class _Members:
    """The chosen members of each class."""

    def __init__(self, classes: Numbers, chosen: Flags | None) -> None:
        import numpy as np

        members = np.arange(len(classes)) if chosen is None else np.flatnonzero(chosen)
        of = classes[members]
        self.members: Numbers = members[np.argsort(of, kind="stable")]
        size = int(classes.max()) + 1 if len(classes) else 0
        self.count: Numbers = np.bincount(of, minlength=size)
        self.start: Numbers = np.cumsum(self.count) - self.count


def _column(table: pa.Table, name: str) -> Numbers:
    import numpy as np

    found: Numbers = table.column(name).to_numpy().astype(np.int64)
    return found


def class_counts(tables: Mapping[str, pa.Table]) -> Numbers:
    """How many single cells each row of `cells` stands for."""
    cells = tables["cells"]
    senders = _Members(_column(tables["senders"], "sender_class"), None)
    identities = _Members(_column(tables["identities"], "identity_class"), None)
    found: Numbers = (
        senders.count[_column(cells, "sender_class")]
        * identities.count[_column(cells, "identity_class")]
    )
    return found


def related(tables: Mapping[str, pa.Table]) -> Flags:
    """Which rows of `cells` are more than a cross-account denial for lack of a grant."""
    import numpy as np

    cells = tables["cells"]
    ungranted = tables["rulings"].column("ungranted").to_numpy(zero_copy_only=False).astype(bool)
    sides = []
    for name, key, account in (
        ("senders", "sender_class", "principal_account"),
        ("identities", "identity_class", "identity_account"),
    ):
        table = tables[name]
        classes = _column(table, key)
        accounts = table.column(account).to_pandas().to_numpy()
        of_class = np.empty(int(classes.max()) + 1 if len(classes) else 0, dtype=object)
        # All members of a class belong to one account.
        of_class[classes] = accounts
        sides.append(of_class[_column(cells, key)])
    found: Flags = ~(ungranted[_column(cells, "ruling")] & (sides[0] != sides[1]))
    return found


def spread(
    tables: Mapping[str, pa.Table],
    *,
    senders: Flags,
    identities: Flags,
    actions: Flags,
    rulings: Flags,
    unrelated: bool,
    most: int = MOST_ROWS,
) -> dict[str, Numbers]:
    """The single cells of chosen senders, identities, actions and rulings.

    Parameters
    ----------
    tables
        The verdict tables.
    senders, identities, actions, rulings
        For each row of the table of that name, whether it is chosen.
    unrelated
        Whether cross-account cells that are denied for lack of a grant are among them.
    most
        The most cells that are given.

    Returns
    -------
    dict
        `sender`, `identity`, `action`, `ruling`: row numbers, by identity, sender and action.

    Raises
    ------
    UserError
        Where there are more.
    """
    import numpy as np

    cells = tables["cells"]
    action, ruling = _column(cells, "action"), _column(cells, "ruling")
    keep = actions[action] & rulings[ruling]
    if not unrelated:
        keep &= related(tables)
    of_sender = _Members(_column(tables["senders"], "sender_class"), senders)
    of_identity = _Members(_column(tables["identities"], "identity_class"), identities)
    sender_class = _column(cells, "sender_class")[keep]
    identity_class = _column(cells, "identity_class")[keep]
    width = of_identity.count[identity_class]
    sizes = of_sender.count[sender_class] * width
    total = int(sizes.sum())
    if total > most:
        raise UserError(
            f"{total:,} verdicts are asked for, and at most {most:,} are listed at once: narrow "
            "them by account, principal, identity, region, action or verdict",
            USAGE,
        )
    row = np.repeat(np.arange(len(sizes)), sizes)
    inside = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    width = np.maximum(width, 1)[row]
    found = {
        "sender": of_sender.members[of_sender.start[sender_class][row] + inside // width],
        "identity": of_identity.members[of_identity.start[identity_class][row] + inside % width],
        "action": action[keep][row],
        "ruling": ruling[keep][row],
    }
    order = np.lexsort((found["action"], found["sender"], found["identity"]))
    return {name: column[order] for name, column in found.items()}
