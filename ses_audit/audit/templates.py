"""A ruling decided once, and given to every other cell that differs in names only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ses_audit.audit.rulings import Ruling
from ses_audit.policy.types import Denial

__all__ = ["Name", "Names", "Template", "Templates", "recipients_in"]

Name = tuple[str | None, str | None, int | None, str | None]
"""A policy, a statement's sid and index, a target: what a denial names."""

Names = tuple[tuple[Name, ...], ...]
"""For each action what stands in each slot."""

_WITHIN = "recipient within "


@dataclass(frozen=True, slots=True)
class Template:
    """A ruling whose denials are to be renamed."""

    ruling: Ruling
    swaps: tuple[tuple[Denial, int, int], ...]
    """A denial, the layer and the slot that it stands in."""
    missing: tuple[int, ...]
    """Which of the cell's gaps it names."""
    recipients: tuple[int, ...]
    """Which of the identity's recipients its conditions name."""
    shared: bool
    """False where a name is left that belongs to one account."""

    def ruling_for(
        self, names: tuple[Name, ...], missing: tuple[str, ...], recipients: tuple[str, ...]
    ) -> Ruling:
        """The ruling of a cell.

        Parameters
        ----------
        names
            What takes the place of each swap's names.
        missing
            The cell's own gaps, where the ruling names some.
        recipients
            The identity's own recipients, where its conditions name some.
        """
        ruling = self.ruling
        if not (names or missing or recipients):
            return ruling
        new = {
            old: Denial(old.layer, old.kind, *name)
            for (old, _, _), name in zip(self.swaps, names, strict=True)
        }
        conditions = ruling.conditions
        if recipients:
            before = conditions.rpartition(_WITHIN)[0]
            conditions = f"{before}{_WITHIN}{', '.join(recipients)}"
        return replace(
            ruling,
            denials=_renamed(ruling.denials, new),
            possible=_renamed(ruling.possible, new),
            without=tuple((new.get(d, d), v) for d, v in ruling.without),
            missing=missing or ruling.missing,
            conditions=conditions,
        )


Templates = tuple[Template, ...]
"""One an action."""


def recipients_in(conditions: str, recipients: tuple[str, ...]) -> tuple[int, ...] | None:
    """The places of the recipients that conditions end in.

    Returns
    -------
    tuple or None
        None where a name holds what stands between names: then they can't be told apart.

    Examples
    --------
    >>> recipients_in("recipient within b.example", ("a.example", "b.example"))
    (1,)
    >>> recipients_in("recipient within x, y", ("x, y",)) is None
    True
    """
    _, within, names = conditions.rpartition(_WITHIN)
    if not within:
        return ()
    listed = names.split(", ")
    if not all(name in recipients for name in listed):
        return None
    return tuple(map(recipients.index, listed))


def _renamed(denials: tuple[Denial, ...], names: Mapping[Denial, Denial]) -> tuple[Denial, ...]:
    return tuple(names.get(denial, denial) for denial in denials)
