"""Random formulas in which open keys are compared with each other, and contexts to try."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from ses_audit.policy.formula import Atom, Formula, conjunction, disjunction, negate
from ses_audit.policy.types import Clause

VERSION = "2012-10-17"
_OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"]
_FOLDING = [*_OPERATORS, "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"]
_PLAIN = ["a", "b", "ab", "a*", "*b", "*@b", "a@*", "?", "*a*", "??", "A", "a@b", "*"]


@dataclass(frozen=True)
class Mode:
    """Which values of `y` (and of `w`) refer to other keys, and by which operators."""

    y: tuple[str, ...]
    w: tuple[str, ...] = ()
    operators: tuple[str, ...] = tuple(_OPERATORS)
    letters: str = "ab@x"
    sets: bool = False
    keys: tuple[str, ...] = ("x",)


MODES = {
    "one": Mode(("${x}", "${x}@*", "a${x}", "*${x}", "${x}*", "*@${x}", "?${x}", "*${x}*")),
    "any case": Mode(
        ("${x}", "a${x}", "${x}b", "${x}@b"), operators=tuple(_FOLDING), letters="aAb@x"
    ),
    "two": Mode(("${x}@${z}", "${z}", "${x}", "${x}*", "a${x}${z}", "${x}a"), keys=("x", "z")),
    "chain": Mode(("${x}", "a${x}", "${x}*"), w=("${y}", "${y}b", "*${y}", "a${y}")),
    "sets": Mode(("${x}", "*${x}", "a${x}", "${x}*"), sets=True),
}


def linked_formula(source: random.Random, mode: Mode) -> Formula:
    """A few clauses, one of them at least on two keys."""

    def some(key: str, values: tuple[str, ...] | list[str], least: int, most: int) -> list[Formula]:
        return [_atom(source, mode, key, values) for _ in range(source.randint(least, most))]

    parts = some("y", mode.y, 1, 2) + some("y", _PLAIN, 0, 2)
    for key in mode.keys:
        parts += some(key, _PLAIN, 0, 2)
    if mode.w:
        parts += some("w", mode.w, 1, 1) + some("w", _PLAIN, 0, 1)
    parts = [negate(part) if source.random() < 0.4 else part for part in parts]
    source.shuffle(parts)
    if len(parts) > 2 and source.random() < 0.4:
        return conjunction(disjunction(*parts[:2]), *parts[2:])
    return conjunction(*parts)


def _atom(
    source: random.Random, mode: Mode, key: str, values: tuple[str, ...] | list[str]
) -> Formula:
    clause = Clause(
        source.choice(mode.operators),
        key,
        tuple(source.sample(values, source.choice((1, 1, 2)))),
        source.choice(("ForAnyValue", "ForAllValues")) if mode.sets and key == "y" else None,
        source.random() < 0.15,
    )
    return Formula.of(Atom(clause, VERSION))


def linked_contexts(
    source: random.Random, mode: Mode, count: int
) -> Iterator[dict[str, tuple[str, ...]]]:
    """Contexts of short texts, often such as the clauses ask for."""
    words = ["".join(w) for n in range(4) for w in itertools.product(mode.letters, repeat=n)]
    short = [*words[: 1 + len(mode.letters) + len(mode.letters) ** 2], "abx", "axb", "a@b", "xab"]
    for _ in range(count):
        x, z = source.choice(short), source.choice(short)
        y = source.choice((source.choice(words), x, f"a{x}", f"{x}a", f"{x}b", f"{x}@{z}", z))
        if mode.letters != mode.letters.lower() and source.random() < 0.4:
            y = y.swapcase()
        w = source.choice((source.choice(words), y, f"{y}b", f"a{y}", f"b{y}"))
        several = tuple(source.sample(words, 2)) if mode.sets and source.random() < 0.5 else ()
        found = {"x": (x,), "y": (y, *several)}
        if "z" in mode.keys:
            found["z"] = (z,)
        if mode.w:
            found["w"] = (w,)
        yield {key: values for key, values in found.items() if source.random() < 0.95}
