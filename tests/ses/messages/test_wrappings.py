"""One refusal in the wrappings of mailers, SDKs, logs, languages and encodings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ses_audit.ses.messages import parse_message

SHAPES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "wrappings.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape["text"][:60])
def test_wrapping(shape: dict[str, Any]) -> None:
    found = parse_message(shape["text"]).to_json()
    assert {name: found[name] for name in shape["expect"]} == shape["expect"]
