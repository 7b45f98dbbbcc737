"""A layer under an open request, with its denials apart: each can be lifted by itself.

A statement that denies is lifted by leaving it out, a layer that lacks an allow by one that always
allows. What a denial has to do with a verdict is seen by lifting it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ses_audit.policy.formula import FALSE, TRUE, Formula, disjunction
from ses_audit.policy.reduce import (
    LayerFormula,
    OpenRequest,
    ResourceFormula,
    reduce_layer,
)
from ses_audit.policy.solve import never_holds
from ses_audit.policy.types import AttachedPolicy, Denial, Layer

__all__ = [
    "NOTHING",
    "OpenLayer",
    "OpenResource",
    "deny_statements",
    "never",
    "only",
]

NOTHING: frozenset[Denial] = frozenset()

Statements = tuple[tuple[Denial, Formula], ...]


@dataclass(frozen=True, slots=True)
class OpenLayer:
    """What identity policies, a boundary, session policies or one level say of one request."""

    formula: LayerFormula
    lack: Denial
    """What an allow that doesn't come is called."""
    statements: Statements = ()
    """Each Deny statement that can hold, and when it does."""

    def lifted(self, without: frozenset[Denial]) -> LayerFormula:
        """What remains of the layer without some of its denials."""
        if not without:
            return self.formula
        allow = TRUE if self.lack in without else self.formula.allow
        return LayerFormula(allow, _denies(self.statements, without, self.formula.deny))


@dataclass(frozen=True, slots=True)
class OpenResource:
    """What the policies on a resource say of one request."""

    formula: ResourceFormula
    statements: Statements = ()

    @property
    def lack(self) -> Denial:
        """What a grant that doesn't come is called."""
        return Denial(Layer.SENDING_AUTHORIZATION_POLICY, "implicit")

    def lifted(self, without: frozenset[Denial]) -> ResourceFormula:
        """What remains of the policies without some of their denials."""
        if not without:
            return self.formula
        deny = _denies(self.statements, without, self.formula.deny)
        if self.lack in without:
            return ResourceFormula(TRUE, TRUE, TRUE, deny)
        return replace(self.formula, deny=deny)


def _denies(statements: Statements, without: frozenset[Denial], whole: Formula) -> Formula:
    """When the statements that are not lifted deny."""
    if not any(denial in without for denial, _ in statements):
        return whole
    return disjunction(*(formula for denial, formula in statements if denial not in without))


def never(formula: Formula, request: OpenRequest) -> bool:
    """Whether a formula can't hold, whatever the open keys are.

    Examples
    --------
    >>> from ses_audit.policy.types import Caller
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> never(FALSE, OpenRequest(user, "ses:SendEmail", "*", "111111111111"))
    True
    """
    return never_holds(formula, request.all_domains())


def only(policy: AttachedPolicy, position: int) -> AttachedPolicy:
    """The policy with one of its statements left.

    Examples
    --------
    >>> from ses_audit.policy.parse import parse_document
    >>> text = '''{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    ...     {"Effect": "Deny", "Action": "ses:*", "Resource": "*"}]}'''
    >>> [s.index for s in only(AttachedPolicy(parse_document(text), "p"), 1).document.statements]
    [1]
    """
    document = policy.document
    kept = replace(document, statements=(document.statements[position],))
    return replace(policy, document=kept)


def deny_statements(
    layer: Layer, policies: Sequence[AttachedPolicy], request: OpenRequest, deny: Formula
) -> Statements:
    """Each Deny statement of a layer that can hold, and when it does.

    Parameters
    ----------
    layer, policies, request
        The documents of one layer or level, and what is asked.
    deny
        When any of them denies.
    """
    if deny is FALSE:
        return ()
    found: list[tuple[Denial, Formula]] = []
    for policy in policies:
        for position, statement in enumerate(policy.document.statements):
            if statement.effect != "Deny":
                continue
            formula = reduce_layer((only(policy, position),), request).deny
            denial = Denial(
                layer,
                "explicit",
                policy.arn or policy.name,
                statement.sid,
                statement.index,
                policy.target,
            )
            if not never(formula, request):
                found.append((denial, formula))
    return tuple(found)
