"""A document made ready for many requests, kept with the document.

Statements are found by action: of a policy with eighty actions a request sees only those
statements that name its own.
"""

from __future__ import annotations

from ses_audit.policy.match import ResourceTest, Subject, principal_forms, resource_test
from ses_audit.policy.operators import PreparedClause, prepared
from ses_audit.policy.principals import Form
from ses_audit.policy.types import Clause, Document, Statement
from ses_audit.policy.variables import variables_in
from ses_audit.policy.wildcards import action_matches

__all__ = ["CompiledDocument", "CompiledStatement", "compiled"]

_MANY = 8
_MOST_ACTIONS = 512
"""How many actions are remembered for each document."""


class CompiledStatement:
    """One statement, made ready as far as a request has asked of it."""

    __slots__ = (
        "_clauses",
        "_everything",
        "_resource",
        "_version",
        "deny",
        "speaks_of_all",
        "statement",
        "unconditional",
    )

    def __init__(self, statement: Statement, version: str) -> None:
        self.statement = statement
        self.deny = statement.effect == "Deny"
        self.speaks_of_all = speaks_of_all = statement.principal is None
        resources = statement.resources
        self._everything = everything = resources is None or (
            "*" in resources and not statement.resources_negated
        )
        self.unconditional = everything and speaks_of_all and not statement.conditions
        self._version = version
        self._resource: ResourceTest | None = None
        self._clauses: tuple[PreparedClause, ...] | None = None

    @property
    def resource(self) -> ResourceTest | None:
        """The test of `Resource` or `NotResource`; None where every resource passes."""
        resources = self.statement.resources
        if self._resource is None and not self._everything and resources is not None:
            negated = self.statement.resources_negated
            self._resource = resource_test(resources, negated, self._version)
        return self._resource

    @property
    def clauses(self) -> tuple[PreparedClause, ...]:
        """The conditions made ready."""
        if self._clauses is None:
            self._clauses = tuple([prepared(c, self._version) for c in self.statement.conditions])
        return self._clauses

    @property
    def pairs(self) -> tuple[tuple[Clause, PreparedClause], ...]:
        """Each condition as it is written and made ready."""
        return tuple(zip(self.statement.conditions, self.clauses, strict=True))

    def names(self, action: str) -> bool:
        """Whether `Action` (or `NotAction`) covers an action, given in lower case."""
        return _names(self.statement, action)

    def holds(self, subject: Subject) -> bool:
        """Whether resource and conditions are met."""
        if not self._everything:
            resource = self._resource or self.resource
            if resource is not None and not resource.applies(subject):
                return False
        clauses = self._clauses
        if clauses is None:
            clauses = self.clauses
        context, multivalued = subject.context, subject.multivalued
        for clause in clauses:  # noqa: SIM110 - a loop is faster, and this is the inmost one
            if not clause.holds(context, multivalued):
                return False
        return True

    def forms(self, subject: Subject) -> frozenset[Form] | None:
        """In which forms the statement speaks of the caller; None where it does not."""
        return principal_forms(self.statement, subject)


def _names(statement: Statement, action: str) -> bool:
    actions = statement.actions
    if len(actions) > _MANY:
        # Of eighty actions most policies name none: their text says so at once.
        text = "\n".join(actions).lower()
        if "*" not in text and "?" not in text and action not in text:
            return statement.actions_negated
    for pattern in actions:
        if pattern == "*" or action_matches(pattern, action):
            return not statement.actions_negated
    return statement.actions_negated


class CompiledDocument:
    """The statements of one document made ready, and the keys they name."""

    __slots__ = ("_by_action", "_keys", "_made", "_statements", "_version")

    def __init__(self, document: Document) -> None:
        # Not the document itself: it would keep itself, and wait for a search for garbage.
        self._statements = document.statements
        self._version = document.version
        self._made: list[CompiledStatement | None] = [None] * len(document.statements)
        self._by_action: dict[str, tuple[CompiledStatement, ...]] = {}
        self._keys: tuple[tuple[str, str], ...] | None = None

    @property
    def statements(self) -> tuple[CompiledStatement, ...]:
        """All statements, in order."""
        return tuple(map(self._statement, range(len(self._made))))

    def _statement(self, place: int) -> CompiledStatement:
        found = self._made[place]
        if found is None:
            found = CompiledStatement(self._statements[place], self._version)
            self._made[place] = found
        return found

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Each condition key that the document names, in lower case and as it is written."""
        if self._keys is None:
            self._keys = _keys(self._statements, self._version)
        return self._keys

    def naming(self, action: str) -> tuple[CompiledStatement, ...]:
        """The statements that cover an action, in order."""
        found = self._by_action.get(action)
        if found is None:
            lower = action.lower()
            named = []
            made = self._made
            for place, statement in enumerate(self._statements):
                if _names(statement, lower):
                    named.append(made[place] or self._statement(place))
            found = tuple(named)
            if len(self._by_action) >= _MOST_ACTIONS:
                self._by_action.clear()
            self._by_action[action] = found
        return found


def _keys(statements: tuple[Statement, ...], version: str) -> tuple[tuple[str, str], ...]:
    keys: dict[str, str] = {}
    for statement in statements:
        for pattern in statement.resources or ():
            for variable in variables_in(pattern, version):
                keys.setdefault(variable.key, variable.key)
        for clause in statement.conditions:
            keys.setdefault(clause.key.lower(), clause.key)
            for value in clause.values:
                for variable in variables_in(value, version):
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
    made = document.compiled
    if made is None:
        made = CompiledDocument(document)
        # The document is frozen for everyone else: this slot is no part of its value.
        object.__setattr__(document, "compiled", made)
    return made
