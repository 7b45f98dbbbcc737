"""The send matrix by principal: one block an account that owns identities, a column each.

Principals that can send, could without the SCPs, or are unknown have rows; those with the same
cells share one. The rest is told in one row a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from ses_audit.report.matrix_blocks import (
    Block,
    Owners,
    Part,
    Principal,
    Rest,
    read_blocks,
    read_columns,
    read_owners,
    read_rest,
)
from ses_audit.report.reasons import Reasons, missing_words, short

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["Blocks", "principal_matrix"]

ROW_LIMIT = 600
"""The most principals that are looked at for rows of their own."""

_NAMED = 12
"""How many of the accounts without a block are named."""

_ALIKE, _ALIKE_ELSEWHERE = 4, 2
"""So many principals with the same cells share a row: of the owner, of another account."""


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
    owners = read_owners(audit, selection, limit)
    if not owners.shown:
        return Blocks(_left_out(audit, owners), 0, len(owners.quiet))
    blocks = read_blocks(audit, selection, owners.shown, limit)
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
    rest = read_rest(audit, selection, owners.shown)
    columns = read_columns(audit, selection, owners.shown)
    pieces: list[str] = []
    ou = None
    for account, alive in owners.shown.items():
        block = blocks[account]
        if block.ou != ou:
            ou = block.ou
            pieces.append(f"<h3>{escape(ou)}</h3>\n")
        pieces.append(_block(audit, block, alive, columns[account], rest.get(account, []), reasons))
    pieces.append(_left_out(audit, owners))
    total = len(owners.shown) + len(owners.cut) + len(owners.quiet)
    return Blocks("".join(pieces), len(blocks), total)


def _left_out(audit: Audit, owners: Owners) -> str:
    """The accounts without a block, and why."""
    pieces = []
    if owners.cut:
        pieces.append(
            f'<p class="alert">{plural(len(owners.cut), "account")} more with principals that are '
            "not denied everywhere: narrow by <code>account</code> or <code>ou</code>, or see the "
            f"whole table. Among them {_names(audit, owners.cut)}.</p>\n"
        )
    if owners.quiet:
        pieces.append(
            f"<p>{plural(len(owners.quiet), 'account')} with identities from which no one can "
            f"send: {chip('denied')} {_names(audit, owners.quiet)}.</p>\n"
        )
    return "".join(pieces)


def _names(audit: Audit, owners: Sequence[str]) -> str:
    accounts = audit.organization.accounts
    named = [
        account_label(owner, accounts[owner].name if owner in accounts else "")
        for owner in owners[:_NAMED]
    ]
    more = len(owners) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")


def _block(
    audit: Audit,
    block: Block,
    alive: int,
    columns: list[tuple[str, str, str]],
    rest: list[Rest],
    reasons: Reasons,
) -> str:
    total_actions = len(audit.queries.actions())
    alike: dict[object, list[Principal]] = {}
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
    return _table(audit, block, alive, columns, groups, rest)


def _table(
    audit: Audit,
    block: Block,
    alive: int,
    columns: list[tuple[str, str, str]],
    groups: list[Group],
    rest: list[Rest],
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
    if len(block.principals) < alive:
        said += f" (of the first {len(block.principals):,} of {alive:,} not denied everywhere)"
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


def _row_label(group: list[Principal]) -> str:
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


def _denied_row(rest: list[Rest], columns: list[tuple[str, str, str]]) -> list[str]:
    words = ", ".join(plural(r.principals, type_word(r.type)) for r in rest)
    return [f'<span class="quiet">{words}</span>', *([chip("denied")] * len(columns))]


def _cell(parts: list[Part], reasons: Reasons, total_actions: int) -> str:
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


def _why(part: Part, reasons: Reasons) -> str:
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
