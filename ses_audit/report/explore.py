"""Exploring a snapshot: a selection, what it leaves to choose, its matrix, its cells.

Everything here is a DuckDB query over the verdict tables, so that size does not matter, and
everything is plain Python: `widgets.py` puts controls on it, the page shows it as it stands.
"""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ses_audit.audit.queries import OUTSIDE, RANKS, ROOT, Selection, first
from ses_audit.escape import html as escape
from ses_audit.report.glyphs import kind, legend
from ses_audit.report.labels import identity_label, principal_label, region_label, type_word
from ses_audit.report.matrix_html import principal_matrix
from ses_audit.report.page import Html
from ses_audit.report.rollup_html import MANY_ACCOUNTS, rollup
from ses_audit.report.scope_html import counts_list

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["FIELDS", "Cell", "Explorer", "Option"]

FIELDS = ("ou", "account", "principal", "identity", "region", "action", "kind")
"""What can be chosen, in the order in which it is asked."""

OPTION_LIMIT = 500
"""The most values offered for one field."""

ROW_LIMIT = 60
"""The most principals in the matrix of a selection."""

EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Option:
    """A value that can be chosen, and what it is called; plain text."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a principal, an identity and an action, with its kind."""

    principal: str
    identity: str
    action: str
    kind: str
    label: str
    """Plain text."""
    who: str
    where: str
    """The principal and the identity, as safe markup."""


@dataclass(frozen=True, slots=True)
class Explorer:
    """A snapshot under one selection; `choose` gives another.

    Parameters
    ----------
    audit
        The snapshot.
    selection
        Which verdicts.
    """

    audit: Audit
    selection: Selection = EVERYTHING

    def choose(self, **fields: str) -> Explorer:
        """The same snapshot under another selection."""
        return replace(self, selection=replace(self.selection, **fields))

    def options(self, field: str) -> list[Option]:
        """What can be chosen of one field while the others stay as they are.

        Parameters
        ----------
        field
            One of `FIELDS`.
        """
        rest = replace(self.selection, **{field: ""})
        match field:
            case "ou":
                return self._ous(rest)
            case "account":
                return self._accounts(rest)
            case "principal":
                return self._named(rest, "principal")
            case "identity":
                return self._named(rest, "identity")
            case "kind":
                counted = self.audit.queries.counts(rest)
                return [
                    Option(name, f"{kind(name).glyph} {kind(name).word} ({counted[name]:,})")
                    for name in RANKS
                    if counted[name]
                ]
        found = self.audit.queries.choices(field, rest)
        return [Option(value, value) for value in found]

    def _ous(self, rest: Selection) -> list[Option]:
        """OUs with cells, and those above them."""
        found: set[str] = set()
        for column in ("principal_ou", "identity_ou"):
            for ou in self.audit.queries.choices(column, rest):
                parts = ou.split(" / ")
                found.update(" / ".join(parts[: n + 1]) for n in range(len(parts)))
        order = sorted(found, key=lambda ou: (ou == OUTSIDE, ou != ROOT, ou))
        return [Option(ou, ou) for ou in order]

    def _accounts(self, rest: Selection) -> list[Option]:
        found = self.audit.queries.ask(
            rest,
            f"""SELECT DISTINCT account, name FROM (
                  SELECT principal_account AS account, principal_account_name AS name FROM chosen
                  UNION ALL SELECT identity_account, identity_account_name FROM chosen)
                WHERE account IS NOT NULL ORDER BY name, account LIMIT {OPTION_LIMIT}""",
        )
        return [Option(id, f"{name} {id}".strip()) for id, name in found]

    def _named(self, rest: Selection, what: str) -> list[Option]:
        """Principals or identities, the strongest verdicts first."""
        other = "principal_type" if what == "principal" else "region"
        members, key = (
            ("who", "sender_class") if what == "principal" else ("what", "identity_class")
        )
        found = self.audit.queries.ask(
            rest,
            f""", met AS (
              SELECT {key}, min(best) AS best FROM chosen JOIN best USING (pattern) GROUP BY {key})
            SELECT {what}_arn, {what}_name, {other}, {what}_account_name, {what}_account, best
            FROM met JOIN {members} USING ({key})
            ORDER BY best, {what}_name, {what}_arn LIMIT {OPTION_LIMIT}""",
        )
        return [
            Option(
                arn,
                f"{kind(RANKS[best]).glyph} "
                f"{type_word(more) + ' ' if what == 'principal' else ''}{name} · "
                f"{'' if what == 'principal' else more + ' · '}{account_name or account or ''}",
            )
            for arn, name, more, account_name, account, best in found
        ]

    @property
    def count(self) -> int:
        """How many cells are selected."""
        return sum(self.audit.queries.counts(self.selection).values())

    def counts(self) -> Html:
        """The cells of the selection by kind."""
        return Html.of(counts_list(self.audit, self.selection))

    def matrix(self) -> Html:
        """The matrix of the selection: by account while it is wide, by principal when narrow."""
        chosen = self.selection
        accounts = len(self.audit.organization.accounts)
        if not any((chosen.account, chosen.principal, chosen.identity)):
            rows = "ou" if accounts > MANY_ACCOUNTS else "account"
            return Html.of(rollup(self.audit.queries, chosen, rows, accounts) + legend())
        found = principal_matrix(self.audit, chosen, ROW_LIMIT)
        return Html.of(found.markup + legend())

    def cells(self, limit: int = 200) -> list[Cell]:
        """Cells of the selection, the strongest verdicts first.

        Parameters
        ----------
        limit
            The most that are given.
        """
        found = self.audit.queries.ask(
            self.selection,
            first("rank, principal_account_name", limit)
            + "SELECT principal_arn, principal_type, principal_name, principal_account, "
            "principal_account_name, identity_arn, identity_name, region, action, rank "
            "FROM cells ORDER BY rank, principal_account_name, principal_arn, identity_arn, "
            f"action LIMIT {int(limit)}",
        )
        cells = []
        for who, type_, name, id_, account, identity, identity_name, region, action, rank in found:
            shown = kind(RANKS[rank])
            place = "" if region == "*" else f" in {region}"
            cells.append(
                Cell(
                    who,
                    identity,
                    action,
                    shown.name,
                    f"{shown.glyph} {shown.word}: {name}{f' ({account})' if account else ''} → "
                    f"{'identities not read' if identity_name == '*' else identity_name}{place}, "
                    f"{action.removeprefix('ses:')}",
                    f"{principal_label(who, type_, name, account=id_ or '')} "
                    f"{escape(f'({account})' if account else '')}",
                    f"{identity_label(identity_name)} {region_label(region)}",
                )
            )
        return cells
