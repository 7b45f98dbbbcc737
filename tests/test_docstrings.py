"""Every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import ses_audit

ABOUT_THE_EXAMPLE = ("ses_audit", "ses_audit.audit.audit")
"""Their examples ask the example organization: `snapshot` is its folder, `audit` is it opened."""


def modules() -> list[str]:
    found = pkgutil.walk_packages(ses_audit.__path__, "ses_audit.")
    return ["ses_audit", *(m.name for m in found if not m.name.endswith("__main__"))]


@pytest.mark.parametrize("name", modules())
def test_examples(name: str, request: pytest.FixtureRequest) -> None:
    module: ModuleType = importlib.import_module(name)
    given: dict[str, object] = {}
    if name in ABOUT_THE_EXAMPLE:
        folder: Path = request.getfixturevalue("example_snapshot")
        given = {"snapshot": folder, "audit": ses_audit.open(folder)}
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS, extraglobs=given)
    assert result.failed == 0
    assert result.attempted or name not in ABOUT_THE_EXAMPLE
