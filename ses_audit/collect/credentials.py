"""Whose credentials sign a request.

Clients are shared: one for each (service, region), not one for each account, because a client
costs about 10 ms and a switch of credentials nothing. The credentials object that all clients
hold gives, in each thread, the keys of the account that was named with `using`; botocore signs
in the thread that calls, so keys cannot reach another account's request.
"""

from __future__ import annotations

# botocore has no annotations.
# mypy: allow-untyped-calls
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    ReadOnlyCredentials,
    RefreshableCredentials,
)

__all__ = ["Keys", "SwitchedCredentials", "borrowed", "lent", "role_metadata"]

_current: ContextVar[str] = ContextVar("account")


class Keys:
    """The credentials of each account that was entered."""

    def __init__(self) -> None:
        self._by_account: dict[str, Credentials] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Keys({len(self._by_account)} accounts)"

    def set(self, account: str, credentials: Credentials) -> None:
        """Keep an account's credentials."""
        with self._lock:
            self._by_account[account] = credentials

    def of(self, account: str) -> Credentials:
        """An account's credentials."""
        return self._by_account[account]

    def drop(self, account: str) -> None:
        """Forget an account's credentials."""
        with self._lock:
            self._by_account.pop(account, None)

    def frozen(self) -> ReadOnlyCredentials:
        """The keys of the account in use; refreshed when they are about to expire."""
        found: ReadOnlyCredentials = self._by_account[_current.get()].get_frozen_credentials()
        return found

    @staticmethod
    @contextmanager
    def using(account: str) -> Iterator[None]:
        """Sign with this account's keys within the block, in this thread."""
        token = _current.set(account)
        try:
            yield
        finally:
            _current.reset(token)

    def enter(
        self, account: str, metadata: dict[str, str], renew: Callable[[], dict[str, str]]
    ) -> None:
        """Keep the credentials of an assumed role, which renew themselves before they expire."""
        self.set(
            account,
            RefreshableCredentials.create_from_metadata(metadata, renew, "sts-assume-role"),
        )

    def resolver(self) -> CredentialResolver:
        """What a botocore session asks for credentials: always the switch."""
        return CredentialResolver([_Provider(self)])


class SwitchedCredentials(Credentials):
    """Credentials that are, at each signature, those of the account in use."""

    def __init__(self, keys: Keys) -> None:
        super().__init__("switched", "switched", method="ses-audit")
        self._keys = keys

    def __repr__(self) -> str:
        return "SwitchedCredentials()"

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys of the account in use."""
        return self._keys.frozen()


class _Provider(CredentialProvider):
    METHOD = "ses-audit"  # type: ignore[assignment]

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys

    def load(self) -> Credentials:
        return SwitchedCredentials(self._keys)


def borrowed(metadata: dict[str, str], renew: Callable[[], dict[str, str]]) -> Credentials:
    """Credentials that another process holds, asked for anew before their lease ends."""
    found: Credentials = RefreshableCredentials.create_from_metadata(
        metadata, renew, "borrowed", advisory_timeout=60, mandatory_timeout=30
    )
    return found


def lent(credentials: Credentials) -> dict[str, str]:
    """The keys of credentials as they are now, for `borrowed`."""
    keys = credentials.get_frozen_credentials()
    return {
        "access_key": keys.access_key,
        "secret_key": keys.secret_key,
        "token": keys.token or "",
    }


def role_metadata(answer: dict[str, Any]) -> dict[str, str]:
    """An answer of AssumeRole as botocore's refreshable credentials want it."""
    given = answer["Credentials"]
    return {
        "access_key": given["AccessKeyId"],
        "secret_key": given["SecretAccessKey"],
        "token": given["SessionToken"],
        "expiry_time": given["Expiration"].isoformat(),
    }
