"""Names put back: the rulings of a batch, under the names of those who have them."""

from __future__ import annotations

import marshal
from dataclasses import dataclass
from hashlib import blake2b

from ses_audit.audit.asks import Ask
from ses_audit.audit.classes import Vector
from ses_audit.audit.compose import BOUNDARY, CHAIN, RESOURCE
from ses_audit.audit.groups import Group, names_of
from ses_audit.audit.model import Model
from ses_audit.audit.templates import Name, Names, Template
from ses_audit.audit.verdict_tables import Row
from ses_audit.policy.types import Denial

__all__ = ["Entry", "Named", "Vectors"]

Vectors = tuple[Vector, Vector, Vector, Vector]
"""What each layer says, in the order of `compose`."""


@dataclass(slots=True)
class Entry:
    """A decided combination: a template an action."""

    templates: tuple[Template, ...]
    layers: tuple[int, ...]
    """Those whose names stand in some template."""
    alone: bool
    """Whether some template names what was not read, or recipients."""
    shared: bool
    """False where no other pair can take it."""
    distinct: tuple[Template, ...] = ()
    which: tuple[int, ...] = ()
    """For each action the place of its template in `distinct`."""

    def __post_init__(self) -> None:
        self.distinct = tuple({id(template): template for template in self.templates}.values())
        places = {id(template): place for place, template in enumerate(self.distinct)}
        self.which = tuple(places[id(template)] for template in self.templates)


class Named:
    """The rulings of a batch.

    Parameters
    ----------
    model
        The identities of the batch.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._slots: dict[object, Names] = {}
        self._instances: dict[object, int] = {}
        self._by_digest: dict[bytes, int] = {}
        self.cells: list[tuple[int, ...]] = []
        """For each instance its rulings, one an action."""
        self.rulings: list[Row] = []
        self.denials: list[Row] = []
        """Each with the number of its ruling first."""

    @property
    def digests(self) -> list[bytes]:
        """Of each ruling: equal rulings have equal digests."""
        return list(self._by_digest)

    def of(self, entry: Entry, group: Group, ask: Ask, vectors: Vectors) -> int:
        """The place in `cells` of an entry's rulings for a group and an identity."""
        tables: dict[int, Names] = {}
        uniform = True
        for layer in entry.layers:
            vector = vectors[layer]
            uniform = uniform and vector.uniform
            tables[layer] = self._names(layer, vector, group, ask)
        if uniform:
            # Where a slot stands for one statement in all actions, so does an equal template.
            made = [self._number(t, 0, tables, group, ask) for t in entry.distinct]
            rulings = tuple([made[place] for place in entry.which])
        else:
            numbers = enumerate(entry.templates)
            rulings = tuple([self._number(t, n, tables, group, ask) for n, t in numbers])
        found = self._instances.setdefault(rulings, len(self.cells))
        if found == len(self.cells):
            self.cells.append(rulings)
        return found

    def _names(self, layer: int, vector: Vector, group: Group, ask: Ask) -> Names:
        """The policy and the target in each slot of a layer, for the principals of a group."""
        key = (id(vector), ask.number if layer == RESOURCE else group.names[layer])
        found = self._slots.get(key)
        if found is None:
            named = (
                tuple(self._name(slot, layer, group, ask) for slot in slots)
                for slots in vector.slots[: 1 if vector.uniform else None]
            )
            found = tuple(named) * (len(vector.slots) if vector.uniform else 1)
            self._slots[key] = found
        return found

    def _name(self, slot: Denial, layer: int, group: Group, ask: Ask) -> Name:
        place = None if slot.policy is None else int(slot.policy)
        target = None
        if layer == CHAIN:
            level = int(slot.target or 0)
            target = group.chain.targets[level]
            names = names_of((group.chain.levels or ())[level])
        elif layer == RESOURCE:
            target = ask.asked[int(slot.target or 0)]
            policies = self._model.identities[target].policies
            names = names_of(policies)
            target = policies[place].target if place is not None else None
        else:
            names = (group.boundary_name,) if layer == BOUNDARY else group.own_names
        policy = None if place is None else names[place]
        return policy, slot.sid, slot.statement_index, target

    def _number(
        self, template: Template, place: int, tables: dict[int, Names], group: Group, ask: Ask
    ) -> int:
        """The place in `rulings` of a template's ruling for a group and an identity."""
        names: tuple[Name, ...] = ()
        if template.swaps:
            names = tuple([tables[layer][place][slot] for layer, slot in template.swaps])
        missing: tuple[str, ...] = ()
        recipients: tuple[str, ...] = ()
        key: tuple[object, ...] = (id(template), names)
        if template.missing or template.recipients:
            gaps = self.gaps(group, ask) if template.missing else []
            missing = tuple(gaps[n] for n in template.missing)
            recipients = tuple(ask.recipients[n] for n in template.recipients)
            key = (*key, missing, recipients)
        found = self._instances.get(key)
        if found is None:
            found = self._instances[key] = self._add(*template.rows(names, missing, recipients))
        return found

    def _add(self, row: Row, denials: list[Row]) -> int:
        # In this version equal values are equal bytes, whatever objects they share.
        content = marshal.dumps((row, denials), 2)  # type: ignore[arg-type]
        digest = blake2b(content, digest_size=16).digest()
        number = self._by_digest.setdefault(digest, len(self.rulings))
        if number == len(self.rulings):
            self.rulings.append(row)
            self.denials += [(number, *denial) for denial in denials]
        return number

    def gaps(self, group: Group, ask: Ask) -> list[str]:
        """What was not read, in the order in which templates number it."""
        return [
            *self._model.organization.place_gaps(),
            *dict.fromkeys((*group.missing, *group.boundary_missing, *ask.identity.missing)),
            *ask.missing,
            *group.chain.missing,
        ]
