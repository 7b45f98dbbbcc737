"""What a parsed policy, a request and a decision are made of.

Every other file of this package turns one of these into another; nothing here decides anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from ses_audit.policy.values import value

if TYPE_CHECKING:
    from ses_audit.policy.compiled import CompiledDocument


class Layer(StrEnum):
    """The six places a denial can come from, spelled as in every table and file."""

    IDENTITY_POLICY = "identity_policy"
    PERMISSIONS_BOUNDARY = "permissions_boundary"
    SESSION_POLICY = "session_policy"
    SERVICE_CONTROL_POLICY = "service_control_policy"
    RESOURCE_CONTROL_POLICY = "resource_control_policy"
    SENDING_AUTHORIZATION_POLICY = "sending_authorization_policy"


class Effect(StrEnum):
    """AWS's own spelling of a concrete decision (`EvalDecision`)."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class Verdict(StrEnum):
    """The four answers of the audit; `UNKNOWN` is given by `audit`, never by this package."""

    ALLOWED = "ALLOWED"
    CONDITIONAL = "CONDITIONAL"
    DENIED = "DENIED"
    UNKNOWN = "UNKNOWN"


@value(frozen=True, slots=True)
class Clause:
    """One operator on one key: `{"ForAnyValue:StringLikeIfExists": {"ses:Recipients": [...]}}`.

    `operator` is the canonical name without prefix and suffix (`StringLike`, `Null`, ...);
    `values` are text: JSON booleans and numbers stand as their JSON text.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    set_operator: Literal["ForAnyValue", "ForAllValues"] | None = None
    if_exists: bool = False

    @property
    def text(self) -> str:
        """The operator as it is written in a policy."""
        prefix = f"{self.set_operator}:" if self.set_operator else ""
        return prefix + self.operator + ("IfExists" if self.if_exists else "")


@value(frozen=True, slots=True)
class PrincipalElement:
    """`Principal` or `NotPrincipal`: each kind (`AWS`, `Service`, `Federated`, `CanonicalUser`)
    with its values. `"*"` is kept as `AWS: ("*",)`, to which AWS says it is equal."""

    entries: tuple[tuple[str, tuple[str, ...]], ...]
    negated: bool = False


@value(frozen=True, slots=True)
class Statement:
    """One statement. `index` is its place in the document, from 0."""

    index: int
    sid: str | None
    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...]
    actions_negated: bool
    resources: tuple[str, ...] | None
    """None where the element is absent (as in a trust policy)."""
    resources_negated: bool
    conditions: tuple[Clause, ...]
    principal: PrincipalElement | None


class _Kept:
    """Room for what is made of a document when it is asked; no part of its value or its pickle."""

    __slots__ = ("_digest",)

    _digest: str


@value(frozen=True, slots=True)
class Document(_Kept):
    """A parsed policy. Equal text parses to equal documents."""

    version: Literal["2008-10-17", "2012-10-17"]
    statements: tuple[Statement, ...]
    text: str
    id: str | None = None
    compiled: CompiledDocument | None = field(default=None, init=False, repr=False, compare=False)
    """What `compiled.compiled` has made ready."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        made: str | None = getattr(self, "_digest", None)
        if made is None:
            made = hashlib.sha256(self.text.encode()).hexdigest()
            # The document is frozen for everyone else: this slot is no part of its value.
            object.__setattr__(self, "_digest", made)
        return made

    def __reduce__(self) -> tuple[type[Document], tuple[object, ...]]:
        return Document, (self.version, self.statements, self.text, self.id)


@value(frozen=True, slots=True)
class AttachedPolicy:
    """A document under the name by which a person finds it, and the target it is attached to."""

    document: Document
    name: str
    arn: str | None = None
    target: str | None = None
    """For an organization policy the root, OU or account id; for a group policy the group's ARN."""


@dataclass(frozen=True, slots=True)
class Layers:
    """All documents that a request meets.

    `None` says the layer does not apply (no SCP binds the caller; no session policy was passed;
    no boundary is set). An empty level of an organization layer denies, as AWS says it does.
    """

    identity_policies: tuple[AttachedPolicy, ...] = ()
    permissions_boundary: AttachedPolicy | None = None
    session_policies: tuple[AttachedPolicy, ...] | None = None
    service_control_policies: tuple[tuple[AttachedPolicy, ...], ...] | None = None
    """Root first, one inner tuple a level."""
    resource_control_policies: tuple[tuple[AttachedPolicy, ...], ...] | None = None
    resource_policies: tuple[AttachedPolicy, ...] = ()
    service_control_targets: tuple[str, ...] = ()
    """The targets of the SCP levels, root first, where they are known: they name an empty level."""
    resource_control_targets: tuple[str, ...] = ()

    def all_policies(self) -> Iterator[AttachedPolicy]:
        """Every document of every layer."""
        yield from self.identity_policies
        if self.permissions_boundary is not None:
            yield self.permissions_boundary
        yield from self.session_policies or ()
        for level in self.service_control_policies or ():
            yield from level
        for level in self.resource_control_policies or ():
            yield from level
        yield from self.resource_policies


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in the forms by which a `Principal` element can name them.

    Parameters
    ----------
    arn
        A user's, root's, role's or session's ARN (`arn:aws:sts::1:assumed-role/R/S`),
        a service principal's name (`cognito-idp.amazonaws.com`), or a federated user's ARN.
    account
        Twelve digits, or None for a service or an anonymous caller.
    kind
        What `arn` is. A `role` without a session stands for all of its sessions.
    role_arn
        For a session: the role's ARN with its path (it can't be read off the session's ARN).
    principal_id
        `AIDA...`/`AROA...`, where known.
    federated_provider
        For a web-identity or SAML session: the provider, as a `Federated` principal names it.
    """

    arn: str
    account: str | None
    kind: Literal["user", "root", "role", "session", "federated", "service", "account", "anonymous"]
    role_arn: str | None = None
    principal_id: str | None = None
    federated_provider: str | None = None


Context = Mapping[str, tuple[str, ...]]
"""Condition keys (any case) with their values; a key that is not here is absent."""


@dataclass(frozen=True, slots=True)
class Request:
    """One concrete request: the context is complete, what it lacks is absent."""

    caller: Caller
    action: str
    resource: str
    resource_account: str | None
    context: Context = field(default_factory=dict)
    multivalued: frozenset[str] = frozenset()
    """Keys (lower case) that carry a set even when they hold one value (`ses:Recipients`)."""


@value(frozen=True, slots=True)
class Denial:
    """One reason a request is refused; every one is reported, not the first."""

    layer: Layer
    kind: Literal["explicit", "implicit"]
    policy: str | None = None
    """ARN where the policy has one, else its name; None where no policy is to blame but a lack."""
    sid: str | None = None
    statement_index: int | None = None
    target: str | None = None


Element = Literal["principal", "action", "resource", "condition"]
"""What of a statement is compared with the request, in the order in which AWS's pages name it."""


@dataclass(frozen=True, slots=True)
class StatementResult:
    """How one statement met the request: every element, whether it matched or not."""

    statement: Statement
    elements: tuple[tuple[Element, bool], ...]
    """Each element with its own result, whatever the others say; one that is absent matches."""
    clauses: tuple[tuple[Clause, bool], ...] = ()
    """Each condition with its own result."""

    @property
    def matched(self) -> bool:
        """Whether the statement takes effect."""
        return all(matched for _, matched in self.elements)

    @property
    def failed(self) -> Element | None:
        """The first element that did not match; None when all did."""
        return next((element for element, matched in self.elements if not matched), None)


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One document's statements against the request."""

    policy: AttachedPolicy
    statements: tuple[StatementResult, ...]


@dataclass(frozen=True, slots=True)
class LevelResult:
    """One level of a layer: an SCP level's target, or the whole of a layer without levels."""

    target: str | None
    effect: Effect
    policies: tuple[PolicyResult, ...]


@dataclass(frozen=True, slots=True)
class LayerResult:
    """One layer's own answer. `applies` is False where it does not bind this request."""

    layer: Layer
    applies: bool
    effect: Effect
    levels: tuple[LevelResult, ...]
    note: str = ""
    """Why it does not apply, or which exception let the request past it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The explained tree of one concrete request."""

    effect: Effect
    layers: tuple[LayerResult, ...]
    denied_by: tuple[Denial, ...]
    granted_by: tuple[tuple[AttachedPolicy, Statement], ...]

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOWED
