"""Cases of the page: tests/policy/cases/boolean.json."""

from __future__ import annotations

import pytest
from policy_cases import rows
from policy_operators import check

CASES = list(rows("boolean"))


@pytest.mark.parametrize(
    ("group", "value", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_case(group: dict, value: object, expected: bool) -> None:
    check(group, value, expected)
