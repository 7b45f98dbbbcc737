"""The OU tree as inline SVG: each level with its SCPs, and how many sends each stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ses_audit.escape import html as escape
from ses_audit.report.reasons import short

if TYPE_CHECKING:
    from ses_audit.audit.organization import Organization

__all__ = ["NODE_LIMIT", "Node", "Note", "organization_tree", "tree_svg"]

NODE_LIMIT = 60
"""The most OUs and accounts drawn; the table below the picture holds all."""

_ROW = 26
_NOTE = 20
_INDENT = 26
_WIDTH = 1080
_BAR = 120


@dataclass(frozen=True, slots=True)
class Note:
    """A line under a node.

    Parameters
    ----------
    text
        Plain text.
    length
        Of its bar, 0 to 1; None for no bar.
    dark
        The dark part of the bar, 0 to 1.
    """

    text: str
    length: float | None = None
    dark: float = 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """A root, an OU or an account.

    Parameters
    ----------
    depth
        0 for the root.
    name, word
        Plain text: what it is called, and what is said behind it.
    notes
        Its SCPs.
    """

    depth: int
    name: str
    word: str
    notes: Sequence[Note] = ()


def organization_tree(
    organization: Organization,
    notes: Mapping[str, Sequence[Note]],
    words: Mapping[str, str],
    *,
    accounts: bool,
) -> list[Node]:
    """The tree from the root down, each OU with its accounts.

    Parameters
    ----------
    organization
        Of the snapshot.
    notes
        By target: what stands under it.
    words
        By target: what stands behind its name.
    accounts
        Whether accounts without notes are drawn.
    """
    below: dict[str | None, list[str]] = {}
    for unit in organization.units.values():
        parent = unit.parent_id if unit.parent_id in organization.units else None
        below.setdefault(parent, []).append(unit.id)
    inside: dict[str | None, list[str]] = {}
    for account in organization.accounts.values():
        parent = account.parent_id if account.parent_id in organization.units else None
        inside.setdefault(parent, []).append(account.id)
    nodes: list[Node] = []

    def add(target: str, name: str, depth: int) -> None:
        nodes.append(Node(depth, name, words.get(target, ""), notes.get(target, ())))

    def walk(unit: str, depth: int) -> None:
        add(unit, organization.units[unit].name or unit, depth)
        for id in sorted(inside.get(unit, ()), key=organization.target_name):
            if accounts or id in notes:
                add(id, organization.target_name(id), depth + 1)
        for id in sorted(below.get(unit, ()), key=organization.target_name):
            walk(id, depth + 1)

    for top in sorted(below.get(None, ())):
        walk(top, 0)
    for id in sorted(inside.get(None, ()), key=organization.target_name):
        if accounts or id in notes:
            add(id, organization.target_name(id), 0)
    return nodes


def tree_svg(nodes: Sequence[Node], title: str, description: str) -> str:
    """The tree as inline SVG, with a title and a description for who does not see it.

    Parameters
    ----------
    nodes
        In the order of `organization_tree`.
    title, description
        Plain text.
    """
    drawn = nodes[:NODE_LIMIT]
    pieces: list[str] = []
    y = 8
    tops: dict[int, int] = {}
    for node in drawn:
        x = 8 + node.depth * _INDENT
        middle = y + _ROW // 2
        if node.depth and node.depth - 1 in tops:
            up = x - _INDENT + 10
            pieces.append(f'<path class="edge" d="M{up} {tops[node.depth - 1]}V{middle}H{x}"/>')
        label = short(node.name, 48)
        width = 16 + 8 * len(label)
        pieces.append(
            f'<rect class="box" x="{x}" y="{y + 2}" width="{width}" height="{_ROW - 4}" rx="4"/>'
            f'<text x="{x + 8}" y="{middle + 5}" font-size="14" font-weight="600" '
            f'textLength="{width - 16}" lengthAdjust="spacingAndGlyphs">{escape(label)}</text>'
        )
        if node.word:
            pieces.append(
                f'<text class="soft" x="{x + width + 10}" y="{middle + 5}" font-size="13">'
                f"{escape(short(node.word, 90))}</text>"
            )
        tops[node.depth] = y + _ROW - 2
        y += _ROW
        for note in node.notes:
            pieces += _note(note, x + 24, y)
            y += _NOTE
        y += 6
    more = len(nodes) - len(drawn)
    if more:
        pieces.append(
            f'<text class="soft" x="8" y="{y + 14}" font-size="13">{len(drawn):,} of '
            f"{len(nodes):,} drawn</text>"
        )
        y += 22
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(title)}">'
        f'<svg role="img" viewBox="0 0 {_WIDTH} {y + 4}" width="{_WIDTH}" height="{y + 4}" '
        f'aria-label="{escape(title)}: {escape(description)}">{"".join(pieces)}</svg></div>\n'
    )


def _note(note: Note, x: int, y: int) -> list[str]:
    pieces: list[str] = []
    if note.length is not None:
        pieces.append(
            f'<rect class="track" x="{x}" y="{y + 4}" width="{_BAR}" height="12" rx="2"/>'
        )
        for part, name in ((note.length, "bar"), (note.dark, "bar dark")):
            width = max(2, round(_BAR * part)) if part else 0
            pieces.append(
                f'<rect class="{name}" x="{x}" y="{y + 4}" width="{width}" height="12" rx="2"/>'
            )
        x += _BAR + 10
    pieces.append(
        f'<text x="{x}" y="{y + 15}" font-size="13">{escape(short(note.text, 140))}</text>'
    )
    return pieces
