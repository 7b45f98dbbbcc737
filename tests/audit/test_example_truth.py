"""The verdicts on the example organization against the truth that was written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ses_audit
from ses_audit.audit import Audit
from ses_audit.replay.example.build import example_data

TRUTH = example_data("truth")
CELLS = TRUTH["cells"]


@pytest.fixture(scope="module")
def audit(example_snapshot: Path) -> Audit:
    return ses_audit.open(example_snapshot)


def row_of(audit: Audit, cell: dict[str, Any]) -> dict[str, Any] | None:
    wanted = cell["identity"]
    frame = audit.verdicts(
        principal=cell["principal"],
        action=cell.get("action", "ses:SendRawEmail"),
        identity=None if "|" in wanted else wanted,
    )
    if "|" in wanted:
        prefix, _, rest = wanted.partition("|")
        arns = {wanted.replace("|*", ""), prefix.rsplit(":", 1)[0] + ":*" + rest.removeprefix("*")}
        frame = frame[frame["identity_arn"].astype(str).isin(arns)]
    frame = frame[frame["principal_arn"].astype(str) == cell["principal"]]
    assert len(frame) <= 1
    return dict(frame.iloc[0]) if len(frame) else None


@pytest.mark.parametrize("cell", CELLS, ids=[cell["special"] for cell in CELLS])
def test_a_cell(audit: Audit, cell: dict[str, Any]) -> None:
    row = row_of(audit, cell)
    if cell.get("absent"):
        assert row is None
        return
    assert row is not None
    assert {name: row[name] for name in cell["expect"]} == cell["expect"]
    for text in cell.get("conditions", ()):
        assert text in row["conditions"]
    for text in cell.get("missing", ()):
        assert text in row["missing_evidence"]
    denials = audit.denials(row["principal_arn"], row["action"], row["identity_arn"])
    found = [(d.layer.value, d.kind, d.policy, d.target) for d in denials]
    for layer, kind, policy, target in cell.get("denials", ()):
        assert any(
            (layer, kind, target) == (has[0], has[1], has[3])
            and (policy is None or str(has[2]).endswith(policy))
            for has in found
        ), found
    if "denial_count" in cell:
        assert len(found) == cell["denial_count"], found


def test_every_cell_names_its_rule_and_source() -> None:
    for cell in CELLS:
        assert cell["rule"].endswith(".")
        assert TRUTH["sources"][cell["source"]].startswith("https://")
