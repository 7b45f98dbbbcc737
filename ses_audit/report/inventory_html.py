"""What was read, as tables: accounts, SMTP users, identities, principals; and the OU tree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ses_audit.audit.queries import ROOT, Selection
from ses_audit.escape import html as escape
from ses_audit.report.glyphs import chip
from ses_audit.report.html_table import Group, table
from ses_audit.report.labels import account_label, arn, plural, principal_label, region_label, tag
from ses_audit.report.links import files_line
from ses_audit.report.rollup_html import account_order
from ses_audit.report.tree_svg import organization_tree, tree_svg

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.organization import Account

__all__ = ["Inventory"]

_TYPE_ORDER = {"root": 0, "user": 1, "role": 2}


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
        organization = audit.model.organization
        self._accounts = [a for a in organization.accounts.values() if _chosen(a, selection)]
        self._accounts.sort(key=lambda a: account_order(a.ou or ROOT, a.name, a.id))
        ids = {account.id for account in self._accounts}
        whole = selection.all
        self._principals: list[dict[str, Any]] = [
            row for row in _records(audit.principals()) if whole or row["account_id"] in ids
        ]
        self._identities: list[dict[str, Any]] = [
            row for row in _records(audit.identities()) if whole or row["account_id"] in ids
        ]
        self.identity_count = len(self._identities)
        self.region_count = len({row["region"] for row in self._identities})
        users = [row for row in self._principals if row["type"] == "user"]
        self.smtp_count = sum(bool(row["smtp"]) for row in users)
        self.smtp_unknown = sum(row["smtp"] is None for row in users)
        self._of_account: dict[str, Counter[str]] = {}
        for row in self._principals:
            counted = self._of_account.setdefault(row["account_id"], Counter())
            counted[row["type"]] += 1
            counted["smtp"] += bool(row["smtp"])
            counted["keys unread"] += row["type"] == "user" and row["smtp"] is None
            counted["sso"] += row["permission_set"] is not None
            counted["linked"] += bool(row["service_linked"])
        self._identities_of = Counter(row["account_id"] for row in self._identities)
        self._unlisted = {i.account for i in audit.model.identities.values() if not i.known}
        self._not_read = {id: reason for id, _, reason in audit.summary().accounts_not_read}

    def types(self) -> Counter[str]:
        """How many principals of each type."""
        return Counter(row["type"] for row in self._principals)

    def tree(self) -> str:
        """The OU tree with what stands in each account."""
        organization = self._audit.model.organization
        if not organization.units and not organization.accounts:
            return "<p>No organization was read, so there is no tree to draw.</p>"
        words = {account.id: self._account_words(account) for account in self._accounts}
        nodes = organization_tree(organization, {}, words, accounts=len(self._accounts) <= 60)
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
            + files_line(data, "accounts")
            + self._smtp_table()
            + self._identities_table()
            + files_line(data, "identities")
            + self._principals_table()
            + files_line(data, "principals")
        )

    def _accounts_table(self) -> str:
        rows: dict[str, list[list[str]]] = {}
        for account in self._accounts:
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
            total=len(self._audit.model.organization.accounts),
            what="accounts",
            numeric=range(2, 9),
            group="OU",
        )

    def _smtp_table(self) -> str:
        keys: dict[str, list[dict[str, Any]]] = {}
        for key in self._audit.snapshot.table("access_keys").to_pylist():
            keys.setdefault(key["principal_arn"], []).append(key)
        body = []
        for row in self._principals:
            if not row["smtp"]:
                continue
            own = keys.get(row["principal_arn"], [])
            used = [key for key in own if key["last_used"]]
            last = max(used, key=lambda key: str(key["last_used"]), default=None)
            body.append(
                [
                    escape(row["name"]),
                    account_label(row["account_id"], row["account_name"]),
                    f"{row['active_keys']:,} of {len(own):,}",
                    "–"
                    if last is None
                    else f"{escape(last['last_used'])} "
                    f"{escape(last['last_used_service'] or '')} "
                    f"{escape(last['last_used_region'] or '')}",
                ]
            )
        body.sort(key=lambda cells: (cells[1], cells[0]))
        users = sum(row["type"] == "user" for row in self._principals)
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
        for row in sorted(
            self._identities, key=lambda r: (r["account_name"], r["region"], r["name"])
        ):
            label = account_label(row["account_id"], row["account_name"])
            default = row["configuration_set"]
            groups.setdefault(label, []).append(
                [
                    escape(row["name"]),
                    escape(row["type"]),
                    region_label(row["region"]),
                    _yes(row["verified"], "verified", "not verified"),
                    "not read" if default is None else escape(default) or "none",
                    f"{row['policies']:,}",
                    _yes(row["production_access"], "production", "sandbox"),
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
            total=len(self._identities),
            what="identities",
            numeric=(5,),
        )

    def _principals_table(self) -> str:
        groups: dict[str, list[list[str]]] = {}
        ordered = sorted(
            self._principals,
            key=lambda r: (
                *account_order(r["ou"] or ROOT, r["account_name"], r["account_id"]),
                _TYPE_ORDER.get(r["type"], 3),
                r["name"],
            ),
        )
        for row in ordered:
            label = (
                f"{escape(row['ou'] or ROOT)} · "
                f"{account_label(row['account_id'], row['account_name'])}"
            )
            remarks = [
                tag(word)
                for word, holds in (
                    ("service-linked", row["service_linked"]),
                    ("boundary", row["boundary_arn"] is not None),
                )
                if holds
            ]
            groups.setdefault(label, []).append(
                [
                    principal_label(
                        row["principal_arn"], row["type"], row["name"], smtp=bool(row["smtp"])
                    ),
                    arn(row["principal_arn"]),
                    " ".join(remarks),
                ]
            )
        return table(
            "Every principal, by OU, account and type",
            ["Principal", "ARN", "Remarks"],
            [Group(label, found) for label, found in groups.items()],
            total=len(self._principals),
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


def _records(frame: Any) -> list[dict[str, Any]]:
    """A data frame as rows, with None for what is missing."""
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def _yes(value: object, yes: str, no: str) -> str:
    return "not read" if value is None else yes if value else no
