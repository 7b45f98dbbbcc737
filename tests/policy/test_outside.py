"""Random requests asked of iam-simulate, an outside program (`npm ci` in `tests/outside`).

It departs from AWS's documents in ways that are named; every disagreement has to be one of them.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import iam_simulate
import pytest
from iam_simulate_departures import DEPARTURES, explanation
from random_requests import line

from ses_audit.policy.simulation import simulate

REQUESTS = 9_000
PARTS = 6

pytestmark = pytest.mark.skipif(
    iam_simulate.missing() is not None, reason=str(iam_simulate.missing())
)


@pytest.fixture(scope="module")
def met() -> Counter[str]:
    """How often each departure explained a disagreement."""
    return Counter()


@pytest.mark.parametrize("part", range(PARTS))
def test_disagreements_are_departures_that_are_named(part: int, met: Counter[str]) -> None:
    asked = [
        found
        for seed in range(part, REQUESTS, PARTS)
        if (found := iam_simulate.comparable(line(seed, without=iam_simulate.UNKNOWN_KEYS)))
    ]
    compared: Counter[str] = Counter()
    for whole, (decision, ignored) in zip(asked, iam_simulate.answers(asked), strict=True):
        found = iam_simulate.without(whole, ignored)
        answer: Any = simulate(found)
        ours = answer["EvaluationResults"][0]["EvalDecision"]
        compared[decision] += 1
        if ours == decision:
            continue
        names = explanation(found, decision)
        assert names is not None, f"{ours}, iam-simulate {decision}: {json.dumps(found)}"
        met.update(names)
    assert set(compared) == {"allowed", "explicitDeny", "implicitDeny"}
    assert min(compared.values()) > 100


def test_the_departures_are_met(met: Counter[str]) -> None:
    # Some are rare: not every run meets them.
    assert len(met) >= len(DEPARTURES) - 4
