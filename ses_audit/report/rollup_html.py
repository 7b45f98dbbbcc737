"""The send matrix rolled up: one row an account or an OU, one column a region."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ses_audit.audit.queries import OUTSIDE, RANKS, Selection
from ses_audit.escape import html as escape
from ses_audit.report.glyphs import chip
from ses_audit.report.html_table import LIMIT, Group, table
from ses_audit.report.labels import account_label, plural
from ses_audit.report.reasons import short

if TYPE_CHECKING:
    from ses_audit.audit.queries import Queries

__all__ = ["MANY_ACCOUNTS", "account_order", "rollup"]

MANY_ACCOUNTS = 100
"""With more accounts than this, the roll-up is by OU."""

_NAMED = 2
"""How many senders a row names."""

_NAME_LENGTH = 24
"""Longer names are cut here; the blocks by principal have them whole."""

# The strongest verdict of each class of senders, altogether and in each region.
_BEST = """, regional AS (
  SELECT principal_ou, {key}, sender_group, sender_class, unread, senders, region,
         min(best) AS rank
  FROM chosen JOIN best USING (pattern) GROUP BY ALL),
overall AS (SELECT * EXCLUDE (region, rank), min(rank) AS rank FROM regional GROUP BY ALL)
"""


@dataclass(slots=True)
class _Row:
    ou: str
    account: str
    name: str
    regions: dict[str, dict[int, int]] = field(default_factory=dict)
    principals: int = 0
    can: int = 0
    named: list[str] = field(default_factory=list)


def account_order(ou: str, name: str, account: object) -> tuple[bool, str, str, str]:
    """Accounts in the order of their OUs; those without an organization's OU last."""
    return (not account, "" if ou == "Root" else ou, name, str(account or ""))


def rollup(queries: Queries, selection: Selection, rows: str, accounts_total: int) -> str:
    """Principals by their strongest verdict in each region.

    Parameters
    ----------
    queries
        The verdict tables.
    selection
        Which verdicts.
    rows
        `account` or `ou`.
    accounts_total
        How many accounts there are, read or not.
    """
    by_ou = rows == "ou"
    key = (
        "'' AS principal_account, '' AS principal_account_name"
        if by_ou
        else "coalesce(principal_account, '') AS principal_account, principal_account_name"
    )
    found = _read(queries, selection, key)
    seen = {region for row in found.values() for region in row.regions if row.ou != OUTSIDE}
    regions = sorted(seen, key=lambda region: (region == "*", region))
    ordered = sorted(found.values(), key=lambda row: account_order(row.ou, row.name, row.account))
    inside = [row for row in ordered if row.ou != OUTSIDE]
    groups = [
        Group(
            escape(row.ou),
            [
                [
                    plural(row.principals, "principal")
                    if by_ou
                    else account_label(row.account, row.name),
                    _of(row.can, row.principals),
                    _names(row),
                    *(_region(row.regions.get(region, {})) for region in regions),
                ]
            ],
        )
        for row in inside[:LIMIT]
    ]
    return table(
        "Who can send, by OU and region" if by_ou else "Who can send, by account and region",
        [
            "Principals" if by_ou else "Account",
            "Can send",
            "Who",
            *("regions not read" if r == "*" else r for r in regions),
        ],
        groups,
        total=len(inside) if by_ou else accounts_total,
        what="OUs with principals" if by_ou else "accounts",
        kind="rollup",
        group="OU",
    )


def _read(queries: Queries, selection: Selection, key: str) -> dict[tuple[str, str], _Row]:
    found: dict[tuple[str, str], _Row] = {}

    def row(ou: str, account: str | None, name: str) -> _Row:
        return found.setdefault((ou, account or ""), _Row(ou, account or "", name))

    for ou, account, name, region, rank, principals, can, names in queries.ask(
        selection,
        f"""{_BEST.format(key=key)}, named AS (
          SELECT o.principal_ou, o.principal_account, min_by(w.principal_name,
            (w.principal_type = 'root', w.principal_name LIKE 'AWS%', rank,
             w.principal_type <> 'user', w.principal_type, w.principal_name), {_NAMED}) AS names
          FROM (SELECT DISTINCT principal_ou, principal_account, sender_class, rank FROM overall
                WHERE rank <= 1) o
          JOIN who w USING (sender_class) GROUP BY ALL)
        SELECT principal_ou, principal_account, principal_account_name, region, rank,
               sum(senders)::BIGINT, NULL, NULL
        FROM regional GROUP BY ALL
        UNION ALL
        SELECT principal_ou, principal_account, principal_account_name, NULL, NULL,
               coalesce(sum(senders) FILTER (NOT unread), 0)::BIGINT,
               coalesce(sum(senders) FILTER (rank <= 1), 0)::BIGINT, any_value(names)
        FROM overall LEFT JOIN named USING (principal_ou, principal_account) GROUP BY ALL""",
    ):
        if region is not None:
            row(ou, account, name).regions.setdefault(region, {})[rank] = principals
            continue
        known = row(ou, account, name)
        known.principals, known.can, known.named = principals, can, list(names or ())
    return found


def _of(count: int, total: int) -> str:
    return f'<span class="one-line"><strong>{count:,}</strong> of {total:,}</span>'


def _names(row: _Row) -> str:
    if not row.named:
        return '<span class="quiet">no one</span>'
    more = row.can - len(row.named)
    shown = ", ".join(
        escape("anyone (*)" if name == "*" else short(name, _NAME_LENGTH)) for name in row.named
    )
    return shown + (f' <span class="quiet">and {more:,} more</span>' if more else "")


def _region(counts: dict[int, int]) -> str:
    """One cell: a chip a kind; denials only where there is nothing else."""
    if not counts:
        return '<span class="quiet">–</span>'
    shown = {rank: n for rank, n in sorted(counts.items()) if RANKS[rank] != "denied"} or counts
    chips = "".join(chip(RANKS[rank], count=n) for rank, n in shown.items())
    return f'<span class="stack">{chips}</span>'
