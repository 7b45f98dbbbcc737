"""A layer under an open request: what is left of its documents when all that is known is put in.

`reduce_layer` once for each layer, `combine` for each request, `solve.decide` for the result.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ses_audit.policy.bindings import clause_on_known_values, pattern_on_known_text
from ses_audit.policy.domains import Domain
from ses_audit.policy.evaluate import is_same_account
from ses_audit.policy.formula import (
    FALSE,
    TRUE,
    Atom,
    Formula,
    conjunction,
    disjunction,
    negate,
)
from ses_audit.policy.match import Subject, action_applies, principal_forms, resource_test
from ses_audit.policy.operators import OPERATORS, holds
from ses_audit.policy.principals import DELEGATED, EXEMPT, LIMITED, Form
from ses_audit.policy.solve import BUDGET, Domains, OpenResult, decide
from ses_audit.policy.types import (
    AttachedPolicy,
    Caller,
    Clause,
    Context,
    Layers,
    Request,
    Statement,
)
from ses_audit.policy.variables import specialize, variables_in
from ses_audit.policy.wildcards import matches, prefix_relation

__all__ = [
    "RESOURCE_KEY",
    "LayerFormula",
    "OpenRequest",
    "ResourceFormula",
    "combine",
    "open_evaluate",
    "open_resource_relation",
    "reduce_layer",
    "reduce_resource_policies",
]

RESOURCE_KEY = "(resource)"
"""The resource as if it were a condition key, where it or a pattern on it is open."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request of which some keys are known and others may take any value.

    `resource` holds wildcards where its name is open (`arn:…:template/*`), then `open_resource`
    is True.
    """

    caller: Caller
    action: str
    resource: str
    resource_account: str | None
    known: Context = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    multivalued: frozenset[str] = frozenset()
    domains: Mapping[str, Domain] = field(default_factory=dict)
    open_resource: bool = False
    has_boundary: bool = False

    def all_domains(self) -> Domains:
        """What `decide` has to know of the keys."""
        opened = {key.lower(): domain for key, domain in self.domains.items()}
        known = {key.lower(): values for key, values in self.known.items()}
        if self.open_resource:
            opened[RESOURCE_KEY] = Domain(always=True, patterns=(self.resource,))
        else:
            known[RESOURCE_KEY] = (self.resource,)
        return Domains(
            tuple(sorted(known.items())),
            frozenset(key.lower() for key in self.absent),
            tuple(sorted(opened.items(), key=lambda item: item[0])),
            frozenset(key.lower() for key in self.multivalued),
        )

    def values_of(self, keys: frozenset[str]) -> object:
        """What is known of some keys (lower case), as one hashable value."""
        known = {key.lower(): values for key, values in self.known.items()}
        absent = {key.lower() for key in self.absent}
        domains = {key.lower(): domain for key, domain in self.domains.items()}
        return tuple((key, known.get(key), key in absent, domains.get(key)) for key in sorted(keys))


@dataclass(frozen=True, slots=True)
class LayerFormula:
    """When a set of documents allows, and when it denies."""

    allow: Formula
    deny: Formula


@dataclass(frozen=True, slots=True)
class ResourceFormula:
    """When the resource's policies grant, by what limits the grant, and when they deny."""

    grant_exempt: Formula
    """To the caller's own ARN or `*`: within the account neither boundary nor session policy limit
    it (`principals.EXEMPT`)."""
    grant_limited: Formula
    """To the role's ARN, a service, a federated provider (`principals.LIMITED`)."""
    delegate: Formula
    """To the caller's account: the identity side must allow as well."""
    deny: Formula


class _Reduction:
    def __init__(self, request: OpenRequest) -> None:
        self.request = request
        self.known = {key.lower(): values for key, values in request.known.items()}
        self.absent = frozenset(key.lower() for key in request.absent)
        self.multivalued = frozenset(key.lower() for key in request.multivalued)
        self.subject = Subject(
            request.caller,
            request.action,
            request.resource,
            self.known,
            self.multivalued,
            request.has_boundary,
        )

    def _settled(self, key: str) -> bool:
        return key in self.known or key in self.absent

    def clause(self, clause: Clause, version: str) -> Formula:
        names = [clause.key.lower()]
        has_variables = OPERATORS[clause.operator].family.has_variables
        if has_variables:
            names += [v.key for text in clause.values for v in variables_in(text, version)]
        if all(map(self._settled, names)):
            return TRUE if holds(clause, self.known, self.multivalued, version) else FALSE
        kept = clause
        if has_variables:
            values = (self._specialized(value, version) for value in clause.values)
            kept = replace(clause, values=tuple(value for value in values if value is not None))
        held = self.known.get(names[0])
        if held is not None:
            is_set = names[0] in self.multivalued
            found = clause_on_known_values(kept, held, is_set=is_set, version=version)
            if found is not None:
                return found
        return Formula.of(Atom(kept, version))

    def _specialized(self, value: str, version: str) -> str | None:
        return specialize(value, self.known, self.absent, version, self.multivalued)

    def resource(self, statement: Statement, version: str) -> Formula:
        if statement.resources is None:
            return TRUE
        opened = self.request.open_resource or any(
            not self._settled(variable.key)
            for pattern in statement.resources
            for variable in variables_in(pattern, version)
        )
        if not opened:
            test = resource_test(statement.resources, statement.resources_negated, version)
            return TRUE if test.applies(self.subject) else FALSE
        named = disjunction(*(self._pattern(p, version) for p in statement.resources))
        return negate(named) if statement.resources_negated else named

    def _pattern(self, pattern: str, version: str) -> Formula:
        if pattern == "*":
            return TRUE
        known = self._specialized(pattern, version)
        if known is None:
            return FALSE
        pattern = known
        if self.request.open_resource and "${" not in pattern:
            relation = open_resource_relation(pattern, self.request.resource)
            if relation != "some":
                return TRUE if relation == "all" else FALSE
            pattern = _aligned(pattern, self.request.resource) or pattern
        clause = Clause("Resource", RESOURCE_KEY, (pattern,))
        if not self.request.open_resource:
            found = pattern_on_known_text(clause, self.request.resource, version)
            if found is not None:
                return found
        return Formula.of(Atom(clause, version))

    def statement(self, statement: Statement, version: str) -> tuple[Formula, frozenset[Form]]:
        named = principal_forms(statement, self.subject)
        if named is None or not action_applies(statement, self.request.action):
            return FALSE, frozenset()
        parts = [self.resource(statement, version)]
        for clause in statement.conditions:
            if parts[-1] is FALSE:
                return FALSE, named
            parts.append(self.clause(clause, version))
        return conjunction(*parts), named


def _aligned(pattern: str, resource: str) -> str | None:
    """A pattern on an open resource, with the segments that are known put in; None: no match.

    An open name holds no colon (a template's: letters, digits, `-` and `_`), so a pattern with all
    five colons of an ARN is compared segment by segment. One with fewer may cross them.
    Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailTemplate.html
    """
    parts, known = pattern.split(":"), resource.split(":", 5)
    if len(parts) < 6:
        return pattern
    if len(parts) > 6 or not all(map(matches, parts[:5], known[:5])):
        return None
    return ":".join((*known[:5], parts[5]))


def open_resource_relation(pattern: str, resource: str) -> Literal["none", "all", "some"]:
    """How many of the names that an open resource can have a pattern matches.

    Parameters
    ----------
    pattern
        Of a `Resource` element, without variables.
    resource
        Ends in `*`: what stands before it is known.

    Examples
    --------
    >>> open_resource_relation("arn:aws:ses:*:*:identity/*", "arn:aws:ses:x:1:template/*")
    'none'
    >>> open_resource_relation("arn:aws:ses:*:*:template/a*", "arn:aws:ses:x:1:template/*")
    'some'
    """
    aligned = _aligned(pattern, resource)
    if aligned is None:
        return "none"
    prefix = resource.removesuffix("*")
    head, _, tail = aligned.rpartition(":")
    known, _, name = prefix.rpartition(":")
    if head == known and head.count(":") == _HEAD.count(":") - 1:
        # What stands before the name is equal; one account's answer is every other's.
        return prefix_relation(_HEAD + tail, _HEAD + name)
    return prefix_relation(aligned, prefix)


_HEAD = "arn:aws:ses:-:-:"


def reduce_layer(policies: Sequence[AttachedPolicy], request: OpenRequest) -> LayerFormula:
    """What remains of identity policies, a boundary, a session policy or one SCP level.

    Parameters
    ----------
    policies
        The documents, taken as one set.
    request
        The open request.

    Examples
    --------
    >>> from ses_audit.policy.parse import parse_document
    >>> text = '''{"Statement": {"Effect": "Deny", "Action": "ses:*", "Resource": "*",
    ...     "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}}'''
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> request = OpenRequest(user, "ses:SendEmail", "*", "111111111111")
    >>> layer = reduce_layer((AttachedPolicy(parse_document(text), "net"),), request)
    >>> layer.allow is FALSE, layer.deny
    (True, IpAddress aws:SourceIp ['203.0.113.0/24'])
    """
    reduction = _Reduction(request)
    allows: list[Formula] = []
    denies: list[Formula] = []
    for policy in policies:
        for statement in policy.document.statements:
            formula, _ = reduction.statement(statement, policy.document.version)
            (allows if statement.effect == "Allow" else denies).append(formula)
    return LayerFormula(disjunction(*allows), disjunction(*denies))


def reduce_resource_policies(
    policies: Sequence[AttachedPolicy], request: OpenRequest
) -> ResourceFormula:
    """What remains of the policies on the resource, all together."""
    reduction = _Reduction(request)
    exempt: list[Formula] = []
    limited: list[Formula] = []
    delegate: list[Formula] = []
    denies: list[Formula] = []
    for policy in policies:
        for statement in policy.document.statements:
            formula, named = reduction.statement(statement, policy.document.version)
            if statement.effect == "Deny":
                denies.append(formula)
                continue
            if statement.principal is None:
                # A statement on a resource that names nobody grants nothing to anybody.
                continue
            if named & EXEMPT:
                exempt.append(formula)
            if named & LIMITED:
                limited.append(formula)
            if named & DELEGATED:
                delegate.append(formula)
    return ResourceFormula(
        disjunction(*exempt), disjunction(*limited), disjunction(*delegate), disjunction(*denies)
    )


def combine(
    *,
    identity: LayerFormula | None,
    boundary: LayerFormula | None = None,
    session: LayerFormula | None = None,
    scp_levels: Sequence[LayerFormula] | None = None,
    rcp_levels: Sequence[LayerFormula] | None = None,
    resource: ResourceFormula | None = None,
    same_account: bool = True,
) -> Formula:
    """When a request passes all layers.

    Parameters
    ----------
    identity
        None for a caller without identity policies (a service, an anonymous one): then the
        resource's policies alone grant.
    boundary, session, scp_levels, rcp_levels, resource
        None where the layer does not apply.
    same_account
        Whether caller and resource belong to one account.

    Examples
    --------
    Across accounts the resource's policies have to grant as well:

    >>> own = LayerFormula(allow=TRUE, deny=FALSE)
    >>> combine(identity=own) is TRUE, combine(identity=own, same_account=False) is FALSE
    (True, True)
    """
    fences = [layer for layer in (boundary, session) if layer is not None]
    levels = [*(scp_levels or ()), *(rcp_levels or ())]
    denies = [layer.deny for layer in (*fences, *levels)]
    if identity is not None:
        denies.append(identity.deny)
    if resource is not None:
        denies.append(resource.deny)
    within = conjunction(*(layer.allow for layer in fences))
    own = conjunction(identity.allow, within) if identity is not None else FALSE
    if resource is None:
        granted = own if same_account else FALSE
    elif identity is None:
        granted = disjunction(resource.grant_exempt, resource.grant_limited)
    elif same_account:
        granted = disjunction(
            own, resource.grant_exempt, conjunction(resource.grant_limited, within)
        )
    else:
        granted = conjunction(
            own,
            disjunction(resource.grant_exempt, resource.grant_limited, resource.delegate),
        )
    return conjunction(
        granted, *(level.allow for level in levels), *(negate(deny) for deny in denies)
    )


def formula_of(layers: Layers, request: OpenRequest) -> Formula:
    """When a request passes, by all its layers."""
    kind = request.caller.kind
    if layers.permissions_boundary is not None and not request.has_boundary:
        request = replace(request, has_boundary=True)
    concrete = Request(request.caller, request.action, request.resource, request.resource_account)
    identity: LayerFormula | None = reduce_layer(layers.identity_policies, request)
    if kind in ("service", "anonymous"):
        identity = None
    elif kind == "root" and identity is not None:
        identity = LayerFormula(TRUE, identity.deny)

    def levels(
        found: tuple[tuple[AttachedPolicy, ...], ...] | None,
    ) -> list[LayerFormula] | None:
        return None if found is None else [reduce_layer(level, request) for level in found]

    boundary = layers.permissions_boundary
    return combine(
        identity=identity,
        boundary=None if boundary is None else reduce_layer((boundary,), request),
        session=None
        if layers.session_policies is None
        else reduce_layer(layers.session_policies, request),
        scp_levels=levels(layers.service_control_policies),
        rcp_levels=levels(layers.resource_control_policies),
        resource=reduce_resource_policies(layers.resource_policies, request),
        same_account=is_same_account(concrete),
    )


def open_evaluate(layers: Layers, request: OpenRequest, *, budget: int = BUDGET) -> OpenResult:
    """Decide an open request against all layers.

    Examples
    --------
    >>> from ses_audit.policy.parse import parse_document
    >>> from ses_audit.policy.types import AttachedPolicy, Caller
    >>> text = '''{"Statement": {"Effect": "Allow", "Action": "ses:*", "Resource": "*",
    ...     "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}}'''
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> layers = Layers(identity_policies=(AttachedPolicy(parse_document(text), "send"),))
    >>> result = open_evaluate(layers, OpenRequest(user, "ses:SendEmail", "*", "111111111111"))
    >>> result.verdict, str(result.conditions)
    (<Verdict.CONDITIONAL: 'CONDITIONAL'>, 'aws:SourceIp in 203.0.113.0/24')
    """
    return decide(formula_of(layers, request), request.all_domains(), budget=budget)
