"""From classes to single cells, and no further than a limit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ses_audit.audit.spread import class_counts, spread
from ses_audit.audit.verdict_tables import SCHEMAS
from ses_audit.errors import UserError


@pytest.fixture
def tables() -> dict[str, pa.Table]:
    """Two senders of class 0 and one of class 1; identities of classes 0, 0, 1; one action."""

    def table(name: str, rows: list[dict[str, object]]) -> pa.Table:
        return pa.Table.from_pylist(rows, schema=SCHEMAS[name])

    senders = [
        {"principal_arn": arn, "principal_account": account, "sender_class": number}
        for arn, account, number in (("a", "1", 0), ("b", "1", 0), ("c", "2", 1))
    ]
    identities = [
        {"identity_arn": arn, "identity_account": account, "identity_class": number}
        for arn, account, number in (("x", "1", 0), ("y", "1", 0), ("z", "1", 1))
    ]
    return {
        "senders": table("senders", senders),
        "identities": table("identities", identities),
        "actions": table("actions", [{"action": "ses:SendEmail"}]),
        "rulings": table("rulings", [{"ungranted": False}, {"ungranted": True}]),
        "cells": table(
            "cells",
            [
                {"sender_class": 0, "identity_class": 0, "action": 0, "ruling": 0},
                {"sender_class": 1, "identity_class": 1, "action": 0, "ruling": 1},
            ],
        ),
    }


def rows(tables: dict[str, pa.Table], **given: object) -> list[tuple[int, int, int]]:
    chosen = {
        name: np.ones(len(tables[name]), dtype=bool)
        for name in ("senders", "identities", "actions", "rulings")
    }
    found = spread(tables, **{**chosen, "unrelated": True, **given})  # type: ignore[arg-type]
    columns = (found[name].tolist() for name in ("identity", "sender", "ruling"))
    return list(zip(*columns, strict=True))


def test_every_member_with_every_member(tables: dict[str, pa.Table]) -> None:
    assert class_counts(tables).tolist() == [4, 1]
    assert rows(tables) == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0), (2, 2, 1)]


def test_only_what_is_chosen(tables: dict[str, pa.Table]) -> None:
    assert rows(tables, senders=np.array([False, True, False])) == [(0, 1, 0), (1, 1, 0)]
    assert rows(tables, identities=np.array([False, True, True])) == [
        (1, 0, 0),
        (1, 1, 0),
        (2, 2, 1),
    ]


def test_a_lack_of_a_grant_across_accounts_is_left_out(tables: dict[str, pa.Table]) -> None:
    assert rows(tables, unrelated=False) == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)]


def test_past_the_limit_it_says_how_to_narrow(tables: dict[str, pa.Table]) -> None:
    with pytest.raises(UserError, match="5 verdicts are asked for, and at most 4"):
        rows(tables, most=4)
