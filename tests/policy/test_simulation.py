"""Lines of `simulate` and their results; the cases cite AWS's pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from ses_audit.policy.simulation import simulate, simulate_text

_FOLDER = Path(__file__).parent / "cases"
CASES = json.loads((_FOLDER / "simulation.json").read_text("utf-8"))
FOUND = json.loads((_FOLDER / "found.json").read_text("utf-8"))
FIELDS = json.loads((_FOLDER / "simulation_fields.json").read_text("utf-8"))
ANSWERED = CASES["answered"] + FOUND["answered"] + FIELDS["answered"]
REFUSED = CASES["refused"] + FIELDS["refused"]


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case["rule"])
def test_answered(case: dict[str, Any]) -> None:
    answer: Any = simulate(case["line"])
    assert answer["Id"] == case["line"].get("Id")
    results = answer["EvaluationResults"]
    assert len(results) == len(case["expected"])
    for result, expected in zip(results, case["expected"], strict=True):
        assert {key: result.get(key) for key in expected} == expected


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["error"])
def test_refused(case: dict[str, Any]) -> None:
    assert simulate(case["line"]) == {"Id": case["line"]["Id"], "Error": case["error"]}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "the line is malformed: not JSON"),
        ('{"Id": "a", "Id": "b"}', "the line is malformed: duplicate key 'Id' at character 12"),
        ('{"Id": NaN}', "the line is malformed: NaN is not JSON"),
        ("[" * 5000, "the line is malformed"),
        ('"text"', "the line is not a JSON object"),
        ('{"Id": ["a"], "ActionNames": ["ses:SendEmail"]}', "Id is text or a number"),
    ],
)
def test_text_that_is_no_request(text: str, error: str) -> None:
    answer: Any = simulate_text(text)
    assert answer["Id"] is None
    assert answer["Error"].startswith(error)


def test_a_malformed_line_keeps_its_id() -> None:
    answer: Any = simulate_text('{"Id": "a", "PolicyInputList": [{"Statement": NaN}]}')
    assert answer["Id"] == "a"
    assert "NaN is not JSON" in answer["Error"]


@pytest.mark.parametrize(
    "caller",
    [
        "arn:aws:iam::111111111111:user/path/a",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:role/path/r",
        "arn:aws:sts::111111111111:assumed-role/r/session",
        "arn:aws:sts::111111111111:federated-user/f",
        "cognito-idp.amazonaws.com",
        "anonymous",
    ],
)
def test_every_form_of_caller_is_named_by_everyone(caller: str) -> None:
    policy = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ses:*"}}
    line = {"CallerArn": caller, "ActionNames": ["ses:SendEmail"], "ResourcePolicy": policy}
    answer: Any = simulate(line)
    assert answer["EvaluationResults"][0]["EvalDecision"] == "allowed"


def test_a_witness_can_be_sent_as_it_is() -> None:
    case = next(each for each in CASES["answered"] if each["expected"][0].get("Witness"))
    answer: Any = simulate(case["line"])
    result = answer["EvaluationResults"][0]
    for name, decision in (("Witness", "allowed"), ("CounterWitness", "implicitDeny")):
        again: Any = simulate({**case["line"], "ContextEntries": result[name]})
        assert again["EvaluationResults"][0]["EvalDecision"] == decision


def test_names_and_types_are_those_of_aws() -> None:
    model = botocore.session.get_session().get_service_model("iam")
    shape = model.operation_model("SimulateCustomPolicy").output_shape
    ours = {"Sid", "StatementIndex", "Verdict", "DeniedBy", "Conditions", "Witness"}
    ours |= {"Id", "Proven", "CounterWitness", "ConditionsText"}
    types = {str: "string", bool: "boolean", int: "integer", list: "list", dict: "structure"}

    def check(value: Any, shape: Any) -> None:
        assert types[type(value)] == shape.type_name
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in ours:
                    check(inner, shape.members[name])
        elif isinstance(value, list):
            for inner in value:
                check(inner, shape.member)
        elif shape.name == "PolicyEvaluationDecisionType":
            assert value in shape.enum

    for case in ANSWERED:
        check(simulate(case["line"]), shape)
