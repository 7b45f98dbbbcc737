"""The layers of one decision as gates."""

from __future__ import annotations

import pytest

from ses_audit.audit.explanation import ExplainedCheck, LayerGate
from ses_audit.policy.types import Decision, Effect, Verdict
from ses_audit.report.gates_svg import gates_svg
from ses_audit.report.page import Html

LAYERS = ("service_control_policy", "permissions_boundary", "identity_policy")


def check(*states: str, note: str = "") -> ExplainedCheck:
    gates = tuple(
        LayerGate(layer, state, note)  # type: ignore[arg-type]
        for layer, state in zip(LAYERS, states, strict=False)
    )
    decision = Decision(Effect.ALLOWED, (), (), ())
    return ExplainedCheck(
        "sender", "ses:SendEmail", "arn", "rule", "D", Verdict.DENIED, gates, {}, decision
    )


@pytest.mark.parametrize(
    ("states", "end"),
    [
        (("open", "open"), "✓ passes"),
        (("closed", "open"), "✗ refused"),
        (("unknown", "open"), "? not known"),
        (("unknown", "closed"), "✗ refused"),
        (("partly", "open"), "◐ some pass"),
        (("none", "open"), "✓ passes"),
    ],
)
def test_the_end_is_what_the_gates_say(states: tuple[str, ...], end: str) -> None:
    assert Html.of(gates_svg(check(*states))).text.splitlines()[-1] == end


def test_the_label_says_the_same_in_words() -> None:
    markup = gates_svg(check("closed", "none", "open"))
    assert (
        'aria-label="Gates of the check sender: service control policy closed; '
        'identity policy open"' in markup
    )
    # What does not apply is no gate.
    assert "boundary" not in Html.of(markup).text


def test_the_way_is_barred_from_the_closed_gate_on() -> None:
    markup = gates_svg(check("open", "closed", "open"))
    assert markup.count('class="way"') == 2
    assert markup.count('class="way barred"') == 2


def test_notes_are_cut_and_escaped() -> None:
    markup = gates_svg(check("closed", note="<b>" + "x" * 60))
    assert "<b>" not in markup
    assert "…" in markup
