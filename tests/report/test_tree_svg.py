"""The OU tree as inline SVG."""

from __future__ import annotations

from ses_audit.audit import Audit
from ses_audit.report.page import Html
from ses_audit.report.tree_svg import NODE_LIMIT, Node, Note, organization_tree, tree_svg


def test_the_tree_goes_down_from_the_root(small: Audit) -> None:
    nodes = organization_tree(small.model.organization, {}, {"ou-work": "a word"}, accounts=True)
    assert [(node.depth, node.name, node.word) for node in nodes] == [
        (0, "Root", ""),
        (1, "management", ""),
        (1, "Workloads", "a word"),
        (2, "web", ""),
    ]


def test_accounts_without_notes_can_be_left_out(small: Audit) -> None:
    notes = {"222222222222": [Note("its own SCP")]}
    nodes = organization_tree(small.model.organization, notes, {}, accounts=False)
    assert [node.name for node in nodes] == ["Root", "Workloads", "web"]


def test_the_picture_reads_as_text_and_says_what_it_leaves_out() -> None:
    nodes = [Node(0, "<Root>", "w", [Note("n <1>", 1.0, 0.5)])] + [Node(1, "x", "")] * NODE_LIMIT
    markup = tree_svg(nodes, "Tree", "of <things>")
    assert "<Root>" not in markup
    assert 'role="img"' in markup
    assert 'aria-label="Tree: of &lt;things&gt;"' in markup
    text = Html.of(markup).text
    assert "n <1>" in text
    assert f"{NODE_LIMIT} of {NODE_LIMIT + 1} drawn" in text
    assert markup.count('class="bar"') == markup.count('class="bar dark"') == 1
