"""The pairs of a batch by columns: what many of them have in common is looked up once.

A pair is a group of principals and an identity as it is asked for. Pairs of which documents can
tell the same are one combination; those that have the same names too are one instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from ses_audit.audit.asks import Ask, View
from ses_audit.audit.batches import Bench
from ses_audit.audit.columns import Integers, distinct
from ses_audit.audit.compose import RESOURCE
from ses_audit.audit.groups import Group
from ses_audit.audit.named import Entry, Vectors

__all__ = ["Pairs"]

_Found = TypeVar("_Found")


class Pairs:
    """The pairs of a batch.

    Parameters
    ----------
    bench
        Decides what is new.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._groups: list[Group] = []
        self._sender_classes: list[int] = []
        self._asks: list[Ask] = []
        self._identity_classes: list[int] = []
        self._group_of: list[int] = []
        self._ask_of: list[int] = []

    def group(self, group: Group, sender_class: int) -> int:
        """Take a group of principals; its place."""
        self._bench.enter(group)
        self._groups.append(group)
        self._sender_classes.append(sender_class)
        return len(self._groups) - 1

    def ask(self, ask: Ask, identity_class: int) -> int:
        """Take an identity as it is asked for; its place."""
        self._asks.append(ask)
        self._identity_classes.append(identity_class)
        return len(self._asks) - 1

    def cross(self, groups: Sequence[int], asks: Sequence[int]) -> None:
        """Pair each of some groups with each of some identities, by their places."""
        self._group_of += [group for group in groups for _ in asks]
        self._ask_of += [*asks] * len(groups)

    def decide(self) -> tuple[Integers, Integers, Integers]:
        """The sender class of each pair, its identity class, and the place of its rulings."""
        if not self._group_of:
            none = _integers(())
            return none, none, none
        groups, asks = _integers(self._group_of), _integers(self._ask_of)
        return (
            _integers(self._sender_classes)[groups],
            _integers(self._identity_classes)[asks],
            _Columns(self._bench, self._groups, self._asks, groups, asks).places(),
        )


class _Columns:
    """The pairs of a batch, each a row: the places of its group and of its identity."""

    def __init__(
        self,
        bench: Bench,
        groups: Sequence[Group],
        asks: Sequence[Ask],
        group_of: Integers,
        ask_of: Integers,
    ) -> None:
        self._bench = bench
        self._groups = groups
        self._asks = asks
        self._group_of = group_of
        self._ask_of = ask_of
        base_of, self._bases = self._each(
            [
                self._by_group(g.code for g in groups),
                self._by_ask(a.code for a in asks),
                self._seen([g.views for g in groups]),
            ],
            bench.base,
        )
        bound = self._by_group(bool(g.chain_code) for g in groups)
        chain_of, self._chains = self._each(
            [
                self._by_group(g.chain_code for g in groups),
                bound * self._by_ask(a.layout for a in asks),
                self._seen([g.chain_views if g.chain_code else () for g in groups]),
            ],
            bench.chain,
        )
        asked = self._by_ask(bool(a.asked) for a in asks)
        resource_of, self._resources = self._each(
            [
                asked * (ask_of + 1),
                asked * self._by_group(g.caller_code for g in groups),
                self._named(),
                self._told(),
            ],
            bench.resource,
        )
        self._base_of, self._chain_of, self._resource_of = base_of, chain_of, resource_of

    def _by_group(self, values: Iterable[int]) -> Integers:
        return _integers(values)[self._group_of]

    def _by_ask(self, values: Iterable[int]) -> Integers:
        return _integers(values)[self._ask_of]

    def _pair(self, row: int) -> tuple[Group, Ask]:
        return self._groups[self._group_of[row]], self._asks[self._ask_of[row]]

    def _vectors(self, row: int) -> Vectors:
        base = self._bases[self._base_of[row]]
        chain, resource = self._chains[self._chain_of[row]], self._resources[self._resource_of[row]]
        return base.own, base.boundary, chain, resource

    def _each(
        self, columns: Sequence[Integers], make: Callable[[Group, Ask], _Found]
    ) -> tuple[Integers, list[_Found]]:
        """What is made of each distinct row of some columns, and which of them a pair has."""
        first, of = distinct(columns)
        return of, [make(*self._pair(row)) for row in first.tolist()]

    def _seen(self, views: Sequence[tuple[tuple[int, View], ...]]) -> Integers:
        """A number for what documents see of a pair's identity; `views` are those of a group."""
        numbers: dict[object, int] = {(): 0}
        by_number: list[tuple[tuple[int, View], ...]] = [()]
        of_group: list[int] = []
        for each in views:
            number = numbers.setdefault(tuple([n for n, _ in each]), len(numbers))
            if number == len(by_number):
                by_number.append(each)
            of_group.append(number)
        column = self._by_group(of_group)
        rows = np.flatnonzero(column)
        first, of = distinct([column[rows], self._ask_of[rows]])
        found: dict[object, int] = {}
        seen = [
            found.setdefault(
                tuple(self._bench.seen(by_number[column[row]], self._asks[self._ask_of[row]])),
                len(found) + 1,
            )
            for row in rows[first].tolist()
        ]
        column[rows] = _integers(seen)[of]
        return column

    def _named(self) -> Integers:
        """A number for the account of a pair's principals, where sending policies can tell it."""
        known: dict[str | None, int] = {}
        column = self._by_group(known.setdefault(g.account, len(known)) for g in self._groups)
        told = np.zeros(len(column), dtype=np.int64)
        for place, ask in enumerate(self._asks):
            # Those who ask for an identity of their own account have one account.
            if not ask.asked or not ask.cross:
                continue
            rows = self._ask_of == place
            if ask.naming is None:
                told[rows] = column[rows] + 1
                continue
            for account in ask.naming & known.keys():
                told[rows & (column == known[account])] = known[account] + 1
        return told

    def _told(self) -> Integers:
        """A number for those attributes of a pair's principals that sending policies look at."""
        column = self._by_ask(bool(ask.telling) for ask in self._asks)
        found: dict[object, int] = {}
        for row in np.flatnonzero(column).tolist():
            group, ask = self._pair(row)
            told = tuple([group.attributes(documents) for documents in ask.telling])
            column[row] = found.setdefault(told, len(found) + 1)
        return column

    def places(self) -> Integers:
        """For each pair the place of its rulings."""
        entry_of, entries = self._entries()
        used = np.zeros((len(entries), RESOURCE + 2), dtype=np.int64)
        for number, entry in enumerate(entries):
            used[number, list(entry.layers)] = 1
            used[number, -1] = entry.alone
        used = used[entry_of]
        # Equal vectors can have other slots: the object itself tells them apart.
        objects = (
            _same_objects(base.own for base in self._bases)[self._base_of],
            _same_objects(base.boundary for base in self._bases)[self._base_of],
            _same_objects(self._chains)[self._chain_of],
            _same_objects(self._resources)[self._resource_of],
        )
        columns = [entry_of]
        for layer, vectors in enumerate(objects):
            names = self._ask_of
            if layer != RESOURCE:
                names = self._by_group(g.names[layer] for g in self._groups)
            columns += [used[:, layer] * (vectors + 1), used[:, layer] * (names + 1)]
        columns += [used[:, -1] * (self._ask_of + 1), used[:, -1] * (self._group_of + 1)]
        first, of = distinct(columns)
        # In the order of the pairs, so that numbers depend on nothing else.
        order = np.argsort(first)
        rows = first[order]
        places = np.zeros(len(first), dtype=np.int64)
        chosen = (self._group_of, self._ask_of, self._base_of, self._chain_of, self._resource_of)
        places[order] = [
            self._bench.named.of(
                entries[entry],
                self._groups[group],
                self._asks[ask],
                (
                    self._bases[base].own,
                    self._bases[base].boundary,
                    self._chains[chain],
                    self._resources[resource],
                ),
            )
            for entry, group, ask, base, chain, resource in zip(
                entry_of[rows].tolist(), *(column[rows].tolist() for column in chosen), strict=True
            )
        ]
        return places[of]

    def _entries(self) -> tuple[Integers, list[Entry]]:
        """What is decided of each combination."""
        numbers = (
            _integers(base.number for base in self._bases)[self._base_of],
            _integers(chain.number for chain in self._chains)[self._chain_of],
            _integers(resource.number for resource in self._resources)[self._resource_of],
        )
        first, of = distinct(numbers)
        entries = [self._entry(row) for row in first.tolist()]
        for number in [n for n, entry in enumerate(entries) if not entry.shared]:
            # No other pair can take it: each has its own.
            for row in np.flatnonzero(of == number).tolist():
                of[row] = len(entries)
                entries.append(self._entry(row))
        return of, entries

    def _entry(self, row: int) -> Entry:
        base = self._bases[self._base_of[row]]
        return self._bench.entry(base.number, *self._pair(row), self._vectors(row))


def _integers(values: Iterable[int]) -> Integers:
    return np.array(values if isinstance(values, list) else list(values), dtype=np.int64)


def _same_objects(things: Iterable[object]) -> Integers:
    """A number for each thing; equal for one object alone."""
    known: dict[int, int] = {}
    return _integers(known.setdefault(id(thing), len(known)) for thing in things)
