"""The layers of one decision as gates: which is open, which is closed, which is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from ses_audit.escape import html as escape
from ses_audit.report.reasons import short

if TYPE_CHECKING:
    from ses_audit.audit.explanation import ExplainedCheck, LayerGate

__all__ = ["LAYER_WORDS", "STATES", "gates_svg"]

LAYER_WORDS = {
    "identity_policy": "identity policy",
    "permissions_boundary": "permissions boundary",
    "session_policy": "session policy",
    "service_control_policy": "service control policy",
    "resource_control_policy": "resource control policy",
    "sending_authorization_policy": "sending authorization policy",
}

STATES = {
    "open": ("✓", "open"),
    "closed": ("✗", "closed"),
    "partly": ("◐", "open in part"),
    "unknown": ("?", "not known"),
    "none": ("–", "does not apply"),
}
"""Glyph and word of each state of a gate."""

_PASSABLE = ("open", "partly", "none")

# What becomes of the request: the first of these states that a gate is in says it.
_ENDS = {"closed": "✗ refused", "unknown": "? not known", "partly": "◐ some pass"}

_WIDTH, _GAP, _HEIGHT, _TOP = 138, 26, 50, 30


def gates_svg(check: ExplainedCheck, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """One check of a send: the request goes from gate to gate until one is closed.

    Parameters
    ----------
    check
        With its gates.
    names
        Layer → what closes it, written above its gate.

    Returns
    -------
    str
        Inline SVG; its label says the same in words.
    """
    gates = [gate for gate in check.gates if gate.state != "none"] or list(check.gates)
    width = 70 + len(gates) * (_WIDTH + _GAP) + 96
    pieces = [
        f'<text x="4" y="{_TOP + _HEIGHT // 2 + 5}" font-size="13" font-weight="600">request</text>'
    ]
    x, passed = 66, True
    for gate in gates:
        pieces.append(_line(x - 4, x + _GAP - 6, passed))
        x += _GAP
        pieces += _gate(gate, x - 4, gate.note or names.get(gate.layer, ""))
        x += _WIDTH
        passed = passed and gate.state in _PASSABLE
    pieces.append(_line(x - 4, x + _GAP - 6, passed))
    states = {gate.state for gate in gates}
    end = next((_ENDS[state] for state in _ENDS if state in states), "✓ passes")
    pieces.append(
        f'<text x="{x + _GAP - 2}" y="{_TOP + _HEIGHT // 2 + 5}" font-size="13" '
        f'font-weight="600">{end}</text>'
    )
    height = _TOP + _HEIGHT + 40
    said = "; ".join(_said(gates))
    return (
        f'<svg role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-label="Gates of the check {escape(check.id)}: {escape(said)}">'
        f"{''.join(pieces)}</svg>\n"
    )


def _said(gates: Iterable[LayerGate]) -> list[str]:
    return [f"{LAYER_WORDS.get(gate.layer, gate.layer)} {STATES[gate.state][1]}" for gate in gates]


def _line(start: int, end: int, passed: bool) -> str:
    """The way from one gate to the next; dashed where no request gets to."""
    kind = "way" if passed else "way barred"
    return f'<path class="{kind}" d="M{start} {_TOP + _HEIGHT // 2}H{end}"/>'


def _gate(gate: LayerGate, x: int, note: str) -> list[str]:
    glyph, word = STATES[gate.state]
    middle = x + _WIDTH // 2
    box = (
        f'<rect class="gate {gate.state}" x="{x}" y="{_TOP}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" rx="5"/>'
    )
    state = (
        f'<text x="{middle}" y="{_TOP + 31}" font-size="15" font-weight="600" '
        f'text-anchor="middle">{glyph} {word}</text>'
    )
    pieces = [box, state]
    lines = _wrapped(LAYER_WORDS.get(gate.layer, gate.layer))
    pieces += [
        f'<text x="{middle}" y="{_TOP + _HEIGHT + 17 + 15 * row}" font-size="12.5" '
        f'text-anchor="middle">{escape(line)}</text>'
        for row, line in enumerate(lines)
    ]
    if note and gate.state != "open":
        pieces.append(
            f'<text class="soft" x="{middle}" y="{_TOP - 8}" font-size="11.5" '
            f'text-anchor="middle">{escape(short(note, 24))}</text>'
        )
    return pieces


def _wrapped(words: str, length: int = 20) -> Sequence[str]:
    """Words on at most two lines."""
    if len(words) <= length:
        return (words,)
    first, _, last = words.rpartition(" ")
    return (first, last)
