"""Missing keys, empty keys, IfExists and the set operators, for every operator there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from policy_cases import load
from policy_operators import check

from ses_audit.policy.operators import OPERATORS

DATA = load("sets")
POLARITIES = ("positive", "negated")


def _request(shape: object, operator: dict) -> object:
    """What the request holds: `yes` and `no` stand for the operator's values, in turn."""
    if isinstance(shape, str):
        return operator[shape][0]
    if shape is None:
        return None
    words = {"yes": iter(operator["yes"]), "no": iter(operator["no"])}
    return ["" if word == "empty" else next(words[word]) for word in shape]


def _cases() -> Iterator[tuple[str, dict, object, bool]]:
    for polarity in POLARITIES:
        for name, operator in DATA["operators"][polarity].items():
            for table in DATA["tables"]:
                for form, expected in table[polarity].items():
                    prefix, _, suffix = form.partition("+")
                    if prefix == "IfExists":
                        prefix, suffix = "", prefix
                    written = (f"{prefix}:" if prefix else "") + name + suffix
                    value = _request(table["request"], operator)
                    group = {"operator": written, "values": operator["policy"]}
                    yield f"{written}-{value!r}", group, value, expected


CASES = list(_cases())


@pytest.mark.parametrize(
    ("group", "value", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_case(group: dict, value: object, expected: bool) -> None:
    check(group, value, expected)


def test_every_operator_is_there() -> None:
    listed = {name for polarity in POLARITIES for name in DATA["operators"][polarity]}
    assert listed | {"Null", "Resource"} == set(OPERATORS)


def test_every_form_is_tried() -> None:
    for table in DATA["tables"]:
        assert table["source"].startswith("https://docs.aws.amazon.com/")
        assert set(table["positive"]) == set(table["negated"])
