"""The page of all rules is what the data files say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ses_audit.ses.actions import CONFIDENCE, load_data
from ses_audit.ses.gates import GateFacts, gates
from ses_audit.ses.rules import Rule, _texts, markdown, rules
from ses_audit.ses.ways import WAYS

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_written_from_the_data() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), (
        "write it again: python -m ses_audit.ses.rules > docs/rules.md"
    )


def test_the_module_prints_the_page() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ses_audit.ses.rules"], capture_output=True, check=True
    )
    assert ended.stdout.decode("utf-8") == markdown()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_every_rule_is_whole(rule: Rule) -> None:
    assert rule.title and rule.text.endswith(".")
    assert rule.test.rstrip().endswith((".", "?")) or "aws " in rule.test
    assert rule.confidence in CONFIDENCE
    assert rule.source.startswith("https://docs.aws.amazon.com/")
    assert f"`{rule.id}`" in markdown()


def test_every_check_way_and_gate_has_its_rule() -> None:
    found = {rule.id: rule for rule in rules()}
    assert len(found) == len(rules())
    for way in WAYS:
        assert found[f"way.{way.id}"].confidence == way.confidence
    for gate in gates(GateFacts(configuration_set="x"), "ses:SendCustomVerificationEmail"):
        assert found[f"gate.{gate.id}"].text.startswith(gate.rule)
    checks = {id.removeprefix("check.") for id in found if id.startswith("check.")}
    assert checks == {
        *("sender", "return_path", "configuration_set", "template"),
        *("recipients", "tracking_overrides"),
    }


def test_the_disputed_rules_are_those_of_the_facts() -> None:
    # facts/ses.md: the letters behind each rule that is not D alone.
    found = {rule.id: rule.confidence for rule in rules() if rule.disputed}
    assert found == {
        "check.return_path": "I",
        "check.configuration_set": "R",
        "check.recipients": "R",
        "order.iam_first": "R",
        "order.first_failure": "R",
        "way.v2-raw": "R",
        "way.v2-inline-template": "I",
        "way.v2-bulk": "X",
        "way.v2-bulk-inline": "X",
        "way.v1-send-custom-verification-email": "R",
        "way.v2-send-custom-verification-email": "R",
        "way.pinpoint-email": "I",
        "keys.resource_tag": "R",
        "keys.global": "X",
        "identity.domain_arn": "X",
        "identity.none_verified": "R",
        "identity.label": "I",
        "delegate.arn_decides": "R",
        "delegate.without_arn": "R",
        "delegate.own_limits": "I",
        "policies.one_set": "R",
        "policies.role_principal": "I",
        "policies.bulk": "X",
        "policies.bounce": "I",
    }


def test_tests_and_reports_are_of_rules_that_there_are() -> None:
    known = {rule.id for rule in rules()}
    assert set(_texts("tests")) <= known
    assert set(_texts("reports")) <= known
    sections = load_data("rules.json")["sections"]
    assert isinstance(sections, dict)
    assert {rule.section for rule in rules()} == set(sections)


def test_a_broken_table_is_said() -> None:
    with pytest.raises(TypeError, match=r"rules of rules\.json is no table"):
        _texts("rules")
