"""An explanation as text, JSON and HTML."""

from __future__ import annotations

import json

import pytest

from ses_audit.audit.explanation import (
    Candidate,
    ChecklistItem,
    Evidence,
    Explanation,
    LayerGate,
    Note,
)
from ses_audit.policy.types import Verdict

STATEMENT = '{\n "Sid": "No",\n "Effect": "Deny"\n}'
DENY = Evidence(
    "identity_policy", "deny", "arn:p", "p", "No", 1, STATEMENT, "arn:u", "as it stands"
)
LACK = Evidence("service_control_policy", "lack", attached_to="Prod (ou-1)")
CAUSE = ChecklistItem(
    "identity_policy", 1, True, "Why?", "Denied.", "cause", (DENY, LACK), repair="Allow it."
)
OPEN = ChecklistItem(
    "default_configuration_set", 6, False, "Set?", "Not read.", "cannot_tell",
    missing=("a=DENIED", "b=DENIED"), confidence="R",
)  # fmt: skip
CLEARED = ChecklistItem("template", 7, False, "Template?", "None.", "cleared", (DENY,), repair="x")
FOUND = Explanation(
    "access_denied", "arn:u", "ses:SendEmail", "arn:i", Verdict.DENIED, Verdict.ALLOWED,
    checklist=(CAUSE, OPEN, CLEARED), notes=(Note("session", "A session."),),
    taken_at="2026-11-23T06:00:00Z",
)  # fmt: skip


def test_text_holds_everything_a_person_needs() -> None:
    assert FOUND.to_text().splitlines() == [
        "arn:u · ses:SendEmail · arn:i: DENIED, 1 cause",
        "snapshot 2026-11-23T06:00:00Z",
        "",
        "✗ 1. Why? (the article's)",
        "  cause: Denied.",
        "  · identity_policy: denied by p, statement 2 “No” · attached to arn:u",
        "    as it stands",
        "      {",
        '       "Sid": "No",',
        '       "Effect": "Deny"',
        "      }",
        "  · service_control_policy: no statement allows it · attached to Prod (ou-1)",
        "  repair: Allow it.",
        "",
        "? 6. Set?",
        "  cannot tell: Not read. [rule: reported, not documented]",
        "  missing: a=DENIED; b=DENIED",
        "",
        "✓ 7. Template?",
        "  cleared: None.",
        "  · identity_policy: denied by p, statement 2 “No” · attached to arn:u",
        "    as it stands",
        "",
        "Note: A session.",
    ]


def test_json_is_plain() -> None:
    told = json.loads(json.dumps(FOUND.to_json()))
    assert (told["version"], told["verdict"], told["verdict_without_scp"]) == (
        1,
        "DENIED",
        "ALLOWED",
    )
    assert told["causes"] == ["identity_policy"]
    assert told["checklist"][0]["evidence"][0]["statement"] == {"Sid": "No", "Effect": "Deny"}
    assert told["checklist"][0]["evidence"][1]["statement"] is None
    assert told["notes"] == [{"id": "session", "text": "A session."}]
    assert LayerGate("identity_policy", "open").to_json()["state"] == "open"


def test_html_is_a_table_of_the_questions() -> None:
    markup = FOUND._repr_html_()
    assert markup.count("<tr class=") == 3
    assert "✗ cause" in markup
    assert "<details><summary>statement</summary>" in markup
    assert "repair: Allow it." in markup
    assert "missing: a=DENIED; b=DENIED" in markup
    assert "<em>as it stands</em>" in markup
    assert "<li>A session.</li>" in markup


def test_html_is_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    evidence = Evidence(hostile, "deny", hostile, hostile, hostile, 0, json.dumps(hostile), hostile)
    item = ChecklistItem(
        hostile, 1, False, hostile, hostile, "cause", (evidence,), (hostile,), hostile
    )
    found = Explanation(
        "candidates", hostile, hostile, hostile, checklist=(item,), notes=(Note("x", hostile),),
        candidates=(Candidate("principal", hostile, hostile),), taken_at=hostile,
    )  # fmt: skip
    assert "<script>" not in found._repr_html_()


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"verdict": Verdict.ALLOWED}, "ALLOWED by this snapshot"),
        (
            {"verdict": Verdict.CONDITIONAL, "conditions": "aws:SourceIp in 203.0.113.0/24"},
            "CONDITIONAL, allowed if aws:SourceIp in 203.0.113.0/24",
        ),
        ({"verdict": Verdict.UNKNOWN, "missing": ("a", "b")}, "UNKNOWN, 2 cells of evidence"),
        ({"kind": "smtp_auth", "notes": (Note("n", "Not a policy."),)}, "Not a policy."),
        ({"kind": "unknown"}, "u · ses:SendEmail · i"),
        (
            {"kind": "candidates", "candidates": (Candidate("principal", "arn:u"),) * 2},
            "not told apart; 2 candidates",
        ),
    ],
)
def test_the_headline(changes: dict[str, object], said: str) -> None:
    made = {"kind": "access_denied", **changes}
    found = Explanation(principal="u", action="ses:SendEmail", identity="i", **made)  # type: ignore[arg-type]
    assert said in found.headline


def test_candidates_are_listed() -> None:
    found = Explanation(
        "candidates", "ali", "", "", candidates=(Candidate("principal", "arn:alice", "prod"),)
    )
    assert found.to_text().splitlines() == [
        "ali · a send · : not told apart; 1 candidates",
        "",
        "It may mean:",
        "  arn:alice (prod)",
    ]
    assert "<li><code>arn:alice</code></li>" in found._repr_html_()
    assert found.to_json()["candidates"] == [
        {"kind": "principal", "arn": "arn:alice", "account_name": "prod"}
    ]
