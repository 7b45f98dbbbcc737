"""A document made ready for many requests, kept with the document.

Statements are found by action: of a policy with eighty actions a request sees only those
statements that name its own.
"""

from __future__ import annotations

from ses_audit.policy.match import ResourceTest, Subject, principal_forms
from ses_audit.policy.operators import PreparedClause, prepare
from ses_audit.policy.principals import Form
from ses_audit.policy.types import Clause, Document, Statement
from ses_audit.policy.variables import variables_in
from ses_audit.policy.wildcards import Pattern, compile_tokens, tokens_of

__all__ = ["CompiledDocument", "CompiledStatement", "compiled"]

_MOST_ACTIONS = 512
"""How many actions are remembered for each document."""


class CompiledStatement:
    """One statement made ready."""

    __slots__ = (
        "_exact",
        "_patterns",
        "clauses",
        "deny",
        "pairs",
        "resource",
        "speaks_of_all",
        "statement",
        "unconditional",
    )

    def __init__(self, statement: Statement, version: str) -> None:
        self.statement = statement
        self.deny = statement.effect == "Deny"
        lower = [action.lower() for action in statement.actions]
        self._exact = frozenset(a for a in lower if "*" not in a and "?" not in a)
        self._patterns: tuple[Pattern, ...] = tuple(
            compile_tokens(tokens_of(a)) for a in dict.fromkeys(lower) if a not in self._exact
        )
        test = None
        if statement.resources is not None:
            test = ResourceTest(statement.resources, statement.resources_negated, version)
        self.resource = None if test is None or test.everything else test
        self.pairs: tuple[tuple[Clause, PreparedClause], ...] = tuple(
            (clause, prepare(clause, version)) for clause in statement.conditions
        )
        self.clauses = tuple(prepared for _, prepared in self.pairs)
        self.speaks_of_all = statement.principal is None
        self.unconditional = self.resource is None and not self.clauses and self.speaks_of_all

    def names(self, action: str) -> bool:
        """Whether `Action` (or `NotAction`) covers an action, given in lower case."""
        named = action in self._exact or any(p.matches(action) for p in self._patterns)
        return named is not self.statement.actions_negated

    def holds(self, subject: Subject) -> bool:
        """Whether resource and conditions are met."""
        if self.resource is not None and not self.resource.applies(subject):
            return False
        return all(clause.holds(subject.context, subject.multivalued) for clause in self.clauses)

    def forms(self, subject: Subject) -> frozenset[Form] | None:
        """In which forms the statement speaks of the caller; None where it does not."""
        return principal_forms(self.statement, subject)


class CompiledDocument:
    """The statements of one document made ready, and the keys they name."""

    __slots__ = ("_by_action", "keys", "statements")

    def __init__(self, document: Document) -> None:
        self.statements = tuple(
            CompiledStatement(statement, document.version) for statement in document.statements
        )
        self._by_action: dict[str, tuple[CompiledStatement, ...]] = {}
        self.keys = _keys(document)
        """Each condition key that the document names, in lower case and as it is written."""

    def naming(self, action: str) -> tuple[CompiledStatement, ...]:
        """The statements that cover an action, in order."""
        found = self._by_action.get(action)
        if found is None:
            lower = action.lower()
            found = tuple(each for each in self.statements if each.names(lower))
            if len(self._by_action) >= _MOST_ACTIONS:
                self._by_action.clear()
            self._by_action[action] = found
        return found


def _keys(document: Document) -> tuple[tuple[str, str], ...]:
    keys: dict[str, str] = {}
    for statement in document.statements:
        for pattern in statement.resources or ():
            for variable in variables_in(pattern, document.version):
                keys.setdefault(variable.key, variable.key)
        for clause in statement.conditions:
            keys.setdefault(clause.key.lower(), clause.key)
            for value in clause.values:
                for variable in variables_in(value, document.version):
                    keys.setdefault(variable.key, variable.key)
    return tuple(keys.items())


def compiled(document: Document) -> CompiledDocument:
    """The document made ready; made once, and kept as long as the document.

    Examples
    --------
    >>> from ses_audit.policy.parse import parse_document
    >>> text = '{"Statement": {"Effect": "Allow", "Action": "ses:*", "Resource": "*"}}'
    >>> len(compiled(parse_document(text)).naming("ses:SendEmail"))
    1
    """
    try:
        return document.compiled
    except AttributeError:
        made = CompiledDocument(document)
        # The document is frozen for everyone else: this slot is no part of its value.
        object.__setattr__(document, "compiled", made)
        return made
