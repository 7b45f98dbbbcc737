"""One layer at a time: each decided once for the same documents, action, resource and attributes.

Layers are independent, so what is decided here is shared by every principal and identity that
meet the same documents: the key holds only what those documents can tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ses_audit.policy.formula import FALSE, TRUE, Formula, keys_of, negate
from ses_audit.policy.reduce import (
    LayerFormula,
    OpenRequest,
    ResourceFormula,
    reduce_layer,
    reduce_resource_policies,
)
from ses_audit.policy.solve import decide
from ses_audit.policy.types import AttachedPolicy, Denial, Document, Layer, Verdict
from ses_audit.policy.wildcards import arn_matches

__all__ = ["LayerRuling", "Layers", "ResourceRuling", "referenced_keys"]

AnyRuling = TypeVar("AnyRuling")

_VARIABLE = re.compile(r"\$\{([^},]+)")


@dataclass(frozen=True, slots=True)
class LayerRuling:
    """What one layer says of one request, and whom it names when that is a certain no."""

    formula: LayerFormula
    explicit: tuple[Denial, ...] = ()
    implicit: tuple[Denial, ...] = ()
    possible: tuple[Denial, ...] = ()
    """Explicit denials that hold in some contexts only."""

    @property
    def open_keys(self) -> frozenset[str]:
        """The keys on which the ruling turns."""
        return keys_of(self.formula.allow) | keys_of(self.formula.deny)


@dataclass(frozen=True, slots=True)
class ResourceRuling:
    """What the sending authorization policies of an identity say of one request."""

    formula: ResourceFormula
    explicit: tuple[Denial, ...] = ()
    possible: tuple[Denial, ...] = ()

    @property
    def open_keys(self) -> frozenset[str]:
        """The keys on which the ruling turns."""
        formula = self.formula
        parts = (formula.grant_exempt, formula.grant_limited, formula.delegate, formula.deny)
        return frozenset().union(*map(keys_of, parts))


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


def _only(policy: AttachedPolicy, position: int) -> AttachedPolicy:
    document = policy.document
    kept = replace(document, statements=(document.statements[position],))
    return replace(policy, document=kept)


def _never(formula: Formula, request: OpenRequest) -> bool:
    if formula is TRUE or formula is FALSE:
        return formula is FALSE
    return decide(formula, request.all_domains()).verdict is Verdict.DENIED


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

    @property
    def decided(self) -> int:
        """How many distinct rulings were made."""
        return len(self._rulings) + len(self._resource)

    def rule(
        self,
        layer: Layer,
        policies: tuple[AttachedPolicy, ...],
        action: str,
        resource: str,
        ask: Callable[[frozenset[str]], OpenRequest],
        target: str | None = None,
    ) -> LayerRuling:
        """Decide the union of `policies` for one request.

        Parameters
        ----------
        layer
            The layer they belong to.
        policies
            All documents of the layer, or of one SCP level.
        action, resource
            What is asked; a `resource` that is a language is keyed by its text.
        ask
            Makes the open request for the keys that the documents refer to.
        target
            For an SCP level: the root, OU or account.
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
            self._signature(policies, resource),
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
        explicit, possible = _explicit(layer, policies, request, formula.deny)
        implicit: tuple[Denial, ...] = ()
        if _never(formula.allow, request):
            implicit = (_implicit(layer, policies, target),)
        return LayerRuling(formula, explicit, implicit, possible)

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
            explicit, possible = _explicit(
                Layer.SENDING_AUTHORIZATION_POLICY, policies, request, formula.deny
            )
            self._resource[key] = ResourceRuling(formula, explicit, possible)
        return self._resource[key]


def policies_key(policies: tuple[AttachedPolicy, ...]) -> object:
    """Name a set of policies: the documents, and what a denial would call them."""
    return tuple((p.document.digest, p.arn or p.name, p.target) for p in policies)


def _explicit(
    layer: Layer, policies: tuple[AttachedPolicy, ...], request: OpenRequest, deny: Formula
) -> tuple[tuple[Denial, ...], tuple[Denial, ...]]:
    """Each Deny statement that always holds, and each that holds in some contexts."""
    if deny is FALSE:
        return (), ()
    certain: list[Denial] = []
    possible: list[Denial] = []
    for policy in policies:
        for position, statement in enumerate(policy.document.statements):
            if statement.effect != "Deny":
                continue
            single = (_only(policy, position),)
            if layer is Layer.SENDING_AUTHORIZATION_POLICY:
                formula = reduce_resource_policies(single, request).deny
            else:
                formula = reduce_layer(single, request).deny
            denial = Denial(
                layer,
                "explicit",
                policy.arn or policy.name,
                statement.sid,
                statement.index,
                policy.target if layer is not Layer.IDENTITY_POLICY else None,
            )
            if _never(negate(formula), request):
                certain.append(denial)
            elif not _never(formula, request):
                possible.append(denial)
    if not certain and possible and _never(negate(deny), request):
        # No statement denies by itself, but together they leave no context.
        return tuple(possible), ()
    return tuple(certain), tuple(possible)


def _implicit(layer: Layer, policies: tuple[AttachedPolicy, ...], target: str | None) -> Denial:
    name = None
    if layer is Layer.PERMISSIONS_BOUNDARY and policies:
        name = policies[0].arn or policies[0].name
    return Denial(layer, "implicit", name, target=target)
