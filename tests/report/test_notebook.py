"""What a notebook needs beside its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from ses_audit.errors import USAGE, UserError
from ses_audit.report.notebook import SNAPSHOT_VARIABLE, begin, first, snapshot_path
from ses_audit.report.page import Html


def test_the_parameter_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SNAPSHOT_VARIABLE, "there")
    assert snapshot_path("here") == Path("here")
    assert snapshot_path(" ") == Path("there")


def test_neither_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)
    with pytest.raises(UserError) as caught:
        begin()
    assert caught.value.exit_code == USAGE
    assert "no snapshot: set the parameter `snapshot`" in str(caught.value)
    # IPython shows this instead of a traceback.
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_begin_opens(example_snapshot: Path) -> None:
    assert begin(str(example_snapshot)).summary().accounts_total == 12


def test_the_first_part_brings_the_style() -> None:
    shown = first(Html("<p>x</p>", "x"))
    assert shown.markup.startswith("<style>")
    assert shown.markup.endswith("<p>x</p>")
    assert repr(shown) == "x"
