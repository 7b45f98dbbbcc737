"""What a worker knows of one snapshot: its organization, its documents, and what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import orjson

from ses_audit.audit.asks import NOTHING_SEEN, Shape, View
from ses_audit.audit.attributes import Uses, uses_of
from ses_audit.audit.chains import Chains
from ses_audit.audit.classes import Answer, Numbers, Vector
from ses_audit.audit.columns import Columns
from ses_audit.audit.compose import Composer
from ses_audit.audit.document_sets import DocumentSet, Outline
from ses_audit.audit.documents import Documents
from ses_audit.audit.gaps import COVERAGE, Gaps
from ses_audit.audit.groups import names_of
from ses_audit.audit.model import (
    ORGANIZATION_TABLES,
    described,
    organization_account,
    organization_of,
)
from ses_audit.audit.organization import Chain, Organization
from ses_audit.audit.rulings import Ruling
from ses_audit.audit.templates import Template
from ses_audit.policy.types import AttachedPolicy, Denial, Document
from ses_audit.policy.wildcards import action_matches

if TYPE_CHECKING:
    from ses_audit.audit.batches import Base
    from ses_audit.audit.named import Entry

__all__ = ["Knowledge", "Texts"]


class Texts(Mapping[str, str]):
    """The documents that parse, by SHA-256; a text becomes an object when it is asked for."""

    def __init__(self, columns: Columns) -> None:
        table = columns.source.table("policy_documents")
        malformed = table.column("malformed")
        kept = table.filter(malformed.is_null())
        self._documents = kept.column("document")
        shas: list[str] = kept.column("sha256").to_pylist()
        self._places = {sha: place for place, sha in enumerate(shas)}

    def __getitem__(self, sha: str) -> str:
        return str(self._documents[self._places[sha]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class ChainSets(NamedTuple):
    """The SCPs that bind an account, as they are asked."""

    chain: Chain
    sets: tuple[DocumentSet, ...]
    """The documents of each level."""
    told: tuple[tuple[int, DocumentSet], ...]
    """The levels that can tell anything, with their places."""
    names: int
    """One number for what denials can name."""
    views: tuple[tuple[int, View], ...]


class Knowledge:
    """One snapshot, as a worker works on it batch by batch.

    Parameters
    ----------
    columns
        The snapshot's columns.
    actions
        The send actions.
    """

    def __init__(self, columns: Columns, actions: tuple[str, ...]) -> None:
        self.columns = columns
        self.actions = actions
        self.documents = Documents(Texts(columns), actions)
        self.numbers = Numbers()
        self.composer = Composer(self.numbers)
        self.levels = Chains(self.numbers)
        self.answers: dict[object, Answer | None] = {}
        """Of one layer to one check."""
        self._same: dict[Answer, Answer] = {}
        self.vectors: dict[object, Vector] = {}
        """Of one layer to all checks."""
        self.templates: dict[object, Template] = {}
        """By the structures of one action."""
        self.bases: dict[object, Base] = {}
        """By all that own documents and boundaries can tell of a group and an identity."""
        self.chains: dict[object, Vector] = {}
        """By all that SCPs can tell of them."""
        self.entries: dict[object, Entry] = {}
        """By the numbers of a base, and of the vectors of SCPs and sending policies."""
        self.shapes: dict[object, Shape] = {}
        self._equal: dict[object, Template] = {}
        self._views: dict[int, tuple[int, View]] = {}
        self._chains: dict[int, ChainSets] = {}
        self._level_sets: dict[int, tuple[tuple[AttachedPolicy, ...], DocumentSet]] = {}
        self._uses: dict[tuple[int, ...], Uses] = {}
        self._sets: dict[object, DocumentSet] = {}
        self._outlines: dict[str, Outline] = {}
        self._speaks: dict[str, bool | None] = {}
        self._matched: dict[str, frozenset[str]] = {}

    def learn(self) -> None:
        """Read what every batch needs."""
        columns, organization = self.columns, self.organization
        for name in ("coverage", "identities", "ses_account_regions"):
            columns.lists(name, organization.accounts, ())
        columns.rows("identity_policies", (), "identity_arn")
        columns.batches()

    @cached_property
    def organization_account(self) -> str:
        """The account from which the organization was read."""
        return organization_account(self.columns.source.manifest)

    @cached_property
    def organization_gaps(self) -> Gaps:
        """What was not read of the organization."""
        return self.gaps(())

    @cached_property
    def organization(self) -> Organization:
        """The organization."""
        rows = {name: self.columns.source.table(name).to_pylist() for name in ORGANIZATION_TABLES}
        return organization_of(
            rows,
            self.documents,
            self.organization_gaps,
            described(self.columns.source.manifest),
        )

    def gaps(self, accounts: Iterable[str]) -> Gaps:
        """What was not read of some accounts, and of the organization."""
        wanted = {*accounts, self.organization_account}
        return Gaps.of_columns(
            self.columns.lists("coverage", wanted, COVERAGE), self.organization_account
        )

    def forget(self) -> None:
        """Drop the documents of a batch: most belong to its accounts alone.

        What they say stays, under numbers that do not change.
        """
        self.documents.forget()
        for known in (self._sets, self._outlines, self._speaks, self._views, self._chains):
            known.clear()

    def speaks(self, sha: str | None) -> bool | None:
        """Whether a document has a statement that a send can match; None where it is not known."""
        if sha is None:
            return None
        if sha not in self._speaks:
            text = self.documents.text(sha)
            self._speaks[sha] = None if text is None else self._text_speaks(sha, text)
        return self._speaks[sha]

    def _text_speaks(self, sha: str, text: str) -> bool | None:
        try:
            statements = orjson.loads(text)["Statement"]
            for statement in statements if isinstance(statements, list) else [statements]:
                negated = "NotAction" in statement
                named = statement["NotAction" if negated else "Action"]
                if self._names(named if isinstance(named, list) else [named], negated):
                    return self._parsed_speaks(sha)
        except (ValueError, KeyError, TypeError):
            # What this quick look does not understand is for the parser to say.
            return self._parsed_speaks(sha)
        return False

    def _parsed_speaks(self, sha: str) -> bool | None:
        document = self.documents.get(sha)
        return None if document is None else bool(document.statements)

    def _names(self, patterns: list[str], negated: bool) -> bool:
        named: set[str] = set()
        for pattern in patterns:
            if pattern not in self._matched:
                self._matched[pattern] = frozenset(
                    action for action in self.actions if action_matches(pattern, action)
                )
            named |= self._matched[pattern]
        return len(named) < len(self.actions) if negated else bool(named)

    def document(self, sha: str | None) -> Document | None:
        """A document, parsed and cut to what a send can meet."""
        return self.documents.get(sha)

    def set_of(self, policies: tuple[AttachedPolicy, ...]) -> DocumentSet:
        """A set of documents; its number is equal for copies under other names."""
        names = [policy.arn or policy.name for policy in policies]
        places = tuple(map(names.index, names))
        key = (tuple(policy.document.digest for policy in policies), places)
        found = self._sets.get(key)
        if found is None:
            outlines = [self._outline(policy.document) for policy in policies]
            number = self.numbers.of(
                ("set", places, *(self.numbers.of(outline.key) for outline in outlines))
            )
            found = self._sets[key] = DocumentSet(policies, outlines, number)
        return found

    def view(self, documents: DocumentSet) -> tuple[int, View]:
        """What a set of documents looks at of an identity, and its number."""
        found = self._views.get(id(documents))
        if found is None:
            view = View.of(documents)
            number = self.numbers.of(view)
            found = (number, NOTHING_SEEN if view == NOTHING_SEEN else view)
            self._views[id(documents)] = found
        return found

    def views(self, sets: Iterable[DocumentSet]) -> tuple[tuple[int, View], ...]:
        """What some sets of documents look at, without those that look at nothing."""
        return tuple(
            (number, view) for number, view in map(self.view, sets) if view is not NOTHING_SEEN
        )

    def chain_sets(self, chain: Chain) -> tuple[DocumentSet, ...]:
        """The documents of each level of a chain."""
        return self.chain(chain).sets

    def chain_uses(self, chain: Chain) -> Uses:
        """The attributes of principals to which a chain's documents refer."""
        sets = self.chain_sets(chain)
        key = tuple(map(id, sets))
        if key not in self._uses:
            # The sets are kept, so that no others take their ids.
            self._uses[key] = uses_of(sets)
        return self._uses[key]

    def chain(self, chain: Chain) -> ChainSets:
        """What is known of a chain."""
        found = self._chains.get(id(chain))
        if found is None:
            levels = chain.levels or ()
            sets = tuple(map(self._level, levels))
            names = tuple(
                None if documents.silent else (target, names_of(level))
                for documents, target, level in zip(sets, chain.targets, levels, strict=True)
            )
            told = tuple(
                (place, documents)
                for place, documents in enumerate(sets)
                if not documents.silent or place in chain.open_levels
            )
            found = self._chains[id(chain)] = ChainSets(
                # Kept, so that no other chain takes its id.
                chain,
                sets,
                told,
                self.numbers.of(("targets", names)),
                self.views(documents for _, documents in told),
            )
        return found

    def _level(self, level: tuple[AttachedPolicy, ...]) -> DocumentSet:
        """The documents of one level, kept for all batches as the organization is."""
        found = self._level_sets.get(id(level))
        if found is None:
            found = self._level_sets[id(level)] = (level, self.set_of(level))
        return found[1]

    def same(self, answer: Answer) -> Answer:
        """One object for equal answers."""
        return self._same.setdefault(answer, answer)

    def template(
        self,
        ruling: Ruling,
        swaps: tuple[tuple[Denial, int, int], ...],
        missing: tuple[int, ...],
        recipients: tuple[int, ...],
        *,
        shared: bool,
    ) -> Template:
        """One template for equal rulings; the parameters are its own."""
        key = (ruling, swaps, missing, recipients, shared)
        if key not in self._equal:
            self._equal[key] = Template(ruling, swaps, missing, recipients, shared=shared)
        return self._equal[key]

    def _outline(self, document: Document) -> Outline:
        if document.digest not in self._outlines:
            self._outlines[document.digest] = Outline(document)
        return self._outlines[document.digest]
