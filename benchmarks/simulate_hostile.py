"""Policies made to be slow: processor time from the text to the decision, nothing kept before.

The shapes are those of `tests/support/policy_bombs.py`; `benchmarks/simulate.py --hostile` prints
the slowest.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from policy_bombs import LONG, STORED, Bomb, bombs, malformed

from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.kept import forget
from ses_audit.policy.outcome import outcome
from ses_audit.policy.parse import parse_document
from ses_audit.policy.types import AttachedPolicy, Layers

__all__ = ["LONG", "STORED", "slowest"]

_TRIES = 3


def _decide(bomb: Bomb) -> None:
    policy = AttachedPolicy(parse_document(bomb.text), "p")
    on_resource = policy.document.statements[0].principal is not None
    layers = (
        Layers(resource_policies=(policy,)) if on_resource else Layers(identity_policies=(policy,))
    )
    outcome(layers, bomb.request)


def _refuse(text: str) -> None:
    try:
        parse_document(text)
    except MalformedPolicy as error:
        if error.position is not None:
            return
    raise SystemExit(f"not refused with a position: {text[:80]}")


def _milliseconds(run: Callable[[], None]) -> float:
    """The best of some tries."""
    best = float("inf")
    for _ in range(_TRIES):
        forget()
        gc.collect()
        gc.disable()
        began = time.process_time()
        run()
        best = min(best, time.process_time() - began)
        gc.enable()
    return best * 1e3


def slowest(length: int) -> list[tuple[float, str]]:
    """Milliseconds of the processor for each shape of about so many characters, slowest first."""
    gc.collect()
    gc.freeze()
    found = [(_milliseconds(lambda b=bomb: _decide(b)), bomb.name) for bomb in bombs(length)]
    found += [
        (_milliseconds(lambda t=text: _refuse(t)), f"malformed: {name}")
        for name, text in malformed(length)
    ]
    return sorted(found, reverse=True)
