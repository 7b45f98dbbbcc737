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

__all__ = ["MOST_ROWS", "account_codes", "class_counts", "spread"]

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
    found: Numbers = table.column(name).to_numpy()
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


def account_codes(tables: Mapping[str, pa.Table]) -> tuple[Numbers, Numbers]:
    """The account of each sender class and of each identity class, as numbers to compare.

    All members of a class are of one account; that of no account has a number of its own.
    """
    import numpy as np

    sides = (
        ("senders", "sender_class", "principal_account"),
        ("identities", "identity_class", "identity_account"),
    )
    chunks = [chunk for name, _, account in sides for chunk in tables[name].column(account).chunks]
    encoded = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    found: list[Numbers] = []
    first = 0
    for name, key, _ in sides:
        classes = _column(tables[name], key)
        of_class = np.zeros(int(classes.max()) + 1 if len(classes) else 0, dtype=np.int64)
        of_class[classes] = codes[first : first + len(classes)]
        first += len(classes)
        found.append(of_class)
    return found[0], found[1]


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
    of_sender = _Members(_column(tables["senders"], "sender_class"), senders)
    of_identity = _Members(_column(tables["identities"], "identity_class"), identities)
    sender_class, identity_class = (
        _column(cells, name) for name in ("sender_class", "identity_class")
    )
    action, ruling = _column(cells, "action"), _column(cells, "ruling")
    keep = (of_sender.count > 0)[sender_class]
    keep &= (of_identity.count > 0)[identity_class]
    keep &= actions[action]
    keep &= rulings[ruling]
    if not unrelated:
        ungranted = tables["rulings"].column("ungranted").to_numpy(zero_copy_only=False)
        lacking = np.flatnonzero(keep & ungranted.astype(bool)[ruling])
        accounts = account_codes(tables)
        other = accounts[0][sender_class[lacking]] != accounts[1][identity_class[lacking]]
        keep[lacking[other]] = False
    sender_class, identity_class = sender_class[keep], identity_class[keep]
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
    return _ordered(
        {
            "identity": of_identity.members[
                of_identity.start[identity_class][row] + inside % width
            ],
            "sender": of_sender.members[of_sender.start[sender_class][row] + inside // width],
            "action": action[keep][row],
            "ruling": ruling[keep][row],
        },
        [len(tables[name]) for name in ("identities", "senders", "actions", "rulings")],
    )


def _ordered(columns: dict[str, Numbers], sizes: list[int]) -> dict[str, Numbers]:
    """Rows of numbers, sorted by their columns in turn; all are below these sizes."""
    import numpy as np

    most = 1
    for size in sizes:
        most *= max(size, 1)
    if most >= 1 << 63:
        order = np.lexsort(tuple(columns.values())[::-1])
        return {name: column[order] for name, column in columns.items()}
    # One number a row: numbers are sorted ten times as fast as rows.
    packed: Numbers = np.zeros(len(columns["ruling"]), dtype=np.int64)
    for column, size in zip(columns.values(), sizes, strict=True):
        packed = packed * max(size, 1) + column
    packed.sort()
    found: dict[str, Numbers] = {}
    for name, size in reversed(list(zip(columns, sizes, strict=True))):
        packed, found[name] = np.divmod(packed, max(size, 1))
    return found
