"""Tables read a range of accounts at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from audit_worlds import World, allow, policy
from hypothesis import given, settings
from hypothesis import strategies as st

from ses_audit.audit.columns import (
    Columns,
    among,
    codes,
    distinct,
    factorized,
    listed,
    positions,
)
from ses_audit.audit.documents import check_document
from ses_audit.replay.generate import Generated, Size
from ses_audit.replay.generate_tables import write_tables
from ses_audit.snapshot.store import open_snapshot


@pytest.fixture
def columns(tmp_path: Path) -> Columns:
    size = Size(accounts=5, principals=20, identities=2, units=2, scps=2, regions=1)
    write_tables(tmp_path / "snapshot", Generated(size), check_document)
    return Columns(open_snapshot(tmp_path / "snapshot"), verify=True)


def test_batches_cover_every_account_once(columns: Columns) -> None:
    batches = columns.batches(30)
    assert len(batches) > 1
    covered = [account for batch in batches for account in columns.of_batch(batch)]
    assert covered == columns.account_ids == [f"10000000000{n}" for n in range(5)]


def test_a_batch_holds_its_accounts_principals(columns: Columns) -> None:
    batch = columns.batches(30)[1]
    table = columns.principals(batch)
    assert set(table.column("account_id").to_pylist()) == set(columns.of_batch(batch))
    assert columns.principal_counts == dict.fromkeys(columns.account_ids, 20)


def test_the_rows_of_principals_say_whose_they_are(columns: Columns) -> None:
    batch = columns.batches(30)[1]
    arns = columns.principals(batch).column("principal_arn").combine_chunks()
    rows, places = columns.of_principals("principal_policies", arns)
    assert rows.num_rows > 0
    assert [arns[p].as_py() for p in places.tolist()] == rows.column("principal_arn").to_pylist()


def test_no_principals_have_no_rows(columns: Columns) -> None:
    rows, places = columns.of_principals("access_keys", pa.array([], pa.string()))
    assert rows.num_rows == 0
    assert len(places) == 0


def test_row_groups_that_hold_nothing_wanted_are_not_read(tmp_path: Path) -> None:
    world = World().organization()
    for number in range(40):
        world.principal(f"arn:aws:iam::111111111111:role/r{number:02d}", policy(allow()))
    expected = world.table("principal_policies")
    path = tmp_path / "t.parquet"
    parquet.write_table(expected, path, row_group_size=7)
    from ses_audit.audit.columns import _File

    file = _File(path)
    first, last = "arn:aws:iam::111111111111:role/r10", "arn:aws:iam::111111111111:role/r12"
    found = file.between("principal_arn", first, last)
    assert found.column("principal_arn").to_pylist() == [f"{first[:-2]}{n}" for n in (10, 11, 12)]
    assert len(file._groups) == 1
    assert file.column("principal_arn").to_pylist() == expected.column("principal_arn").to_pylist()


def test_columns_as_numbers() -> None:
    numbers, values = codes(pa.chunked_array([["a", None], ["b", "a"]]))
    assert [values[n] for n in numbers.tolist()] == ["a", None, "b", "a"]
    assert {k: v.tolist() for k, v in positions(pa.chunked_array([["a", "b", "a"]])).items()} == {
        "a": [0, 2],
        "b": [1],
    }


def test_rows_that_are_equal_have_one_number() -> None:
    one, two = (
        codes(pa.chunked_array([["x", "x", "y"]]))[0],
        codes(pa.chunked_array([[1, 2, 1]]))[0],
    )
    found = factorized([one, two]).tolist()
    assert len(set(found)) == 3
    assert factorized([one, one]).tolist()[0] == factorized([one, one]).tolist()[1]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 2**40)] * 3), max_size=30))
def test_distinct_rows(rows: list[tuple[int, ...]]) -> None:
    """Numbers that are wide together are made small on the way."""
    columns = [np.array([row[n] for row in rows], dtype=np.int64) for n in range(3)]
    first, of = distinct(columns)
    assert len(first) == len(set(rows))
    assert [rows[first[n]] for n in of.tolist()] == rows
    assert all(rows.index(rows[row]) == row for row in first.tolist())


def test_columns_as_lists_have_the_order_of_the_table(columns: Columns) -> None:
    accounts = columns.account_ids[1:3]
    ids, states = columns.lists("coverage", accounts[::-1], ("account_id", "state"))
    rows = columns.rows("coverage", [*accounts, *columns.account_ids[3:]])
    expected = [row for row in rows if row["account_id"] in accounts]
    assert ids == [row["account_id"] for row in expected]
    assert states == [row["state"] for row in expected]
    assert columns.lists("coverage", (), ("account_id",)) == [[]]


def test_a_few_rows_of_many_texts() -> None:
    texts = pa.chunked_array([pa.array(["a", "b", None, "c", "b"]).dictionary_encode()])
    assert listed(texts.take(pa.array([3, 2]))) == ["c", None]
    assert listed(texts) == ["a", "b", None, "c", "b"]
    assert among(texts, {"b", "x"}).tolist() == [False, True, False, False, True]
