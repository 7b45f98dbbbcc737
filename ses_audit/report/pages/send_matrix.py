"""02_send_matrix: who can send, from which identity, in which region."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.audit.queries import OUTSIDE, RANKS, Selection, first, members
from ses_audit.escape import html as escape
from ses_audit.report.choices import choose, select
from ses_audit.report.glyphs import chip, legend
from ses_audit.report.html_table import LIMIT, table
from ses_audit.report.labels import (
    account_label,
    identity_label,
    number,
    plural,
    principal_label,
    region_label,
)
from ses_audit.report.links import files_line
from ses_audit.report.matrix_html import principal_matrix
from ses_audit.report.page import Page, section
from ses_audit.report.reasons import missing_words
from ses_audit.report.rollup_html import MANY_ACCOUNTS, rollup
from ses_audit.report.scope_html import counts_list, scope_line
from ses_audit.report.unseen_html import unseen_body

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["NAME", "QUESTION", "page"]

NAME = "02_send_matrix"
QUESTION = "Who can send e-mail, from which identity, in which region?"

# Weakest first.
_CONFIDENCE = {
    "X": "sources conflict",
    "I": "inferred",
    "R": "reported by users",
    "D": "documented",
}


def page(
    audit: Audit,
    *,
    ou: str = "",
    account: str = "",
    identity: str = "",
    region: str = "",
    action: str = "",
    rows: str = "",
    data: str = "",
) -> Page:
    """The page.

    Parameters
    ----------
    audit
        The snapshot.
    ou, account, identity, region, action
        What to look at; "" for everything. See `ses_audit.report.choices.select`.
    rows
        `account` or `ou`: what the roll-up's rows are; "" for what fits.
    data
        The folder of the whole tables, relative to the page.

    Raises
    ------
    UserError
        For a value that the snapshot does not hold.
    """
    selection = select(
        audit, ou=ou, account=account, identity=identity, region=region, action=action
    )
    accounts = len(audit.organization.accounts)
    chosen = choose("roll-up", rows, ("account", "ou")) or (
        "ou" if accounts > MANY_ACCOUNTS else "account"
    )
    return Page(
        name=NAME,
        question=QUESTION,
        answer=section(NAME, "answer", "", _answer(audit, selection)),
        picture=section(
            NAME,
            "picture",
            "The matrix",
            rollup(audit.queries, selection, chosen, accounts)
            + legend()
            + _matrix(audit, selection),
        ),
        table=section(NAME, "table", "Row by row", _table(audit, selection, data)),
        unseen=section(NAME, "unseen", "What could not be seen", unseen_body(audit)),
        where_next=section(NAME, "next", "Where to go next", _next(audit)),
    )


def _answer(audit: Audit, selection: Selection) -> str:
    by_rank = dict(
        audit.queries.ask(
            selection,
            f""", met AS (
              SELECT sender_group, senders, unread, min(best) AS best
              FROM chosen JOIN best USING (pattern)
              WHERE principal_ou <> '{OUTSIDE}' GROUP BY ALL)
            SELECT best, coalesce(sum(senders) FILTER (NOT unread), 0)::BIGINT
            FROM met GROUP BY best""",
        )
    )
    smtp = audit.queries.ask(
        selection,
        """, sendable AS (
          SELECT DISTINCT pattern FROM picked WHERE rank <= 1 AND action = 'ses:SendRawEmail')
        SELECT coalesce(sum(senders), 0)::BIGINT FROM (
          SELECT DISTINCT sender_group, senders FROM chosen SEMI JOIN sendable USING (pattern)
          WHERE smtp)""",
    )[0][0]
    of_kind = {name: by_rank.get(rank, 0) for rank, name in enumerate(RANKS)}
    can = of_kind["allowed"] + of_kind["conditional"]
    summary = audit.summary()
    crossed = sum(of_kind.values())
    # A principal that meets no identity, its own account's or one that grants to it, can't send.
    total = max(crossed, summary.principals) if selection.all else crossed
    words = f"<strong>{can:,} of {plural(total, 'principal')} can send</strong>"
    if can:
        words += f": {of_kind['allowed']:,} whatever the request says"
        if of_kind["conditional"]:
            words += f", {of_kind['conditional']:,} only under conditions"
        words += f"; {smtp:,} of them by SMTP as well"
    words += "."
    if of_kind["scp_alone"]:
        words += f" SCPs alone stop {of_kind['scp_alone']:,} more."
    if of_kind["unknown"]:
        words += f" For {of_kind['unknown']:,} it is not known."
    if not crossed:
        words = f"<strong>No cell</strong>: {_nothing(audit, selection)}."
    return (
        f'<p class="answer">{words}</p>\n{_outsiders(audit, selection)}'
        f"{scope_line(audit, selection)}{counts_list(audit, selection)}"
    )


def _nothing(audit: Audit, selection: Selection) -> str:
    """Why there is no cell at all."""
    summary = audit.summary()
    if not selection.all:
        return "nothing in the snapshot meets this choice"
    if not summary.principals:
        return "no principal was read, so it is not known who can send"
    if not summary.identities:
        return "the snapshot holds no identity, so there is nothing to send from"
    return "no principal meets an identity"


def _outsiders(audit: Audit, selection: Selection) -> str:
    found = audit.queries.ask(
        selection,
        f""", few AS (
          SELECT sender_class, identity_class, pattern FROM chosen JOIN best USING (pattern)
          WHERE principal_ou = '{OUTSIDE}' AND best <= 1)
        SELECT principal_arn, principal_type, principal_name, principal_account, identity_arn,
               identity_name, region, identity_account, identity_account_name, min(rank) AS best,
               any_value(conditions) FILTER (rank = 1)
        FROM ({members("few")}) WHERE rank <= 1
        GROUP BY ALL ORDER BY principal_arn, identity_arn""",
    )
    lines = []
    for who, kind, name, account, _, identity, region, owner, owner_name, best, conditions in found[
        :8
    ]:
        note = f"if {conditions}" if RANKS[best] == "conditional" and conditions else ""
        lines.append(
            f"<li>{principal_label(who, kind, name, account=account or '')} → "
            f"{escape(identity)} in {escape(region)} ({account_label(owner, owner_name)}): "
            f"{chip(RANKS[best], note)}</li>"
        )
    if not lines:
        return ""
    more = f"<li>and {len(found) - 8:,} more</li>" if len(found) > 8 else ""
    return (
        '<div class="alert"><strong>From outside the organization</strong>, by sending '
        f"authorization policies: {len(lines)} of {len(found)}"
        f"<ul>{''.join(lines)}{more}</ul></div>\n"
    )


def _matrix(audit: Audit, selection: Selection) -> str:
    blocks = principal_matrix(audit, selection)
    if not blocks.total:
        return ""
    return (
        "<p>By principal, one block an account that owns identities: "
        f"{blocks.shown:,} of {plural(blocks.total, 'account')} with a principal that is not "
        "denied everywhere. Principals with the same cells share a row.</p>\n" + blocks.markup
    )


def _table(audit: Audit, selection: Selection, data: str) -> str:
    total, cells = audit.queries.ask(
        selection,
        """, alike AS (
          SELECT pattern, count(*) AS actions FROM picked JOIN rulings r ON r.n = ruling
          WHERE picked.rank <= 2 GROUP BY pattern, r.rank, conditions, missing_evidence),
        counted AS (
          SELECT pattern, count(*) AS pairs, sum(actions) AS cells FROM alike GROUP BY pattern),
        sized AS (SELECT pattern, sum(senders * identities) AS n FROM chosen GROUP BY pattern)
        SELECT coalesce(sum(n * pairs), 0)::BIGINT, coalesce(sum(n * cells), 0)::BIGINT
        FROM counted JOIN sized USING (pattern)""",
    )[0]
    found = audit.queries.ask(
        selection,
        first("rank, principal_account_name", LIMIT * len(audit.queries.actions()))
        + f"""SELECT principal_arn, principal_type, principal_name, principal_account,
               principal_account_name, smtp, identity_arn, identity_name, region,
               identity_account, identity_account_name, rank,
               list(action ORDER BY action) AS actions, conditions, missing_evidence,
               list_sort(list(DISTINCT rule_confidence)) AS confidence
        FROM cells WHERE rank <= 2 GROUP BY ALL
        ORDER BY rank, principal_account_name, principal_arn, region, identity_name, actions,
                 identity_account
        LIMIT {LIMIT}""",
    )
    every = audit.queries.actions()
    body = []
    for (
        who,
        kind,
        name,
        account,
        account_name,
        smtp,
        _,
        identity,
        region,
        owner,
        owner_name,
        rank,
        actions,
        conditions,
        missing,
        confidence,
    ) in found:
        names = [a.removeprefix("ses:") for a in actions]
        why = conditions if RANKS[rank] == "conditional" else missing_words(missing or "")
        body.append(
            [
                principal_label(who, kind, name, smtp=bool(smtp), account=account or ""),
                account_label(account, account_name),
                identity_label(identity),
                region_label(region),
                "the same" if owner == account else account_label(owner, owner_name),
                "all" if len(names) == len(every) else escape(", ".join(names)),
                chip(RANKS[rank]),
                escape(why),
                escape(_weakest(confidence)),
            ]
        )
    counted = audit.queries.counts(selection)
    return (
        f"<p>Each pair of principal and identity that is allowed, conditional or unknown "
        f"({number(int(cells))} of {sum(counted.values()):,} cells; a cell is one principal, one "
        "identity, one action). “Rule” says how well AWS documents the rules that decide it.</p>\n"
        + table(
            "Who can send",
            [
                "Principal",
                "Account",
                "Identity",
                "Region",
                "Its account",
                "Actions",
                "Verdict",
                "If, or what is missing",
                "Rule",
            ],
            body,
            total=int(total),
            what="pairs",
        )
        + files_line(audit, data, "verdicts")
    )


def _weakest(confidences: list[str]) -> str:
    """The weakest of some rules: what the cells of a row rest on."""
    return next((word for code, word in _CONFIDENCE.items() if code in confidences), "")


def _next(audit: Audit) -> str:
    return (
        "<ul><li>What the SCPs stop, and what would be sent without them: 03_scp_denies.</li>"
        "<li>One mail was refused with 554 Access denied: 04_access_denied, or "
        '<code>ses-audit explain "554 Access denied …" --snapshot SNAPSHOT</code>.</li>'
        "<li>One identity: <code>ses-audit who-can SNAPSHOT IDENTITY</code>.</li>"
        "<li>Another action or account on this page: the parameters <code>action</code>, "
        "<code>account</code>, <code>ou</code>, <code>identity</code>, <code>region</code>.</li>"
        "</ul>"
    )
