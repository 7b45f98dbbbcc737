"""Whom SES would answer "554 Access denied" today: SMTP users, and denials by layer."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ses_audit.audit.queries import RANKS, Selection, members
from ses_audit.escape import html as escape
from ses_audit.report.gates_svg import LAYER_WORDS
from ses_audit.report.glyphs import chip
from ses_audit.report.html_table import LIMIT, table
from ses_audit.report.labels import (
    account_label,
    identity_label,
    plural,
    principal_label,
    region_label,
)
from ses_audit.report.reasons import Reasons

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["SMTP_ACTION", "Refused", "denials_by_layer", "refused", "refused_table"]

SMTP_ACTION = "ses:SendRawEmail"
"""What every message over SMTP is checked as."""

_DENIED = RANKS.index("scp_alone")

_SMTP = Selection(action=SMTP_ACTION)

_PAIRS = """, own AS (
  SELECT * FROM chosen JOIN best USING (pattern)
  WHERE smtp AND NOT unread AND listed AND principal_account = identity_account)
"""

# As many accounts as hold so many of them, in the order in which they are told.
_FIRST = """, sized AS (
  SELECT best, {order}, sum(senders * identities) AS pairs FROM {source}
  WHERE best >= {denied} GROUP BY ALL),
prefix AS (
  SELECT best, {order}
  FROM (SELECT *, sum(pairs) OVER (ORDER BY best, {order}) - pairs AS before FROM sized)
  WHERE before < {limit}),
few AS (
  SELECT DISTINCT sender_class, identity_class, pattern FROM {source}
  SEMI JOIN prefix USING (best, {order})),
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """SMTP users that are refused from an identity of their own account."""

    users: int
    refused: int
    pairs: int
    unknown: int
    """Users whose access keys were not read."""
    example: tuple[str, str] | None
    """(principal, identity) of one of them, the one an SCP alone stops first."""


def refused(audit: Audit) -> Refused:
    """Count them."""
    ask = audit.queries.ask
    users, denied, pairs = ask(
        _SMTP,
        f"""{_PAIRS}, met AS (
          SELECT sender_group, senders, max(best) AS worst,
                 sum(identities) FILTER (best >= {_DENIED}) AS refused
          FROM own GROUP BY ALL)
        SELECT coalesce(sum(senders), 0)::BIGINT,
               coalesce(sum(senders) FILTER (worst >= {_DENIED}), 0)::BIGINT,
               coalesce(sum(senders * refused), 0)::BIGINT FROM met""",
    )[0]
    unknown = audit.queries.rows(
        "SELECT count(*) FROM senders WHERE principal_type = 'user' AND smtp IS NULL"
    )[0][0]
    first = ask(_SMTP, _PAIRS + _example("own"))
    if not first:
        # No SMTP user is refused: any other cell that is.
        first = ask(_SMTP, ", own AS (FROM chosen JOIN best USING (pattern))" + _example("own"))
    example = (str(first[0][0]), str(first[0][1])) if first else None
    return Refused(users, denied, pairs, unknown, example)


def _example(source: str) -> str:
    """SQL of the first cell that is refused."""
    return (
        _FIRST.format(source=source, order="home", denied=_DENIED, limit=1)
        + f"""cells AS ({members("few")})
        SELECT principal_arn, identity_arn FROM cells WHERE rank >= {_DENIED}
        ORDER BY rank, principal_arn, identity_arn LIMIT 1"""
    )


def refused_table(audit: Audit, total: int) -> str:
    """Each SMTP user with an active key and each identity of its account that it may not use."""
    found = audit.queries.ask(
        _SMTP,
        _PAIRS
        + _FIRST.format(source="own", order="principal_account_name", denied=_DENIED, limit=LIMIT)
        + f"""cells AS ({members("few")})
        SELECT principal_arn, principal_type, principal_name, principal_account,
               principal_account_name, identity_arn, identity_name, region, rank, ruling
        FROM cells WHERE smtp AND rank >= {_DENIED}
        ORDER BY rank, principal_account_name, principal_arn, region, identity_name
        LIMIT {LIMIT}""",
    )
    reasons = Reasons(audit, (row[-1] for row in found))
    rows = [
        [
            principal_label(who, kind, name),
            account_label(account, account_name),
            identity_label(identity),
            region_label(region),
            chip(RANKS[rank]),
            escape(reasons.line(ruling)),
        ]
        for who, kind, name, account, account_name, _, identity, region, rank, ruling in found
    ]
    return table(
        "SMTP users that are refused",
        ["User", "Account", "From", "Region", "Verdict", "What denies it"],
        rows,
        total=total,
        what="pairs of user and identity",
    )


def denials_by_layer(audit: Audit) -> str:
    """Denied cells by the layers that deny them."""
    found = audit.queries.ask(
        Selection(),
        f""", told AS (
          SELECT pattern, denied_by, count(*) AS actions
          FROM picked JOIN rulings r ON r.n = ruling WHERE picked.rank >= {_DENIED} GROUP BY ALL),
        sized AS (SELECT pattern, sum(senders * identities) AS n FROM chosen GROUP BY pattern),
        counted AS (
          SELECT denied_by, sum(n * actions)::BIGINT AS cells
          FROM told JOIN sized USING (pattern) GROUP BY denied_by),
        people AS (
          SELECT denied_by, sum(senders)::BIGINT AS principals FROM (
            SELECT DISTINCT sender_group, senders, denied_by
            FROM (SELECT DISTINCT sender_group, senders, pattern FROM chosen)
            JOIN told USING (pattern)) GROUP BY denied_by)
        SELECT denied_by, cells, principals FROM counted JOIN people USING (denied_by)
        ORDER BY cells DESC, denied_by""",
    )
    cells = sum(count for _, count, _ in found)
    rows = [
        [
            escape(" and ".join(LAYER_WORDS.get(part, part) for part in layers.split(";"))),
            f"{count:,}",
            f"{principals:,}",
        ]
        for layers, count, principals in found
    ]
    return table(
        "Denied cells by the layers that deny them",
        ["Layers", "Cells", "Principals"],
        rows,
        total=len(rows),
        said=f"{plural(len(rows), 'combination')}, {cells:,} of {audit.summary().cells:,} cells",
        numeric=(1, 2),
    )
