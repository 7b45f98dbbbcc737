"""Generated organizations: the same from the same seed, and the same by records as by tables."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from example_world import make_snapshot

from ses_audit.audit.documents import check_document
from ses_audit.errors import UserError
from ses_audit.replay.generate import Generated, Size, parse_size
from ses_audit.replay.generate_account import account_of
from ses_audit.replay.generate_records import generated_records, write_evidence
from ses_audit.replay.generate_tables import write_tables
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import open_snapshot

SMALL = Size(accounts=6, principals=25, identities=4, units=4, scps=10, regions=2)


def test_a_size_is_read_from_text() -> None:
    assert parse_size("accounts=10_000, principals=100,seed=7") == Size(
        accounts=10_000, principals=100, seed=7
    )
    assert parse_size("") == Size()


@pytest.mark.parametrize(
    "text", ["account=3", "accounts", "accounts=-1", "accounts=x", "accounts=0", "regions=18"]
)
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--generate"):
        parse_size(text)


def test_an_account_depends_on_the_seed_and_its_number_alone() -> None:
    few, many = Generated(Size(accounts=3)), Generated(Size(accounts=30, units=8))
    assert account_of(few, 2).principals[0] == account_of(many, 2).principals[0]
    assert account_of(few, 2) == account_of(Generated(Size(accounts=3)), 2)
    assert account_of(few, 2) != account_of(Generated(Size(accounts=3, seed=2)), 2)


def test_each_account_has_the_principals_and_identities_that_were_asked_for() -> None:
    made = Generated(SMALL)
    for number in range(SMALL.accounts):
        account = account_of(made, number)
        assert len(account.principals) == SMALL.principals - 1
        assert len({p.name for p in account.principals}) == SMALL.principals - 1
        assert len(account.identities) == SMALL.identities


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("generated")
    made = Generated(SMALL)
    write_tables(folder / "tables", made, check_document)
    return folder / "tables", make_snapshot(folder / "records", generated_records(made))


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"coverage"}))
def test_tables_are_those_of_the_records(name: str, both: tuple[Path, Path]) -> None:
    straight, collected = (open_snapshot(path).table(name) for path in both)
    assert straight.num_rows > 0 or name == "groups"
    assert straight.to_pylist() == collected.to_pylist()


def test_what_was_refused_is_the_same(both: tuple[Path, Path]) -> None:
    def failed(table: pa.Table) -> list[tuple[str, str, str]]:
        rows = table.to_pylist()
        return [
            (row["account_id"], row["region"], row["operation"])
            for row in rows
            if row["state"] not in ("OK", "EMPTY")
        ]

    assert failed(open_snapshot(both[0]).table("coverage")) == []
    assert failed(open_snapshot(both[1]).table("coverage")) == []


def test_evidence_is_written_account_by_account(tmp_path: Path) -> None:
    made = Generated(Size(accounts=3, principals=15, units=1, scps=2, regions=1))
    assert write_evidence(tmp_path / "evidence", made) == len(list(generated_records(made)))
    written = sorted(path.name for path in (tmp_path / "evidence" / "evidence").iterdir())
    assert written == [f"10000000000{n}.jsonl.zst" for n in range(3)]


# Among so many accounts there is one that refuses the audit role.
REFUSING = "accounts=200,principals=12,identities=1,units=2,scps=3,regions=1,seed=1"


def test_the_command_writes_evidence_and_makes_the_same_tables_of_it(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from ses_audit.cli.replay import replay

    made = []
    for number, more in enumerate([[], ["--evidence"], ["--evidence", "--workers", "2"]]):
        to = tmp_path / str(number)
        written = CliRunner().invoke(replay, ["--generate", REFUSING, "--to", str(to), *more])
        assert written.exit_code == 0, written.output
        made.append(open_snapshot(to))
    tables, evidence, shared = made
    for name in TABLES:
        straight, collected = (s.table(name).to_pylist() for s in (tables, evidence))
        if name == "coverage":
            # The generator tells OK of what is read and has nothing.
            for row in (*straight, *collected):
                row["state"] = row["state"].replace("EMPTY", "OK")
            assert any(row["state"] == "ASSUME_FAILED" for row in straight)
        assert straight == collected, name
    assert len(evidence.accounts()) == 200
    files = [
        {path.name: path.read_bytes() for path in (s.path / "tables").iterdir()}
        for s in (evidence, shared)
    ]
    assert files[0] == files[1]


def test_evidence_without_a_snapshot_is_refused() -> None:
    from click.testing import CliRunner

    from ses_audit.cli.replay import replay

    asked = CliRunner().invoke(replay, ["--generate", "accounts=2", "--evidence"])
    assert isinstance(asked.exception, UserError)


def test_the_command_writes_a_snapshot(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from ses_audit.cli.replay import replay

    to = str(tmp_path / "snapshot")
    written = CliRunner().invoke(replay, ["--generate", "accounts=2,principals=12", "--to", to])
    assert "2 accounts of 12 principals" in written.output
    assert open_snapshot(to).table("principals").num_rows == 24
    refused = CliRunner().invoke(replay, ["--generate", "accounts=2", "--to", to])
    assert isinstance(refused.exception, UserError)
    assert isinstance(CliRunner().invoke(replay, ["--to", to]).exception, UserError)


def test_a_generated_organization_can_be_served() -> None:
    from ses_audit.cli.replay import _recording

    recording = _recording(None, None, "accounts=3,principals=12,units=1,scps=1,regions=1")
    assert recording.caller_account == "100000000000"
