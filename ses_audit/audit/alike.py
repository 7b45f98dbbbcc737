"""Principals of a batch in groups that no document in play can tell apart.

Principals are rows of columns; a group is an account, a type, a set of documents, a boundary, and
the values of those attributes (tags, names) to which a document in play refers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ses_audit.audit.attributes import Uses, answers, patterns, tag
from ses_audit.audit.columns import Integers, codes, distinct, factorized
from ses_audit.audit.document_sets import DocumentSet
from ses_audit.audit.documents import full_access
from ses_audit.audit.gaps import Gaps
from ses_audit.audit.groups import Group, names_of, next_number
from ses_audit.audit.organization import Chain
from ses_audit.audit.senders import GAAD, ROOT_POLICY, Sender, load_senders
from ses_audit.policy.types import AttachedPolicy, Clause

if TYPE_CHECKING:
    from ses_audit.audit.knowledge import Knowledge

__all__ = ["Alike"]


class Alike:
    """The principals of a batch as columns of numbers.

    Parameters
    ----------
    knowledge
        Of the snapshot.
    table
        The principals' rows.
    gaps
        What was not read of their accounts.
    """

    def __init__(self, knowledge: Knowledge, table: pa.Table, gaps: Gaps) -> None:
        self.table = table.combine_chunks()
        self._knowledge = knowledge
        self._gaps = gaps
        self.arns: pa.Array = _whole(table.column("principal_arn"))
        self.size = len(table)
        self.account_codes, self.accounts = codes(table.column("account_id"))
        self.type_codes, self.types = codes(table.column("type"))
        policies, self._places = knowledge.columns.of_principals("principal_policies", self.arns)
        self._policies = policies.combine_chunks()
        self._order = np.argsort(self._places, kind="stable")
        self._ordered = self._places[self._order]
        self._attributes: dict[object, Integers] = {}
        self._by_clauses: dict[tuple[str, int], tuple[object, Integers]] = {}
        self._compared: dict[tuple[str, int, int], object] = {}
        self._own_sets: dict[
            tuple[int, bool], tuple[DocumentSet, tuple[str, ...], tuple[str, ...]]
        ] = {}
        self._read_sets()
        self._read_boundaries()

    def _read_sets(self) -> None:
        """A number for each distinct list of policies that can matter to a send."""
        table, knowledge = self._policies, self._knowledge
        sha_codes, shas = codes(table.column("document_sha256"))
        matters = np.array([knowledge.speaks(_text(sha)) is not False for sha in shas], dtype=bool)
        kept = np.flatnonzero(matters[sha_codes]) if len(sha_codes) else sha_codes
        parts = [sha_codes[kept]]
        for name in ("policy_name", "policy_arn", "group_arn"):
            parts.append(codes(table.column(name))[0][kept])
        entries = factorized(parts) if len(kept) else kept
        _, first = np.unique(entries, return_index=True)
        rows = table.take(kept[first]).to_pylist() if len(kept) else []
        documents = [knowledge.document(_text(row["document_sha256"])) for row in rows]
        self._entries = [
            AttachedPolicy(
                document, str(row["policy_name"]), _text(row["policy_arn"]), _text(row["group_arn"])
            )
            if document is not None
            else str(row["policy_name"])
            for row, document in zip(rows, documents, strict=True)
        ]
        self.set_codes: Integers = np.zeros(self.size, dtype=np.int64)
        known: dict[tuple[int, ...], int] = {(): 0}
        places = self._places[kept]
        order = np.argsort(places, kind="stable")
        places, entries = places[order], entries[order]
        starts = np.flatnonzero(np.diff(places, prepend=-1)) if len(places) else places
        ends = [*starts[1:].tolist(), len(places)]
        listed = entries.tolist()
        for place, start, end in (
            zip(places[starts].tolist(), starts.tolist(), ends, strict=True) if len(places) else ()
        ):
            self.set_codes[place] = known.setdefault(tuple(listed[start:end]), len(known))
        self._sets = list(known)

    def _read_boundaries(self) -> None:
        """A number for each distinct boundary, and what it is: an ARN and its document."""
        table = self.table
        parts = [codes(table.column(name))[0] for name in ("boundary_arn", "boundary_sha256")]
        self.boundary_codes = factorized(parts)
        _, first = np.unique(self.boundary_codes, return_index=True)
        arns = table.column("boundary_arn").take(first).to_pylist()
        shas = table.column("boundary_sha256").take(first).to_pylist()
        self._boundaries: list[tuple[str | None, DocumentSet | None]] = []
        for arn, sha in zip(arns, shas, strict=True):
            document = None if arn is None else self._knowledge.document(sha)
            found = None
            if document is not None:
                policy = AttachedPolicy(document, arn.rsplit("/", 1)[-1], arn)
                found = self._knowledge.set_of((policy,))
            self._boundaries.append((arn, found))

    def groups(
        self,
        chain_of: Callable[[str, bool], Chain],
        chain_uses: Callable[[str], Uses],
        resource_uses: Callable[[str], Uses],
        named: frozenset[str],
    ) -> dict[str, list[Group]]:
        """The groups of each account, in the order of their first principal.

        Parameters
        ----------
        chain_of
            The SCP levels that bind an account's principals; for service-linked roles apart.
        chain_uses
            What the SCPs of an account refer to.
        resource_uses
            What the sending policies that reach an account refer to.
        named
            The ARNs that sending policies name.
        """
        linked = _flags(self.table.column("service_linked"))
        parts = [
            self.account_codes, self.type_codes, linked, self.set_codes, self.boundary_codes,
        ]  # fmt: skip
        named_codes: Integers = np.zeros(self.size, dtype=np.int64)
        if named:
            found = pc.index_in(pa.array(sorted(named)), value_set=self.arns).drop_null()
            places = found.to_numpy(zero_copy_only=False)
            named_codes[places] = places + 1
        parts.append(named_codes)
        if not self.size:
            return {}
        parts += self._shared_uses(chain_uses, resource_uses)
        first, inverse = distinct(parts)
        order = np.argsort(inverse, kind="stable")
        ends = np.searchsorted(inverse[order], np.arange(len(first) + 1))
        places_in_order = np.argsort(first, kind="stable")
        rows = first[places_in_order]
        result: dict[str, list[Group]] = {}
        ids = self.table.column("principal_id")
        for place, account_code, type_code, is_linked, set_code, boundary_code, name in zip(
            places_in_order.tolist(),
            *(
                column[rows].tolist()
                for column in (
                    self.account_codes, self.type_codes, linked, self.set_codes,
                    self.boundary_codes, named_codes,
                )
            ),
            strict=True,
        ):  # fmt: skip
            members = order[ends[place] : ends[place + 1]]
            account, kind = str(self.accounts[account_code]), str(self.types[type_code])
            own, names, absent = self._own(set_code, kind == "root")
            arn, boundary = self._boundaries[boundary_code]
            group = Group(
                account,
                kind,
                own,
                names,
                boundary,
                arn or "",
                self._missing(account, kind, absent),
                (self._gaps.item(account, *GAAD, arn),) if arn and boundary is None else (),
                chain_of(account, bool(is_linked)),
                True,
                self.arns[name - 1].as_py() if name else "",
                lambda: _NOBODY,
                lambda documents: 0,
                members=members,
                principal_id=_text(ids[name - 1].as_py()) if name else None,
            )
            result.setdefault(account, []).extend(self._split(group))
        return result

    def _shared_uses(
        self, chain_uses: Callable[[str], Uses], resource_uses: Callable[[str], Uses]
    ) -> list[Integers]:
        """Numbers for the attributes to which SCPs and sending policies refer, for all rows."""
        # By the object: what accounts share is one, and uses are kept as long as this lasts.
        wanted: dict[tuple[str, int], tuple[tuple[tuple[Clause, str], ...] | None, list[int]]] = {}
        for number, account in enumerate(self.accounts):
            if account is None:
                continue
            for uses in (chain_uses(str(account)), resource_uses(str(account))):
                for name, used in uses.items():
                    wanted.setdefault((name, id(used)), (used, []))[1].append(number)
        found: list[Integers] = []
        for (key, _), (clauses, numbers) in wanted.items():
            values = self.attribute(key, clauses)
            inside = np.isin(self.account_codes, numbers)
            found.append(np.where(inside, values + 1, 0))
        return found

    def _split(self, group: Group) -> Iterable[Group]:
        """The groups among members that differ in nothing but what their own documents refer to."""
        members = group.members
        sets = [group.own] if group.boundary is None else [group.own, group.boundary]
        parts = [
            self.attribute(key, clauses)[members]
            for documents in sets
            if documents.principal_keys
            for key, clauses in documents.clauses.items()
        ]
        split = [members]
        if parts:
            numbers = factorized(parts)
            split = [members[numbers == n] for n in range(int(numbers.max()) + 1)]
            split.sort(key=lambda rows: int(rows[0]))
        for rows in split:
            found = group
            if len(split) > 1:
                found = replace(group, members=rows, number=next_number(), _attributes={})
            row = int(rows[0])
            found.make = partial(self._make, row)
            found.values = partial(self._values, row)
            yield found

    def _values(self, row: int, documents: DocumentSet) -> object:
        """The attributes of one row, as far as documents refer to them."""
        found: list[object] = []
        for key, clauses in documents.clauses.items():
            name = (key, id(clauses), int(self.attribute(key, clauses)[row]))
            if name not in self._compared:
                self._compared[name] = self._comparable(key, clauses, row)
            found.append(self._compared[name])
        return tuple(found)

    def _own(
        self, set_code: int, root: bool
    ) -> tuple[DocumentSet, tuple[str, ...], tuple[str, ...]]:
        """The documents of a set, their names, and the names of those that are not known."""
        key = (set_code, root)
        if key not in self._own_sets:
            entries = [self._entries[n] for n in self._sets[set_code]]
            policies = [entry for entry in entries if isinstance(entry, AttachedPolicy)]
            if root:
                policies.insert(0, _ROOT)
            absent = tuple(entry for entry in entries if isinstance(entry, str))
            documents = self._knowledge.set_of(tuple(policies))
            self._own_sets[key] = (documents, names_of(policies), absent)
        return self._own_sets[key]

    def _missing(self, account: str, kind: str, absent: tuple[str, ...]) -> tuple[str, ...]:
        found = [] if kind == "root" else list(self._gaps.of(account, *GAAD))
        if not absent:
            return tuple(found)
        found += [self._gaps.item(account, *GAAD, name) for name in absent]
        return tuple(dict.fromkeys(found))

    def _make(self, row: int) -> Sender:
        rows = self.table.slice(row, 1).to_pylist()
        first, last = np.searchsorted(self._ordered, (row, row + 1))
        policies = self._policies.take(np.sort(self._order[first:last])).to_pylist()
        found = load_senders(rows, policies, [], self._knowledge.documents, self._gaps)
        return next(iter(found.values()))

    def attribute(self, key: str, clauses: tuple[tuple[Clause, str], ...] | None) -> Integers:
        """A number for each row: equal where no clause on the key tells the rows apart."""
        known = self._by_clauses.get((key, id(clauses)))
        if known is not None and known[0] is clauses:
            return known[1]
        name = (key, clauses)
        if name not in self._attributes:
            self._attributes[name] = self._make_attribute(key, clauses)
        # The clauses are kept with their numbers, so that no others take their id.
        self._by_clauses[key, id(clauses)] = (clauses, self._attributes[name])
        return self._attributes[name]

    def _make_attribute(self, key: str, clauses: tuple[tuple[Clause, str], ...] | None) -> Integers:
        if key == "aws:principalarn" and clauses is not None:
            regexes = patterns(clauses)
            if regexes is not None:
                columns = [
                    pc.match_substring_regex(self.arns, regex).to_numpy(zero_copy_only=False)
                    for regex in regexes
                ]
                zero: Integers = np.zeros(self.size, dtype=np.int64)
                return factorized([c.astype(np.int64) for c in columns]) if columns else zero
        column, values = self._distinct(key)
        if column is None:
            return np.arange(self.size, dtype=np.int64)
        if clauses is None:
            return column
        known: dict[object, int] = {}
        table = np.array(
            [known.setdefault(answers(clauses, key, value), len(known)) for value in values],
            dtype=np.int64,
        )
        return table[column]

    def _distinct(self, key: str) -> tuple[Integers | None, list[str | None]]:
        """The values that rows have for a key: numbers, and what they stand for."""
        if key == "aws:username":
            # Only users have one.
            users = self.type_codes == self.types.index("user") if "user" in self.types else False
            numbers, texts = codes(self.table.column("name"))
            chosen: Integers = np.where(users, numbers, len(texts))
            return chosen, [*map(_text, texts), None]
        if key.startswith("aws:principaltag/"):
            wanted = key.removeprefix("aws:principaltag/")
            numbers, texts = codes(self.table.column("tags"))
            return numbers, [tag(_text(text), wanted) for text in texts]
        return None, []

    def _comparable(
        self, key: str, clauses: tuple[tuple[Clause, str], ...] | None, row: int
    ) -> object:
        """What two rows, of any batch, have to have in common."""
        if key == "aws:principalarn" and clauses is not None and patterns(clauses) is not None:
            arn = self.arns[row].as_py()
            return answers(clauses, key, arn)
        if key == "aws:username":
            user = self.types[self.type_codes[row]] == "user"
            name = self.table.column("name")[row].as_py() if user else None
            return name if clauses is None else answers(clauses, key, name)
        if key.startswith("aws:principaltag/"):
            tags = self.table.column("tags")[row].as_py()
            value = tag(tags, key.removeprefix("aws:principaltag/"))
            return value if clauses is None else answers(clauses, key, value)
        return self.arns[row].as_py()


_ROOT = AttachedPolicy(full_access(), ROOT_POLICY)
_NOBODY = Sender("", None, "anonymous", "", "")


def _flags(column: pa.ChunkedArray) -> Integers:
    filled = pc.fill_null(_whole(column), False)
    flags: Integers = filled.to_numpy(zero_copy_only=False).astype(np.int64)
    return flags


def _whole(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    if isinstance(found, pa.ChunkedArray):
        return pa.concat_arrays(found.chunks) if found.num_chunks else pa.array([], found.type)
    return found


def _text(value: object) -> str | None:
    return None if value is None else str(value)
