"""The send matrix by principal: one block an account that owns identities, a column each.

Principals that can send, could without the SCPs, or are unknown have rows; those with the same
cells share one. The rest is told in one row a block.
"""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ses_audit.audit.queries import RANKS, Selection
from ses_audit.escape import html as escape
from ses_audit.report.glyphs import chip
from ses_audit.report.html_table import Group, table
from ses_audit.report.labels import (
    account_label,
    actions_label,
    plural,
    principal_label,
    type_word,
)
from ses_audit.report.reasons import Reasons, missing_words, short
from ses_audit.report.rollup_html import account_order

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["Blocks", "principal_matrix"]

ROW_LIMIT = 600
"""The most principals that are looked at for rows of their own."""

COLUMN_LIMIT = 14
"""The most identities of a block."""

_ALIKE, _ALIKE_ELSEWHERE = 4, 2
"""So many principals with the same cells share a row: of the owner, of another account."""

_DENIED = RANKS.index("denied")

_BEST = """
WITH best AS (
  SELECT identity_account, principal_arn, principal_type, principal_account, min(rank) AS best
  FROM verdicts WHERE {where} GROUP BY ALL)
"""


@dataclass(frozen=True, slots=True)
class _Part:
    """The actions of one cell that are of one kind."""

    rank: int
    actions: tuple[str, ...]
    ruling: int
    conditions: str
    missing: str


@dataclass(slots=True)
class _Principal:
    arn: str
    type: str
    name: str
    account: str
    account_name: str
    smtp: bool
    best: int
    unread: bool
    cells: dict[str, list[_Part]] = field(default_factory=dict)


@dataclass(slots=True)
class _Block:
    account: str
    name: str
    ou: str
    principals: dict[tuple[str, str], _Principal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The matrix by principal.

    Parameters
    ----------
    markup
        Safe HTML.
    shown, total
        Accounts that own identities, with and without a block here.
    """

    markup: str
    shown: int
    total: int


def principal_matrix(audit: Audit, selection: Selection, limit: int = ROW_LIMIT) -> Blocks:
    """The matrix by principal, block by block.

    Parameters
    ----------
    audit
        The snapshot.
    selection
        Which verdicts.
    limit
        The most principals that get rows of their own.
    """
    blocks = _blocks(audit, selection, limit)
    owners = audit.queries.choices("identity_account", selection)
    reasons = Reasons(
        audit,
        (
            part.ruling
            for block in blocks.values()
            for principal in block.principals.values()
            for parts in principal.cells.values()
            for part in parts
        ),
    )
    rest = _rest(audit, selection)
    columns = _columns(audit, selection)
    pieces: list[str] = []
    ordered = sorted(
        blocks.values(),
        key=lambda b: (b.account != selection.account, account_order(b.ou, b.name, b.account)),
    )
    ou = None
    for block in ordered:
        if block.ou != ou:
            ou = block.ou
            pieces.append(f"<h3>{escape(ou)}</h3>\n")
        pieces.append(
            _block(audit, block, columns[block.account], rest.get(block.account, []), reasons)
        )
    quiet = sorted(set(owners) - set(blocks))
    if quiet:
        pieces.append(_quiet(audit, quiet, rest))
    return Blocks("".join(pieces), len(blocks), len(owners))


def _quiet(audit: Audit, owners: Iterable[str], rest: Mapping[str, list[_Rest]]) -> str:
    """The owners from whose identities no one can send, or that were left out."""
    accounts = audit.model.organization.accounts
    items = []
    for owner in owners:
        count = sum(row.principals for row in rest.get(owner, ()))
        known = accounts.get(owner)
        items.append(
            f"<li>{account_label(owner, known.name if known else '')}: "
            f"{chip('denied', count=count)}</li>"
        )
    return (
        "<p>Accounts with identities and no row of their own above:</p>"
        f'<ul class="names">{"".join(items)}</ul>\n'
    )


def _blocks(audit: Audit, selection: Selection, limit: int) -> dict[str, _Block]:
    where, values = selection.where()
    accounts = audit.model.organization.accounts
    blocks: dict[str, _Block] = {}
    sql = (
        _BEST.format(where=where)
        + f""", shown AS (
      SELECT identity_account, principal_arn, principal_type, best FROM best WHERE best < {_DENIED}
      QUALIFY row_number() OVER (ORDER BY best, identity_account, principal_arn) <= {int(limit)})
    SELECT v.identity_account, v.identity_arn, v.principal_arn, v.principal_type,
           v.principal_name, v.principal_account, v.principal_account_name, v.smtp, v.unread,
           s.best, v.rank, list(v.action ORDER BY v.action), min(v.ruling), v.conditions,
           v.missing_evidence
    FROM verdicts v
    JOIN shown s USING (identity_account, principal_arn, principal_type)
    WHERE {where}
    GROUP BY ALL ORDER BY ALL"""
    )
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
    ) in audit.queries.rows(sql, [*values, *values]):
        known = accounts.get(owner)
        block = blocks.setdefault(
            owner, _Block(owner, known.name if known else "", (known.ou if known else "") or "Root")
        )
        principal = block.principals.setdefault(
            (arn, kind),
            _Principal(arn, kind, name, account or "", account_name, bool(smtp), best, unread),
        )
        part = _Part(rank, tuple(actions), ruling, conditions or "", missing or "")
        principal.cells.setdefault(identity, []).append(part)
    return blocks


@dataclass(frozen=True, slots=True)
class _Rest:
    """Principals that are denied on every identity of a block."""

    own: bool
    type: str
    principals: int


def _rest(audit: Audit, selection: Selection) -> dict[str, list[_Rest]]:
    where, values = selection.where()
    found: dict[str, list[_Rest]] = {}
    for owner, own, kind, count in audit.queries.rows(
        _BEST.format(where=where) + "SELECT identity_account, principal_account IS NOT DISTINCT "
        f"FROM identity_account, principal_type, count(*) FROM best WHERE best = {_DENIED} "
        "GROUP BY ALL ORDER BY ALL",
        values,
    ):
        found.setdefault(owner, []).append(_Rest(own, kind, count))
    return found


def _columns(audit: Audit, selection: Selection) -> dict[str, list[tuple[str, str, str]]]:
    """For each owner its identities as (region, name, ARN); those most can send from first kept."""
    where, values = selection.where()
    found: dict[str, list[tuple[str, str, str]]] = {}
    for owner, region, name, arn in audit.queries.rows(
        f"""SELECT identity_account, region, identity_name, identity_arn FROM (
              SELECT identity_account, region, identity_name, identity_arn, min(rank) AS best,
                     count(*) FILTER (rank < {_DENIED}) AS alive
              FROM verdicts WHERE {where} GROUP BY ALL)
            QUALIFY row_number() OVER (PARTITION BY identity_account
                                       ORDER BY best, alive DESC, identity_arn) <= {COLUMN_LIMIT}
            ORDER BY region, identity_name""",
        values,
    ):
        found.setdefault(owner, []).append((region, name, arn))
    return found


def _block(
    audit: Audit,
    block: _Block,
    columns: list[tuple[str, str, str]],
    rest: list[_Rest],
    reasons: Reasons,
) -> str:
    total_actions = len(audit.queries.actions())
    alike: dict[object, list[_Principal]] = {}
    for principal in block.principals.values():
        pattern = tuple(tuple(principal.cells.get(arn, ())) for _, _, arn in columns)
        key = (principal.account, principal.best, principal.smtp, pattern)
        alike.setdefault(key, []).append(principal)
    own: list[tuple[tuple[object, ...], list[str]]] = []
    others: dict[tuple[str, str], list[tuple[tuple[object, ...], list[str]]]] = {}
    for members in alike.values():
        enough = _ALIKE if members[0].account == block.account else _ALIKE_ELSEWHERE
        together = len(members) >= enough
        shared = [members] if together else [[member] for member in members]
        for group in shared:
            first = group[0]
            row = [
                _row_label(group),
                *(_cell(first.cells.get(arn, []), reasons, total_actions) for _, _, arn in columns),
            ]
            # Users first (SMTP), then roles; groups of many last.
            order = (together, first.best, first.type != "user", first.name)
            if first.account == block.account:
                own.append((order, row))
            else:
                others.setdefault((first.account_name, first.account), []).append((order, row))
    rows = [row for _, row in sorted(own)]
    denied_own = [r for r in rest if r.own]
    if denied_own:
        rows.append(_denied_row(denied_own, columns))
    groups = [Group("", rows)] if rows else []
    for (name, account), found in sorted(others.items()):
        groups.append(
            Group(
                f"from {account_label(account, name) if account else 'outside any account'}",
                [row for _, row in sorted(found, key=lambda item: item[0])],
            )
        )
    denied_others = [r for r in rest if not r.own]
    if denied_others:
        groups.append(Group("from other accounts", [_denied_row(denied_others, columns)]))
    return _table(audit, block, columns, groups, rest)


def _table(
    audit: Audit,
    block: _Block,
    columns: list[tuple[str, str, str]],
    groups: list[Group],
    rest: list[_Rest],
) -> str:
    every = audit.queries.rows(
        "SELECT count(*) FROM identities WHERE identity_account = ? AND identity_name <> '*'",
        [block.account],
    )[0][0]
    known = [p for p in block.principals.values() if not p.unread]
    own = [p for p in known if p.account == block.account]
    can = sum(p.best <= 1 for p in own)
    total = len(own) + sum(r.principals for r in rest if r.own)
    elsewhere = sum(p.best <= 1 for p in known) - can
    said = f"{can:,} of {plural(total, 'principal')} can send" if total else ""
    if elsewhere or not total:
        said += f"{', and ' if said else ''}{elsewhere:,} from elsewhere"
        said += "" if total else " can send"
    read = sum(name != "*" for _, name, _ in columns)
    said += f"; {read:,} of {plural(every, 'identity', 'identities')} that were read"
    heads: list[tuple[str, int]] = []
    for region, _, _ in columns:
        if heads and heads[-1][0] == region:
            heads[-1] = (region, heads[-1][1] + 1)
        else:
            heads.append((region, 1))
    head = (
        "<tr><td></td>"
        + "".join(
            f'<th class="region" scope="colgroup" colspan="{span}">'
            f"{'all regions' if region == '*' else escape(region)}</th>"
            for region, span in heads
        )
        + "</tr>"
    )
    count = sum(len(group.rows) for group in groups)
    names = ["identities not read" if name == "*" else name for _, name, _ in columns]
    return table(
        f"{block.name} {block.account}".strip(),
        ["Principal", *names],
        groups,
        total=count,
        what="rows",
        kind="matrix",
        head=head,
        said=said,
    )


def _row_label(group: list[_Principal]) -> str:
    first = group[0]
    if len(group) == 1:
        return principal_label(
            first.arn, first.type, first.name, smtp=bool(first.smtp), account=first.account
        )
    counted: dict[str, int] = {}
    for principal in group:
        counted[principal.type] = counted.get(principal.type, 0) + 1
    words = ", ".join(plural(n, type_word(kind)) for kind, n in sorted(counted.items()))
    names = "".join(
        f"<li>{principal_label(p.arn, p.type, p.name, smtp=bool(p.smtp))}</li>"
        for p in sorted(group, key=lambda p: (p.type, p.name))
    )
    return f'<details><summary>{words} alike</summary><ul class="names">{names}</ul></details>'


def _denied_row(rest: list[_Rest], columns: list[tuple[str, str, str]]) -> list[str]:
    words = ", ".join(plural(r.principals, type_word(r.type)) for r in rest)
    return [f'<span class="quiet">{words}</span>', *([chip("denied")] * len(columns))]


def _cell(parts: list[_Part], reasons: Reasons, total_actions: int) -> str:
    """The strongest kind with its reason; then whatever else is not denied."""
    if not parts:
        return '<span class="quiet">no grant</span>'
    ordered = sorted(parts, key=lambda part: part.rank)
    first, *others = ordered
    pieces = [chip(RANKS[first.rank])]
    which = actions_label(list(first.actions), total_actions)
    why = _why(first, reasons)
    pieces += [f'<span class="note">{escape(text)}</span>' for text in (which, why) if text]
    for part in others:
        if RANKS[part.rank] == "denied":
            continue
        pieces.append(chip(RANKS[part.rank]))
        which = actions_label(list(part.actions), total_actions)
        pieces += [
            f'<span class="note">{escape(text)}</span>' for text in (which, _why(part, reasons))
        ]
    return " ".join(pieces)


def _why(part: _Part, reasons: Reasons) -> str:
    match RANKS[part.rank]:
        case "conditional":
            return "if " + short(part.conditions, 90)
        case "unknown":
            return missing_words(part.missing)
        case "scp_alone":
            return reasons.line(part.ruling, layer="service_control_policy")
        case "denied":
            return short(reasons.line(part.ruling), 90)
    return ""
