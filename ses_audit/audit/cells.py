"""Which principals are crossed with which identities: the rows of the long table.

Every principal of the identity's own account, and every principal that a sending authorization
policy of the identity could match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ses_audit.audit.gaps import Gaps
from ses_audit.audit.identities import Identity
from ses_audit.audit.organization import Account
from ses_audit.audit.senders import GAAD, Sender, outside_sender, unread_sender
from ses_audit.policy.types import PrincipalElement

__all__ = ["Crossing", "arn_kind", "session_role"]

_ACCOUNT = re.compile(r"[0-9]{12}")
_ROOT = re.compile(r"arn:[^:]+:iam::([0-9]{12}):root")
_SESSION = re.compile(r"arn:([^:]+):sts::([0-9]{12}):assumed-role/([^/]+)/.+")


def arn_kind(arn: str) -> str:
    """What kind of principal an ARN in a `Principal` element names.

    Examples
    --------
    >>> arn_kind("arn:aws:iam::111111111111:role/mailer")
    'role'
    """
    resource = arn.split(":", 5)[-1]
    if resource == "root":
        return "account"
    head = resource.split("/", 1)[0]
    return {"user": "user", "role": "role", "assumed-role": "role"}.get(head, "user")


def session_role(arn: str) -> tuple[str, str] | None:
    """The account and the name of the role behind a session's ARN; None for another.

    Examples
    --------
    >>> session_role("arn:aws:sts::111111111111:assumed-role/mailer/job")
    ('111111111111', 'mailer')
    """
    match = _SESSION.fullmatch(arn)
    return None if match is None else (match.group(2), match.group(3))


# Nobody acts in such an account.
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
_CLOSED = frozenset({"SUSPENDED", "CLOSED"})


class Crossing:
    """Pairs of principals and identities.

    Parameters
    ----------
    senders
        Every principal of the snapshot, by ARN.
    accounts
        The organization's accounts by id.
    gaps
        Tells whose principals were not read.
    partition
        The organization's partition (`aws`).
    """

    def __init__(
        self,
        senders: Mapping[str, Sender],
        accounts: Mapping[str, Account],
        gaps: Gaps,
        partition: str = "aws",
    ) -> None:
        self._senders = senders
        self._accounts = accounts
        self._gaps = gaps
        self._partition = partition
        self._by_account: dict[str, list[Sender]] = {}
        self._roles: dict[tuple[str, str], list[Sender]] = {}
        for sender in senders.values():
            if sender.account is not None:
                self._by_account.setdefault(sender.account, []).append(sender)
                if sender.type == "role":
                    self._roles.setdefault((sender.account, sender.name), []).append(sender)
        self._outside: dict[tuple[str, str], Sender] = {}

    def of_account(self, account: str) -> list[Sender]:
        """The principals of one account; one row more stands for those that were not read."""
        return [*self._by_account.get(account, ()), *self._unread(account)]

    def _unread(self, account: str) -> Iterator[Sender]:
        """The row that stands for the principals of an account that were not read."""
        known = self._accounts.get(account)
        if known is None or known.state in _CLOSED:
            return
        if self._gaps.of(account, *GAAD):
            yield self._make(f"arn:{self._partition}:iam::{account}:*", account, "account")

    def senders_of(self, identity: Identity) -> list[Sender]:
        """The rows of one identity, each principal once.

        An identity whose sending policies were not read may have let in anyone: one row says so.
        """
        found = {sender.arn: sender for sender in self.of_account(identity.account)}
        if identity.missing:
            self._add(found, [self._make("*", None, "anonymous")])
        for policy in identity.policies:
            for statement in policy.document.statements:
                element = statement.principal
                if element is None:
                    continue
                if statement.effect == "Deny":
                    self._add(found, self._sessions(element))
                    continue
                if element.negated:
                    self._add(found, self._everyone())
                    continue
                for kind, values in element.entries:
                    for value in values:
                        self._add(found, self._named(kind, value))
        return list(found.values())

    @staticmethod
    def _add(found: dict[str, Sender], senders: Iterable[Sender]) -> None:
        for sender in senders:
            found.setdefault(sender.arn, sender)

    def _named(self, kind: str, value: str) -> Iterator[Sender]:
        if kind == "Service":
            yield self._make(value, None, "service")
        elif kind == "Federated":
            yield self._make(value, None, "federated")
        elif kind == "AWS":
            yield from self._aws(value)
        # A canonical user id names an S3 grantee: it can't call SES.

    def _aws(self, value: str) -> Iterator[Sender]:
        if value == "*":
            yield from self._everyone()
            return
        root = _ROOT.fullmatch(value)
        account = value if _ACCOUNT.fullmatch(value) else root.group(1) if root else None
        if account is not None:
            inside = self.of_account(account)
            yield from inside
            if not inside:
                partition = value.split(":")[1] if root else "aws"
                yield self._make(f"arn:{partition}:iam::{account}:root", account, "account")
            return
        session = _SESSION.fullmatch(value)
        if session is not None:
            roles = self._roles.get((session.group(2), session.group(3)), [])
            for role in roles:
                yield role
                yield self.session(value, role)
            if not roles and self._unseen(session.group(2)):
                yield self._make(value, session.group(2), "session")
            return
        if value in self._senders:
            yield self._senders[value]
        elif value.startswith("arn:") and value.count(":") >= 5:
            owner = value.split(":")[4]
            if self._unseen(owner):
                yield self._make(value, owner or None, arn_kind(value))
        # Anything else (AIDA..., AROA...) is a deleted principal's id and matches nobody.

    def _unseen(self, account: str) -> bool:
        """Whether a principal of the account can exist that the snapshot lacks."""
        return account not in self._accounts or bool(self._gaps.of(account, *GAAD))

    def _sessions(self, element: PrincipalElement) -> Iterator[Sender]:
        """The sessions of known roles that an element names: each a row beside its role's."""
        for kind, values in element.entries:
            for value in values if kind == "AWS" else ():
                session = _SESSION.fullmatch(value)
                if session is not None:
                    for role in self._roles.get((session.group(2), session.group(3)), ()):
                        yield self.session(value, role)

    def session(self, arn: str, role: Sender) -> Sender:
        """A session of a role, as a sender of its own."""
        key = (arn, "session")
        if key not in self._outside:
            self._outside[key] = replace(role, arn=arn, type="session", role_arn=role.arn)
        return self._outside[key]

    def _everyone(self) -> Iterator[Sender]:
        yield from self._senders.values()
        for account in sorted(self._accounts):
            yield from self._unread(account)
        yield self._make("*", None, "anonymous")

    def _make(self, arn: str, account: str | None, kind: str) -> Sender:
        key = (arn, kind)
        if key not in self._outside:
            if account in self._accounts and account is not None:
                missing = self._gaps.of(account, *GAAD)
                self._outside[key] = unread_sender(arn, account, kind, missing)
            else:
                # Its account may be one of the organization's that was not listed.
                missing = () if account is None else self._gaps.unlisted_accounts()
                self._outside[key] = outside_sender(arn, account, kind, missing)
        return self._outside[key]
