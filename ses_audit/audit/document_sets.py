"""The documents of one layer, and what of a principal or an identity they can tell apart.

Copies of a document under another account's ARN have one outline, and sets of copies one number.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from ses_audit.audit.layers import referenced_keys
from ses_audit.policy.types import AttachedPolicy, Clause, Document
from ses_audit.ses.context import documented_for_ses, of_the_principal

__all__ = ["FROM", "DocumentSet", "Outline", "no_from", "of_each_principal", "whatever_domain"]

FROM = "ses:fromaddress"

_ACCOUNT_KEYS = frozenset({"aws:principalaccount", "aws:principalorgpaths"})
_KIND_KEYS = (
    "aws:principalorgid",
    "aws:principaltype",
    "aws:principalisawsservice",
    "aws:principalservicename",
)


def of_each_principal(key: str) -> bool:
    """Whether principals of one account and type can differ in the value of a key."""
    if key in _ACCOUNT_KEYS or key.startswith(_KIND_KEYS):
        return False
    return key.startswith("aws:principal") or key in ("aws:username", "aws:userid")


class Outline:
    """A document without its resource patterns, which are numbered: equal for copies of it."""

    __slots__ = ("key", "patterns", "variable")

    def __init__(self, document: Document) -> None:
        patterns: dict[str, int] = {}
        statements: list[object] = []
        self.variable = False
        for s in document.statements:
            named: list[object] | None = None if s.resources is None else []
            for pattern in s.resources or ():
                if named is None:
                    continue
                if pattern == "*" or "${" in pattern:
                    self.variable = self.variable or pattern != "*"
                    named.append(pattern)
                else:
                    named.append(patterns.setdefault(pattern, len(patterns)))
            statements.append(
                (
                    s.index, s.sid, s.effect, s.actions, s.actions_negated,
                    None if named is None else tuple(named), s.resources_negated, s.conditions,
                    # Whom a statement names is asked apart, for each caller.
                    s.principal is None,
                )
            )  # fmt: skip
        self.key = (document.version, tuple(statements))
        self.patterns = tuple(patterns)


class DocumentSet:
    """The documents of one layer of one principal, account or identity.

    Parameters
    ----------
    policies
        The documents, under their names.
    outlines
        Theirs, in the same order.
    number
        Equal for sets of copies under other names.
    """

    def __init__(
        self,
        policies: Iterable[AttachedPolicy],
        outlines: Iterable[Outline] | None = None,
        number: int = -1,
    ) -> None:
        self.policies = tuple(policies)
        self.number = number
        known = [Outline(p.document) for p in self.policies] if outlines is None else outlines
        drawn = tuple(known)
        self.keys: frozenset[str] = frozenset().union(
            *(referenced_keys(policy.document) for policy in self.policies)
        )
        statements = [s for policy in self.policies for s in policy.document.statements]
        self.patterns = tuple(pattern for outline in drawn for pattern in outline.patterns)
        self.variable = any(outline.variable for outline in drawn)
        """Whether a resource pattern holds a variable."""
        self.undocumented = not all(map(documented_for_ses, self.keys))
        self.of_principal = any(map(of_the_principal, self.keys))
        """Whether who sends can matter to the keys."""
        self.principal_keys = tuple(sorted(filter(of_each_principal, self.keys)))
        self.account_keys = bool(self.keys & _ACCOUNT_KEYS)
        others = self.keys - _ACCOUNT_KEYS - frozenset(self.principal_keys)
        self.by_kind = any(map(of_the_principal, others))
        """Whether the kind of a principal can matter beside its attributes and its account."""
        self.by_name = any(k.startswith("ses:") and k not in _ANY_IDENTITY for k in self.keys)
        clauses = [c for s in statements for c in s.conditions]
        self.by_local_part = (
            self.by_name
            and all(whatever_domain(c) if c.key.lower() == FROM else no_from(c) for c in clauses)
            and not any(FROM in r.lower() for s in statements for r in s.resources or ())
        )
        """Whether of an identity's name only what stands before the `@` can matter."""
        self.silent = all(s.effect == "Allow" for s in statements) and any(
            s.actions == ("*",)
            and s.resources == ("*",)
            and not (s.actions_negated or s.resources_negated or s.conditions)
            for s in statements
        )
        """Whether they allow everything and deny nothing, so that no denial names them."""
        self.by_region = "aws:requestedregion" in self.keys
        self.by_owner = any(k.startswith("aws:resource") for k in self.keys)

    @cached_property
    def clauses(self) -> dict[str, tuple[tuple[Clause, str], ...] | None]:
        """For each key of a principal the clauses on it; None where its value is used itself."""
        found: dict[str, list[tuple[Clause, str]] | None] = {k: [] for k in self.principal_keys}
        for policy in self.policies:
            version = policy.document.version
            for statement in policy.document.statements:
                for text in statement.resources or ():
                    _taken_itself(found, (text,))
                for clause in statement.conditions:
                    _taken_itself(found, clause.values)
                    known = found.get(clause.key.lower())
                    if known is None:
                        continue
                    if any("${" in value for value in clause.values):
                        found[clause.key.lower()] = None
                    else:
                        known.append((clause, version))
        return {k: None if c is None else tuple(dict.fromkeys(c)) for k, c in found.items()}


_ANY_IDENTITY = frozenset(
    {
        "ses:apiversion",
        "ses:feedbackaddress",
        "ses:fromdisplayname",
        "ses:multiregionendpointid",
        "ses:recipients",
        "ses:tenantname",
    }
)
"""The keys that SES carries whatever the identity is."""


def _taken_itself(
    found: dict[str, list[tuple[Clause, str]] | None], texts: tuple[str, ...]
) -> None:
    for text in texts:
        if "${" in text:
            lower = text.lower()
            for key in found:
                if key in lower:
                    found[key] = None


def whatever_domain(clause: Clause) -> bool:
    """Whether a clause on a From address looks only at what stands before its last `@`.

    Patterns like `no-reply@*`: the domain is matched by the star, whatever it is.
    """
    return clause.operator == "Null" or (
        clause.operator in ("StringLike", "StringNotLike")
        and all(value.endswith("@*") for value in clause.values)
    )


def no_from(clause: Clause) -> bool:
    """Whether a clause on another key does without the From address as a variable."""
    return not any(FROM in value.lower() for value in clause.values)
