"""What open variables have to hold for a pattern to match a text that is known.

`identity/${aws:username}` on `identity/alice` asks that aws:username is alice: the variable's key
is asked instead of the pattern, and the answer is exact.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ses_audit.policy.formula import FALSE, TRUE, Atom, Formula, conjunction, disjunction, negate
from ses_audit.policy.operators import holds
from ses_audit.policy.types import Clause
from ses_audit.policy.variables import Variable, parts_of, variables_in
from ses_audit.policy.wildcards import ANY, STAR, Token, tokens_of

__all__ = ["clause_on_known_values", "pattern_on_known_text"]

_COLONS = 5
_MOST_STATES = 20_000
_MOST_BINDINGS = 500
_LITERAL = "2008-10-17"
"""The Version of what is made here: a value that was found is text, whatever it holds."""

_POSITIVE = {
    "StringEquals": "StringEquals",
    "StringNotEquals": "StringEquals",
    "StringEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringLike": "StringLike",
    "StringNotLike": "StringLike",
    "ArnEquals": "ArnEquals",
    "ArnNotEquals": "ArnEquals",
    "ArnLike": "ArnLike",
    "ArnNotLike": "ArnLike",
}
"""The operators that are answered here, each with the one that is true on a match."""

Bindings = frozenset[tuple[str, str | None]]
"""A value for each variable's key; None: the key is absent and the default stands."""


def clause_on_known_values(
    clause: Clause, values: tuple[str, ...], *, is_set: bool, version: str
) -> Formula | None:
    """A clause whose key is known and whose values hold open variables, asked of their keys.

    Parameters
    ----------
    clause
        Its variables are open ones only.
    values
        What the clause's key holds.
    is_set
        Whether the key carries a set.
    version
        The document's Version.

    Returns
    -------
    Formula or None
        None where it can't be answered within bounds.

    Examples
    --------
    >>> clause = Clause("StringLike", "ses:FromAddress", ("${aws:username}@*",))
    >>> clause_on_known_values(clause, ("ann@example.com",), is_set=False, version="2012-10-17")
    StringEquals aws:username ['ann']
    """
    if clause.set_operator is None and (is_set or len(values) != 1):
        return FALSE
    if clause.set_operator is not None and not any(values):
        return TRUE if clause.set_operator == "ForAllValues" else FALSE
    positive = _POSITIVE.get(clause.operator)
    if positive is None:
        return None
    negated = positive != clause.operator
    if negated and positive.startswith("Arn") and not all(map(_is_arn, (*values, *clause.values))):
        # What is no ARN, on either side, is not another ARN either.
        return None
    answers: list[Formula] = []
    for value in values:
        matched: list[Formula] = []
        for pattern in clause.values:
            found = pattern_on_known_text(Clause(positive, clause.key, (pattern,)), value, version)
            if found is None:
                return None
            matched.append(found)
        answer = disjunction(*matched)
        answers.append(negate(answer) if negated else answer)
    return disjunction(*answers) if clause.set_operator == "ForAnyValue" else conjunction(*answers)


def _is_arn(text: str) -> bool:
    """Whether a text or pattern has all six segments, whatever its variables hold."""
    literal = (part for part in parts_of(text) if not isinstance(part, Variable))
    return sum(part.count(":") for part in literal if isinstance(part, str)) >= _COLONS


def pattern_on_known_text(clause: Clause, text: str, version: str) -> Formula | None:
    """When one pattern matches one text, in terms of the pattern's open variables.

    Parameters
    ----------
    clause
        An operator that is true on a match, with one value.
    text
        What its key holds.
    version
        The document's Version.
    """
    (pattern,) = clause.values
    key = clause.key.lower()
    if not variables_in(pattern, version):
        held = holds(clause, {key: (text,)}, frozenset(), version)
        return TRUE if held else FALSE
    fold = clause.operator == "StringEqualsIgnoreCase"
    wild = clause.operator not in ("StringEquals", "StringEqualsIgnoreCase")
    found = _bindings(pattern, text, fold=fold, wild=wild)
    if found is None or any(name == key for each in found for name, _ in each):
        return None
    exact = [each for each in found if _confirmed(clause, text, each, version)]
    return _asked_of_keys(exact, "StringEqualsIgnoreCase" if fold else "StringEquals")


def _confirmed(clause: Clause, text: str, bindings: Bindings, version: str) -> bool:
    """Whether the operator itself agrees: what was looked for lets `*` reach over everything."""
    context = {name: (value,) for name, value in bindings if value is not None}
    return holds(clause, {**context, clause.key.lower(): (text,)}, frozenset(), version)


def _asked_of_keys(found: Iterable[Bindings], operator: str) -> Formula:
    """One of the bindings holds; those of a single key are one clause with several values."""
    single: dict[str, list[str]] = {}
    answers: list[Formula] = []
    for bindings in found:
        items = [*bindings]
        if len(items) == 1 and items[0][1] is not None:
            single.setdefault(items[0][0], []).append(items[0][1])
        else:
            answers.append(
                conjunction(*(_asked(name, (value,), operator) for name, value in items))
            )
    answers += [_asked(name, sorted(values), operator) for name, values in single.items()]
    return disjunction(*answers)


def _asked(name: str, values: Sequence[str | None], operator: str) -> Formula:
    present = tuple(value for value in values if value is not None)
    if present:
        return Formula.of(Atom(Clause(operator, name, present), _LITERAL))
    return Formula.of(Atom(Clause("Null", name, ("true",)), _LITERAL))


def _bindings(pattern: str, text: str, *, fold: bool, wild: bool) -> set[Bindings] | None:
    """All values of the variables with which the pattern may match; None where they are many."""
    compared = text.lower() if fold else text
    reached: set[State] = {(0, frozenset())}
    for part in _parts(pattern, wild=wild):
        after = (
            _after_variable(part, reached, text, compared, fold=fold)
            if isinstance(part, Variable)
            else _after_token(part, reached, compared, fold=fold)
        )
        few = _few(after)
        if few is None:
            return None
        reached = few
    found = {bindings for place, bindings in reached if place == len(text)}
    return found if len(found) <= _MOST_BINDINGS else None


def _parts(pattern: str, *, wild: bool) -> Iterator[Variable | Token]:
    """The variables of a pattern, and the tokens between them."""
    for part in parts_of(pattern):
        if isinstance(part, str) and wild:
            yield from tokens_of(part)
        else:
            yield part if isinstance(part, (str, Variable)) else part[0]


State = tuple[int, Bindings]
"""A place of the text, and what the variables before it hold."""


def _few(states: Iterable[State]) -> set[State] | None:
    """The states; None as soon as they are too many."""
    found: set[State] = set()
    for state in states:
        found.add(state)
        if len(found) > _MOST_STATES:
            return None
    return found


def _after_token(
    token: Token, reached: Iterable[State], text: str, *, fold: bool
) -> Iterable[State]:
    if token is STAR:
        first: dict[Bindings, int] = {}
        for place, bindings in reached:
            first[bindings] = min(place, first.get(bindings, place))
        for bindings, place in first.items():
            for end in range(place, len(text) + 1):
                yield end, bindings
        return
    for place, bindings in reached:
        if token is ANY:
            if place < len(text):
                yield place + 1, bindings
        elif isinstance(token, str):
            wanted = token.lower() if fold else token
            if text.startswith(wanted, place):
                yield place + len(wanted), bindings


def _after_variable(
    variable: Variable,
    reached: Iterable[State],
    text: str,
    compared: str,
    *,
    fold: bool,
) -> Iterable[State]:
    for place, bindings in reached:
        bound: Mapping[str, str | None] = dict(bindings)
        if variable.key not in bound:
            for end in range(place, len(text) + 1):
                yield end, bindings | {(variable.key, text[place:end])}
        value = bound.get(variable.key)
        if value is None:
            value = variable.default
            if value is None:
                continue
            bindings |= {(variable.key, None)}
        wanted = value.lower() if fold else value
        if compared.startswith(wanted, place):
            yield place + len(wanted), bindings
