"""What a run tells while it goes on."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Called from several threads. Texts hold what AWS said: escape them where they are shown."""

    def note(self, text: str) -> None:
        """A line that a person should see."""
        ...

    def begin(self, accounts: int) -> None:
        """So many accounts are about to be read."""
        ...

    def called(self) -> None:
        """One call was answered."""
        ...

    def account(self, account: str, cells: int, missing: int, *, refused: bool) -> None:
        """An account is done: its planned cells, how many of them are not evidence, and whether
        it refused the audit role."""
        ...

    def end(self) -> None:
        """Nothing more will be asked of AWS."""
        ...


class Silent:
    """Says nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def begin(self, accounts: int) -> None:
        """Nothing."""

    def called(self) -> None:
        """Nothing."""

    def account(self, account: str, cells: int, missing: int, *, refused: bool) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""
