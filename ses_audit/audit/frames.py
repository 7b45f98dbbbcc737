"""The long table and what is counted from it, as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from ses_audit.audit.spread import MOST_ROWS, spread
from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import pandas as pd

    from ses_audit.audit.spread import Flags, Numbers

__all__ = ["COLUMNS", "kinds", "listed", "long_table", "named_action", "narrowed"]

COLUMNS = (
    "principal_arn",
    "principal_type",
    "principal_account",
    "identity_arn",
    "identity_account",
    "identity_name",
    "identity_type",
    "region",
    "action",
    "verdict",
    "verdict_without_scp",
    "sender_verdict",
    "denied_by",
    "denied_policies",
    "conditions",
    "missing_evidence",
    "smtp",
    "rule_confidence",
)
"""The columns of the long table, in order."""

VERDICTS = ("ALLOWED", "CONDITIONAL", "DENIED", "UNKNOWN")


def long_table(
    tables: Mapping[str, pa.Table],
    *,
    principal: str | None = None,
    account: str | None = None,
    identity: str | None = None,
    region: str | None = None,
    action: str | None = None,
    verdict: str | None = None,
    unrelated: bool = False,
    rulings: pa.ChunkedArray | None = None,
) -> pd.DataFrame:
    """Join the verdict tables into the long table, filtered before it is made.

    Parameters
    ----------
    tables
        The verdict tables.
    principal
        An ARN, or a part of one.
    account
        The principal's account; several by comma.
    identity
        An ARN or a name; several by comma.
    region, action, verdict
        Exact values; several by comma.
    unrelated
        Whether to add cross-account rows that are denied for lack of a grant.
    rulings
        For each ruling whether it is asked for; by default all are.

    Raises
    ------
    UserError
        For a verdict or an action that does not exist, and for more rows than are held at once.
    """
    import pandas as pd
    import pyarrow.compute as pc

    senders, identities = tables["senders"], tables["identities"]
    by_reference = {
        "sender": senders,
        "identity": identities,
        "action": tables["actions"],
        "ruling": tables["rulings"],
    }
    chosen: dict[str, pa.ChunkedArray | None] = dict.fromkeys(by_reference)
    chosen["ruling"] = rulings
    if principal is not None:
        names = senders.column("principal_arn")
        found = pc.equal(names, pa.scalar(principal, pa.string()))
        if not pc.any(found).as_py():
            found = pc.match_substring(names, principal)
        chosen["sender"] = found
    if account is not None:
        chosen["sender"] = _and(chosen["sender"], _among(senders, "principal_account", account))
    if identity is not None:
        arns, short = (_among(identities, f"identity_{c}", identity) for c in ("arn", "name"))
        chosen["identity"] = pc.or_(arns, short)
    if region is not None:
        chosen["identity"] = _and(chosen["identity"], _among(identities, "region", region))
    if action is not None:
        known = by_reference["action"].column("action").to_pylist()
        wanted = ",".join(named_action(a, known) for a in listed(action))
        chosen["action"] = _among(by_reference["action"], "action", wanted)
    if verdict is not None:
        asked = {v.upper() for v in listed(verdict)}
        _refuse(asked - set(VERDICTS), VERDICTS, "verdict")
        found = _among(by_reference["ruling"], "verdict", ",".join(asked))
        chosen["ruling"] = _and(chosen["ruling"], found)
    rows = spread(
        tables,
        senders=_flags(senders, chosen["sender"]),
        identities=_flags(identities, chosen["identity"]),
        actions=_flags(by_reference["action"], chosen["action"]),
        rulings=_flags(by_reference["ruling"], chosen["ruling"]),
        unrelated=unrelated,
    )
    source = {
        **dict.fromkeys(("principal_arn", "principal_type", "principal_account"), "sender"),
        **dict.fromkeys(
            ("identity_arn", "identity_account", "identity_name", "identity_type", "region"),
            "identity",
        ),
        "action": "action",
        "smtp": "sender",
    }
    taken = {name: _Taken(by_reference[name], numbers) for name, numbers in rows.items()}
    columns = {name: taken[source.get(name, "ruling")].column(name) for name in COLUMNS}
    frame = pd.DataFrame(columns)
    frame["_ruling"] = rows["ruling"]
    return frame


class _Taken:
    """The rows of a small table that stand in a long one; the others are never looked at."""

    def __init__(self, table: pa.Table, rows: Numbers) -> None:
        import numpy as np

        used = np.zeros(len(table), dtype=bool)
        used[rows] = True
        self._table = table.filter(pa.array(used))
        self._places: Numbers = (np.cumsum(used) - 1)[rows]

    def column(self, name: str) -> object:
        """A column of the long table: texts as a categorical."""
        import pandas as pd

        values = self._table.column(name)
        if not pa.types.is_string(values.type):
            # Boolean with NA: not known where access keys were not read.
            return pd.array(values.to_pylist(), dtype="boolean")[self._places]
        encoded = values.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.unify_dictionaries().combine_chunks()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        categories = pd.Index(encoded.dictionary.to_pandas(), dtype="str")
        return pd.Categorical.from_codes(codes[self._places], categories=categories)


def _flags(table: pa.Table, chosen: pa.ChunkedArray | None) -> Flags:
    """Which rows are chosen; all where nothing was."""
    import numpy as np

    if chosen is None:
        return np.ones(len(table), dtype=bool)
    found: Flags = chosen.fill_null(False).to_numpy(zero_copy_only=False).astype(bool)
    return found


def _and(one: pa.ChunkedArray | None, other: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return other if one is None else pc.and_(one, other)


def _among(table: pa.Table, column: str, wanted: str) -> pa.ChunkedArray:
    """Which rows have one of several values, given by comma."""
    import pyarrow.compute as pc

    return pc.is_in(table.column(column), value_set=pa.array(sorted(listed(wanted)), pa.string()))


def listed(text: str | None) -> tuple[str, ...]:
    """Values given by comma, each once.

    Examples
    --------
    >>> listed("eu-west-1, us-east-1,")
    ('eu-west-1', 'us-east-1')
    """
    parts = (part.strip() for part in (text or "").split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def named_action(action: str, known: Sequence[str]) -> str:
    """A send action as it is spelled; "" for none.

    Raises
    ------
    UserError
        For one that is not known.

    Examples
    --------
    >>> named_action("sendrawemail", ["ses:SendEmail", "ses:SendRawEmail"])
    'ses:SendRawEmail'
    """
    if not action:
        return ""
    wanted = action if ":" in action else f"ses:{action}"
    by_lower = {name.lower(): name for name in known}
    _refuse(set() if wanted.lower() in by_lower else {wanted}, known, "action")
    return by_lower[wanted.lower()]


def narrowed(table: pa.Table, what: str, wanted: Mapping[str, str | None]) -> pa.Table:
    """The rows of a table that have the values asked for.

    Parameters
    ----------
    table
        The table.
    what
        What its rows are, in the plural.
    wanted
        Column → values by comma; None for all.

    Raises
    ------
    UserError
        Where there are more than are held at once.
    """
    for column, values in wanted.items():
        if values is not None:
            table = table.filter(_among(table, column, values))
    if len(table) > MOST_ROWS:
        raise UserError(
            f"{len(table):,} {what} are asked for, and at most {MOST_ROWS:,} are listed at once: "
            f"narrow them by {', '.join(wanted)}",
            USAGE,
        )
    return table


def _refuse(unknown: set[str], known: Sequence[str], what: str) -> None:
    if unknown:
        names = ", ".join(known)
        raise UserError(f"no such {what}: {', '.join(sorted(unknown))}; one of {names}", USAGE)


def kinds(frame: pd.DataFrame) -> pd.Series[str]:
    """The five kinds that people count: allowed, conditional, scp_alone, denied, unknown.

    `scp_alone` is a denial that would not be one without the SCP layer.
    """
    import numpy as np
    import pandas as pd

    verdict = frame["verdict"].astype(str).to_numpy()
    without = frame["verdict_without_scp"].astype(str).to_numpy()
    alone = (verdict == "DENIED") & np.isin(without, ["ALLOWED", "CONDITIONAL"])
    named = np.select(
        [alone, verdict == "ALLOWED", verdict == "CONDITIONAL", verdict == "UNKNOWN"],
        ["scp_alone", "allowed", "conditional", "unknown"],
        "denied",
    )
    return pd.Series(named, index=frame.index, dtype="str")
