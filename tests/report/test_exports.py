"""The data files: whole, the same in both formats, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import resource
from pathlib import Path

import pandas as pd
import pyarrow.parquet as parquet
import pytest

import ses_audit
from ses_audit.audit.long_files import write_parquet
from ses_audit.report import exports, links
from ses_audit.report.exports import write_csv, write_data
from ses_audit.report.links import FILES, files_line
from ses_audit.snapshot.errors import SnapshotError


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


def test_a_long_table_is_streamed_and_says_the_same(
    example_snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = ses_audit.open(example_snapshot)
    frames = {"verdicts": audit.verdicts(), "scp_denies": audit.scp_denies()}
    monkeypatch.setattr(links, "MOST_ROWS", 1_000)
    written = {file.name: file for file in write_data(audit, tmp_path)}
    for name, whole in frames.items():
        assert written[f"data/{name}.parquet"].rows == len(whole) > 1_000
        stored = parquet.read_table(tmp_path / f"data/{name}.parquet").to_pandas()
        assert list(stored.columns) == list(whole.columns)
        assert rows(stored) == rows(whole)
        left_out = written[f"data/{name}.csv"].left_out
        assert f"its {len(whole):,} rows" in left_out
        assert f"{name}.parquet holds them all" in left_out
        assert not (tmp_path / f"data/{name}.csv").exists()
    # Short ones are text all the same.
    assert not written["data/accounts.csv"].left_out
    line = files_line(audit, "data", "verdicts")
    assert 'href="data/verdicts.parquet"' in line
    count = len(frames["verdicts"])
    assert f"verdicts.csv is not written: text of its {count:,} rows" in line


def rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Every cell as text, sorted: a streamed table is in no order."""
    texts = frame.astype(object).where(frame.notna(), "")
    return sorted(
        tuple(str(int(v)) if isinstance(v, float) else str(v) for v in row)
        for row in texts.itertuples(index=False, name=None)
    )


def test_what_is_too_long_to_be_streamed_is_absent_and_says_how_to_have_it(
    example_snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = ses_audit.open(example_snapshot)
    monkeypatch.setattr(links, "MOST_ROWS", 1_000)
    monkeypatch.setattr(links, "MOST_STREAMED", 5_000)
    written = {file.name: file for file in write_data(audit, tmp_path)}
    for kind in ("parquet", "csv"):
        assert "part by part" in written[f"data/verdicts.{kind}"].left_out
        assert not (tmp_path / f"data/verdicts.{kind}").exists()
    assert "href" not in files_line(audit, "data", "verdicts")
    assert (tmp_path / "data/scp_denies.parquet").exists()


@pytest.mark.parametrize("name", ["verdicts", "scp_denies"])
def test_a_full_disk_is_one_line_and_leaves_no_half_of_a_file(
    example_snapshot: Path, tmp_path: Path, name: str
) -> None:
    audit = ses_audit.open(example_snapshot)
    given = (audit.queries, audit.verdict_tables, audit.organization)
    path = tmp_path / "long.parquet"
    path.write_bytes(b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
    try:
        with pytest.raises(SnapshotError, match=r"^cannot write .*long.parquet: File too large$"):
            write_parquet(name, path, *given)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in tmp_path.iterdir()] == ["long.parquet"]
    assert path.read_bytes() == b"before"


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
