"""Glyph and word together; colours that can be read."""

from __future__ import annotations

import pytest

from ses_audit.audit.matrix import KINDS as MATRIX_KINDS
from ses_audit.audit.queries import RANKS
from ses_audit.report.glyphs import KINDS, Kind, chip, legend, strongest, verdict_kind


def luminance(colour: str) -> float:
    """Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_colours_are_readable_light_and_dark(kind: Kind) -> None:
    assert contrast(*kind.light) >= 4.5
    assert contrast(*kind.dark) >= 4.5


def test_the_kinds_are_those_that_are_counted_strongest_first() -> None:
    assert tuple(kind.name for kind in KINDS) == RANKS
    assert set(RANKS) == set(MATRIX_KINDS)


def test_no_two_kinds_look_or_read_alike() -> None:
    assert len({kind.glyph for kind in KINDS}) == len({kind.word for kind in KINDS}) == 5


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_chip_has_glyph_and_word_and_its_colour_inline(kind: Kind) -> None:
    markup = chip(kind.name, count=1234)
    assert f"{kind.glyph} 1,234 {kind.word}" in markup
    assert f'style="background:{kind.light[0]};color:{kind.light[1]}"' in markup
    assert f"{kind.glyph} {kind.word}" in legend()


def test_a_note_is_escaped() -> None:
    assert "&lt;b&gt;" in chip("denied", "<b>")


def test_strongest_and_verdicts() -> None:
    assert strongest(["denied", "scp_alone", "unknown"]) == "unknown"
    assert verdict_kind("DENIED").name == "denied"
