"""An explanation as safe HTML: the checklist, the gates, the statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ses_audit.audit.explanation_views import CONFIDENCE, MARKS, WORDS
from ses_audit.escape import html as escape
from ses_audit.report.gates_svg import LAYER_WORDS, STATES, gates_svg
from ses_audit.report.glyphs import chip, verdict_kind
from ses_audit.report.glyphs import kind as named_kind
from ses_audit.report.html_table import table
from ses_audit.report.labels import arn, plural, tag

if TYPE_CHECKING:
    from ses_audit.audit.explanation import ChecklistItem, Evidence, Explanation, LayerGate

__all__ = [
    "candidates_html",
    "checklist_html",
    "evidence_html",
    "gates_html",
    "headline_html",
    "message_html",
    "notes_html",
    "repairs_html",
]

# The kind whose colours an answer has.
_COLOURS = {"cleared": "allowed", "cause": "unknown", "cannot_tell": "conditional"}


def _sure(confidence: str) -> str:
    """What a rule rests on, where it is less than a page of AWS."""
    return "" if confidence == "D" else CONFIDENCE.get(confidence, confidence)


def headline_html(found: Explanation) -> str:
    """The answer in a line: the cell, its verdict, how many causes."""
    if found.verdict is None:
        return f'<p class="answer">{escape(found.headline)}</p>\n'
    causes = len(found.causes)
    words = {
        "DENIED": f"<strong>{plural(causes, 'cause')}</strong>"
        + (", and each has to go" if causes > 1 else ""),
        "CONDITIONAL": f"allowed if {escape(found.conditions)}",
        "UNKNOWN": f"{plural(len(found.missing), 'answer')} of AWS missing",
        "ALLOWED": "the snapshot would let it pass",
    }[str(found.verdict)]
    without, shown = "", verdict_kind(str(found.verdict)).name
    if found.verdict_without_scp is not None and found.verdict_without_scp != found.verdict:
        without = f"; without the SCPs {chip(verdict_kind(str(found.verdict_without_scp)).name)}"
        if str(found.verdict_without_scp) in ("ALLOWED", "CONDITIONAL"):
            shown = "scp_alone"
    return (
        f'<p class="answer">{chip(shown)} {words}{without}.</p>\n{_causes(found)}'
        f"<p>{arn(found.principal)}<br>{escape(found.action)}<br>{arn(found.identity)}</p>\n"
    )


def _causes(found: Explanation) -> str:
    """Each cause in a line, with the statement behind it."""
    items = []
    for item in found.causes:
        behind = "".join(
            f'<br><span class="note">{escape(title)}</span>'
            for title in dict.fromkeys(each.title for each in item.evidence)
        )
        items.append(f"<li>{escape(item.answer)}{behind}</li>")
    return f"<ol>{''.join(items)}</ol>\n" if items else ""


def gates_html(found: Explanation) -> str:
    """Each check of the send as a row of gates."""
    names = _closers(found)
    pieces = []
    for check in found.checks:
        sure = _sure(check.confidence)
        aside = [gate for gate in check.gates if gate.state == "none"]
        without = "; ".join(
            LAYER_WORDS.get(gate.layer, gate.layer) + (f" ({gate.note})" if gate.note else "")
            for gate in aside
        )
        pieces.append(
            f"<h3>{escape(_check_name(check.id))} {chip(verdict_kind(str(check.verdict)).name)}"
            f"{f' {tag(sure)}' if sure else ''}</h3>\n"
            f"<p>{escape(check.action)} on {arn(check.resource)}. {escape(check.rule)}</p>\n"
            f'<div class="scroll" tabindex="0" role="group" '
            f'aria-label="Gates of the check {escape(check.id)}">{gates_svg(check, names)}</div>\n'
            f"{_gate_notes(check.gates)}"
            + (f'<p class="quiet">Does not apply: {escape(without)}.</p>\n' if aside else "")
        )
    return "".join(pieces)


def _gate_notes(gates: Sequence[LayerGate]) -> str:
    noted = [gate for gate in gates if gate.note and gate.state != "none"]
    items = "".join(
        f"<li>{escape(LAYER_WORDS.get(gate.layer, gate.layer))}: {STATES[gate.state][0]} "
        f"{STATES[gate.state][1]}, {escape(gate.note)}</li>"
        for gate in noted
    )
    return f"<ul>{items}</ul>\n" if items else ""


def _closers(found: Explanation) -> dict[str, str]:
    """Layer → the policies that close it."""
    names: dict[str, list[str]] = {}
    for item in found.causes:
        for each in item.evidence:
            if each.name and each.effect != "allow":
                names.setdefault(each.layer, []).append(each.name)
    return {
        layer: all_[0] if len(set(all_)) == 1 else f"{all_[0]} and {len(set(all_)) - 1} more"
        for layer, all_ in names.items()
    }


def _check_name(check: str) -> str:
    words = {
        "sender": "The sender’s identity",
        "return_path": "The return path’s identity",
        "configuration_set": "The configuration set",
        "template": "The template",
        "recipients": "A recipient, in the sandbox",
        "tracking_overrides": "Tracking overrides",
    }
    return words.get(check, check)


def checklist_html(found: Explanation) -> str:
    """The questions in order, each answered, with the statements behind the answer."""
    rows = [_row(item) for item in found.checklist]
    causes, open_ = len(found.causes), len(found.open_questions)
    cleared = len(found.checklist) - causes - open_
    said = (
        f"{causes:,} of {plural(len(found.checklist), 'question')} a cause, {cleared:,} cleared, "
        f"{open_:,} open"
    )
    return table(
        "Checklist",
        ["Question", "Answer", "Why"],
        rows,
        total=len(rows),
        said=said,
        kind="checklist",
    )


def _row(item: ChecklistItem) -> list[str]:
    glyph, word, kind = MARKS[item.status], WORDS[item.status], _COLOURS[item.status]
    article = f" {tag('the article’s')}" if item.article else ""
    why = f"<p>{escape(item.answer)}</p>"
    sure = _sure(item.confidence)
    if sure:
        why += f"<p>{tag(f'rule: {sure}')}</p>"
    why += "".join(evidence_html(each, opened=item.status == "cause") for each in item.evidence)
    if item.missing:
        missing = "".join(f"<li><code>{escape(cell)}</code></li>" for cell in item.missing)
        why += f"<p>Missing:</p><ul>{missing}</ul>"
    if item.repair and item.status == "cause":
        why += f"<p><strong>What would remove it:</strong> {escape(item.repair)}</p>"
    if item.source:
        why += f'<p class="quiet">{escape(item.source)}</p>'
    shown = f'<span class="chip {kind}" style="{named_kind(kind).style}">{glyph} {word}</span>'
    return [f"{item.number}. {escape(item.question)}{article}", shown, why]


def evidence_html(each: Evidence, *, opened: bool = False) -> str:
    """One statement, or one lack, with its text."""
    note = f'<p class="note">{escape(each.note)}</p>' if each.note else ""
    if each.statement is None:
        return f"<p>{escape(each.title)}</p>{note}"
    is_open = " open" if opened else ""
    return (
        f"<details{is_open}><summary>{escape(each.title)}</summary>{note}"
        f"<pre>{escape(each.statement)}</pre></details>"
    )


def repairs_html(found: Explanation) -> str:
    """What would remove the causes, and the verdict with all of it; nothing where nothing would."""
    if not found.repairs:
        return ""
    items = "".join(
        f"<li>{escape(repair.title)}"
        f"{f'<pre>{escape(repair.statement)}</pre>' if repair.statement else ''}</li>"
        for repair in found.repairs
    )
    then = ""
    if found.verdict_repaired is not None:
        then = (
            f"; decided again with all of them: {chip(verdict_kind(found.verdict_repaired).name)}"
        )
    return (
        "<h3>What would let it pass</h3>\n"
        f"<p>{plural(len(found.repairs), 'change')}{then}. Whether it should pass is yours to "
        f"say.</p>\n<ol>{items}</ol>\n"
    )


def candidates_html(found: Explanation) -> str:
    """Whom or what a cut text may mean."""
    rows: Sequence[list[str]] = [
        [escape(each.kind), arn(each.arn), escape(each.account_name)] for each in found.candidates
    ]
    return table(
        "It may mean", ["What", "ARN", "Account"], rows, total=len(rows), what="candidates"
    )


def notes_html(found: Explanation) -> str:
    """What else to know, as a list; nothing where there is nothing."""
    # Without a verdict the headline is the first note.
    notes = [note.text for note in found.notes if note.text != found.headline]
    items = "".join(f"<li>{escape(line)}</li>" for text in notes for line in text.splitlines())
    return f"<ul>{items}</ul>\n" if items else ""


def message_html(found: Explanation) -> str:
    """What was read from the message; nothing where there was none."""
    if not found.message:
        return ""
    parts = {
        name.replace("_", " "): value
        for name, value in found.message.items()
        if value not in (None, "", [], ())
    }
    items = "".join(
        f"<dt>{escape(name)}</dt><dd><code>{escape(_plain(value))}</code></dd>"
        for name, value in parts.items()
    )
    return f'<h3>What the message says</h3><dl class="facts">{items}</dl>\n'


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
