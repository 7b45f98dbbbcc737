"""Principals that are treated alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ses_audit.audit.asks import View
from ses_audit.audit.columns import Integers
from ses_audit.audit.document_sets import DocumentSet
from ses_audit.audit.organization import Chain
from ses_audit.audit.senders import Sender
from ses_audit.policy.types import AttachedPolicy

if TYPE_CHECKING:
    from ses_audit.audit.knowledge import Knowledge

__all__ = ["Group", "names_of", "next_number"]

next_number = itertools.count().__next__


@dataclass(slots=True)
class Group:
    """Principals that are treated alike.

    The documents may be those of another account with copies of them; `own_names` and
    `boundary_name` are the group's own. `exact` is the ARN of a sender that stands alone, `named`
    of one that a sending policy names; else they are "". `make` gives one of the group as an
    object, and `values` those of its attributes to which some documents refer.
    """

    account: str | None
    type: str
    own: DocumentSet
    own_names: tuple[str, ...]
    boundary: DocumentSet | None
    boundary_name: str
    missing: tuple[str, ...]
    boundary_missing: tuple[str, ...]
    chain: Chain
    in_organization: bool
    named: str
    make: Callable[[], Sender]
    values: Callable[[DocumentSet], object]
    exact: str = ""
    principal_id: str | None = None
    """Of one that a sending policy names."""
    members: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    number: int = field(default_factory=next_number)
    code: int = -1
    """One number for all that documents can tell of it."""
    names: tuple[int, ...] = ()
    """For its own policies, its boundary and its SCPs a number of what denials call them."""
    views: tuple[tuple[int, View], ...] = ()
    """What its own documents and its boundary look at of an identity."""
    chain_code: int = -1
    """One number for all that SCPs can tell of it."""
    chain_views: tuple[tuple[int, View], ...] = ()
    caller_code: int = -1
    """One number for what the principals of sending policies can tell of it but its account."""
    _sender: Sender | None = None
    _attributes: dict[int, tuple[object, DocumentSet]] = field(default_factory=dict)

    def attributes(self, documents: DocumentSet) -> object:
        """The values to which some documents refer."""
        found = self._attributes.get(id(documents))
        if found is None:
            found = self._attributes[id(documents)] = (self.values(documents), documents)
        return found[0]

    @property
    def sender(self) -> Sender:
        """One of the group."""
        if self._sender is None:
            self._sender = self.make()
        return self._sender

    @classmethod
    def of_one(cls, sender: Sender, chain: Chain, knowledge: Knowledge) -> Group:
        """A sender that stands alone."""
        boundary = None if sender.boundary is None else knowledge.set_of((sender.boundary,))
        return cls(
            sender.account,
            sender.type,
            knowledge.set_of(sender.identity_policies),
            names_of(sender.identity_policies),
            boundary,
            "" if sender.boundary is None else sender.boundary.arn or sender.boundary.name,
            sender.missing,
            sender.boundary_missing,
            chain,
            sender.in_organization,
            sender.arn,
            lambda: sender,
            lambda documents: sender.arn,
            exact=sender.arn,
        )


def names_of(policies: Iterable[AttachedPolicy]) -> tuple[str, ...]:
    """What a denial calls some policies."""
    return tuple(policy.arn or policy.name for policy in policies)
