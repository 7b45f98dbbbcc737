"""Whom SES would answer "554 Access denied" today: SMTP users, and denials by layer."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ses_audit.audit.queries import RANKS
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

_PAIRS = f"""
FROM verdicts WHERE smtp AND action = '{SMTP_ACTION}' AND NOT unread
AND principal_account = identity_account AND identity_name <> '*'
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
    users, denied, pairs = audit.queries.rows(
        f"SELECT count(DISTINCT principal_arn), count(DISTINCT principal_arn) "
        f"FILTER (rank >= {_DENIED}), count(*) FILTER (rank >= {_DENIED}) {_PAIRS}"
    )[0]
    unknown = audit.queries.rows(
        "SELECT count(*) FROM senders WHERE principal_type = 'user' AND smtp IS NULL"
    )[0][0]
    first = audit.queries.rows(
        f"SELECT principal_arn, identity_arn, rank {_PAIRS} AND rank >= {_DENIED} "
        "ORDER BY rank, principal_arn, identity_arn LIMIT 1"
    )
    if not first:
        # No SMTP user is refused: any other cell that is.
        first = audit.queries.rows(
            f"SELECT principal_arn, identity_arn, rank FROM verdicts WHERE rank >= {_DENIED} "
            f"AND action = '{SMTP_ACTION}' ORDER BY rank, principal_arn, identity_arn LIMIT 1"
        )
    example = (str(first[0][0]), str(first[0][1])) if first else None
    return Refused(users, denied, pairs, unknown, example)


def refused_table(audit: Audit, total: int) -> str:
    """Each SMTP user with an active key and each identity of its account that it may not use."""
    found = audit.queries.rows(
        "SELECT principal_arn, principal_type, principal_name, principal_account, "
        "principal_account_name, identity_arn, identity_name, region, rank, ruling "
        f"{_PAIRS} AND rank >= {_DENIED} "
        "ORDER BY rank, principal_account_name, principal_arn, region, identity_name "
        f"LIMIT {LIMIT}"
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
    found = audit.queries.rows(
        "SELECT r.denied_by, count(*), count(DISTINCT v.principal_arn), "
        "count(*) FILTER (v.rank = 3) FROM verdicts v JOIN rulings r ON r.n = v.ruling "
        f"WHERE v.rank >= {_DENIED} GROUP BY r.denied_by ORDER BY count(*) DESC, r.denied_by"
    )
    cells = sum(count for _, count, _, _ in found)
    rows = [
        [
            escape(" and ".join(LAYER_WORDS.get(part, part) for part in layers.split(";"))),
            f"{count:,}",
            f"{principals:,}",
        ]
        for layers, count, principals, _ in found
    ]
    return table(
        "Denied cells by the layers that deny them",
        ["Layers", "Cells", "Principals"],
        rows,
        total=len(rows),
        said=f"{plural(len(rows), 'combination')}, {cells:,} of {audit.summary().cells:,} cells",
        numeric=(1, 2),
    )
