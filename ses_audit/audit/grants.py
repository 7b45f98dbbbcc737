"""Which identities let in principals beyond their own account, told without listing them.

The rules are `Crossing`'s; here an account, or everyone, is one mark instead of all its principals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ses_audit.audit.cells import Crossing
from ses_audit.audit.gaps import Gaps
from ses_audit.audit.identities import Identity
from ses_audit.audit.organization import Account
from ses_audit.audit.senders import Sender

__all__ = ["Grants", "Reach", "named_principals"]

_ACCOUNT_MARK = "(account)"
_EVERYONE = "(everyone)"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom an identity lets in, or names, beside the principals of its own account.

    Parameters
    ----------
    everyone
        Every principal of the organization.
    accounts
        All principals of these accounts.
    principals
        ARNs of single principals that were read.
    others
        Senders that no table lists: services, sessions, other organizations' principals.
    """

    everyone: bool
    accounts: frozenset[str]
    principals: frozenset[str]
    others: tuple[Sender, ...]

    @property
    def beyond(self) -> bool:
        """Whether it reaches anyone beyond its own account."""
        return bool(self.everyone or self.accounts or self.principals or self.others)

    def reaches(self, account: str) -> bool:
        """Whether all principals of an account are in it."""
        return self.everyone or account in self.accounts


class Grants(Crossing):
    """`Crossing` with marks.

    Parameters
    ----------
    named
        The senders that sending policies name one by one, by ARN.
    counts
        How many principals each account has.
    accounts, gaps, partition
        As for `Crossing`.
    """

    def __init__(
        self,
        named: Mapping[str, Sender],
        counts: Mapping[str, int],
        accounts: Mapping[str, Account],
        gaps: Gaps,
        partition: str,
    ) -> None:
        super().__init__(named, accounts, gaps, partition)
        self._counts = counts

    def of_account(self, account: str) -> list[Sender]:
        """One mark for an account that has principals, or whose principals were not read."""
        if self._counts.get(account) or list(self._unread(account)):
            return [Sender(f"{_ACCOUNT_MARK}{account}", account, _ACCOUNT_MARK, "", "")]
        return []

    def unread(self, account: str) -> list[Sender]:
        """The row that stands for the principals of an account that were not read."""
        return list(self._unread(account))

    def _everyone(self) -> Iterable[Sender]:  # type: ignore[override]
        yield Sender(_EVERYONE, None, _EVERYONE, "", "")
        yield self._make("*", None, "anonymous")

    def reach(self, identity: Identity) -> Reach:
        """Whom an identity reaches."""
        everyone = False
        accounts: set[str] = set()
        principals: set[str] = set()
        others: list[Sender] = []
        for sender in self.senders_of(identity):
            if sender.type == _EVERYONE:
                everyone = True
            elif sender.type == _ACCOUNT_MARK:
                accounts.add(str(sender.account))
            elif sender.arn in self._senders:
                principals.add(sender.arn)
            else:
                others.append(sender)
        others.sort(key=lambda s: (s.arn, s.type))
        accounts.discard(identity.account)
        return Reach(everyone, frozenset(accounts), frozenset(principals), tuple(others))


def named_principals(identities: Iterable[Identity]) -> frozenset[str]:
    """What the `AWS` principals of sending policies name, as it is written."""
    found: set[str] = set()
    for identity in identities:
        for policy in identity.policies:
            for statement in policy.document.statements:
                if statement.principal is None:
                    continue
                for kind, values in statement.principal.entries:
                    if kind == "AWS":
                        found.update(values)
    return frozenset(found)
