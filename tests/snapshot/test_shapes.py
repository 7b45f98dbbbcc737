from __future__ import annotations

import pytest

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
