"""Requests written from the rules alone, by somebody who had not seen the evaluator; `simulate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ses_audit.policy.simulation import simulate

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases" / "conformance.json").read_text()
)
REFUSED = ("implicitDeny", "explicitDeny")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    result: Any = simulate(request)
    assert "Error" not in result, result
    (answer,) = result["EvaluationResults"]
    return dict(answer)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_conformance(case: dict[str, Any]) -> None:
    expect = case["expect"]
    answer = _answer(case["request"])
    if "decision" in expect:
        assert answer["EvalDecision"] == expect["decision"], case["rule"]
        assert bool(answer["DeniedBy"]) == (expect["decision"] in REFUSED)
    if "verdict" in expect:
        assert answer["Verdict"] == expect["verdict"], case["rule"]
        assert answer["Proven"]
    if "denied_by" in expect:
        found = sorted(f"{d['layer']}/{d['kind']}" for d in answer["DeniedBy"])
        assert found == sorted(expect["denied_by"]), case["rule"]


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["expect"].get("verdict") == "CONDITIONAL"],
    ids=lambda case: case["id"],
)
def test_witnesses_confirm(case: dict[str, Any]) -> None:
    """A witness given back as the context is allowed, a counter-witness is denied."""
    answer = _answer(case["request"])
    for name, allowed in (("Witness", True), ("CounterWitness", False)):
        request = {k: v for k, v in case["request"].items() if k != "OpenContext"}
        request["ContextEntries"] = [*request.get("ContextEntries", []), *answer[name]]
        assert (_answer(request)["EvalDecision"] == "allowed") is allowed, name


def test_every_case_cites_its_rule_and_source() -> None:
    assert len(CASES) >= 300
    assert all(case["rule"] and case["source"].startswith("https://") for case in CASES)
    assert len({case["id"] for case in CASES}) == len(CASES)
