"""Each cell that an SCP stops, once a denying statement: as a frame, for what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ses_audit.audit.frames import long_table
from ses_audit.audit.spread import MOST_ROWS
from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["COLUMNS", "scp_denials", "scp_denies"]

COLUMNS = (
    "certain",
    "kind",
    "policy",
    "sid",
    "statement_index",
    "target",
    "blockers",
    "verdict_without_this",
    "sole_blocker",
)
"""What stands beside the columns of the long table."""


def scp_denials(tables: Mapping[str, pa.Table], scps: Sequence[str] = ()) -> pa.Table:
    """The denials of rulings by an SCP.

    Parameters
    ----------
    tables
        The verdict tables.
    scps
        Only these policies, by ARN; all when empty.

    Returns
    -------
    Table
        `ruling`; `certain` (False: denied in some contexts only), `kind`, `policy`, `sid`,
        `statement_index`, `target`; `blockers` (how many denials the ruling has),
        `verdict_without_this` (if this SCP were not attached to this target) and `sole_blocker`
        (then it would be no denial).
    """
    denials, rulings = tables["denials"], tables["rulings"]
    verdict, without = (
        rulings.column(name).take(denials.column("ruling"))
        for name in ("verdict", "verdict_without_scp")
    )
    denied = pc.equal(verdict, pa.scalar("DENIED"))
    changed = pc.not_equal(verdict, without)
    kept = pc.and_(
        pc.equal(denials.column("layer"), pa.scalar("service_control_policy")),
        pc.or_(changed, pc.and_(denied, denials.column("certain"))),
    )
    if scps:
        named = pc.is_in(denials.column("policy"), value_set=pa.array(scps, pa.string()))
        kept = pc.and_(kept, named)
    found = denials.filter(kept)
    passes = pc.is_in(
        found.column("verdict_without"), value_set=pa.array(["ALLOWED", "CONDITIONAL"])
    )
    columns = {name: found.column(name) for name in COLUMNS[:6]}
    return pa.table(
        {
            "ruling": found.column("ruling"),
            **columns,
            "blockers": pa.array(_blockers(denials, found.column("ruling"))),
            "verdict_without_this": found.column("verdict_without"),
            "sole_blocker": pc.and_(denied.filter(kept), passes),
        }
    )


def _blockers(
    denials: pa.Table, rulings: pa.ChunkedArray
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each ruling how many policies, each on its target, certainly deny it."""
    import numpy as np

    certain = denials.filter(denials.column("certain"))
    key = certain.group_by(["ruling", "layer", "policy", "target"]).aggregate([])
    numbers = key.column("ruling").to_numpy()
    wanted = rulings.to_numpy()
    size = max([int(column.max()) + 1 for column in (numbers, wanted) if len(column)], default=0)
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = np.bincount(numbers, minlength=size)[wanted]
    return found


def scp_denies(
    tables: Mapping[str, pa.Table],
    scps: Sequence[str] = (),
    *,
    principal: str | None = None,
    account: str | None = None,
    identity: str | None = None,
    region: str | None = None,
    action: str | None = None,
) -> pd.DataFrame:
    """Each cell that an SCP stops, once for each denying statement or lacking level.

    Parameters
    ----------
    tables
        The verdict tables.
    scps
        Only these policies, by ARN; all when empty.
    principal, account, identity, region, action
        As for `long_table`.

    Returns
    -------
    DataFrame
        The long table's columns and `COLUMNS`.

    Raises
    ------
    UserError
        For more rows than are held at once.
    """
    import numpy as np
    import pandas as pd

    denials = scp_denials(tables, scps)
    numbers = denials.column("ruling").to_numpy()
    counts = np.bincount(numbers, minlength=len(tables["rulings"]))
    frame = long_table(
        tables,
        principal=principal,
        account=account,
        identity=identity,
        region=region,
        action=action,
        rulings=pa.chunked_array([pa.array(counts > 0)]),
    )
    of_cell = frame.pop("_ruling").to_numpy()
    each = counts[of_cell]
    total = int(each.sum())
    if total > MOST_ROWS:
        raise UserError(
            f"{total:,} denials are asked for, and at most {MOST_ROWS:,} are listed at once: "
            "narrow them by account, principal, identity, region, action or scp, or count them "
            "by scp_stops()",
            USAGE,
        )
    cell = np.repeat(np.arange(len(frame)), each)
    inside = np.arange(total) - np.repeat(np.cumsum(each) - each, each)
    first = (np.cumsum(counts) - counts)[of_cell[cell]]
    denial = np.argsort(numbers, kind="stable")[first + inside]
    found = frame.iloc[cell].reset_index(drop=True)
    taken = denials.select(COLUMNS).take(pa.array(denial)).to_pandas()
    joined: pd.DataFrame = pd.concat([found, taken], axis=1)
    return joined
