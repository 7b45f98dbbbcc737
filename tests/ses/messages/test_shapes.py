"""Every wrapping of a refusal: the real ones of the shared data, and those of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ses_audit.ses.messages import KINDS, Message, parse_message, parse_messages, read_log

CASES = json.loads((Path(__file__).parent / "cases" / "shapes.json").read_text())["cases"]
SHARED = Path(__file__).parents[4] / "shared" / "data" / "denial_messages.jsonl"
FIELDS = [
    *("kind", "principal", "action", "resource", "layer", "effect"),
    *("policy_arn", "smtp_code", "authorization_id"),
]


def test_the_real_shapes() -> None:
    if not SHARED.is_file():
        pytest.skip("the shared data does not lie beside this checkout")
    lines = SHARED.read_text(encoding="utf-8").splitlines()
    assert len(lines) >= 50
    for line in lines:
        shape = json.loads(line)
        found = parse_message(shape["text"]).to_json()
        stated = {k: v for k, v in shape["expect"].items() if k in found or k == "region"}
        assert {k: found.get(k) for k in stated} == stated, shape["text"]
        for silent in {"policy_arn", "smtp_code", "authorization_id"} - set(stated):
            assert found[silent] is None, shape["text"]
        assert len(parse_messages(shape["text"])) == 1, shape["text"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["shape"])
def test_a_shape(case: dict[str, Any]) -> None:
    assert parse_message(case["text"]).to_json() == case["expect"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["shape"])
def test_a_shape_is_one_refusal_of_a_log_as_well(case: dict[str, Any]) -> None:
    table = read_log(case["text"].splitlines(keepends=True))
    found = [row.message.to_json() for row in table.rows]
    if case["expect"]["kind"] == "unknown":
        assert found == []
    else:
        assert case["expect"] in found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["shape"])
def test_other_lines_around_it_change_nothing(case: dict[str, Any]) -> None:
    before = "Nov 24 06:11:59 mx1 postfix/qmgr[9]: 77AA: from=<x@y.example>, size=900, nrcpt=1\n"
    after = "\n\nNov 24 06:12:09 mx1 postfix/qmgr[9]: 77AA: removed\n"
    if case["shape"].startswith("cut"):
        after = ""
    found = parse_message(before + case["text"] + after).to_json()
    if case["expect"]["kind"] != "unknown":
        assert found == case["expect"]


def test_the_fields_and_their_order() -> None:
    assert list(Message("unknown").to_json()) == FIELDS
    assert list(Message("not_verified").to_json()) == [*FIELDS, "region", "identities"]
    assert {case["expect"]["kind"] for case in CASES} == set(KINDS)
    assert len({case["text"] for case in CASES}) == len(CASES)
