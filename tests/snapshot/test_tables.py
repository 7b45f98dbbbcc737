from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.identity_tables import GivenIdentity
from ses_audit.snapshot.import_directory import read_import
from ses_audit.snapshot.joining import build_tables, join_parts, organization_of
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.plan import Cell
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.table_files import parquet_bytes
from ses_audit.snapshot.tables import account_part

ALICE = "arn:aws:iam::222222222222:user/team/alice"
BOB = "arn:aws:iam::222222222222:user/bob"


def check(text: str) -> str | None:
    try:
        json.loads(text)
    except ValueError as error:
        return str(error)
    return None


@pytest.fixture
def tables(folder: Path) -> dict[str, pa.Table]:
    found = read_import(folder)
    return build_tables(found.records, found.ledger.rows(), check)


def rows(tables: dict[str, pa.Table], name: str, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row[c] for c in columns) for row in tables[name].to_pylist()]


def test_every_table_has_its_columns(tables: dict[str, pa.Table]) -> None:
    assert {name: table.schema for name, table in tables.items()} == TABLES


def test_accounts(tables: dict[str, pa.Table]) -> None:
    assert rows(tables, "accounts", "account_id", "name", "state", "parent_id", "is_management",
                "audited", "not_audited_reason") == [
        ("111111111111", "management", "ACTIVE", "r-ab12", True, True, ""),
        ("222222222222", "prod-web", "ACTIVE", "ou-ab12-11111111", False, True, ""),
        ("333333333333", "old", "SUSPENDED", "r-ab12", False, False, "its state is SUSPENDED"),
    ]  # fmt: skip


def test_the_tree_and_what_is_attached(tables: dict[str, pa.Table]) -> None:
    assert rows(tables, "organizational_units", "id", "type", "parent_id", "path") == [
        ("ou-ab12-11111111", "ORGANIZATIONAL_UNIT", "r-ab12",
         "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"),
        ("r-ab12", "ROOT", None, "o-a1b2c3d4e5/r-ab12/"),
    ]  # fmt: skip
    assert rows(tables, "policy_attachments", "policy_id", "target_id", "target_type") == [
        ("p-12345678", "ou-ab12-11111111", "ORGANIZATIONAL_UNIT"),
        ("p-FullAWSAccess", "111111111111", "ACCOUNT"),
        ("p-FullAWSAccess", "222222222222", "ACCOUNT"),
        ("p-FullAWSAccess", "333333333333", "ACCOUNT"),
        ("p-FullAWSAccess", "ou-ab12-11111111", "ORGANIZATIONAL_UNIT"),
        ("p-FullAWSAccess", "r-ab12", "ROOT"),
    ]
    texts = dict(rows(tables, "policy_documents", "sha256", "document"))
    policies = {row["name"]: row for row in tables["organization_policies"].to_pylist()}
    # The content is kept as AWS gave it, spaces and all.
    assert texts[policies["NoSes"]["document_sha256"]] == (
        '{ "Version": "2012-10-17", "Statement": { "Effect": "Deny", "Action": "ses:*", '
        '"Resource": "*" } }'
    )
    assert policies["FullAWSAccess"]["aws_managed"] is True
    assert policies["NoSes"]["aws_managed"] is False


def test_principals(tables: dict[str, pa.Table]) -> None:
    principals = {row["principal_arn"]: row for row in tables["principals"].to_pylist()}
    # A root user for each audited account; none for the suspended one.
    assert [arn for arn in principals if arn.endswith(":root")] == [
        "arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root",
    ]  # fmt: skip
    alice = principals[ALICE]
    assert alice["path"] == "/team/"
    assert alice["created"] == "2019-12-18T19:10:08Z"
    assert alice["tags"] == '{"a":"é","team":"mail"}'
    assert alice["boundary_arn"] == "arn:aws:iam::222222222222:policy/Edge"
    assert '"s3:*"' in _text(tables, alice["boundary_sha256"])
    assert alice["last_used"] is None
    assert principals[BOB]["boundary_arn"] is None
    sso, linked = (row for row in principals.values() if row["type"] == "role")
    assert (sso["permission_set"], sso["service_linked"]) == ("Mail_Admin", False)
    assert sso["last_used"] == "2026-11-01T00:00:00Z"
    assert (linked["permission_set"], linked["service_linked"]) == (None, True)
    assert linked["last_used"] == ""
    assert '"Statement":[]' in _text(tables, linked["trust_sha256"])


def _text(tables: dict[str, pa.Table], sha256: object) -> str:
    return str(dict(rows(tables, "policy_documents", "sha256", "document"))[sha256])


def test_the_policies_of_a_principal(tables: dict[str, pa.Table]) -> None:
    found = [
        row for row in tables["principal_policies"].to_pylist() if row["principal_arn"] == ALICE
    ]
    group = "arn:aws:iam::222222222222:group/AWSSESSendingGroupDoNotRename"
    managed = "arn:aws:iam::222222222222:policy/Send"
    assert [(r["source"], r["policy_name"], r["policy_arn"], r["group_arn"]) for r in found] == [
        ("group_inline", "AmazonSesSendingAccess", None, group),
        ("group_managed", "Send", managed, group),
        ("inline", "AmazonSesSendingAccess", None, None),
        ("managed", "Send", managed, None),
    ]
    # The default version, not the newest in the list nor the oldest.
    assert '"ses:SendEmail"' in _text(tables, found[1]["document_sha256"])
    assert found[0]["document_sha256"] == found[2]["document_sha256"]
    # An AWS managed policy that the answer does not hold: not seen.
    (sso,) = [r for r in tables["principal_policies"].to_pylist() if "SSO" in r["principal_arn"]]
    assert (sso["policy_name"], sso["document_sha256"]) == ("AdministratorAccess", None)


def test_access_keys(tables: dict[str, pa.Table]) -> None:
    assert rows(tables, "access_keys", "principal_arn", "access_key_id", "status", "last_used",
                "last_used_service", "last_used_region") == [
        (ALICE, "AKIAALICE00000000001", "Active", "2026-11-20T10:00:00Z", "ses", "eu-west-1"),
        (ALICE, "AKIAALICE00000000002", "Inactive", "", "", ""),
    ]  # fmt: skip


def test_identities(tables: dict[str, pa.Table]) -> None:
    assert rows(tables, "identities", "name", "type", "verified", "sending_enabled",
                "configuration_set", "tags", "details_read") == [
        ("News@example.com", "address", False, False, "", '{"k":"v"}', True),
        ("example.com", "domain", True, True, "default-set", "{}", True),
    ]  # fmt: skip
    ((arn, name, digest),) = rows(
        tables, "identity_policies", "identity_arn", "policy_name", "document_sha256"
    )
    assert arn == "arn:aws:ses:eu-west-1:222222222222:identity/News@example.com"
    assert name == "partner"
    assert _text(tables, digest) == '{"Version":"2008-10-17","Statement":[]}'
    assert rows(tables, "configuration_sets", "name", "sending_enabled") == [("default-set", None)]
    assert rows(tables, "ses_account_regions", "account_id", "production_access") == [
        ("111111111111", False), ("222222222222", True),
    ]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(seed=st.randoms(use_true_random=False))
def test_the_same_bytes_whatever_the_order(cli_files: dict[str, object], seed, record) -> None:
    records = _records(cli_files, record)
    shuffled = [*records, *records[:5]]
    seed.shuffle(shuffled)
    assert _bytes(shuffled) == _bytes(records)


def _bytes(records) -> dict[str, bytes]:
    ledger = Ledger()
    for one in sorted(records, key=lambda r: (r.account, r.operation, str(r.request))):
        ledger.plan([Cell(one.account, one.region, one.service, one.operation)])
        ledger.mark(Cell(one.account, one.region, one.service, one.operation), State.OK)
    tables = build_tables(records, ledger.rows(), check)
    return {name: parquet_bytes(table) for name, table in tables.items()}


def _records(cli_files: dict[str, object], record):
    from ses_audit.snapshot.import_files import call_of
    from ses_audit.snapshot.import_json import read_answer

    found = []
    for name, answer in cli_files.items():
        call = call_of(tuple(name.split("/")))
        assert not isinstance(call, str)
        found.append(
            record(call.operation, read_answer(json.dumps(answer).encode()), account=call.account,
                   region=call.region, service=call.service, **call.request)
        )  # fmt: skip
    return found


def test_parts_made_apart_join_to_the_same_bytes(folder: Path) -> None:
    found = read_import(folder)
    accounts = sorted({one.account for one in found.records})
    parts = [account_part(a, [r for r in found.records if r.account == a]) for a in accounts]
    whole = build_tables(found.records, found.ledger.rows(), check)
    for order in (parts, parts[::-1]):
        joined = join_parts(order, found.ledger.rows(), check)
        assert {n: parquet_bytes(t) for n, t in joined.items()} == {
            n: parquet_bytes(t) for n, t in whole.items()
        }


def test_live_text_and_imported_objects_are_read_alike(record) -> None:
    text = '{"Version":"2012-10-17","Statement":[]}'
    role = {"Arn": "arn:aws-us-gov:iam::222222222222:role/r", "RoleName": "r"}

    def made(document: object):
        details = {"RoleDetailList": [{**role, "AssumeRolePolicyDocument": document}]}
        one = record("GetAccountAuthorizationDetails", details, service="iam",
                     account="222222222222")  # fmt: skip
        return build_tables([one], [], check)

    assert made(text) == made(json.loads(text))
    assert rows(made(text), "principals", "principal_arn") == [(role["Arn"],)]


def test_the_partition_is_read_off_never_assumed(record) -> None:
    arn = "arn:aws-us-gov:organizations::111111111111:account/o-x1/222222222222"
    account = {"Id": "222222222222", "State": "ACTIVE", "Arn": arn}
    listing = record("ListAccounts", {"Accounts": [account]})
    identity = record("ListEmailIdentities", {"EmailIdentities": [{"IdentityName": "a.example"}]},
                      service="sesv2", region="us-gov-west-1", account="222222222222")  # fmt: skip
    made = build_tables([listing, identity], [], check)
    assert rows(made, "principals", "principal_arn") == [("arn:aws-us-gov:iam::222222222222:root",)]


def test_a_malformed_document_is_kept_and_says_so(record) -> None:
    details = {"RoleDetailList": [{"Arn": "arn:aws:iam::222222222222:role/r", "RoleName": "r",
                                   "AssumeRolePolicyDocument": '{"a":"\ud800"'}]}  # fmt: skip
    one = record("GetAccountAuthorizationDetails", details, service="iam", account="222222222222")
    ((document, malformed),) = rows(
        build_tables([one], [], check), "policy_documents", "document", "malformed"
    )
    assert document == '{"a":"\\ud800"'
    assert malformed


def test_a_group_that_was_not_seen_is_a_policy_that_was_not_seen(record) -> None:
    details = {"UserDetailList": [{"Arn": BOB, "UserName": "bob", "GroupList": ["gone"]}]}
    one = record("GetAccountAuthorizationDetails", details, service="iam", account="222222222222")
    made = build_tables([one], [], check)
    assert rows(made, "principal_policies", "source", "group_arn", "document_sha256") == [
        ("group_inline", "arn:aws:iam::222222222222:group/gone", None)
    ]


def test_an_account_that_moved_stands_where_it_was_seen_last(record) -> None:
    def under(parent: str, time: str):
        return record("ListAccountsForParent", {"Accounts": [{"Id": "222222222222"}]}, time=time,
                      ParentId=parent)  # fmt: skip

    for records in ([under("ou-1", "01"), under("ou-2", "02")],
                    [under("ou-2", "02"), under("ou-1", "01")]):  # fmt: skip
        assert rows(build_tables(records, [], check), "accounts", "parent_id") == [("ou-2",)]


def test_an_ou_off_the_tree_has_no_path(record) -> None:
    units = record("ListOrganizationalUnitsForParent", {"OrganizationalUnits": [{"Id": "ou-1"}]},
                   ParentId="ou-0")  # fmt: skip
    looped = record("ListOrganizationalUnitsForParent", {"OrganizationalUnits": [{"Id": "ou-0"}]},
                    ParentId="ou-1")  # fmt: skip
    made = build_tables([units, looped], [], check)
    assert rows(made, "organizational_units", "id", "path") == [("ou-0", None), ("ou-1", None)]


def test_accounts_that_the_plan_leaves_out(record) -> None:
    ledger = Ledger()
    for account, state, detail in (
        ("222222222222", State.EXCLUDED, "sandbox"), ("333333333333", State.NOT_AUDITED, ""),
    ):  # fmt: skip
        cell = Cell(account, "global", "iam", "GetAccountAuthorizationDetails")
        ledger.mark(cell, state, detail)
    made = build_tables([], ledger.rows(), check)
    assert rows(made, "accounts", "account_id", "audited", "not_audited_reason") == [
        ("222222222222", False, "sandbox"), ("333333333333", False, "NOT_AUDITED"),
    ]  # fmt: skip
    assert made["principals"].num_rows == 0


def test_facts_of_the_organization(record, folder: Path) -> None:
    found = read_import(folder)
    part = account_part("111111111111", [r for r in found.records if r.account[0] == "1"])
    assert organization_of([part]) == {
        "id": "o-a1b2c3d4e5",
        "management_account_id": "111111111111",
        "read_from": "111111111111",
        "feature_set": "ALL",
        "policy_types": ["SERVICE_CONTROL_POLICY"],
    }
    assert organization_of([]) == {}
    denied = record("DescribeOrganization", None, status=State.DENIED)
    assert account_part("1" * 12, [denied]).facts == {"read_from": "1" * 12}
    alone = record("DescribeOrganization", None, status=State.EMPTY,
                   error={"code": "AWSOrganizationsNotInUseException"})  # fmt: skip
    assert account_part("1" * 12, [alone]).facts == {"none": True, "read_from": "1" * 12}


def test_attachments_by_target_and_parents_by_child(record) -> None:
    policy = {"Id": "p-1", "Name": "x", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False}
    records = [
        record("ListPoliciesForTarget", {"Policies": [policy]}, TargetId="r-1",
               Filter="SERVICE_CONTROL_POLICY"),
        record("ListParents", {"Parents": [{"Id": "r-1", "Type": "ROOT"}]}, ChildId="222222222222"),
        record("ListAccounts", {"Accounts": [{"Id": "222222222222", "Status": "ACTIVE"}]}),
    ]  # fmt: skip
    made = build_tables(records, [], check)
    assert rows(made, "policy_attachments", "policy_id", "target_type") == [("p-1", "ROOT")]
    assert rows(made, "accounts", "state", "parent_id") == [("ACTIVE", "r-1")]
    assert rows(made, "organization_policies", "document_sha256") == [(None,)]


def test_an_identity_named_by_hand_yields_to_one_that_was_read(folder: Path) -> None:
    found = read_import(folder)
    prefix = "arn:aws:ses:eu-west-1:222222222222:identity/"
    named = [GivenIdentity.parse(prefix + name) for name in ("example.com", "b.example")]
    made = build_tables(found.records, found.ledger.rows(), check, [*named, named[1]])
    assert rows(made, "identities", "name", "configuration_set", "details_read", "verified") == [
        ("News@example.com", "", True, False),
        ("b.example", "", True, None),
        ("example.com", "default-set", True, True),
    ]
    assert made["ses_account_regions"].num_rows == 2


def test_the_sending_of_a_configuration_set(record) -> None:
    one = record("GetConfigurationSet", {"SendingOptions": {"SendingEnabled": False}},
                 service="sesv2", region="eu-west-1", ConfigurationSetName="s")  # fmt: skip
    assert rows(
        build_tables([one], [], check), "configuration_sets", "name", "sending_enabled"
    ) == [("s", False)]


def test_a_deleted_identity_is_no_row_and_an_unread_one_is_unknown(record) -> None:
    listing = record("ListEmailIdentities",
                     {"EmailIdentities": [{"IdentityName": "gone.example"},
                                          {"IdentityName": "denied.example"}]},
                     service="sesv2", region="eu-west-1")  # fmt: skip
    gone = record("GetEmailIdentity", None, service="sesv2", region="eu-west-1",
                  status=State.EMPTY, error={"code": "NotFoundException"},
                  EmailIdentity="gone.example")  # fmt: skip
    made = build_tables([listing, gone], [], check)
    assert rows(made, "identities", "name", "details_read", "configuration_set", "verified") == [
        ("denied.example", False, None, None)
    ]
