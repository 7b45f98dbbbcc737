from __future__ import annotations

from random import Random
from typing import Any

import pytest

from ses_audit.replay.example import example_records
from ses_audit.snapshot import shapes
from ses_audit.snapshot.shapes import wrong_shape


@pytest.mark.parametrize(
    ("operation", "response", "says"),
    [
        ("ListRoots", [], "the answer is not an object"),
        ("ListRoots", {}, "Roots is absent"),
        ("ListRoots", {"Roots": None}, "Roots is absent"),
        ("ListRoots", {"Roots": [1]}, "Roots[0] is not an object"),
        ("ListRoots", {"Roots": [{"Id": "r"}, {"Id": 1}]}, "Roots[1].Id is not text"),
        ("ListConfigurationSets", {"ConfigurationSets": [1]}, "ConfigurationSets[0] is not text"),
        ("GetAccount", {"SendingEnabled": "yes"}, "SendingEnabled is not true or false"),
        ("GetEmailIdentity", {"Policies": {"a": 1}}, "Policies is not an object of texts"),
        (
            "GetAccountAuthorizationDetails",
            {"UserDetailList": [{"Arn": "a", "UserName": "b",
                                 "UserPolicyList": [{"PolicyName": "c", "PolicyDocument": 1}]}]},
            "UserDetailList[0].UserPolicyList[0].PolicyDocument is not a policy",
        ),
        (
            "ListAccessKeys",
            {"AccessKeyMetadata": [{"AccessKeyId": "a", "Status": "b", "CreateDate": True}]},
            "AccessKeyMetadata[0].CreateDate is not a time",
        ),
    ],
)  # fmt: skip
def test_where_an_answer_departs(operation: str, response: object, says: str) -> None:
    assert wrong_shape(operation, response) == says


def test_what_suits() -> None:
    assert wrong_shape("GetAccountAuthorizationDetails", {}) is None
    assert wrong_shape("GetAccount", {"SendingEnabled": None, "Other": 1}) is None
    assert wrong_shape("AnotherOperation", 5) is None


def disturbed(value: Any, random: Random) -> Any:
    """The same with something else in one of its places."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(sorted(value))
        if random.random() < 0.2:
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: disturbed(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.8:
        place = random.randrange(len(value))
        return [*value[:place], disturbed(value[place], random), *value[place + 1 :]]
    return random.choice([None, 1, 1.5, True, "text", [], {}, ["text"], {"a": "b"}, {"a": 1}, [1]])


def test_the_quick_test_says_what_the_careful_one_says() -> None:
    """On what AWS answers, and on the same with something else in any of its places."""
    random = Random(1)
    departed = 0
    for record in example_records():
        shape = shapes._shapes().get(record.operation)
        if shape is None:
            continue
        for response in (record.response, *(disturbed(record.response, random) for _ in range(5))):
            careful = shapes._wrong(shape, response, "")
            departed += careful is not None
            quick = shapes._fitting(record.operation)
            assert quick is not None
            assert quick(response) is (careful is None), (record.operation, response)
    assert departed > 200
