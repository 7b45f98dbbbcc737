"""The audit role's policy equals the operations of a full run, both ways."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ses_audit.collect.progress import Silent
from ses_audit.collect.reference import load_data, operations, session_policy
from ses_audit.replay.example import example_records
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions, Fault
from ses_audit.replay.recording import Recording

DEPLOY = Path(__file__).parents[2] / "deploy"
MANAGEMENT = "111111111111"
Calls = dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """Account → the calls that a full run of the example wrote down under it.

    Account Management answers nobody: so the call that is made in its place is among them.
    """
    folder = tmp_path_factory.mktemp("full") / "snapshot"
    refused = Conditions(faults=[Fault("error", operation="ListRegions", status=403)])
    made = collect_recording(folder, Silent(), Recording(example_records()), refused)
    return {
        account: {(record.service, record.operation) for record in made.evidence(account)}
        for account in made.accounts()
    }


def actions(calls: set[tuple[str, str]]) -> set[str]:
    return {operations()[call].action for call in calls}


def statements(name: str) -> dict[str, set[str]]:
    policy = json.loads((DEPLOY / name).read_text("utf-8"))
    listed: list[dict[str, Any]] = policy["Statement"]
    assert all(s["Effect"] == "Allow" for s in listed)
    return {
        s["Sid"]: {s["Action"]} if isinstance(s["Action"], str) else set(s["Action"])
        for s in listed
    }


def test_the_role_may_do_what_a_run_does_in_a_member_and_no_more(asked: Calls) -> None:
    members = {call for account, own in asked.items() if account != MANAGEMENT for call in own}
    members.discard(("sts", "AssumeRole"))
    assert statements("audit-role.json") == {"ReadWhoCanSendEmail": actions(members)}


def test_the_caller_may_do_what_a_run_does_and_no_more(asked: Calls) -> None:
    found = statements("caller.json")
    own = asked[MANAGEMENT]
    organization = {call for call in own if call[0] == "organizations"}
    assert found["ReadTheOrganization"] == actions(organization)
    assert found["ReadTheOwnAccount"] == actions(own - organization)
    # The caller assumes the roles; the call stands under the account that is entered.
    assert ("sts", "AssumeRole") in asked["222222222222"]
    # A source identity is set, or passed on, by the same call: both sides must allow that too.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    assert found["EnterTheAuditRoles"] == {"sts:AssumeRole", "sts:SetSourceIdentity"}
    assert set(found) == {"ReadTheOrganization", "ReadTheOwnAccount", "EnterTheAuditRoles"}


def test_every_operation_of_the_collector_is_used(asked: Calls) -> None:
    assert set().union(*asked.values()) == set(operations())


def test_the_session_is_cut_to_the_roles_policy() -> None:
    (statement,) = json.loads(session_policy())["Statement"]
    (role,) = statements("audit-role.json").values()
    assert set(statement["Action"]) == role
    # AssumeRole takes 2,048 characters.
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (Policy)
    assert len(session_policy()) <= 2048


def test_the_template_makes_the_role_with_that_policy() -> None:
    class Loader(yaml.SafeLoader):
        """CloudFormation's short forms (!Sub, !Ref) stand for themselves."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: f"!{suffix} {node.value}")
    template = yaml.load((DEPLOY / "stackset.yaml").read_text("utf-8"), Loader)
    (role,) = template["Resources"].values()
    assert role["Type"] == "AWS::IAM::Role"
    (policy,) = role["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    written = json.loads((DEPLOY / "audit-role.json").read_text("utf-8"))["Statement"]
    assert [statement] == written
    assert role["Properties"]["MaxSessionDuration"] == 3600
    trust = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [s["Action"] for s in trust] == ["sts:AssumeRole", "sts:SetSourceIdentity"]
    assert trust[0]["Principal"] == trust[1]["Principal"]
    # The external id is a key of AssumeRole alone.
    assert ["Condition" in s for s in trust] == [True, False]


def test_actions_are_named_as_their_operations() -> None:
    """service:Operation, but for SES v2 whose actions have the prefix ses."""
    for (service, name), entry in operations().items():
        prefix = {"sesv2": "ses"}.get(service, service)
        assert entry.action == f"{prefix}:{name}"
    assert all(re.match("https://docs.aws.amazon.com/", s) for s in
               load_data("operations.json")["sources"])  # fmt: skip
