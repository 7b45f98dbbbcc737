"""The `aws` command for one line: AWS's own request, and what it leaves out."""

from __future__ import annotations

import json
import shlex
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from random_requests import line

from ses_audit.policy.simulation_call import aws_call
from ses_audit.policy.simulation_request import InvalidRequest

POLICY = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
TEXT = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


def _request(command: str) -> Any:
    words = shlex.split(command)
    assert words[:4] == ["aws", "iam", "simulate-custom-policy", "--cli-input-json"]
    assert len(words) == 5
    return json.loads(words[4])


def test_policies_become_texts_and_ids_become_arns() -> None:
    command, remarks = aws_call(
        {
            "Id": "it's",
            "CallerArn": "arn:aws:iam::111111111111:user/o'hara",
            "ActionNames": ["ses:SendEmail"],
            "PolicyInputList": [POLICY, TEXT],
            "PermissionsBoundaryPolicyInputList": [POLICY],
            "OrderedOrganizationPolicyInputList": [{"ServiceControlPolicyInputList": [POLICY]}],
            "ResourcePolicyInputList": [TEXT],
            "ResourceOwner": "222222222222",
            "ContextEntries": [
                {"ContextKeyName": "aws:MultiFactorAuthAge", "ContextKeyValues": [5]}
            ],
        }
        | {"ResourcePolicyInputList": None}
    )
    assert remarks == []
    assert _request(command) == {
        "CallerArn": "arn:aws:iam::111111111111:user/o'hara",
        "ActionNames": ["ses:SendEmail"],
        "PolicyInputList": [TEXT, TEXT],
        "PermissionsBoundaryPolicyInputList": [TEXT],
        "OrderedOrganizationPolicyInputList": [{"ServiceControlPolicyInputList": [TEXT]}],
        "ResourceOwner": "arn:aws:iam::222222222222:root",
        "ContextEntries": [
            {
                "ContextKeyName": "aws:MultiFactorAuthAge",
                "ContextKeyValues": ["5"],
                "ContextKeyType": "string",
            }
        ],
    }


def test_one_policy_of_the_resource_is_the_resource_policy() -> None:
    policy = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}
    line = {"CallerArn": "arn:aws:iam::111111111111:user/a", "ActionNames": ["ses:SendEmail"]}
    command, remarks = aws_call({**line, "ResourcePolicyInputList": [policy]})
    assert json.loads(_request(command)["ResourcePolicy"]) == policy
    assert remarks == []
    _, remarks = aws_call({**line, "ResourcePolicyInputList": [policy, policy]})
    assert remarks == ["left out, AWS does not know it: ResourcePolicyInputList"]


def test_what_says_nothing_is_left_out_without_a_word() -> None:
    command, remarks = aws_call(
        {
            "ActionNames": ["ses:SendEmail"],
            "OpenContext": False,
            "SessionPolicyInputList": [],
            "OrderedOrganizationPolicyInputList": [{}],
        }
    )
    assert remarks == []
    assert _request(command) == {
        "PolicyInputList": [],
        "ActionNames": ["ses:SendEmail"],
        "OrderedOrganizationPolicyInputList": [{"ServiceControlPolicyInputList": []}],
    }


def test_aws_takes_a_role() -> None:
    line = {"CallerArn": "arn:aws:iam::111111111111:role/a", "ActionNames": ["ses:SendEmail"]}
    assert aws_call(line)[1] == []


def test_a_second_policy_of_the_resource_is_left_out() -> None:
    policy = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}
    command, remarks = aws_call(
        {
            "CallerArn": "arn:aws:iam::111111111111:user/a",
            "ActionNames": ["ses:SendEmail"],
            "ResourcePolicy": {**policy, "Id": "first"},
            "ResourcePolicyInputList": [policy],
        }
    )
    assert json.loads(_request(command)["ResourcePolicy"])["Id"] == "first"
    assert remarks == ["left out, AWS does not know it: ResourcePolicyInputList"]


def test_what_aws_does_not_take_is_named() -> None:
    _, remarks = aws_call(
        {
            "CallerArn": "arn:aws:sts::111111111111:assumed-role/r/s",
            "ActionNames": ["ses:SendEmail"],
            "SessionPolicyInputList": [POLICY],
            "PolicyInputList": [json.dumps(POLICY) + " " * 131_072],
        }
    )
    assert remarks == [
        "left out, AWS does not know it: SessionPolicyInputList",
        "AWS takes no session as CallerArn",
        "too long for one argument: write it to a file and pass file://FILE",
    ]
    with pytest.raises(InvalidRequest, match="name at least one action"):
        aws_call({"PolicyInputList": []})


def test_botocore_takes_the_request() -> None:
    model = botocore.session.get_session().get_service_model("iam")
    shape = model.operation_model("SimulateCustomPolicy").input_shape
    for seed in range(200):
        command, _ = aws_call(line(seed, open_context=seed % 2 == 1))
        report = ParamValidator().validate(_request(command), shape)
        assert not report.has_errors(), report.generate_report()
