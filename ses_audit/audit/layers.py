"""One layer at a time: each decided once for the same documents, action, resource and attributes.

Layers are independent, so what is decided here is shared by every principal and identity that
meet the same documents: the key holds only what those documents can tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from ses_audit.policy.formula import FALSE, TRUE, Formula, disjunction, keys_of, negate
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
from ses_audit.ses.context import documented_for_ses

__all__ = ["LayerRuling", "Layers", "ResourceRuling", "never", "only", "referenced_keys"]

AnyRuling = TypeVar("AnyRuling")

_keys = lru_cache(maxsize=100_000)(keys_of)

_VARIABLE = re.compile(r"\$\{([^},]+)")


@dataclass(frozen=True, slots=True)
class LayerRuling:
    """What one layer says of one request, and whom it names when that is a certain no."""

    formula: LayerFormula
    lack: Denial
    """What an allow that doesn't come is called."""
    explicit: tuple[Denial, ...] = ()
    implicit: tuple[Denial, ...] = ()
    possible: tuple[Denial, ...] = ()
    """Explicit denials that hold in some contexts only."""
    statements: tuple[tuple[Denial, Formula], ...] = ()
    """Each Deny statement that can hold, and when it does."""
    undocumented: bool = False
    """Whether its documents name a global key that AWS doesn't document for SES."""

    @property
    def open_keys(self) -> frozenset[str]:
        """The keys on which the ruling turns."""
        return _keys(self.formula.allow) | _keys(self.formula.deny)

    def lifted(self, without: frozenset[Denial]) -> LayerFormula:
        """The ruling with some of its denials lifted."""
        if not without:
            return self.formula
        allow = TRUE if self.lack in without else self.formula.allow
        return LayerFormula(allow, _denies(self.statements, without, self.formula.deny))


@dataclass(frozen=True, slots=True)
class ResourceRuling:
    """What the sending authorization policies of an identity say of one request."""

    formula: ResourceFormula
    explicit: tuple[Denial, ...] = ()
    possible: tuple[Denial, ...] = ()
    statements: tuple[tuple[Denial, Formula], ...] = ()
    undocumented: bool = False

    @property
    def open_keys(self) -> frozenset[str]:
        """The keys on which the ruling turns."""
        formula = self.formula
        parts = (formula.grant_exempt, formula.grant_limited, formula.delegate, formula.deny)
        return frozenset().union(*map(_keys, parts))

    @property
    def lack(self) -> Denial:
        """What a grant that doesn't come is called."""
        return Denial(Layer.SENDING_AUTHORIZATION_POLICY, "implicit")

    def lifted(self, without: frozenset[Denial]) -> ResourceFormula:
        """The ruling with some of its denials lifted."""
        if not without:
            return self.formula
        deny = _denies(self.statements, without, self.formula.deny)
        if self.lack in without:
            return ResourceFormula(TRUE, TRUE, TRUE, deny)
        return replace(self.formula, deny=deny)


def _denies(
    statements: tuple[tuple[Denial, Formula], ...], without: frozenset[Denial], whole: Formula
) -> Formula:
    """When the statements that are not lifted deny."""
    if not any(denial in without for denial, _ in statements):
        return whole
    return disjunction(*(formula for denial, formula in statements if denial not in without))


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


def only(policy: AttachedPolicy, position: int) -> AttachedPolicy:
    """The policy with one of its statements left."""
    document = policy.document
    kept = replace(document, statements=(document.statements[position],))
    return replace(policy, document=kept)


def never(formula: Formula, request: OpenRequest) -> bool:
    """Whether a formula can't hold, whatever the open keys are."""
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
        statements = _statements(layer, policies, request, formula.deny)
        explicit, possible = _explicit(statements, request, formula.deny)
        lack = _lack(layer, policies, target)
        return LayerRuling(
            formula,
            lack,
            explicit,
            (lack,) if never(formula.allow, request) else (),
            possible,
            statements,
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
            statements = _statements(
                Layer.SENDING_AUTHORIZATION_POLICY, policies, request, formula.deny
            )
            explicit, possible = _explicit(statements, request, formula.deny)
            self._resource[key] = ResourceRuling(
                formula, explicit, possible, statements, self._undocumented(policies)
            )
        return self._resource[key]


def policies_key(policies: tuple[AttachedPolicy, ...]) -> object:
    """Name a set of policies: the documents, and what a denial would call them."""
    return tuple((p.document.digest, p.arn or p.name, p.target) for p in policies)


def _statements(
    layer: Layer, policies: tuple[AttachedPolicy, ...], request: OpenRequest, deny: Formula
) -> tuple[tuple[Denial, Formula], ...]:
    """Each Deny statement that can hold, and when it does."""
    if deny is FALSE:
        return ()
    found: list[tuple[Denial, Formula]] = []
    for policy in policies:
        for position, statement in enumerate(policy.document.statements):
            if statement.effect != "Deny":
                continue
            single = (only(policy, position),)
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
            if not never(formula, request):
                found.append((denial, formula))
    return tuple(found)


def _explicit(
    statements: tuple[tuple[Denial, Formula], ...], request: OpenRequest, deny: Formula
) -> tuple[tuple[Denial, ...], tuple[Denial, ...]]:
    """The Deny statements that always hold, and those that hold in some contexts."""
    certain = tuple(d for d, formula in statements if never(negate(formula), request))
    possible = tuple(d for d, _ in statements if d not in certain)
    if not certain and possible and never(negate(deny), request):
        # No statement denies by itself, but together they leave no context.
        return possible, ()
    return certain, possible


def _lack(layer: Layer, policies: tuple[AttachedPolicy, ...], target: str | None) -> Denial:
    name = None
    if layer is Layer.PERMISSIONS_BOUNDARY and policies:
        name = policies[0].arn or policies[0].name
    return Denial(layer, "implicit", name, target=target)
