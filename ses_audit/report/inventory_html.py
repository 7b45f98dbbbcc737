"""What was read, as tables: accounts, SMTP users, identities, principals; and the OU tree."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ses_audit.audit.queries import ROOT, Selection
from ses_audit.escape import html as escape
from ses_audit.report.glyphs import chip
from ses_audit.report.html_table import LIMIT, Group, table
from ses_audit.report.labels import account_label, arn, plural, principal_label, region_label, tag
from ses_audit.report.links import files_line
from ses_audit.report.rollup_html import account_order
from ses_audit.report.tree_svg import NODE_LIMIT, organization_tree, tree_svg

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.organization import Account

__all__ = ["Inventory"]

_TYPE_ORDER = {"root": 0, "user": 1, "role": 2}
_TYPE_PLACES = " ".join(f"WHEN '{kind}' THEN {place}" for kind, place in _TYPE_ORDER.items())

_COUNTED = {
    **{kind: f"count(*) FILTER (type = '{kind}')" for kind in _TYPE_ORDER},
    "smtp": "count(*) FILTER (smtp)",
    "keys unread": "count(*) FILTER (type = 'user' AND smtp IS NULL)",
    "sso": "count(permission_set)",
    "linked": "count(*) FILTER (service_linked)",
}
"""What is counted of an account's principals."""


class Inventory:
    """The snapshot's accounts, principals and identities, cut to a selection.

    Parameters
    ----------
    audit
        The snapshot.
    selection
        Of OU and account.
    """

    def __init__(self, audit: Audit, selection: Selection) -> None:
        self._audit = audit
        organization = audit.organization
        self._accounts = [a for a in organization.accounts.values() if _chosen(a, selection)]
        self._accounts.sort(key=lambda a: account_order(a.ou or ROOT, a.name, a.id))
        self._tables = audit.inventory
        self._values = {"whole": selection.all, "ids": [account.id for account in self._accounts]}
        self._of_account: dict[str, Counter[str]] = {
            account: Counter(dict(zip(_COUNTED, counts, strict=True)))
            for account, *counts in self._rows(
                f"SELECT account_id, {', '.join(_COUNTED.values())} FROM ours GROUP BY account_id"
            )
        }
        everyone: Counter[str] = Counter()
        for counted in self._of_account.values():
            everyone += counted
        self._everyone = everyone
        self.smtp_count = everyone["smtp"]
        self.smtp_unknown = everyone["keys unread"]
        self._identities_of = Counter(
            dict(self._rows("SELECT account_id, count(*) FROM theirs GROUP BY account_id"))
        )
        self.identity_count = self._identities_of.total()
        self.region_count = self._rows("SELECT count(DISTINCT region) FROM theirs")[0][0]
        self._unlisted = {account for account, _ in audit.overview.unlisted}
        self._not_read = {id: reason for id, _, reason in audit.summary().accounts_not_read}

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Of the principals (`ours`) and identities (`theirs`) of the selection."""
        return self._tables.rows(
            """WITH wanted AS (
              SELECT unnest($ids::VARCHAR[]) AS account_id,
                     generate_subscripts($ids::VARCHAR[], 1) AS place),
            ours AS (SELECT * FROM principals LEFT JOIN wanted USING (account_id)
                     WHERE $whole OR place IS NOT NULL),
            theirs AS (SELECT * FROM identities LEFT JOIN wanted USING (account_id)
                       WHERE $whole OR place IS NOT NULL)
            """
            + sql,
            self._values,
        )

    def types(self) -> Counter[str]:
        """How many principals of each type."""
        return Counter({kind: self._everyone[kind] for kind in _TYPE_ORDER})

    def tree(self) -> str:
        """The OU tree with what stands in each account."""
        organization = self._audit.organization
        if not organization.units and not organization.accounts:
            return "<p>No organization was read, so there is no tree to draw.</p>"
        few = len(self._accounts) <= NODE_LIMIT
        words = {a.id: self._account_words(a) for a in self._accounts} if few else {}
        nodes = organization_tree(organization, {}, words, accounts=few)
        alone = (
            ""
            if organization.units
            else "<p>No organization was read: the accounts stand by themselves.</p>"
        )
        return alone + tree_svg(
            nodes,
            "The organization",
            f"{plural(len(organization.units), 'root and OU', 'root and OUs')}, "
            f"{plural(len(organization.accounts), 'account')}; the table of accounts says the same",
        )

    def _account_words(self, account: Account) -> str:
        if account.id in self._not_read:
            return f"{account.id} · not read: {self._not_read[account.id]}"
        counted = self._of_account.get(account.id, Counter())
        principals = sum(counted[kind] for kind in _TYPE_ORDER)
        words = f"{account.id} · {plural(principals, 'principal')}"
        identities = self._identities_of[account.id]
        unlisted = account.id in self._unlisted
        if identities:
            least = "at least " if unlisted else ""
            words += f" · {least}{plural(identities, 'identity', 'identities')}"
        elif unlisted:
            words += " · identities not read"
        if counted["smtp"]:
            words += f" · {plural(counted['smtp'], 'SMTP user')}"
        return words + (" · management account" if account.is_management else "")

    def tables(self, data: str) -> str:
        """Accounts, SMTP users, identities, then every principal."""
        return (
            self._accounts_table()
            + files_line(self._audit, data, "accounts")
            + self._smtp_table()
            + self._identities_table()
            + files_line(self._audit, data, "identities")
            + self._principals_table()
            + files_line(self._audit, data, "principals")
        )

    def _accounts_table(self) -> str:
        rows: dict[str, list[list[str]]] = {}
        for account in self._accounts[:LIMIT]:
            counted = self._of_account.get(account.id, Counter())
            reason = self._not_read.get(account.id, "")
            rows.setdefault(account.ou or ROOT, []).append(
                [
                    account_label(account.id, account.name)
                    + (f" {tag('management')}" if account.is_management else ""),
                    escape(account.state or "–"),
                    *(_number(counted[kind], not reason) for kind in ("user", "role")),
                    f"{counted['root']:,}",
                    _number(counted["smtp"], not reason and not counted["keys unread"]),
                    *(_number(counted[kind], not reason) for kind in ("sso", "linked")),
                    _number(
                        self._identities_of[account.id],
                        not reason and account.id not in self._unlisted,
                    ),
                    f"not read: {escape(reason)}" if reason else "read",
                ]
            )
        return table(
            "Accounts",
            [
                "Account",
                "State",
                "Users",
                "Roles",
                "Root user",
                "SMTP users",
                "Identity Center roles",
                "Service-linked roles",
                "Identities",
                "Read?",
            ],
            [Group(escape(ou), found) for ou, found in rows.items()],
            total=len(self._audit.organization.accounts),
            what="accounts",
            numeric=range(2, 9),
            group="OU",
        )

    def _smtp_table(self) -> str:
        body = [
            [
                escape(name),
                account_label(account, account_name),
                f"{active:,} of {keys:,}",
                "–" if last is None else " ".join(escape(part) for part in last),
            ]
            for name, account, account_name, active, keys, last in self._rows(
                f"""SELECT name, account_id, account_name, active_keys, keys, last
                FROM ours JOIN used USING (principal_arn) WHERE smtp
                ORDER BY account_name, account_id, name LIMIT {LIMIT}"""
            )
        ]
        users = self._everyone["user"]
        unknown = (
            f"<p>{chip('unknown')} of {plural(self.smtp_unknown, 'user')} the access keys were not "
            "read.</p>\n"
            if self.smtp_unknown
            else ""
        )
        return (
            "<p>Only a user with an active access key can log in to SMTP; whether it may send is "
            f"another question (02_send_matrix).</p>\n{unknown}"
        ) + table(
            "Users that can log in to SMTP",
            ["User", "Account", "Active keys", "A key was last used"],
            body,
            total=users,
            what="users",
        )

    def _identities_table(self) -> str:
        groups: dict[str, list[list[str]]] = {}
        for (
            account,
            account_name,
            name,
            kind,
            region,
            verified,
            default,
            policies,
            production,
        ) in self._rows(
            f"""SELECT account_id, account_name, name, type, region, verified,
                       configuration_set, policies, production_access FROM theirs
                ORDER BY account_name, account_id, region, name LIMIT {LIMIT}"""
        ):
            groups.setdefault(account_label(account, account_name), []).append(
                [
                    escape(name),
                    escape(kind),
                    region_label(region),
                    _yes(verified, "verified", "not verified"),
                    "not read" if default is None else escape(default) or "none",
                    f"{policies:,}",
                    _yes(production, "production", "sandbox"),
                ]
            )
        return table(
            "Identities",
            [
                "Identity",
                "Type",
                "Region",
                "Verified",
                "Default configuration set",
                "Sending policies",
                "SES account",
            ],
            [Group(label, found) for label, found in groups.items()],
            total=self.identity_count,
            what="identities",
            numeric=(5,),
        )

    def _principals_table(self) -> str:
        groups: dict[str, list[list[str]]] = {}
        for arn_, kind, name, account, account_name, ou, linked, bounded, smtp in self._rows(
            f"""SELECT principal_arn, type, name, account_id, account_name, ou, service_linked,
                   boundary_arn IS NOT NULL, smtp FROM ours
            ORDER BY place NULLS LAST, CASE type {_TYPE_PLACES} ELSE 3 END, name, principal_arn
            LIMIT {LIMIT}"""
        ):
            label = f"{escape(ou or ROOT)} · {account_label(account, account_name)}"
            remarks = [
                tag(word)
                for word, holds in (("service-linked", linked), ("boundary", bounded))
                if holds
            ]
            groups.setdefault(label, []).append(
                [
                    principal_label(arn_, kind, name, smtp=bool(smtp)),
                    arn(arn_),
                    " ".join(remarks),
                ]
            )
        return table(
            "Every principal, by OU, account and type",
            ["Principal", "ARN", "Remarks"],
            [Group(label, found) for label, found in groups.items()],
            total=sum(self.types().values()),
            what="principals",
        )


def _chosen(account: Account, selection: Selection) -> bool:
    ou = account.ou or ROOT
    if selection.account and account.id != selection.account:
        return False
    return not selection.ou or ou == selection.ou or ou.startswith(f"{selection.ou} / ")


def _number(count: int, whole: bool) -> str:
    """A count, and what is known of it where not everything was read: never a bare 0."""
    if whole:
        return f"{count:,}"
    return f"at least {count:,}" if count else "?"


def _yes(value: object, yes: str, no: str) -> str:
    return "not read" if value is None else yes if value else no
