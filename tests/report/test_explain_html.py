"""An explanation as HTML: every part is escaped, every answer has its glyph and word."""

from __future__ import annotations

from report_worlds import HOSTILE

from ses_audit.audit.explanation import Candidate, ChecklistItem, Evidence, Explanation, Note
from ses_audit.policy.types import Verdict
from ses_audit.report.explain_html import (
    candidates_html,
    checklist_html,
    evidence_html,
    headline_html,
    message_html,
    notes_html,
    repairs_html,
)
from ses_audit.report.page import Html


def item(number: int, status: str, **more: object) -> ChecklistItem:
    return ChecklistItem(
        id=f"item-{number}",
        number=number,
        article=number <= 4,
        question=f"Question {number}?",
        answer=HOSTILE,
        status=status,  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )


def explanation(**more: object) -> Explanation:
    base: dict[str, object] = {
        "kind": "access_denied",
        "principal": HOSTILE,
        "action": "ses:SendEmail",
        "identity": HOSTILE,
        "verdict": Verdict.DENIED,
        "verdict_without_scp": Verdict.DENIED,
    }
    return Explanation(**{**base, **more})  # type: ignore[arg-type]


def test_nothing_comes_out_live() -> None:
    evidence = Evidence("identity_policy", "deny", HOSTILE, HOSTILE, HOSTILE, 0, HOSTILE, HOSTILE)
    found = explanation(
        checklist=(item(1, "cause", evidence=(evidence,), repair=HOSTILE, missing=(HOSTILE,)),),
        notes=(Note("n", HOSTILE),),
        candidates=(Candidate("principal", HOSTILE, HOSTILE),),
        message={"kind": HOSTILE, "identities": [HOSTILE]},
    )
    markup = "".join(
        make(found)
        for make in (headline_html, checklist_html, candidates_html, notes_html, message_html)
    )
    assert "<svg/onload" not in markup
    assert "\u202e" not in markup
    assert "onload=alert(1)&gt;" in markup


def test_each_answer_has_glyph_and_word() -> None:
    found = explanation(
        checklist=(item(1, "cleared"), item(2, "cause"), item(5, "cannot_tell", confidence="R"))
    )
    text = Html.of(checklist_html(found)).text
    assert "1 of 3 questions a cause, 1 cleared, 1 open" in text
    for word in ("✓ cleared", "✗ cause", "? cannot tell", "rule: reported, not documented"):
        assert word in text
    assert text.count("the article’s") == 2


def test_headlines() -> None:
    conditional = explanation(verdict=Verdict.CONDITIONAL, conditions="aws:SourceIp in x")
    assert "◐ conditional allowed if aws:SourceIp in x" in Html.of(headline_html(conditional)).text
    unknown = explanation(verdict=Verdict.UNKNOWN, missing=("a", "b"))
    assert "? unknown 2 answers of AWS missing" in Html.of(headline_html(unknown)).text
    alone = explanation(verdict_without_scp=Verdict.ALLOWED, checklist=(item(4, "cause"),))
    assert "⊘ SCP alone 1 cause; without the SCPs ● allowed." in Html.of(headline_html(alone)).text
    two = explanation(checklist=(item(1, "cause"), item(4, "cause")))
    assert "2 causes, and each has to go" in Html.of(headline_html(two)).text


def test_without_a_verdict_the_first_note_is_the_headline_once() -> None:
    found = explanation(verdict=None, notes=(Note("a", "First."), Note("b", "Second.")))
    assert Html.of(headline_html(found)).text == "First."
    assert Html.of(notes_html(found)).text == "Second."


def test_nothing_to_say_is_nothing() -> None:
    found = explanation()
    assert notes_html(found) == message_html(found) == repairs_html(found) == ""


def test_a_lack_has_no_statement_to_open() -> None:
    lack = Evidence("identity_policy", "lack", attached_to="role x", note="why")
    assert "<details" not in evidence_html(lack)
    statement = Evidence("identity_policy", "deny", "p", "p", None, 0, '{"Effect": "Deny"}')
    assert "<details open>" in evidence_html(statement, opened=True)
