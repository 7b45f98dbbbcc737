"""The send actions are those of the Service Authorization Reference, with its condition keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ses_audit.ses.actions import (
    CONFIDENCE,
    SEND_ACTIONS,
    carried_keys,
    load_data,
    load_entries,
    send_action,
    weakest,
)
from ses_audit.ses.ways import ways_of


def test_there_are_seven() -> None:
    assert [action.name for action in SEND_ACTIONS] == [
        "ses:SendEmail",
        "ses:SendRawEmail",
        "ses:SendTemplatedEmail",
        "ses:SendBulkTemplatedEmail",
        "ses:SendBulkEmail",
        "ses:SendBounce",
        "ses:SendCustomVerificationEmail",
    ]


def test_they_agree_with_the_shared_reference(shared_data: Path) -> None:
    reference = json.loads((shared_data / "ses_actions.json").read_text())
    known = {entry["iam_action"]: entry for entry in reference["send_actions"]}
    assert set(known) == {action.name for action in SEND_ACTIONS}
    for action in SEND_ACTIONS:
        entry = known[action.name]
        assert action.condition_keys == {key.lower() for key in entry["condition_keys"]}
        resources = {*entry["resources_required"], *entry["resources_optional"]}
        assert action.configuration_set == ("configuration-set" in resources)
        for template in (action.template, action.optional_template):
            assert template is None or template in resources


def test_every_other_action_agrees_with_the_shared_reference(shared_data: Path) -> None:
    reference = json.loads((shared_data / "ses_actions.json").read_text())["sar_all"]
    entry = reference["ApplyTrackingConfigurationOverrides"]
    assert carried_keys("ses:ApplyTrackingConfigurationOverrides") == {
        key.lower() for key in entry["condition_keys"]
    }
    assert entry["resources_required"] == entry["resources_optional"] == []


def test_keys_that_an_action_does_not_carry() -> None:
    # facts: SendBulkEmail has no FromAddress and no Recipients; SendRawEmail no TenantName.
    assert not {"ses:fromaddress", "ses:recipients"} & carried_keys("ses:SendBulkEmail")
    assert "ses:tenantname" not in carried_keys("ses:SendRawEmail")
    assert "ses:tenantname" in carried_keys("ses:SendEmail")
    assert carried_keys("SES:sendbounce") == {"ses:apiversion", "ses:fromaddress"}


def test_an_action_is_found_whatever_its_case() -> None:
    assert send_action("SES:SENDRAWEMAIL").name == "ses:SendRawEmail"
    with pytest.raises(KeyError):
        send_action("ses:GetAccount")
    with pytest.raises(KeyError):
        carried_keys("ses:GetAccount")


def test_every_confidence_is_one_of_four() -> None:
    stated = load_data("actions.json")["confidence"]
    assert isinstance(stated, dict)
    assert "".join(stated) == CONFIDENCE
    for action in SEND_ACTIONS:
        for code in (action.confidence, action.identity_confidence, action.grant_confidence):
            assert code in CONFIDENCE


def test_the_weakest_confidence_wins() -> None:
    assert weakest("R", "D") == "R"
    assert weakest("R", "X", "I") == "X"
    assert weakest() == "D"


def test_the_ways_of_an_action_are_the_ways_that_are_checked_as_it() -> None:
    for action in SEND_ACTIONS:
        assert list(action.ways) == [way.id for way in ways_of(action.name)]
        for way in ways_of(action.name):
            assert way.api_version is None or way.api_version in action.api_versions
            assert way.template in (None, action.template, action.optional_template)
            assert not way.configuration_set or action.configuration_set


def test_a_broken_data_file_is_said() -> None:
    with pytest.raises(TypeError, match=r"partitions of regions\.json is no list"):
        load_entries("regions.json", "partitions")
