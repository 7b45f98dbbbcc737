"""The same organization in moto and in the replay server gives the collector the same tables.

moto is kept by others, so it shares no mistake with the replay server. What it cannot give is left
out by name, each with its reason; everything else must be equal.
"""

from __future__ import annotations

import pytest
from aws_fixtures import unhurried
from moto_organization import Seed, moto_as

from ses_audit.audit.documents import check_document
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.progress import Silent
from ses_audit.collect.run import collect
from ses_audit.replay.example import example_records
from ses_audit.replay.example.build import example_data
from ses_audit.replay.example_run import only_loopback
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import serve
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.store import Snapshot

MANAGEMENT = "111111111111"
# It refuses the role; moto grants every role.
REFUSES = "121212121212"

LEFT_OUT = {
    ("accounts", "name"): "moto calls the management account `master`",
    ("organization_policies", "arn"): "moto puts AWS's own policies under the organization",
    ("principals", "principal_id"): "moto makes it up",
    ("principals", "created"): "moto takes the time of the test",
    ("principals", "last_used"): "moto notes that the test assumed the role",
    ("access_keys", "access_key_id"): "moto makes it up",
    ("access_keys", "created"): "moto takes the time of the test",
    ("access_keys", "last_used"): "moto has no call to set it",
    ("access_keys", "last_used_service"): "moto has no call to set it",
    ("access_keys", "last_used_region"): "moto has no call to set it",
    ("identities", "verified"): "moto has no call to verify one",
    ("principals of type user", "boundary_arn"): "moto drops a user's boundary in "
    "GetAccountAuthorizationDetails; the example has boundaries on roles only, which are compared",
}
"""(table, column) → why moto cannot give it."""

TABLES_LEFT_OUT = {
    "ses_account_regions": "moto has no sesv2 GetAccount",
    "coverage": "compared below, by cell",
}
CELLS_LEFT_OUT = {
    "sesv2.GetAccount": "moto has no sesv2 GetAccount",
    "account.ListRegions": "moto has no account ListRegions",
    "ec2.DescribeRegions": "asked in its place, so of moto only",
    "iam.GetAccountAuthorizationDetails": "moto ignores its paging: one page, whatever is asked",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, Snapshot]:
    """The snapshot read from the replay server, and the one read from moto."""
    records = example_records()
    regions = tuple(sorted({r.region for r in records if r.operation == "GetEmailIdentity"}))
    folder = tmp_path_factory.mktemp("both")

    def read(name: str) -> Snapshot:
        options = CollectOptions(
            snapshot=folder / name,
            ses_regions=lambda partition: regions,
            check_document=check_document,
            exclude_accounts=(REFUSES,),
            regions=regions,
        )
        return collect(options, Silent(), unhurried())

    recording = Recording(records)
    with serve(recording) as server, only_loopback(server.url, MANAGEMENT):
        replayed = read("replay")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "x")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.setenv("AWS_CONFIG_FILE", str(folder / "none"))
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
        with moto_as(MANAGEMENT):
            Seed(records).run()
            mocked = read("moto")
    return replayed, mocked


@pytest.mark.parametrize("name", sorted(set(TABLES) - set(TABLES_LEFT_OUT)))
def test_a_table_is_the_same(both: tuple[Snapshot, Snapshot], name: str) -> None:
    left_out = [column for table, column in LEFT_OUT if table == name]
    replayed, mocked = (made.table(name).drop_columns(left_out) for made in both)
    assert replayed.num_rows > 0

    def rows(table: object) -> list[str]:
        # By content: where the id that sorted them is left out, their order means nothing.
        return sorted(repr(row) for row in table.to_pylist())  # type: ignore[attr-defined]

    assert rows(mocked) == rows(replayed)


def test_every_cell_ends_in_the_same_state(both: tuple[Snapshot, Snapshot]) -> None:
    denied = {(r["account"], r["region"]) for r in example_data("organization")["refused"]}
    regions = {"global", *(c["region"] for c in both[0].table("identities").to_pylist())}

    def states(made: Snapshot) -> dict[str, str]:
        return {
            str(row.cell): row.state.value
            for row in read_coverage(made.table("coverage"))
            if not row.argument
            and row.region in regions
            and f"{row.service}.{row.operation}" not in CELLS_LEFT_OUT
            and (row.account_id, row.region) not in denied
        }

    replayed, mocked = map(states, both)
    assert mocked == replayed
    rows = read_coverage(both[1].table("coverage"))
    by_ec2 = {row.account_id: row.state.value for row in rows if row.service == "ec2"}
    assert set(by_ec2.values()) == {"OK"}
    assert both[1].manifest["assumptions"] == []
    assert len(replayed) > 200


def test_what_is_left_out_is_there_to_be_left_out() -> None:
    for table, column in LEFT_OUT:
        assert column in TABLES[table.split(" ", maxsplit=1)[0]].names
    users = [user for account in example_data("principals")["accounts"].values()
             for user in account.get("users", ())]  # fmt: skip
    assert users
    assert not any("boundary" in user for user in users)
