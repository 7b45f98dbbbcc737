"""The send matrix by principal, read: which accounts, which principals, which cells.

Every reading is one query, bounded by what a page can show.
"""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ses_audit.audit.queries import RANKS, ROOT, Selection, members
from ses_audit.report.rollup_html import account_order

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = [
    "DENIED",
    "Block",
    "Owners",
    "Part",
    "Principal",
    "Rest",
    "read_blocks",
    "read_columns",
    "read_owners",
    "read_rest",
]

COLUMN_LIMIT = 14
"""The most identities of a block."""

DENIED = RANKS.index("denied")
"""The rank of a denial that the SCPs do not make alone."""

# The strongest verdict of each class of senders on the identities of an account.
_BEST = """, met AS (
  SELECT identity_account, sender_group, principal_type, principal_account, senders,
         min(best) AS best
  FROM chosen JOIN best USING (pattern) {where} GROUP BY ALL)
"""
_SHOWN = "WHERE identity_account IN (SELECT unnest($owners))"


@dataclass(frozen=True, slots=True)
class Part:
    """The actions of one cell that are of one kind."""

    rank: int
    actions: tuple[str, ...]
    ruling: int
    conditions: str
    missing: str


@dataclass(slots=True)
class Principal:
    arn: str
    type: str
    name: str
    account: str
    account_name: str
    smtp: bool
    best: int
    unread: bool
    cells: dict[str, list[Part]] = field(default_factory=dict)


@dataclass(slots=True)
class Block:
    account: str
    name: str
    ou: str
    principals: dict[tuple[str, str], Principal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owners:
    """The accounts that own identities: with blocks, cut, and with no one that can send."""

    shown: Mapping[str, int]
    """Account → principals that are not denied everywhere, in the order of the blocks."""
    cut: Sequence[str]
    quiet: Sequence[str]


def read_owners(audit: Audit, selection: Selection, limit: int) -> Owners:
    """Whole accounts, as long as their principals fit; the first of them in any case."""
    counted = audit.queries.ask(
        selection,
        f"{_BEST.format(where='')} SELECT identity_account, "
        f"coalesce(sum(senders) FILTER (best < {DENIED}), 0)::BIGINT FROM met GROUP BY ALL",
    )
    accounts = audit.organization.accounts

    def order(owner: str) -> tuple[object, ...]:
        known = accounts.get(owner)
        name, ou = (known.name, known.ou or ROOT) if known else ("", "")
        place = account_order(ou, name, owner)
        return (owner != selection.account, place)

    alive = {owner: count for owner, count in counted if count}
    shown: dict[str, int] = {}
    cut: list[str] = []
    left = limit
    for owner in sorted(alive, key=order):
        if shown and (cut or alive[owner] > left):
            cut.append(owner)
            continue
        shown[owner] = alive[owner]
        left -= alive[owner]
    quiet = sorted((owner for owner, count in counted if not count), key=order)
    return Owners(shown, cut, quiet)


def read_blocks(
    audit: Audit, selection: Selection, owners: Mapping[str, int], limit: int
) -> dict[str, Block]:
    accounts = audit.organization.accounts
    blocks: dict[str, Block] = {}
    sql = f""", owned AS (
      SELECT * FROM chosen JOIN best USING (pattern)
      WHERE identity_account IN (SELECT unnest($owners))),
    alive AS (
      SELECT identity_account, sender_class, min(best) AS best FROM owned GROUP BY ALL
      HAVING min(best) < {DENIED}),
    shown AS (
      SELECT identity_account, sender, best
      FROM alive JOIN (SELECT sender, sender_class, principal_arn FROM who) USING (sender_class)
      QUALIFY row_number() OVER (PARTITION BY identity_account
                                 ORDER BY best, principal_arn) <= {int(limit)}),
    few AS (
      SELECT DISTINCT sender_class, identity_class, pattern FROM owned SEMI JOIN alive
      USING (identity_account, sender_class)),
    people AS (SELECT * FROM who WHERE sender IN (SELECT sender FROM shown))
    SELECT v.identity_account, v.identity_arn, v.principal_arn, v.principal_type,
           v.principal_name, v.principal_account, v.principal_account_name, v.smtp, v.unread,
           s.best, v.rank, list(v.action ORDER BY v.action), min(v.ruling), v.conditions,
           v.missing_evidence
    FROM ({members("few", who="people")}) v JOIN shown s USING (identity_account, sender)
    GROUP BY ALL ORDER BY ALL"""
    for (
        owner,
        identity,
        arn,
        kind,
        name,
        account,
        account_name,
        smtp,
        unread,
        best,
        rank,
        actions,
        ruling,
        conditions,
        missing,
    ) in audit.queries.ask(selection, sql, {"owners": list(owners)}):
        known = accounts.get(owner)
        block = blocks.setdefault(
            owner, Block(owner, known.name if known else "", (known.ou if known else "") or "Root")
        )
        principal = block.principals.setdefault(
            (arn, kind),
            Principal(arn, kind, name, account or "", account_name, bool(smtp), best, unread),
        )
        part = Part(rank, tuple(actions), ruling, conditions or "", missing or "")
        principal.cells.setdefault(identity, []).append(part)
    return blocks


@dataclass(frozen=True, slots=True)
class Rest:
    """Principals that are denied on every identity of a block."""

    own: bool
    type: str
    principals: int


def read_rest(
    audit: Audit, selection: Selection, owners: Mapping[str, int]
) -> dict[str, list[Rest]]:
    found: dict[str, list[Rest]] = {}
    for owner, own, kind, count in audit.queries.ask(
        selection,
        f"{_BEST.format(where=_SHOWN)} SELECT identity_account, "
        "principal_account IS NOT DISTINCT FROM identity_account, principal_type, "
        f"sum(senders)::BIGINT FROM met WHERE best = {DENIED} "
        "GROUP BY ALL ORDER BY ALL",
        {"owners": list(owners)},
    ):
        found.setdefault(owner, []).append(Rest(own, kind, count))
    return found


def read_columns(
    audit: Audit, selection: Selection, owners: Mapping[str, int]
) -> dict[str, list[tuple[str, str, str]]]:
    """For each owner its identities as (region, name, ARN); those most can send from first kept."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for owner, region, name, arn in audit.queries.ask(
        selection,
        f""", alive AS (
          SELECT pattern, count(*) FILTER (rank < {DENIED}) AS alive FROM picked GROUP BY pattern),
        met AS (
          SELECT identity_class, min(best) AS best, sum(senders * alive) AS alive
          FROM chosen JOIN best USING (pattern) JOIN alive USING (pattern)
          WHERE identity_account IN (SELECT unnest($owners)) GROUP BY ALL)
        SELECT identity_account, region, identity_name, identity_arn
        FROM met JOIN what USING (identity_class)
        QUALIFY row_number() OVER (PARTITION BY identity_account
                                   ORDER BY best, alive DESC, identity_arn) <= {COLUMN_LIMIT}
        ORDER BY region, identity_name""",
        {"owners": list(owners)},
    ):
        found.setdefault(owner, []).append((region, name, arn))
    return found
