"""Policies made to be slow: the work grows with their length, not with its square.

Work is counted in lines of the package that run; what a line itself costs is linear in the text:
`str.find`, `str.split`, and whole numbers as wide as the text. Milliseconds are measured by
`benchmarks/simulate.py --hostile`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from policy_bombs import Bomb, bombs, malformed

import ses_audit.policy
from ses_audit.policy.bindings import pattern_on_known_text
from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.kept import forget
from ses_audit.policy.outcome import outcome
from ses_audit.policy.parse import parse_document
from ses_audit.policy.types import AttachedPolicy, Clause, Effect, Layers
from ses_audit.policy.variables import part_for_variable

PACKAGE = str(Path(ses_audit.policy.__file__).parent)
SHORT = 1_000
TIMES = 4
MOST = 7
"""How many times as many lines a policy that is `TIMES` as long may need; a square needs 16."""


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Count the lines of the package that run."""
    lines = 0

    def line(frame: FrameType, event: str, _: object) -> object:
        nonlocal lines
        lines += event == "line"
        return line

    def call(frame: FrameType, event: str, _: object) -> object:
        return line if frame.f_code.co_filename.startswith(PACKAGE) else None

    before = sys.gettrace()
    sys.settrace(call)  # type: ignore[arg-type]
    try:
        yield lambda: lines
    finally:
        sys.settrace(before)


def layers_of(bomb: Bomb) -> Layers:
    policy = AttachedPolicy(parse_document(bomb.text), "p")
    if policy.document.statements[0].principal is not None:
        return Layers(resource_policies=(policy,))
    return Layers(identity_policies=(policy,))


def work(bomb: Bomb) -> int:
    """The lines that run until a request is decided, with nothing kept from before."""
    forget()
    with counted() as lines:
        outcome(layers_of(bomb), bomb.request)
        return lines()


SHAPES = [
    (each.name, each, longer)
    for each, longer in zip(bombs(SHORT, SHORT), bombs(TIMES * SHORT, TIMES * SHORT), strict=True)
]


@pytest.mark.parametrize("part", range(8))
def test_work_grows_with_the_length(part: int) -> None:
    worst = [
        (name, few, many)
        for name, short, long in SHAPES[part::8]
        if (many := work(long)) > MOST * (few := work(short)) + 200
    ]
    assert worst == []


@pytest.mark.parametrize("part", range(8))
def test_every_shape_is_decided(part: int) -> None:
    """No exception, and no statement is lost: each is in the tree."""
    for _, _, bomb in SHAPES[part::8]:
        layers = layers_of(bomb)
        decision = evaluate(layers, bomb.request)
        assert decision.effect is not Effect.ALLOWED
        (found,) = [
            policy
            for layer in decision.layers
            for level in layer.levels
            for policy in level.policies
        ]
        assert len(found.statements) == len(found.policy.document.statements)


@pytest.mark.parametrize("name", [name for name, _ in malformed(SHORT)])
def test_what_is_malformed_says_where_as_fast(name: str) -> None:
    found = []
    for length in (SHORT, TIMES * SHORT):
        text = dict(malformed(length))[name]
        with counted() as lines, pytest.raises(MalformedPolicy) as caught:
            parse_document(text)
        assert caught.value.position is not None
        found.append(lines())
    few, many = found
    assert many <= MOST * few + 200


@pytest.mark.parametrize("pattern", ["*a*a*${k}*a*b", "*a*a*a*${k}*", "*${k}*${o}*", "${k}${o}"])
def test_what_variables_hold_is_found_as_fast(pattern: str) -> None:
    found = []
    for length in (SHORT, TIMES * SHORT):
        forget()
        with counted() as lines:
            part_for_variable(pattern, "k", "a" * length)
            clause = Clause("StringLike", "test:text", (pattern,))
            pattern_on_known_text(clause, "a" * length, "2012-10-17")
        found.append(lines())
    few, many = found
    assert many <= MOST * few + 200
