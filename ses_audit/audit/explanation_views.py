"""An explanation as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ses_audit.escape import html as escape

if TYPE_CHECKING:
    from ses_audit.audit.explanation import ChecklistItem, Explanation

__all__ = ["CONFIDENCE", "MARKS", "WORDS", "markup", "text_lines"]

MARKS = {"cleared": "✓", "cause": "✗", "cannot_tell": "?"}
WORDS = {"cleared": "cleared", "cause": "cause", "cannot_tell": "cannot tell"}
"""Each answer's glyph and word."""

CONFIDENCE = {
    "D": "documented by AWS",
    "R": "reported, not documented",
    "I": "inferred",
    "X": "sources conflict",
}
"""What a rule rests on."""


def text_lines(found: Explanation) -> Iterator[str]:
    """The explanation line by line, as text from AWS stands in it."""
    yield found.headline
    if found.taken_at:
        yield f"snapshot {found.taken_at}"
    for item in found.checklist:
        article = " (the article's)" if item.article else ""
        yield ""
        yield f"{MARKS[item.status]} {item.number}. {item.question}{article}"
        sure = "" if item.confidence == "D" else f" [rule: {CONFIDENCE[item.confidence]}]"
        yield f"  {WORDS[item.status]}: {item.answer}{sure}"
        for each in item.evidence:
            yield f"  · {each.title}"
            if each.note:
                yield f"    {each.note}"
            if each.statement is not None and item.status != "cleared":
                for line in each.statement.splitlines():
                    yield f"      {line}"
        if item.missing:
            yield f"  missing: {'; '.join(item.missing)}"
        if item.repair and item.status == "cause":
            yield f"  repair: {item.repair}"
    if found.repairs:
        yield ""
        yield f"Repairs (decided again with all of them: {found.verdict_repaired}):"
        for repair in found.repairs:
            yield f"  · {repair.title}"
            for line in (repair.statement or "").splitlines():
                yield f"      {line}"
    if found.candidates:
        yield ""
        yield "It may mean:"
        for candidate in found.candidates:
            name = f" ({candidate.account_name})" if candidate.account_name else ""
            yield f"  {candidate.arn}{name}"
    if found.notes:
        yield ""
        for note in found.notes:
            yield f"Note: {note.text}"


def markup(found: Explanation) -> str:
    """The explanation as HTML; all text escaped."""
    parts = [f"<p><strong>{escape(found.headline)}</strong><br>snapshot {escape(found.taken_at)}"]
    parts.append("</p>")
    if found.checklist:
        parts.append('<table class="checklist"><thead><tr><th scope="col">#</th>')
        parts.append('<th scope="col">Answer</th><th scope="col">Question</th>')
        parts.append('<th scope="col">Why</th></tr></thead><tbody>')
        parts += [_row(item) for item in found.checklist]
        parts.append("</tbody></table>")
    if found.repairs:
        listed = "".join(
            f"<li>{escape(repair.title)}<pre>{escape(repair.statement or '')}</pre></li>"
            for repair in found.repairs
        )
        verdict = escape(found.verdict_repaired)
        parts.append(f"<p>Repairs (decided again with all of them: {verdict}):</p>")
        parts.append(f"<ul>{listed}</ul>")
    if found.candidates:
        listed = "".join(f"<li><code>{escape(c.arn)}</code></li>" for c in found.candidates)
        parts.append(f"<p>It may mean:</p><ul>{listed}</ul>")
    if found.notes:
        listed = "".join(f"<li>{escape(note.text)}</li>" for note in found.notes)
        parts.append(f"<ul>{listed}</ul>")
    return "".join(parts)


def _row(item: ChecklistItem) -> str:
    word = f"{MARKS[item.status]} {WORDS[item.status]}"
    why = escape(item.answer)
    for each in item.evidence:
        why += f"<br>{escape(each.title)}"
        if each.note:
            why += f"<br><em>{escape(each.note)}</em>"
        if each.statement is not None:
            why += f"<details><summary>statement</summary><pre>{escape(each.statement)}</pre>"
            why += "</details>"
    if item.missing:
        why += f"<br>missing: {escape('; '.join(item.missing))}"
    if item.repair and item.status == "cause":
        why += f"<br>repair: {escape(item.repair)}"
    article = " (the article’s)" if item.article else ""
    return (
        f'<tr class="{escape(item.status)}"><td>{item.number}</td><td>{escape(word)}</td>'
        f"<td>{escape(item.question)}{article}</td><td>{why}</td></tr>"
    )
