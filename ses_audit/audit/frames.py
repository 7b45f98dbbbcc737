"""The long table and what is counted from it, as pandas frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from ses_audit.audit.spread import spread
from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "kinds", "long_table", "scp_denies"]

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


def _taken(table: pa.Table, column: str, rows: object) -> pd.Categorical:
    """A column of a small table, spread over the cells as a categorical."""
    import pandas as pd

    values = table.column(column).to_pandas()
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    return pd.Categorical.from_codes(codes[rows], categories=uniques)


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

    Raises
    ------
    UserError
        For a verdict or an action that does not exist.
    """
    import numpy as np
    import pandas as pd

    senders, identities = tables["senders"], tables["identities"]
    actions, rulings = tables["actions"], tables["rulings"]
    chosen_senders = np.ones(len(senders), dtype=bool)
    chosen_identities = np.ones(len(identities), dtype=bool)
    chosen_actions = np.ones(len(actions), dtype=bool)
    chosen_rulings = np.ones(len(rulings), dtype=bool)

    def flags(values: Iterable[bool]) -> np.typing.NDArray[np.bool_]:
        # Of a type even where there is nothing.
        return np.fromiter(values, dtype=bool)

    if principal is not None:
        names = senders.column("principal_arn").to_pylist()
        exact = [name == principal for name in names]
        chosen_senders &= flags(exact if any(exact) else [principal in name for name in names])
    if account is not None:
        wanted = _list(account)
        chosen_senders &= flags(
            a in wanted for a in senders.column("principal_account").to_pylist()
        )
    if identity is not None:
        wanted = _list(identity)
        arns, short = (identities.column(c).to_pylist() for c in ("identity_arn", "identity_name"))
        chosen_identities &= flags(
            a in wanted or n in wanted for a, n in zip(arns, short, strict=True)
        )
    if region is not None:
        wanted = _list(region)
        chosen_identities &= flags(r in wanted for r in identities.column("region").to_pylist())
    if action is not None:
        known = actions.column("action").to_pylist()
        wanted = {a if ":" in a else f"ses:{a}" for a in _list(action)}
        by_lower = {name.lower(): name for name in known}
        _refuse({a for a in wanted if a.lower() not in by_lower}, known, "action")
        chosen = {by_lower[a.lower()] for a in wanted}
        chosen_actions &= flags(name in chosen for name in known)
    if verdict is not None:
        wanted = {v.upper() for v in _list(verdict)}
        _refuse(wanted - set(VERDICTS), VERDICTS, "verdict")
        chosen_rulings &= flags(v in wanted for v in rulings.column("verdict").to_pylist())
    rows = spread(
        tables,
        senders=chosen_senders,
        identities=chosen_identities,
        actions=chosen_actions,
        rulings=chosen_rulings,
        unrelated=unrelated,
    )
    source = {
        **dict.fromkeys(("principal_arn", "principal_type", "principal_account"), "sender"),
        **dict.fromkeys(
            ("identity_arn", "identity_account", "identity_name", "identity_type", "region"),
            "identity",
        ),
        "action": "action",
    }
    by_reference = {"sender": senders, "identity": identities, "action": actions, "ruling": rulings}
    columns: dict[str, object] = {}
    for name in COLUMNS:
        if name == "smtp":
            # Boolean with NA: not known where access keys were not read.
            smtp = pd.array(senders.column("smtp").to_pylist(), dtype="boolean")
            columns[name] = smtp[rows["sender"]]
            continue
        reference = source.get(name, "ruling")
        columns[name] = _taken(by_reference[reference], name, rows[reference])
    frame = pd.DataFrame(columns)
    frame["_ruling"] = rows["ruling"]
    return frame


def _list(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _refuse(unknown: set[str], known: object, what: str) -> None:
    if unknown:
        names = ", ".join(str(k) for k in known)  # type: ignore[attr-defined]
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


def scp_denies(frame: pd.DataFrame, denials: pa.Table) -> pd.DataFrame:
    """Each cell that an SCP stops, once for each denying statement or lacking level.

    Parameters
    ----------
    frame
        Rows of `long_table`.
    denials
        The table of denials.

    Returns
    -------
    DataFrame
        The long table's columns and `policy`, `sid`, `statement_index`, `kind`, `target`,
        `certain` (False: denied in some contexts only), `blockers` (how many denials the cell
        has), `verdict_without_this` (if this SCP were not attached to this target),
        `sole_blocker` (then the cell would be no denial).
    """
    every = denials.to_pandas()
    every["blocker"] = (
        every["layer"] + "|" + every["policy"].fillna("") + "|" + every["target"].fillna("")
    )
    certain = every[every["certain"]]
    blockers = certain.groupby("ruling")["blocker"].nunique()
    of_scp = every[every["layer"] == "service_control_policy"].copy()
    stopped = frame[
        (frame["verdict"].astype(str) != frame["verdict_without_scp"].astype(str))
        | (frame["verdict"].astype(str) == "DENIED")
    ]
    joined = stopped.merge(of_scp, left_on="_ruling", right_on="ruling", how="inner")
    changed = joined["verdict"].astype(str) != joined["verdict_without_scp"].astype(str)
    joined = joined[joined["certain"] | changed].copy()
    joined["blockers"] = joined["_ruling"].map(blockers).fillna(0).astype(int)
    joined["verdict_without_this"] = joined["verdict_without"]
    passes = joined["verdict_without"].isin(["ALLOWED", "CONDITIONAL"])
    joined["sole_blocker"] = (joined["verdict"].astype(str) == "DENIED") & passes
    return joined.drop(columns=["layer", "blocker", "ruling", "verdict_without"]).reset_index(
        drop=True
    )
