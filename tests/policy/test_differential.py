"""Random layered requests against the reference evaluator: 20,000 in a run.

`make prove` asks a million. A failure prints the smallest line that shows it: it becomes a case in
`tests/policy/cases`, with its expected value by the rule.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from differential import difference, smallest_difference
from random_requests import line
from smallest import smallest

from ses_audit.policy.simulation import simulate

CONCRETE, OPEN = 18_000, 2_000
PARTS = 10


def _explained(asked: dict[str, Any], what: str) -> str:
    return f"{what}\n{json.dumps(smallest_difference(asked))}"


@pytest.mark.parametrize("part", range(PARTS))
def test_concrete_requests_agree(part: int) -> None:
    decisions: Counter[str] = Counter()
    for seed in range(part, CONCRETE, PARTS):
        asked = line(seed)
        answer: Any = simulate(asked)
        what = difference(asked, answer)
        assert what is None, _explained(asked, what)
        decisions.update(each["EvalDecision"] for each in answer["EvaluationResults"])
    # A generator that only ever asks what is denied would prove nothing.
    assert min(decisions[each] for each in ("allowed", "explicitDeny", "implicitDeny")) > 200


@pytest.mark.parametrize("part", range(PARTS))
def test_open_requests_agree(part: int) -> None:
    verdicts: Counter[str] = Counter()
    for seed in range(part, OPEN, PARTS):
        asked = line(seed, open_context=True)
        answer: Any = simulate(asked)
        what = difference(asked, answer)
        assert what is None, _explained(asked, what)
        for each in answer["EvaluationResults"]:
            verdicts[each["Verdict"] if each["Proven"] else "unproven"] += 1
    assert min(verdicts[each] for each in ("ALLOWED", "CONDITIONAL", "DENIED")) > 5
    assert verdicts["unproven"] <= 3


def test_the_smallest_failing_part_is_found() -> None:
    whole = {"a": [1, {"b": '{"c": 5, "d": 6}'}], "e": 7}
    assert smallest(whole, lambda value: "5" in json.dumps(value)) == {"a": [{"b": {"c": 5}}]}
