"""What SES checks after IAM: facts/ses.md §1."""

from __future__ import annotations

import pytest

from ses_audit.ses.actions import load_data
from ses_audit.ses.gates import GateFacts, gates

RAW = "ses:SendRawEmail"


def states(facts: GateFacts, action: str = RAW) -> dict[str, str]:
    return {gate.id: gate.state for gate in gates(facts, action)}


def test_nothing_is_known() -> None:
    assert states(GateFacts(configuration_set=None)) == {
        "identity_verified": "unknown",
        "recipients_verified": "unknown",
        "sending_enabled": "unknown",
        "enforcement": "unknown",
        "configuration_set_sending": "unknown",
        "quota": "unknown",
    }


def test_all_is_open_but_the_quota_is_never_known() -> None:
    facts = GateFacts(True, True, True, "HEALTHY", "main", True)
    assert states(facts) == {
        "identity_verified": "open",
        "recipients_verified": "open",
        "sending_enabled": "open",
        "enforcement": "open",
        "configuration_set_sending": "open",
        "quota": "unknown",
    }


@pytest.mark.parametrize(
    ("facts", "gate", "state"),
    [
        (GateFacts(verified=False), "identity_verified", "closed"),
        (GateFacts(production_access=False), "recipients_verified", "partly"),
        (GateFacts(sending_enabled=False), "sending_enabled", "closed"),
        (GateFacts(enforcement_status="SHUTDOWN"), "enforcement", "closed"),
        (GateFacts(enforcement_status="PROBATION"), "enforcement", "open"),
        (
            GateFacts(configuration_set="main", configuration_set_sending=False),
            "configuration_set_sending",
            "closed",
        ),
    ],
)
def test_a_gate_that_is_closed(facts: GateFacts, gate: str, state: str) -> None:
    assert states(facts)[gate] == state


def test_without_a_configuration_set_its_gate_is_left_out() -> None:
    assert "configuration_set_sending" not in states(GateFacts())


def test_a_custom_verification_email_needs_production_access() -> None:
    action = "ses:SendCustomVerificationEmail"
    assert states(GateFacts(production_access=False), action)["production_access"] == "closed"
    assert states(GateFacts(production_access=True), action)["production_access"] == "open"
    assert "production_access" not in states(GateFacts(production_access=False))


def test_each_gate_of_the_data_file_has_a_source_and_is_asked() -> None:
    entries = load_data("gates.json")["gates"]
    assert isinstance(entries, list)
    found = gates(GateFacts(configuration_set="main"), "ses:SendCustomVerificationEmail")
    assert [gate.id for gate in found] == [entry["id"] for entry in entries]
    assert all(gate.source.startswith("https://docs.aws.amazon.com/") for gate in found)
    assert {gate.confidence for gate in found} == {"D"}
