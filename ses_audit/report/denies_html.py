"""What the SCPs stop, drawn and listed: the tree, the statements, each denied cell."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ses_audit.audit.queries import members
from ses_audit.escape import html as escape
from ses_audit.report.glyphs import chip, verdict_kind
from ses_audit.report.html_table import LIMIT, Group, table
from ses_audit.report.labels import (
    account_label,
    identity_label,
    plural,
    principal_label,
    region_label,
)
from ses_audit.report.reasons import Reasons, short
from ses_audit.report.scp_stops import BLOCKERS, StatementKey, Stop
from ses_audit.report.statements import scp_statement
from ses_audit.report.tree_svg import Note, organization_tree, tree_svg

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.organization import Organization
    from ses_audit.audit.queries import Selection

__all__ = ["cells_table", "denied_cells", "scp_tree", "statements_table"]


_PLACES = ("sole", "several", "narrows", "layers")
"""The blockers in the order in which their cells are listed."""


def _target(organization: Organization, target: str) -> str:
    """Where a policy is attached: name and what it is; plain text."""
    if not target:
        return "–"
    what = "account" if target in organization.accounts else "OU"
    if target in organization.units and organization.units[target].parent_id is None:
        what = "root"
    return f"{organization.target_name(target)} ({what} {target})"


def scp_tree(audit: Audit, found: Sequence[Stop]) -> str:
    """The OU tree; under each target the SCPs attached to it and what they stop."""
    organization = audit.organization
    if not organization.units:
        return "<p>No organization was read, so there is no tree to draw.</p>"
    most = max((stop.total for stop in found), default=0) or 1
    by_target: dict[str, list[Stop]] = {}
    for stop in found:
        by_target.setdefault(stop.key.target, []).append(stop)
    notes: dict[str, list[Note]] = {}
    for target in (*organization.units, *organization.accounts):
        attached = organization.policies_on(target)
        lines = [_tree_note(organization, stop, most) for stop in by_target.get(target, ())]
        stopping = {stop.key.policy for stop in by_target.get(target, ())}
        whole_level = any(not policy for policy in stopping)
        idle = [
            name
            for name, policy in attached
            if policy not in stopping and name != "FullAWSAccess" and not whole_level
        ]
        if idle:
            lines.append(Note(f"{short(', '.join(idle), 90)}: denies no cell"))
        if lines:
            notes[target] = lines
    nodes = organization_tree(organization, notes, {}, accounts=False)
    stopped = sum(stop.total for stop in found)
    return tree_svg(
        nodes,
        "OU tree with its SCPs",
        f"{plural(len(found), 'statement')}, {stopped:,} denials; the table below says the same",
    ) + (
        '<p class="quiet">A bar is the cells (principal × identity × action) that a statement '
        f"denies; {chip('scp_alone', word='dark part')} that it alone denies. FullAWSAccess is "
        "not drawn.</p>"
    )


def _tree_note(organization: Organization, stop: Stop, most: int) -> Note:
    sole = stop.cells.get("sole", 0)
    name, statement = stop.key.name(organization), stop.key.statement(organization)
    words = f"{short(name, 40)}: {short(statement, 40)} — denies {stop.total:,}"
    words += f", {sole:,} of them alone" if stop.total else ""
    if stop.cells.get("narrows"):
        words += f"; narrows {stop.cells['narrows']:,}"
    return Note(words, stop.total / most, sole / most)


def statements_table(audit: Audit, found: Sequence[Stop], cells: int) -> str:
    """Each statement with its text, where it is attached, and what it stops."""
    organization = audit.organization
    rows = []
    for stop in found:
        key = stop.key
        text = scp_statement(organization, key.policy, key.index)
        shown = escape(key.statement(organization))
        if text:
            shown = f"<details><summary>{shown}</summary><pre>{escape(text)}</pre></details>"
        elif not key.policy and key.target:
            shown += _level_texts(organization, key.target)
        rows.append(
            [
                f"<strong>{escape(key.name(organization))}</strong>",
                escape(_target(organization, key.target)),
                shown,
                f"{stop.total:,}",
                f"{stop.cells.get('sole', 0):,}",
                f"{stop.cells.get('several', 0):,}",
                f"{stop.cells.get('layers', 0):,}",
                f"{stop.cells.get('narrows', 0):,}",
                f"{stop.principals:,}",
                f"{stop.identities:,}",
            ]
        )
    return table(
        "SCP statements that stop a send",
        [
            "SCP",
            "Attached to",
            "Statement",
            f"Denies, of {cells:,} cells",
            "It alone",
            "With other SCPs",
            "Other layers too",
            "In some contexts",
            "Principals",
            "Identities",
        ],
        rows,
        total=len(rows),
        what="statements",
        numeric=range(3, 10),
    )


def _level_texts(organization: Organization, target: str) -> str:
    """The documents of a level on which nothing allows."""
    pieces = []
    for name, policy in organization.policies_on(target):
        text = organization.policy_text(policy)
        if text:
            pieces.append(
                f"<details><summary>{escape(name)}, whole</summary>"
                f"<pre>{escape(text)}</pre></details>"
            )
    return "".join(pieces)


def denied_cells(scp: str, limit: int) -> str:
    """SQL of the denials that come first: by what stops them, statement, account and principal.

    What is not reached is left at its class: first by statement, then by account.
    """
    only = (
        "WHERE statement IN (SELECT statement FROM statements WHERE policy = $scp)" if scp else ""
    )
    return f"""
    , denied AS (SELECT ruling, place, statement, denial, verdict_without FROM scp_denials {only}),
    told AS (
      SELECT pattern, place, statement, count(*) AS actions
      FROM picked JOIN denied USING (ruling) GROUP BY ALL),
    sized AS (SELECT pattern, sum(senders * identities) AS cells FROM chosen GROUP BY pattern),
    stated AS (
      SELECT place, statement, sum(cells * actions) AS cells
      FROM told JOIN sized USING (pattern) GROUP BY ALL),
    ahead AS (
      SELECT place, statement
      FROM (SELECT *, sum(cells) OVER (ORDER BY place, statement) - cells AS before FROM stated)
      WHERE before < {limit}),
    owned AS (
      SELECT place, statement, home,
             sum(senders * identities * actions) AS cells
      FROM chosen JOIN (FROM told SEMI JOIN ahead USING (place, statement)) USING (pattern)
      GROUP BY ALL),
    prefix AS (
      SELECT place, statement, home
      FROM (SELECT *, sum(cells) OVER (ORDER BY place, statement, home) - cells AS before
            FROM owned) WHERE before < {limit}),
    few AS (
      SELECT DISTINCT sender_class, identity_class, pattern
      FROM chosen JOIN told USING (pattern) SEMI JOIN prefix USING (place, statement, home)),
    first AS (
      SELECT c.*, d.place, d.statement, d.denial, d.verdict_without
      FROM ({members("few")}) c
      JOIN denied d USING (ruling) SEMI JOIN prefix USING (place, statement, home)
      ORDER BY place, statement, home, sender, identity, action_number, denial LIMIT {limit})
    SELECT coalesce(t.policy, '') AS policy, coalesce(t.sid, '') AS sid, t.statement_index,
           t.kind, coalesce(t.target, '') AS target, place, principal_arn, principal_type,
           principal_name, principal_account, principal_account_name, identity_name, region,
           identity,
           verdict_without, verdict_without_scp, action, ruling
    FROM first JOIN statements t USING (statement)
    ORDER BY place, statement, home, sender, identity, verdict_without, verdict_without_scp,
             action_number
    """


def cells_table(audit: Audit, selection: Selection, scp: str, denials: int) -> str:
    """Each denied cell, those of one principal and identity together, under its statement.

    Parameters
    ----------
    audit
        The snapshot.
    selection
        Which verdicts.
    scp
        Only this SCP, by its ARN.
    denials
        How many there are: a cell counts once for each statement that denies it.
    """
    organization = audit.organization
    every = len(audit.queries.actions())
    listed = audit.queries.ask(selection, denied_cells(scp, LIMIT * every), {"scp": scp})
    found = [
        (*alike, [row[-2] for row in rows], rows[0][-1])
        for alike, rows in ((key, list(same)) for key, same in groupby(listed, lambda r: r[:-2]))
    ][:LIMIT]
    shown = sum(len(row[-2]) for row in found)
    reasons = Reasons(audit, (row[-1] for row in found))
    groups: dict[tuple[str, StatementKey], list[list[str]]] = {}
    for row in found:
        key = StatementKey(*row[:5])
        place, who, who_type, name, account_id, account, identity, region, _ = row[5:14]
        without, without_scp, actions, ruling = row[14:]
        names = [a.removeprefix("ses:") for a in actions]
        also = [
            reasons.words(r, together=reasons.together(ruling))
            for r in reasons.of(ruling)
            if (r.policy, r.statement_index, r.target) != (key.policy, key.index, key.target)
        ]
        groups.setdefault((_PLACES[place], key), []).append(
            [
                principal_label(who, who_type, name, account=account_id or ""),
                account_label(account_id, account),
                identity_label(identity),
                region_label(region),
                "all" if len(names) == every else escape(", ".join(names)),
                _without(without if without is not None else without_scp),
                _without(without_scp),
                escape("; ".join(dict.fromkeys(also))),
            ]
        )
    return (
        "<p>A cell counts once for each statement that denies it; a row is one principal, one "
        "identity and one statement. “Without it” is the verdict if this SCP were not attached "
        "there, “without SCPs” if none were.</p>\n"
        + table(
            "Cells that an SCP denies",
            [
                "Principal",
                "Account",
                "Identity",
                "Region",
                "Actions",
                "Without it",
                "Without SCPs",
                "Also denied by",
            ],
            [
                Group(
                    escape(
                        f"{BLOCKERS[blocker]}: {key.name(organization)}, "
                        f"{key.statement(organization)} @ {_target(organization, key.target)}"
                    ),
                    rows,
                )
                for (blocker, key), rows in groups.items()
            ],
            total=len(found),
            said=f"{shown:,} of {denials:,} denials, in {plural(len(found), 'row')}",
        )
    )


def _without(verdict: str | None) -> str:
    return chip(verdict_kind(verdict).name) if verdict else "–"
