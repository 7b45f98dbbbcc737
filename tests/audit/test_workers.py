"""Processes of this machine."""

from __future__ import annotations

from pathlib import Path

from ses_audit.audit.workers import processes

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


def test_a_worker_frees_nothing_as_it_leaves(tmp_path: Path) -> None:
    with processes(1)() as executor:
        assert executor.submit(hold, tmp_path / "dropped").result() == 1
        executor.submit(drop).result()
        assert executor.submit(hold, tmp_path / "held").result() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["dropped"]
