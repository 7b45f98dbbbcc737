"""The stylesheet: offline, scoped, light, dark and print."""

from __future__ import annotations

import re

from ses_audit.report.glyphs import KINDS
from ses_audit.report.style import style_element, stylesheet


def test_nothing_comes_from_elsewhere() -> None:
    assert not re.search(r"url\(|@import|https?:", stylesheet())


def test_every_rule_is_scoped() -> None:
    selectors = re.findall(r"^([^@{}/\n]+)\{", stylesheet(), re.MULTILINE)
    assert selectors
    for line in selectors:
        assert all("ses-audit" in part for part in line.split(",")), line


def test_light_dark_and_print() -> None:
    css = stylesheet()
    assert "@media print" in css
    assert "@media screen and (prefers-color-scheme: dark)" in css
    assert 'body[data-jp-theme-light="false"]' in css
    for kind in KINDS:
        assert css.count(f".ses-audit .{kind.name} {{ background: {kind.dark[0]}") == 2


def test_braces_are_even_and_the_element_can_not_be_closed_early() -> None:
    css = stylesheet()
    assert css.count("{") == css.count("}")
    assert "</" not in css
    assert style_element().startswith("<style>")
