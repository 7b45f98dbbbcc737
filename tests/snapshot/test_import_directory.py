from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ses_audit.errors import NOTHING_COLLECTED, USAGE
from ses_audit.snapshot.build import append_records, finish_snapshot
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.import_directory import ImportResult, read_import
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.plan import Cell
from ses_audit.snapshot.store import Snapshot, create_snapshot, open_snapshot

REAL = Path(__file__).parents[2].parent / "shared/data/real/account-authorization-details"
ORGANIZATION = "111111111111/global/organizations."


def gaps(found: ImportResult) -> list[str]:
    return [row.text for row in found.ledger.rows() if not row.state.is_evidence]


def state(found: ImportResult, text: str) -> State:
    account, region, call = text.split("/")
    service, operation = call.split(".")
    return found.ledger.state(Cell(account, region, service, operation))


def store(found: ImportResult, path: Path) -> Snapshot:
    with create_snapshot(path, started_at="t") as writer:
        append_records(writer, found.records)
        finish_snapshot(writer, found.ledger, lambda text: None, taken_at="t", given=found.given,
                        organization=found.organization, assumptions=found.assumptions)  # fmt: skip
    return open_snapshot(path)


def test_a_whole_organization_has_no_gap_but_the_suspended_account(folder: Path) -> None:
    found = read_import(folder, ses_regions={"eu-west-1", "af-south-1"})
    assert gaps(found) == [
        "333333333333/global/account.ListRegions=NOT_AUDITED",
        "333333333333/global/iam.GetAccountAuthorizationDetails=NOT_AUDITED",
        "333333333333/global/iam.ListAccessKeys=NOT_AUDITED",
    ]
    assert found.ledger.totals().complete
    assert found.unused == ()
    assert state(found, "111111111111/af-south-1/sesv2.GetAccount") is State.REGION_DISABLED


@pytest.mark.parametrize(
    ("absent", "gap"),
    [
        (f"{ORGANIZATION}list-roots", "111111111111/global/organizations.ListRoots"),
        (f"{ORGANIZATION}list-accounts", "111111111111/global/organizations.ListAccounts"),
        (f"{ORGANIZATION}list-accounts-for-parent.ou-ab12-11111111",
         "111111111111/global/organizations.ListAccountsForParent[ou-ab12-11111111]"),
        (f"{ORGANIZATION}list-policies.SERVICE_CONTROL_POLICY",
         "111111111111/global/organizations.ListPolicies[SERVICE_CONTROL_POLICY]"),
        (f"{ORGANIZATION}describe-policy.p-12345678",
         "111111111111/global/organizations.DescribePolicy[p-12345678]"),
        (f"{ORGANIZATION}list-targets-for-policy.p-12345678",
         "111111111111/global/organizations.ListTargetsForPolicy[p-12345678]"),
        ("111111111111/global/iam.get-account-authorization-details",
         "111111111111/global/iam.GetAccountAuthorizationDetails"),
        ("222222222222/global/account.list-regions", "222222222222/global/account.ListRegions"),
        ("222222222222/global/iam.list-access-keys.bob",
         "222222222222/global/iam.ListAccessKeys[bob]"),
        ("222222222222/eu-west-1/sesv2.list-email-identities",
         "222222222222/eu-west-1/sesv2.ListEmailIdentities"),
        ("222222222222/eu-west-1/sesv2.get-email-identity.example.com",
         "222222222222/eu-west-1/sesv2.GetEmailIdentity[example.com]"),
        ("222222222222/eu-west-1/sesv2.get-account", "222222222222/eu-west-1/sesv2.GetAccount"),
        ("222222222222/eu-west-1/sesv2.list-configuration-sets",
         "222222222222/eu-west-1/sesv2.ListConfigurationSets"),
    ],
)  # fmt: skip
def test_an_absent_file_is_not_attempted(folder: Path, absent: str, gap: str) -> None:
    (folder / f"{absent}.json").unlink()
    found = read_import(folder)
    assert f"{gap}=NOT_ATTEMPTED" in gaps(found)
    assert not found.ledger.totals().complete
    # And broken in its place, malformed.
    (folder / f"{absent}.json").write_text("<html>")
    assert f"{gap}=MALFORMED" in gaps(read_import(folder))


def test_the_organization_is_told_by_its_accounts(folder: Path, tmp_path: Path) -> None:
    (folder / f"{ORGANIZATION}describe-organization.json").unlink()
    found = read_import(folder)
    assert found.ledger.totals().complete
    organization = store(found, tmp_path / "s").manifest["organization"]
    assert isinstance(organization, dict)
    assert organization["id"] == "o-a1b2c3d4e5"
    assert organization["management_account_id"] == "111111111111"


def test_regions_by_ec2_stand_for_the_list_of_regions(folder: Path) -> None:
    own = folder / "222222222222/global"
    listed = json.loads((own / "account.list-regions.json").read_text())["Regions"]
    names = {"ENABLED": "opted-in", "ENABLED_BY_DEFAULT": "opt-in-not-required"}
    described = [
        {"RegionName": r["RegionName"],
         "OptInStatus": names.get(r["RegionOptStatus"], "not-opted-in")} for r in listed
    ]  # fmt: skip
    regions = {r["RegionName"] for r in listed}
    whole = read_import(folder, ses_regions=regions)
    (own / "account.list-regions.json").unlink()
    (own / "ec2.describe-regions.json").write_text(json.dumps({"Regions": described}))
    found = read_import(folder, ses_regions=regions)
    assert found.ledger.totals().complete
    more = {Cell("222222222222", "global", "ec2", "DescribeRegions")}
    assert set(found.ledger.cells()) - set(whole.ledger.cells()) == more
    for cell in whole.ledger.cells():
        assert found.ledger.state(cell) is whole.ledger.state(cell), cell
    # A list that is there is the one that counts.
    (own / "account.list-regions.json").write_text("<html>")
    assert gaps(read_import(folder, ses_regions=regions))[0] == (
        "222222222222/global/account.ListRegions=MALFORMED"
    )


def test_an_ou_without_a_file_hides_nothing_once_every_account_has_its_place(folder: Path) -> None:
    (folder / f"{ORGANIZATION}list-organizational-units-for-parent.r-ab12.json").unlink()
    name = "111111111111/global/organizations.ListOrganizationalUnitsForParent"
    assert state(read_import(folder), name) is State.OK
    (folder / f"{ORGANIZATION}list-accounts-for-parent.r-ab12.json").unlink()
    assert state(read_import(folder), name) is State.NOT_ATTEMPTED


def test_policies_by_target_stand_for_targets_by_policy(folder: Path) -> None:
    for path in (folder / "111111111111/global").glob("organizations.list-targets-*"):
        path.unlink()
    (folder / f"{ORGANIZATION}list-policies.SERVICE_CONTROL_POLICY.json").unlink()
    targets = ("r-ab12", "ou-ab12-11111111", "111111111111", "222222222222", "333333333333")
    policy = {"Id": "p-12345678", "Name": "NoSes", "Type": "SERVICE_CONTROL_POLICY"}
    for target in targets:
        path = folder / f"{ORGANIZATION}list-policies-for-target.{target}.json"
        path.write_text(json.dumps({"Policies": [policy]}))
    found = read_import(folder)
    assert found.ledger.totals().complete
    # Without one of them a policy could be attached there unseen.
    path.unlink()
    name = "111111111111/global/organizations.ListTargetsForPolicy"
    assert state(read_import(folder), name) is State.NOT_ATTEMPTED


def test_an_account_without_a_folder_is_not_attempted(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "222222222222")
    found = read_import(folder)
    assert "222222222222/*/sesv2.ListEmailIdentities=NOT_ATTEMPTED" in gaps(found)
    snapshot = store(found, tmp_path / "s")
    arns = [row["principal_arn"] for row in snapshot.table("principals").to_pylist()]
    assert arns == ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"]


def test_a_page_is_truncated_and_what_it_holds_is_kept(folder: Path, tmp_path: Path) -> None:
    path = folder / "222222222222/eu-west-1/sesv2.list-email-identities.json"
    path.write_text(json.dumps({"EmailIdentities": [{"IdentityName": "example.com"}],
                                "NextToken": "x"}))  # fmt: skip
    found = read_import(folder)
    assert "222222222222/eu-west-1/sesv2.ListEmailIdentities=TRUNCATED" in gaps(found)
    assert store(found, tmp_path / "s").table("identities").num_rows == 2


def test_files_that_are_not_used_are_named(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")
    (folder / "222222222222/global/iam.list-users.json").write_text("{}")
    assert [why for _, why in read_import(folder).unused] == [
        "a call that the audit does not use", "not ACCOUNT/REGION/FILE",
    ]  # fmt: skip


DETAILS = {
    "UserDetailList": [{"Arn": "arn:aws:iam::222222222222:user/a", "UserName": "a"}],
    "RoleDetailList": [], "GroupDetailList": [], "Policies": [],
}  # fmt: skip


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_lone_dump(tmp_path: Path, as_folder: bool) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in/get-account-authorization-details.json"
    path.write_text(json.dumps(DETAILS))
    found = read_import(path.parent if as_folder else path)
    assert found.organization == {"read_from": "222222222222"}
    assert "222222222222/global/organizations.DescribeOrganization=NOT_ATTEMPTED" in gaps(found)
    assert "222222222222/*/sesv2.ListEmailIdentities=NOT_ATTEMPTED" in gaps(found)
    snapshot = store(found, tmp_path / "s")
    assert [row["name"] for row in snapshot.table("principals").to_pylist()] == ["root", "a"]
    assert snapshot.manifest["organization"] == {"read_from": "222222222222"}


def test_a_lone_dump_with_words_by_hand(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps(DETAILS))
    arn = "arn:aws:ses:eu-west-1:222222222222:identity/News@example.com"
    found = read_import(tmp_path / "d.json", no_organization=True, identities=[arn, arn])
    snapshot = store(found, tmp_path / "s")
    assert snapshot.manifest["organization"] == {"none": True}
    (identity,) = snapshot.table("identities").to_pylist()
    assert identity["identity_arn"] == arn
    assert (identity["type"], identity["details_read"], identity["configuration_set"]) == (
        "address", True, "",
    )  # fmt: skip
    (region,) = snapshot.table("ses_account_regions").to_pylist()
    assert region["production_access"] is True
    stated, named = found.assumptions
    assert "--no-organization" in stated
    assert named.startswith("News@example.com in eu-west-1 of account 222222222222")
    assert not any("ses" in gap or "organizations" in gap for gap in gaps(found))


def test_principals_go_to_the_account_of_their_arn(folder: Path, tmp_path: Path) -> None:
    path = folder / "222222222222/global/iam.get-account-authorization-details.json"
    answer = json.loads(path.read_text())
    stray = "arn:aws:iam::444444444444:user/stray"
    answer["UserDetailList"].append({"Arn": stray, "UserName": "stray"})
    path.write_text(json.dumps(answer))
    snapshot = store(read_import(folder), tmp_path / "s")
    accounts = {
        r["principal_arn"]: r["account_id"] for r in snapshot.table("principals").to_pylist()
    }
    assert accounts[stray] == "444444444444"
    # In the wrong folder altogether, or where that account has a file of its own: one line.
    own = folder / "444444444444/global/iam.get-account-authorization-details.json"
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps({"UserDetailList": [{"Arn": stray, "UserName": "stray"}]}))
    details = "222222222222/global/iam.GetAccountAuthorizationDetails"
    assert state(read_import(folder), details) is State.MALFORMED
    own.unlink()
    path.write_text(json.dumps({"UserDetailList": [{"Arn": stray, "UserName": "stray"}]}))
    assert state(read_import(folder), details) is State.MALFORMED


def one_line(code: int, says: str, *arguments: object, **options: object) -> None:
    with pytest.raises(SnapshotError) as error:
        read_import(*arguments, **options)  # type: ignore[arg-type]
    assert error.value.exit_code == code
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_nothing_to_import(tmp_path: Path) -> None:
    one_line(USAGE, "does not exist", tmp_path / "none")
    one_line(NOTHING_COLLECTED, "nothing to import", tmp_path)
    (tmp_path / "a.json").write_text("{}")
    one_line(NOTHING_COLLECTED, "it has no UserDetailList", tmp_path)
    (tmp_path / "a.json").write_text('{"UserDetailList": [')
    one_line(NOTHING_COLLECTED, "not JSON at line 1", tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"UserDetailList": []}')
    one_line(NOTHING_COLLECTED, "its account is not known", tmp_path / "a.json")
    (tmp_path / "b.json").write_text("{}")
    one_line(NOTHING_COLLECTED, "nothing to import", tmp_path)


def test_options_that_contradict_the_files(folder: Path) -> None:
    one_line(USAGE, "leave one of them out", folder, no_organization=True)
    arn = "arn:aws:ses:eu-west-1:999999999999:identity/x.example"
    one_line(USAGE, "holds nothing of account 999999999999", folder, identities=[arn])
    other = "arn:aws-us-gov:ses:us-gov-west-1:222222222222:identity/x.example"
    one_line(USAGE, "is in the partition aws;", folder, identities=[other])
    for wrong in ("example.com", "arn:aws:ses:eu-west-1:1:identity/x", f"{arn}\nx", "x" * 999):
        one_line(USAGE, "is not an identity's ARN", folder, identities=[wrong])


def test_an_organization_that_is_not_in_use(folder: Path, tmp_path: Path) -> None:
    for path in (folder / "111111111111/global").glob("organizations.*"):
        path.unlink()
    (folder / f"{ORGANIZATION}describe-organization.json").write_text(
        "An error occurred (AWSOrganizationsNotInUseException) when calling the "
        "DescribeOrganization operation: Your account is not a member of an organization."
    )
    found = read_import(folder)
    assert found.ledger.totals().complete
    assert store(found, tmp_path / "s").manifest["organization"] == {
        "none": True, "read_from": "111111111111",
    }  # fmt: skip


@pytest.mark.skipif(not REAL.exists(), reason="the real dumps are not here")
@pytest.mark.parametrize(
    ("file", "principals", "roots", "linked"),
    # Counted in the files with jq: users and roles; accounts in the ARNs; aws-service-role paths.
    [
        ("examples__files__example.json", 44 + 78, 2, 8),
        ("test__files__example-authz-details.json", 3 + 3, 1, 0),
    ],
)
def test_real_dumps(tmp_path: Path, file: str, principals: int, roots: int, linked: int) -> None:
    snapshot = store(read_import(REAL / file), tmp_path / "s")
    table = snapshot.table("principals").to_pylist()
    assert sum(row["type"] != "root" for row in table) == principals
    assert sum(row["type"] == "root" for row in table) == roots
    assert sum(row["service_linked"] for row in table) == linked
    policies = snapshot.table("principal_policies").to_pylist()
    assert policies
    assert all(row["document_sha256"] for row in policies)


def test_the_same_bytes_from_the_same_files(folder: Path, tmp_path: Path) -> None:
    one, two = (store(read_import(folder), tmp_path / name) for name in "ab")
    for path in (one.path / "tables").iterdir():
        assert path.read_bytes() == (two.path / "tables" / path.name).read_bytes()


def test_the_plan_of_an_account_does_not_look_at_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else many accounts would cost their square."""

    def cells(ledger: Ledger) -> list[Cell]:
        raise AssertionError("all cells were listed")

    monkeypatch.setattr(Ledger, "cells", cells)
    assert read_import(folder).ledger.totals().planned > 20
