"""Which attributes of a principal (tags, names) documents refer to, and what they tell apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import orjson

from ses_audit.audit.document_sets import DocumentSet
from ses_audit.policy.operators import holds
from ses_audit.policy.types import Clause
from ses_audit.policy.wildcards import STAR, Token, segments_of, tokens_of

__all__ = ["Uses", "answers", "patterns", "tag", "uses_of"]

Uses = Mapping[str, tuple[tuple[Clause, str], ...] | None]
"""Key → the clauses on it, or None where its value itself is used."""


def _add(uses: dict[str, tuple[tuple[Clause, str], ...] | None], more: Uses) -> None:
    for key, clauses in more.items():
        if key not in uses:
            uses[key] = clauses
        elif clauses is None or uses[key] is None:
            uses[key] = None
        else:
            uses[key] = tuple(dict.fromkeys((*(uses[key] or ()), *clauses)))


def uses_of(sets: Iterable[DocumentSet]) -> Uses:
    """The attributes of principals to which several sets of documents refer."""
    found: dict[str, tuple[tuple[Clause, str], ...] | None] = {}
    for documents in sets:
        _add(found, documents.clauses)
    return found


_answered: dict[tuple[int, str, str | None], tuple[object, tuple[bool, ...]]] = {}


def answers(
    clauses: tuple[tuple[Clause, str], ...], key: str, value: str | None
) -> tuple[bool, ...]:
    """What each clause on a key says of a value; None for a key that is absent."""
    known = _answered.get((id(clauses), key, value))
    if known is not None and known[0] is clauses:
        return known[1]
    context = {} if value is None else {key: (value,)}
    found = tuple(holds(clause, context, frozenset(), version) for clause, version in clauses)
    if len(_answered) >= _MOST_ANSWERS:
        _answered.clear()
    _answered[id(clauses), key, value] = (clauses, found)
    return found


_MOST_ANSWERS = 100_000


@lru_cache(maxsize=10_000)
def tag(tags: str | None, wanted: str) -> str | None:
    """The value of a tag; keys ignore case."""
    loaded = orjson.loads(tags) if tags else {}
    for name, value in loaded.items() if isinstance(loaded, dict) else ():
        if str(name).lower() == wanted:
            return str(value)
    return None


_LIKE = frozenset({"StringLike", "StringNotLike"})
_EQUAL = frozenset({"StringEquals", "StringNotEquals"})
_ARN = frozenset({"ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"})


def patterns(clauses: Sequence[tuple[Clause, str]]) -> tuple[str, ...] | None:
    """The patterns of clauses as regular expressions; None where one is of another kind."""
    found: dict[str, None] = {}
    for clause, _ in clauses:
        for value in clause.values:
            if "${" in value or not value.isascii():
                return None
            if clause.operator in _LIKE:
                body = _expression(tokens_of(value))
            elif clause.operator in _EQUAL:
                body = re.escape(value)
            elif clause.operator in _ARN:
                segments = segments_of(tokens_of(value))
                inner = [_expression(segment, "[^:]") for segment in segments[:5]]
                body = ":".join([*inner, *map(_expression, segments[5:])])
            else:
                return None
            found[rf"(?s)\A(?:{body})\z"] = None
    return tuple(found)


def _expression(tokens: Sequence[Token], any_character: str = ".") -> str:
    return "".join(
        re.escape(token)
        if isinstance(token, str)
        else any_character + ("*" if token is STAR else "")
        for token in tokens
    )
