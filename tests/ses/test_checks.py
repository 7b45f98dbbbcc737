"""The checks of a send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ses_audit.ses.actions import CONFIDENCE, load_data
from ses_audit.ses.checks import AccountRegionFacts, IdentityFacts, checks

CASES = json.loads((Path(__file__).parent / "cases" / "checks.json").read_text())
OWNER = "111111111111"


def arn(name: str) -> str:
    if name == "*":
        return name
    account, _, rest = name.rpartition(":")
    return f"arn:aws:ses:eu-west-1:{account or OWNER}:{rest}"


def identity(name: str, default_set: str | None = "") -> IdentityFacts:
    return IdentityFacts(arn(name), name.split("/", 1)[1], OWNER, "eu-west-1", default_set)


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["name"])
def test_the_checks_of_a_send(case: dict[str, Any]) -> None:
    assert case["source"] in CASES["sources"]
    path = case.get("return_path")
    sender_region = None
    if "sender_production" in case:
        recipients = tuple(map(arn, case["sender_recipients"]))
        sender_region = AccountRegionFacts(case["sender_production"], recipients)
    found = checks(
        case["action"],
        identity("identity/example.com", case.get("default_set", "")),
        AccountRegionFacts(
            case.get("production", True), tuple(map(arn, case.get("recipients", ())))
        ),
        cross_account=case.get("cross", False),
        sender_account=case.get("sender_account"),
        sender_region=sender_region,
        configuration_set=case.get("configuration_set"),
        template=case.get("template"),
        return_path=identity(path) if path else None,
        tracking_overrides=case.get("tracking_overrides", False),
    )
    expected = [(id, arn(name), code, bool(rest)) for id, name, code, *rest in case["checks"]]
    assert [(c.id, c.resource, c.confidence, c.open_resource) for c in found] == expected
    passing = [check.passing_confidence for check in found]
    assert passing[0] == case.get("passing", _passing(case))
    assert passing[1:] == [check.confidence for check in found[1:]]
    for check in found:
        overrides = check.id == "tracking_overrides"
        wanted = "ses:ApplyTrackingConfigurationOverrides" if overrides else case["action"]
        assert check.action.lower() == wanted.lower()
        assert check.rule


def _passing(case: dict[str, Any]) -> str:
    """Within one account as the check itself; across accounts the owner's set and sandbox count."""
    own = "R" if case["action"] == "ses:SendCustomVerificationEmail" else "D"
    bound = case.get("default_set") or case.get("production", True) is False
    return "I" if case.get("cross") and bound else own


def test_sending_policies_are_read_for_identities_only() -> None:
    found = checks(
        "ses:SendTemplatedEmail",
        identity("identity/example.com", "main"),
        AccountRegionFacts(False, (arn("identity/a@b.example"),)),
        return_path=identity("identity/bounces.example"),
        tracking_overrides=True,
    )
    assert {check.id: check.on_identity for check in found} == {
        "sender": True,
        "return_path": True,
        "configuration_set": False,
        "template": False,
        "recipients": True,
        "tracking_overrides": False,
    }


def test_an_action_that_takes_no_template_refuses_one() -> None:
    with pytest.raises(ValueError, match="ses:SendRawEmail takes no stored template"):
        checks(
            "ses:SendRawEmail",
            identity("identity/example.com"),
            AccountRegionFacts(),
            template="Welcome",
        )


def test_every_rule_has_its_confidence_and_source() -> None:
    entries = load_data("checks.json")["checks"]
    assert isinstance(entries, list)
    assert [(entry["id"], entry["confidence"]) for entry in entries] == [
        ("sender", "D"),
        ("return_path", "I"),
        ("configuration_set", "R"),
        ("template", "D"),
        ("recipients", "R"),
        ("tracking_overrides", "D"),
    ]
    for entry in entries:
        assert entry["confidence"] in CONFIDENCE
        assert entry["source"].startswith("https://docs.aws.amazon.com/")
