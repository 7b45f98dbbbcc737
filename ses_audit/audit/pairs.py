"""Verdicts by pairs of classes: what is counted is read from a pair once, not once an action.

A pair is a class of senders with a class of identities; its *pattern* is the ruling of each action.
Pairs share few patterns, so that a question about verdicts is asked of the patterns, and what they
answer is summed over the pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from ses_audit.audit.spread import account_codes

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
    Rows = np.ndarray[tuple[int, int], np.dtype[np.int32]]

__all__ = ["Pairs", "pairs_of"]

_ODD = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: its powers are spread over all numbers."""


class Pairs(NamedTuple):
    """The cells of verdict tables, pair by pair."""

    pairs: pa.Table
    """`sender_class`, `identity_class`, `pattern`."""
    patterns: pa.Table
    """`pattern`, `action_number`, `ruling`, and `same`: whether both are of one account."""


def pairs_of(tables: Mapping[str, pa.Table]) -> Pairs:
    """The cells of verdict tables by pairs and patterns.

    Parameters
    ----------
    tables
        The verdict tables.
    """
    import numpy as np

    cells = tables["cells"]
    senders, identities = (cells.column(c).to_numpy() for c in ("sender_class", "identity_class"))
    actions, rulings = (cells.column(c).to_numpy() for c in ("action", "ruling"))
    key = (senders.astype(np.int64) << 32) | identities
    if not _together(key):
        order = np.argsort(key, kind="stable")
        key, senders, identities = key[order], senders[order], identities[order]
        actions, rulings = actions[order], rulings[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1]))) if len(key) else key
    sizes = np.diff(np.append(first, len(key)))
    rows = np.full((len(first), len(tables["actions"])), -1, dtype=np.int32)
    rows[np.repeat(np.arange(len(first)), sizes), actions] = rulings
    of_sender, of_identity = account_codes(tables)
    same = of_sender[senders[first]] == of_identity[identities[first]]
    distinct, number = _distinct(np.column_stack((rows, same)))
    pattern, action = np.nonzero(distinct[:, :-1] >= 0)
    return Pairs(
        pa.table(
            {
                "sender_class": senders[first],
                "identity_class": identities[first],
                "pattern": number.astype(np.int32),
            }
        ),
        pa.table(
            {
                "pattern": pattern.astype(np.int32),
                "action_number": action.astype(np.int8),
                "ruling": distinct[pattern, action],
                "same": distinct[pattern, -1] > 0,
            }
        ),
    )


def _together(key: Numbers) -> bool:
    """Whether equal keys stand next to each other, as they are stored."""
    import numpy as np

    runs = key[np.concatenate(([True], key[1:] != key[:-1]))] if len(key) else key
    runs = np.sort(runs)
    return not (runs[1:] == runs[:-1]).any()


def _distinct(rows: Rows) -> tuple[Rows, Numbers]:
    """The distinct rows, and for each row the number of its own."""
    import numpy as np

    with np.errstate(over="ignore"):
        mixed = np.zeros(len(rows), dtype=np.uint64)
        for column in rows.T:
            mixed = mixed * np.uint64(_ODD) + column.astype(np.uint64)
    _, first, number = np.unique(mixed, return_index=True, return_inverse=True)
    found: Rows = rows[first]
    if not np.array_equal(found[number], rows):
        # Two rows with one sum: slower, and never wrong.
        found, number = np.unique(rows, axis=0, return_inverse=True)
    return found, number.reshape(-1)
