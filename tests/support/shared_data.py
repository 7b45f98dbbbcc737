"""Where the real policies and account dumps lie, beside the checkout; they are no part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

REAL = Path(__file__).parents[3] / "shared" / "data" / "real"

needs_real_data = pytest.mark.skipif(
    not REAL.is_dir(), reason="shared/data/real is not beside the checkout"
)
