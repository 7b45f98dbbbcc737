"""A weaker formula without variables: where even that cannot hold, the formula cannot.

Two open keys that are compared with each other (`ses:FromAddress` like `${aws:username}@*`) have no
finite kinds. What a variable may hold is then taken as any text: enough to prove most of what never
holds, and nothing that does hold is lost.
"""

from __future__ import annotations

from dataclasses import replace

from ses_audit.policy.conditions import pushed
from ses_audit.policy.formula import FALSE, TRUE, Atom, Formula, conjunction, disjunction, negate
from ses_audit.policy.operators import OPERATORS
from ses_audit.policy.variables import Variable, parts_of, variables_in

__all__ = ["relaxed"]

_ESCAPED = {"*": "${*}", "?": "${?}", "$": "${$}"}


def relaxed(formula: Formula) -> Formula:
    """A formula that holds wherever this one does, and has no variables.

    Examples
    --------
    >>> from ses_audit.policy.types import Clause
    >>> clause = Clause("StringEquals", "ses:FromAddress", ("${aws:username}@example.com",))
    >>> relaxed(Formula.of(Atom(clause, "2012-10-17")))
    StringLike ses:FromAddress ['*@example.com']
    """
    return _relaxed(pushed(formula, False))


def _relaxed(formula: Formula) -> Formula:
    if formula.kind == "and":
        return conjunction(*map(_relaxed, formula.parts))
    if formula.kind == "or":
        return disjunction(*map(_relaxed, formula.parts))
    if formula.atom is not None:
        return _holding(formula.atom)
    if formula.kind == "not" and formula.parts[0].atom is not None:
        return _failing(formula.parts[0].atom)
    return TRUE if formula.kind != "false" else FALSE


def _holding(atom: Atom) -> Formula:
    """What is certain where the atom holds."""
    clause, fixed = atom.clause, _fixed(atom)
    if len(fixed) == len(clause.values):
        return Formula.of(atom)
    if OPERATORS[clause.operator].negated:
        # Each value is another one than all that are written: so than those without variables.
        return Formula.of(replace(atom, clause=replace(clause, values=fixed)))
    if clause.operator not in ("StringEquals", "StringLike"):
        return TRUE
    wild = clause.operator == "StringLike"
    values = tuple(_any_text(value, wild=wild) for value in clause.values)
    like = replace(clause, operator="StringLike", values=values)
    return Formula.of(Atom(like, "2012-10-17"))


def _failing(atom: Atom) -> Formula:
    """What is certain where the atom does not hold."""
    clause, fixed = atom.clause, _fixed(atom)
    if len(fixed) == len(clause.values):
        return negate(Formula.of(atom))
    if OPERATORS[clause.operator].negated:
        return TRUE
    return negate(Formula.of(replace(atom, clause=replace(clause, values=fixed))))


def _fixed(atom: Atom) -> tuple[str, ...]:
    return tuple(v for v in atom.clause.values if not variables_in(v, atom.version))


def _any_text(value: str, *, wild: bool) -> str:
    """A pattern in which each variable is `*`, and what was literal stays so."""
    found: list[str] = []
    for part in parts_of(value):
        if isinstance(part, Variable):
            found.append("*")
            continue
        text = part if isinstance(part, str) else part[0]
        literal = not wild or not isinstance(part, str)
        found += (_ESCAPED.get(c, c) if literal or c == "$" else c for c in text)
    return "".join(found)
