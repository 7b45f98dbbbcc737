"""What the layers say of the checks of a send, put together without names.

The rules are the plain `Decider`'s: here it is given rulings of layers whose denials are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ses_audit.audit.classes import (
    PLAIN,
    Chained,
    Granted,
    Numbers,
    Part,
    before_the_at,
    is_twin,
    parts_in,
)
from ses_audit.audit.layers import LayerRuling, ResourceRuling, explicit_denials
from ses_audit.audit.requests import CheckRequest
from ses_audit.audit.rulings import CheckRuling
from ses_audit.policy.formula import FALSE, TRUE, Formula, disjunction, keys_of
from ses_audit.policy.open_layers import never
from ses_audit.policy.reduce import (
    RESOURCE_KEY,
    LayerFormula,
    OpenRequest,
    ResourceFormula,
)
from ses_audit.policy.types import Caller, Denial, Layer

__all__ = ["BOUNDARY", "CHAIN", "OWN", "RESOURCE", "Composer", "slot_of"]

OWN, BOUNDARY, CHAIN, RESOURCE = range(4)
"""The places of the layers."""

_LAYERS = (
    Layer.IDENTITY_POLICY,
    Layer.PERMISSIONS_BOUNDARY,
    Layer.SERVICE_CONTROL_POLICY,
    Layer.SENDING_AUTHORIZATION_POLICY,
)
_NOWHERE = -1


def _slot(place: int, kind: str, slot: int, attached: int | None = None) -> Denial:
    """The denial that stands for a slot; SCP statements of one attachment share its number."""
    policy = None if attached is None else str(attached)
    return Denial(_LAYERS[place], kind, policy, None, slot)  # type: ignore[arg-type]


def slot_of(denial: Denial) -> tuple[int, int] | None:
    """The layer and the slot that a denial stands for; None for one that names nothing."""
    if denial.statement_index is None or denial.statement_index == _NOWHERE:
        return None
    return _LAYERS.index(denial.layer), denial.statement_index


_NOBODY = Caller("", None, "anonymous")
_SETTLED = OpenRequest(_NOBODY, "", "", None)
"""The request of formulas that leave nothing open."""


def _settled(keys: frozenset[str]) -> OpenRequest:
    return _SETTLED


class Composer:
    """Makes the rulings of checks from the structures of the layers.

    Parameters
    ----------
    numbers
        Of parts and structures.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._open: dict[int, frozenset[str]] = {}
        self._local: dict[int, bool] = {}
        self._layers: dict[object, LayerRuling] = {}
        self._checks: dict[object, CheckRuling] = {}

    def open_keys(self, structure: int) -> frozenset[str]:
        """The open keys on which a structure turns."""
        found = self._open.get(structure)
        if found is None:
            thing = self._numbers.thing(structure)
            if isinstance(thing, tuple) and thing[0] == "attached":
                found = self.open_keys(thing[1])
            elif isinstance(thing, tuple) and thing[0] == "twin":
                found = self.open_keys(thing[1]) | self.open_keys(thing[2])
            else:
                parts = parts_in(self._numbers, structure)
                found = frozenset().union(*map(keys_of, self._formulas(parts)))
            self._open[structure] = found
        return found

    def whatever_domain(self, structure: int) -> bool:
        """Whether a structure looks only at what stands before the `@` of a From address."""
        found = self._local.get(structure)
        if found is None:
            thing = self._numbers.thing(structure)
            if isinstance(thing, tuple) and thing[0] in ("attached", "twin"):
                inner = thing[1:2] if thing[0] == "attached" else thing[1:3]
                found = all(map(self.whatever_domain, inner))
            else:
                found = before_the_at(self._formulas(parts_in(self._numbers, structure)))
            self._local[structure] = found
        return found

    def _formulas(self, parts: Iterable[int]) -> Iterable[Formula]:
        for number in parts:
            part = self._numbers.thing(number)
            for one in part.levels if isinstance(part, Chained) else (part,):
                if isinstance(one, Part):
                    yield one.allow
                elif isinstance(one, Granted):
                    yield from one.grants
                if isinstance(one, Part | Granted):
                    yield from (formula for _, formula in one.denies)

    def twin(self, structures: Sequence[int]) -> bool:
        """Whether some structure is another without undocumented keys."""
        return any(is_twin(self._numbers, self._linked(s)[0]) for s in structures)

    def _linked(self, structure: int) -> tuple[int, tuple[int, ...]]:
        """A structure, and to which attachment each of its slots belongs."""
        thing = self._numbers.thing(structure)
        if isinstance(thing, tuple) and thing[0] == "attached":
            return thing[1], thing[2]
        return structure, ()

    def checks(
        self,
        structures: Sequence[int],
        requests: Callable[[], Sequence[CheckRequest]],
        *,
        same_account: bool,
        identity_side: bool,
        unread: bool,
        twin: bool = False,
    ) -> tuple[CheckRuling, ...]:
        """The rulings of the checks of one action.

        Parameters
        ----------
        structures
            Of the four layers.
        requests
            Gives the checks, the recipients last.
        same_account
            Whether sender and identity belong to one account.
        identity_side
            Whether the sender has identity policies at all.
        unread
            Whether identity policies were not read.
        twin
            Whether undocumented keys are left out.
        """
        linked = [self._linked(structure) for structure in structures]
        attached = linked[CHAIN][1]
        rows = [parts_in(self._numbers, number, twin=twin) for number, _ in linked]
        asked = requests()
        fixed = sum(request.check.id != "recipients" for request in asked)
        found: list[CheckRuling] = []
        for place, request in enumerate(asked):
            numbers = tuple(
                PLAIN
                if not row
                else row[fixed if place >= fixed and len(row) == fixed + 1 else place]
                for row in rows
            )
            check = request.check
            key = (
                numbers, attached,
                request.name if check.id == "recipients" else "",
                check.id, check.confidence, check.passing_confidence, same_account,
                identity_side, unread,
            )  # fmt: skip
            known = self._checks.get(key)
            if known is None:
                made = self._check(numbers, attached, request, same_account, identity_side, unread)
                # A request holds its whole batch: what is kept goes without.
                known = self._checks[key] = replace(made, request=CheckRequest(check, _settled))
            # Equal parts have equal formulas; what is known of their keys is the cell's own.
            found.append(replace(known, request=request))
        return tuple(found)

    def _check(
        self,
        numbers: tuple[int, ...],
        attached: tuple[int, ...],
        request: CheckRequest,
        same_account: bool,
        identity_side: bool,
        unread: bool,
    ) -> CheckRuling:
        own, boundary, chain, granted = map(self._numbers.thing, numbers)
        keys = frozenset().union(*map(keys_of, self._formulas(numbers)))
        opened = request.ask(keys - {RESOURCE_KEY}) if keys else _SETTLED
        resource = self._resource(granted, opened) if isinstance(granted, Granted) else None
        if resource is None and not same_account:
            resource = _NO_GRANT
        return CheckRuling(
            request=request,
            identity=self._known(own, OWN, opened, unread=unread)
            if isinstance(own, Part)
            else _EVERYTHING,
            boundary=self._known(boundary, BOUNDARY, opened)
            if isinstance(boundary, Part)
            else None,
            levels=tuple(
                self._known(level, CHAIN, opened, attached=attached) for level in chain.levels
            )
            if isinstance(chain, Chained)
            else (),
            resource=resource,
            same_account=same_account,
            identity_side=identity_side,
        )

    def _known(
        self,
        part: Part,
        place: int,
        opened: OpenRequest,
        *,
        attached: tuple[int, ...] = (),
        unread: bool = False,
    ) -> LayerRuling:
        key = (part, place, attached, unread)
        found = self._layers.get(key)
        if found is None:
            found = self._layer(part, place, opened, attached=attached, unread=unread)
            self._layers[key] = found
        return found

    @staticmethod
    def _layer(
        part: Part,
        place: int,
        opened: OpenRequest,
        *,
        attached: tuple[int, ...] = (),
        unread: bool = False,
    ) -> LayerRuling:
        statements = tuple(
            (_slot(place, "explicit", slot, attached[slot] if attached else slot), formula)
            for slot, formula in part.denies
            if formula is TRUE or not never(formula, opened)
        )
        deny = disjunction(*(formula for _, formula in part.denies))
        explicit, possible = _explicit(statements, opened, deny)
        lack = _slot(place, "implicit", part.lack) if place != OWN else _LACK
        if unread:
            return LayerRuling(LayerFormula(TRUE, deny), lack, statements, explicit, (), possible)
        implicit: tuple[Denial, ...] = ()
        if part.allow is FALSE or (part.allow is not TRUE and never(part.allow, opened)):
            implicit = (lack,)
        formula = LayerFormula(part.allow, deny)
        return LayerRuling(formula, lack, statements, explicit, implicit, possible)

    @staticmethod
    def _resource(part: Granted, opened: OpenRequest) -> ResourceRuling:
        statements = tuple(
            (_slot(RESOURCE, "explicit", slot, slot), formula)
            for slot, formula in part.denies
            if formula is TRUE or not never(formula, opened)
        )
        deny = disjunction(*(formula for _, formula in part.denies))
        explicit, possible = _explicit(statements, opened, deny)
        grants = (TRUE, TRUE, TRUE) if part.unread else part.grants
        return ResourceRuling(ResourceFormula(*grants, deny), statements, explicit, possible)


def _explicit(
    statements: tuple[tuple[Denial, Formula], ...], opened: OpenRequest, deny: Formula
) -> tuple[tuple[Denial, ...], tuple[Denial, ...]]:
    """As `explicit_denials`, where nothing is open without looking at the keys."""
    if all(formula is TRUE for _, formula in statements):
        return tuple(denial for denial, _ in statements), ()
    return explicit_denials(statements, opened, deny)


_LACK = Denial(Layer.IDENTITY_POLICY, "implicit")
_EVERYTHING = LayerRuling(LayerFormula(TRUE, FALSE), _LACK)
_NO_GRANT = ResourceRuling(ResourceFormula(FALSE, FALSE, FALSE, FALSE))
