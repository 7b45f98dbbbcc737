"""Processes of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import pytest

from ses_audit.audit.workers import chosen, dask, processes

_held: list[object] = []


class _Told:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __del__(self) -> None:
        self._mark.touch()


def hold(mark: Path) -> int:
    _held.append(_Told(mark))
    return len(_held)


def drop() -> None:
    _held.clear()


@pytest.mark.parametrize("make", [processes(1), dask("local", 1)])
def test_a_worker_frees_nothing_as_it_leaves(make: Callable[[], Executor], tmp_path: Path) -> None:
    with make() as executor:
        assert executor.submit(hold, tmp_path / "dropped").result() == 1
        executor.submit(drop).result()
        assert executor.submit(hold, tmp_path / "held").result() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["dropped"]


@pytest.mark.parametrize(
    ("workers", "address", "made", "count"),
    [
        (None, None, False, None),
        (3, None, True, 3),
        (3, "local", True, 3),
        (None, "local", True, None),
    ],
)
def test_what_options_ask_for(
    workers: int | None, address: str | None, made: bool, count: int | None
) -> None:
    make, found = chosen(workers, address)
    assert (make is not None, found) == (made, count or os.cpu_count())
