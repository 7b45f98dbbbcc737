"""Cells by pairs and patterns are the cells."""

from __future__ import annotations

from random import Random

import numpy as np
import pyarrow as pa
import pytest

from ses_audit.audit import pairs as module
from ses_audit.audit.pairs import pairs_of
from ses_audit.audit.verdict_tables import SCHEMAS

ACTIONS = 3
Cell = tuple[int, int, int, int]


def tables(cells: list[Cell]) -> dict[str, pa.Table]:
    """Four classes of senders and of identities, two of each in account 1."""
    made: dict[str, list[dict[str, object]]] = {
        "senders": [
            {"principal_account": "12"[n > 1] if n < 3 else None, "sender_class": n}
            for n in range(4)
        ],
        "identities": [{"identity_account": "12"[n > 1], "identity_class": n} for n in range(4)],
        "actions": [{"action": f"ses:{n}"} for n in range(ACTIONS)],
        "cells": [dict(zip(SCHEMAS["cells"].names, cell, strict=True)) for cell in cells],
    }
    return {n: pa.Table.from_pylist(rows, schema=SCHEMAS[n]) for n, rows in made.items()}


def whole(cells: list[Cell]) -> tuple[list[Cell], int]:
    """The cells that pairs and patterns stand for, and how many patterns there are."""
    found = pairs_of(tables(cells))
    of: dict[int, list[tuple[int, int, bool]]] = {}
    for row in found.patterns.to_pylist():
        of.setdefault(row["pattern"], []).append((row["action_number"], row["ruling"], row["same"]))
    back: list[Cell] = []
    for pair in found.pairs.to_pylist():
        sender, identity = pair["sender_class"], pair["identity_class"]
        for action, ruling, same in of[pair["pattern"]]:
            assert same is (sender < 3 and (sender > 1) == (identity > 1))
            back.append((sender, identity, action, ruling))
    return sorted(back), len(of)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_whatever_the_order(seed: int) -> None:
    chance = Random(seed)
    cells = [
        (sender, identity, action, chance.randrange(3))
        for sender in range(4)
        for identity in range(4)
        for action in range(ACTIONS)
        if chance.random() < 0.8
    ]
    if seed % 2:
        chance.shuffle(cells)
    assert whole(cells)[0] == sorted(cells)


def test_pairs_with_the_same_rulings_share_a_pattern() -> None:
    alike = [(0, 0, a, 5) for a in range(ACTIONS)] + [(1, 1, a, 5) for a in range(ACTIONS)]
    assert whole(alike) == (sorted(alike), 1)
    # Across accounts the same rulings are another pattern: a grant can lack there.
    other = [*alike, *((0, 2, a, 5) for a in range(ACTIONS))]
    assert whole(other)[1] == 2


def test_nothing_at_all() -> None:
    assert whole([]) == ([], 0)


def test_rows_that_mix_to_one_number_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ODD", 1)
    cells = [(0, 0, 0, 1), (0, 0, 1, 2), (1, 1, 0, 2), (1, 1, 1, 1)]
    assert whole(cells) == (sorted(cells), 2)


def test_distinct_rows_are_numbered() -> None:
    rows = np.array([[1, 2], [3, 4], [1, 2]], dtype=np.int32)
    found, number = module._distinct(rows)
    assert found[number].tolist() == rows.tolist()
    assert len(found) == 2
