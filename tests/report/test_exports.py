"""The data files: whole, the same in both formats, harmless in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pyarrow.parquet as parquet
import pytest

import ses_audit
from ses_audit.report import exports
from ses_audit.report.exports import write_csv, write_data
from ses_audit.report.links import FILES


def test_every_table_is_written_whole(example_snapshot: Path, tmp_path: Path) -> None:
    audit = ses_audit.open(example_snapshot)
    written = {file.name: file for file in write_data(audit, tmp_path)}
    assert set(written) == {f"data/{n}.{suffix}" for n, kinds in FILES.items() for suffix in kinds}
    verdicts = audit.verdicts()
    stored = parquet.read_table(tmp_path / "data/verdicts.parquet").to_pandas()
    assert list(stored.columns) == list(verdicts.columns)
    for name in verdicts.columns:
        assert stored[name].tolist() == verdicts[name].tolist(), name
    with (tmp_path / "data/verdicts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(verdicts) == written["data/verdicts.csv"].rows
    for name in ("principal_arn", "identity_arn", "action", "verdict"):
        assert [row[name] for row in rows] == [str(v) for v in verdicts[name]]
    assert {row["smtp"] for row in rows} == {"True", "False"}


def test_a_long_table_is_written_in_parts_and_says_the_same(
    example_snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = ses_audit.open(example_snapshot)
    monkeypatch.setattr(exports, "MOST_ROWS", 10)
    written = {file.name: file.rows for file in write_data(audit, tmp_path)}
    whole = audit.verdicts()
    assert written["data/verdicts.parquet"] == written["data/verdicts.csv"] == len(whole)
    assert "data/scp_denies.csv" not in written
    assert not (tmp_path / "data" / "scp_denies.csv").exists()
    key = ["principal_arn", "identity_arn", "action"]

    def rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
        columns = [*key, "principal_type", "verdict", "denied_by"]
        texts = frame[columns].astype(object).where(frame[columns].notna(), "")
        return sorted(texts.astype(str).itertuples(index=False, name=None))

    stored = parquet.read_table(tmp_path / "data/verdicts.parquet").to_pandas()
    assert rows(stored) == rows(whole)
    text = pd.read_csv(tmp_path / "data/verdicts.csv", dtype=str, keep_default_na=False)
    assert rows(text) == rows(whole)


def test_a_csv_holds_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_CHUNK", 2)
    texts = ["=cmd|x", "'=cmd|x", "plain", None, '-1,"\n', "=cmd|x"]
    frame = pd.DataFrame(
        {
            "text": pd.Series(texts, dtype=object),
            "kind": pd.Categorical(texts),
            "number": [-1, 2, 3, 4, 5, 6],
            "sure": [True, False, True, True, False, True],
        }
    )
    frame.index = pd.Index([9, 8, 7, 6, 5, 4])
    write_csv(frame, tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    safe = ["'=cmd|x", "'=cmd|x", "plain", "", "'-1,\"\n", "'=cmd|x"]
    assert rows[0] == ["text", "kind", "number", "sure"]
    assert [row[0] for row in rows[1:]] == safe
    assert [row[1] for row in rows[1:]] == safe
    assert [row[2] for row in rows[1:]] == ["-1", "2", "3", "4", "5", "6"]
    assert rows[1][3] == "True"


def test_an_empty_table_has_its_header(tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"a": pd.Series([], dtype=object), "b": []}), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "a,b\n"
