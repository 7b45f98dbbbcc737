"""One layer at a time: each decided once for the same documents, action, resource and attributes.

Layers are independent, so what is decided here is shared by every principal and identity that
meet the same documents: the key holds only what those documents can tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from ses_audit.policy.formula import Formula, disjunction, keys_of, negate
from ses_audit.policy.open_denials import refusing_together
from ses_audit.policy.open_layers import OpenLayer, OpenResource, deny_statements, never
from ses_audit.policy.outcome import lack_of
from ses_audit.policy.reduce import OpenRequest, reduce_layer, reduce_resource_policies
from ses_audit.policy.types import AttachedPolicy, Denial, Document, Layer
from ses_audit.policy.wildcards import arn_matches
from ses_audit.ses.context import documented_for_ses

__all__ = ["LayerRuling", "Layers", "ResourceRuling", "explicit_denials", "referenced_keys"]

AnyRuling = TypeVar("AnyRuling")

_keys = lru_cache(maxsize=100_000)(keys_of)

_VARIABLE = re.compile(r"\$\{([^},]+)")


@dataclass(frozen=True, slots=True)
class LayerRuling(OpenLayer):
    """What one layer says of one request, and whom it names when that is a certain no."""

    explicit: tuple[Denial, ...] = ()
    implicit: tuple[Denial, ...] = ()
    possible: tuple[Denial, ...] = ()
    """Explicit denials that hold in some contexts only."""
    undocumented: bool = False
    """Whether its documents name a global key that AWS doesn't document for SES."""

    @property
    def open_keys(self) -> frozenset[str]:
        """The keys on which the ruling turns."""
        return _keys(self.formula.allow) | _keys(self.formula.deny)


@dataclass(frozen=True, slots=True)
class ResourceRuling(OpenResource):
    """What the sending authorization policies of an identity say of one request."""

    explicit: tuple[Denial, ...] = ()
    possible: tuple[Denial, ...] = ()
    undocumented: bool = False

    @property
    def open_keys(self) -> frozenset[str]:
        """The keys on which the ruling turns."""
        formula = self.formula
        parts = (formula.grant_exempt, formula.grant_limited, formula.delegate, formula.deny)
        return frozenset().union(*map(_keys, parts))


def referenced_keys(document: Document) -> frozenset[str]:
    """The condition keys, lower case, on whose values the document's answer can turn."""
    found: set[str] = set()
    for statement in document.statements:
        texts = list(statement.resources or ())
        for clause in statement.conditions:
            found.add(clause.key.lower())
            texts += clause.values
        for text in texts:
            found.update(name.strip().lower() for name in _VARIABLE.findall(text))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Profile:
    """What a document's answer can turn on."""

    keys: frozenset[str]
    patterns: tuple[str, ...]
    """The distinct resource patterns."""
    variable: bool
    """Whether one of them holds a policy variable."""


def _profile(document: Document) -> _Profile:
    patterns = sorted({r for s in document.statements for r in s.resources or ()})
    variable = any("${" in pattern for pattern in patterns)
    return _Profile(referenced_keys(document), tuple(patterns), variable)


class Layers:
    """The rulings of all layers, each made once."""

    def __init__(self) -> None:
        self._rulings: dict[object, LayerRuling] = {}
        self._resource: dict[object, ResourceRuling] = {}
        self._shared: dict[Any, Any] = {}
        self._profiles: dict[str, _Profile] = {}
        self._matches: dict[tuple[str, str], bool] = {}

    def _profile_of(self, policy: AttachedPolicy) -> _Profile:
        digest = policy.document.digest
        if digest not in self._profiles:
            self._profiles[digest] = _profile(policy.document)
        return self._profiles[digest]

    def _signature(self, policies: tuple[AttachedPolicy, ...], resource: str) -> object:
        """What the documents can tell about the resource: the patterns that match it."""
        bits: list[bool] = []
        for policy in policies:
            profile = self._profile_of(policy)
            if profile.variable:
                return resource
            for pattern in profile.patterns:
                pair = (pattern, resource)
                if pair not in self._matches:
                    self._matches[pair] = arn_matches(pattern, resource)
                bits.append(self._matches[pair])
        return tuple(bits)

    def shared(self, ruling: AnyRuling) -> AnyRuling:
        """One object for equal rulings, so that they can be told apart by identity."""
        found: AnyRuling = self._shared.setdefault(ruling, ruling)
        return found

    def rule(
        self,
        layer: Layer,
        policies: tuple[AttachedPolicy, ...],
        action: str,
        resource: str,
        ask: Callable[[frozenset[str]], OpenRequest],
        target: str | None = None,
        *,
        open_resource: bool = False,
    ) -> LayerRuling:
        """Decide the union of `policies` for one request.

        Parameters
        ----------
        layer
            The layer they belong to.
        policies
            All documents of the layer, or of one SCP level.
        action, resource
            What is asked.
        ask
            Makes the open request for the keys that the documents refer to.
        target
            For an SCP level: the root, OU or account.
        open_resource
            Whether `resource` stands for all that its wildcards match.
        """
        keys: frozenset[str] = frozenset().union(*(self._profile_of(p).keys for p in policies))
        values: object = ()
        request: OpenRequest | None = None
        if keys:
            request = ask(keys)
            values = request.values_of(keys)
        key = (
            layer,
            policies_key(policies),
            action,
            # What patterns match one name doesn't tell what they match of a language of names.
            (resource,) if open_resource else self._signature(policies, resource),
            values,
            target,
        )
        if key not in self._rulings:
            self._rulings[key] = self._make(layer, policies, request or ask(keys), target)
        return self._rulings[key]

    def _make(
        self,
        layer: Layer,
        policies: tuple[AttachedPolicy, ...],
        request: OpenRequest,
        target: str | None,
    ) -> LayerRuling:
        formula = reduce_layer(policies, request)
        statements = deny_statements(layer, policies, request, formula.deny)
        explicit, possible = explicit_denials(statements, request, formula.deny)
        lack = lack_of(layer, policies, target)
        return LayerRuling(
            formula,
            lack,
            statements,
            explicit,
            (lack,) if never(formula.allow, request) else (),
            possible,
            self._undocumented(policies),
        )

    def _undocumented(self, policies: tuple[AttachedPolicy, ...]) -> bool:
        return any(
            not documented_for_ses(key) for p in policies for key in self._profile_of(p).keys
        )

    def rule_resource(
        self,
        policies: tuple[AttachedPolicy, ...],
        ask: Callable[[frozenset[str]], OpenRequest],
        key: object,
    ) -> ResourceRuling:
        """Decide the sending authorization policies of an identity, all together."""
        if key not in self._resource:
            keys: frozenset[str] = frozenset().union(*(self._profile_of(p).keys for p in policies))
            request = ask(keys)
            formula = reduce_resource_policies(policies, request)
            statements = deny_statements(
                Layer.SENDING_AUTHORIZATION_POLICY, policies, request, formula.deny
            )
            explicit, possible = explicit_denials(statements, request, formula.deny)
            self._resource[key] = ResourceRuling(
                formula, statements, explicit, possible, self._undocumented(policies)
            )
        return self._resource[key]


def policies_key(policies: tuple[AttachedPolicy, ...]) -> object:
    """Name a set of policies: the documents, and what a denial would call them."""
    return tuple((p.document.digest, p.arn or p.name, p.target) for p in policies)


def explicit_denials(
    statements: tuple[tuple[Denial, Formula], ...], request: OpenRequest, deny: Formula
) -> tuple[tuple[Denial, ...], tuple[Denial, ...]]:
    """The Deny statements that always hold, and those that hold in some contexts."""
    certain = tuple(d for d, formula in statements if never(negate(formula), request))
    if not certain and statements and never(negate(deny), request):
        # No statement denies by itself, but together they leave no context.
        certain = refusing_together(
            [denial for denial, _ in statements],
            lambda lifted: never(
                negate(disjunction(*(f for d, f in statements if d not in lifted))), request
            ),
        )
    return certain, tuple(d for d, _ in statements if d not in certain)
