"""The pictures of docs/ are of the pages that reports/sample holds."""

from __future__ import annotations

import json
from pathlib import Path

from pictures import DATED, dates

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
PNG = b"\x89PNG\r\n\x1a\n"


def test_every_page_has_a_current_picture() -> None:
    assert json.loads((PICTURES / DATED).read_text()) == dates(), "run `make pictures`"
    for name in dates():
        assert (PICTURES / name).read_bytes().startswith(PNG), name
