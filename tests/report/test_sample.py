"""reports/sample is what the program writes today; `make sample` brings it up to date."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from sample import make_sample

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"
STALE = "reports/sample is not current: run `make sample`"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("sample") / "sample"
    make_sample(target)
    return target


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_it_has_the_same_files(fresh: Path) -> None:
    assert names(SAMPLE) == names(fresh), STALE


def test_it_says_the_same(fresh: Path) -> None:
    for name in names(fresh):
        here, there = SAMPLE / name, fresh / name
        if name.endswith(".parquet"):
            same = parquet.read_table(here).equals(parquet.read_table(there))
        elif name.endswith(".gz"):
            same = gzip.decompress(here.read_bytes()) == gzip.decompress(there.read_bytes())
        elif name == "run.json":
            same = comparable(here) == comparable(there)
        else:
            same = here.read_bytes() == there.read_bytes()
        assert same, f"{name}: {STALE}"


def comparable(path: Path) -> dict[str, object]:
    """The record without digests of files that another version of a library writes otherwise."""
    record = dict(json.loads(path.read_text()))
    record["artefacts"] = sorted(record["artefacts"])
    return record


def test_it_names_no_machine_and_is_small(fresh: Path) -> None:
    for path in SAMPLE.rglob("*"):
        if path.is_file():
            assert path.stat().st_size < 1_500_000, path.name
            if path.suffix in (".html", ".ipynb", ".json", ".csv"):
                text = path.read_text()
                assert "/tmp/" not in text, path.name
                assert "/home/" not in text, path.name
    pages = sum(path.stat().st_size for path in SAMPLE.glob("*.html"))
    assert pages <= 1_500_000
