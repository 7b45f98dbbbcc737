"""A ruling decided once, and given to every other cell that differs in names only."""

from __future__ import annotations

from ses_audit.audit.rulings import Ruling
from ses_audit.audit.verdict_tables import Row, denial_rows, ruling_row
from ses_audit.policy.types import Denial

__all__ = ["Name", "Names", "Template", "recipients_in"]

Name = tuple[str | None, str | None, int | None, str | None]
"""A policy, a statement's sid and index, a target: what a denial names."""

Names = tuple[tuple[Name, ...], ...]
"""For each action what stands in each slot."""

_WITHIN = "recipient within "
_POLICIES, _CONDITIONS, _MISSING = 4, 5, 6
"""Where these stand in a row of `rulings`."""


class Template:
    """A ruling whose denials are numbered, and get their names cell by cell.

    Parameters
    ----------
    ruling
        Its denials stand for slots.
    swaps
        Each such denial, its layer and its slot.
    missing
        Which of the cell's gaps it names.
    recipients
        Which of the identity's recipients its conditions name.
    shared
        False where a recipient's name can't be told apart, so that no other cell can take it.
    """

    __slots__ = ("_conditions", "_denials", "_row", "missing", "recipients", "shared", "swaps")

    def __init__(
        self,
        ruling: Ruling,
        swaps: tuple[tuple[Denial, int, int], ...],
        missing: tuple[int, ...],
        recipients: tuple[int, ...],
        *,
        shared: bool,
    ) -> None:
        self.swaps = tuple((layer, slot) for _, layer, slot in swaps)
        self.missing = missing
        self.recipients = recipients
        self.shared = shared
        self._row = ruling_row(ruling)
        self._conditions = ruling.conditions.rpartition(_WITHIN)[0]
        places = {denial: place for place, (denial, _, _) in enumerate(swaps)}
        listed = (*ruling.denials, *ruling.possible)
        self._denials = [
            (places.get(denial, -1), row[1:4], row[4:8], row[8])
            for denial, row in zip(listed, denial_rows(ruling, 0), strict=True)
        ]

    def rows(
        self, names: tuple[Name, ...], missing: tuple[str, ...], recipients: tuple[str, ...]
    ) -> tuple[Row, list[Row]]:
        """The row of `rulings`, and those of `denials` without their ruling's number.

        Parameters
        ----------
        names
            What each swap names.
        missing
            The cell's own gaps, where the ruling names some.
        recipients
            The identity's own recipients, where its conditions name some.
        """
        denials: dict[Row, None] = {}
        policies: dict[object, None] = {}
        for place, head, own, without in self._denials:
            named = own if place < 0 else names[place]
            denials[(*head, *named, without)] = None
            if head[0] and named[0]:
                policies[named[0]] = None
        row = list(self._row)
        row[_POLICIES] = ";".join(map(str, policies))
        if missing:
            row[_MISSING] = ";".join(missing)
        if recipients:
            row[_CONDITIONS] = f"{self._conditions}{_WITHIN}{', '.join(recipients)}"
        return tuple(row), list(denials)


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
