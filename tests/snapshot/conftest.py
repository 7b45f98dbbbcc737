"""What the tests of snapshots share: records, and a folder of AWS CLI output."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record

CASES = Path(__file__).parent / "cases"


def _record(
    operation: str = "ListAccounts",
    response: dict[str, object] | None = None,
    *,
    account: str = "111111111111",
    region: str = "global",
    service: str = "organizations",
    status: State = State.OK,
    time: str = "2026-11-23T06:00:00Z",
    error: dict[str, str] | None = None,
    request_id: str = "",
    **request: object,
) -> Record:
    return Record(
        account, region, service, operation, dict(request), status, error, response, request_id,
        1, time,
    )  # fmt: skip


@pytest.fixture(scope="session")
def record() -> Callable[..., Record]:
    return _record


@pytest.fixture(scope="session")
def cli_files() -> dict[str, object]:
    """Relative path → answer: an organization of three accounts, completely read."""
    files: dict[str, object] = json.loads((CASES / "directory.json").read_text())["files"]
    return files


@pytest.fixture
def folder(tmp_path: Path, cli_files: dict[str, object]) -> Path:
    """The files on the disk, as `ses-audit import` reads them."""
    root = tmp_path / "answers"
    for name, answer in cli_files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(answer, indent=4))
    return root
